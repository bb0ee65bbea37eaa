"""Ways to set the same sentences."""

from __future__ import annotations

from collections.abc import Callable


def _before(mark: Callable[[int], str], between: str = "\n") -> Callable[[list[str]], str]:
    return lambda items: between.join(f"{mark(n)}{item}" for n, item in enumerate(items, 1))


def _emphasised(items: list[str]) -> str:
    return "\n".join(f"- **{item.split()[0]}** {' '.join(item.split()[1:])}" for item in items)


def _table(items: list[str]) -> str:
    return "| Advice |\n|---|\n".replace("Advice", items[0]) + "\n".join(f"| {item} |" for item in items[1:])


SETTINGS: dict[str, Callable[[list[str]], str]] = {
    "lines": _before(lambda n: ""),
    "paragraphs": _before(lambda n: "", "\n\n"),
    "hyphens": _before(lambda n: "- "),
    "stars": _before(lambda n: "* "),
    "dots": _before(lambda n: "  • "),
    "ticks": _before(lambda n: "✅ "),
    "numbers": _before("{}. ".format),
    "numbers in bold": _before("**{}.** ".format),
    "numbers in brackets": _before("({}) ".format, "\n\n"),
    "letters": _before(lambda n: f"{'abc'[n - 1]}) "),
    "circled": _before(lambda n: "①②③"[n - 1]),
    "headings": _before(lambda n: "#" * n + " ", "\n\n"),
    "quotation": _before(lambda n: "> > "),
    "tasks": _before(lambda n: "- [ ] "),
    "tags": lambda items: "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>",
    "breaks": lambda items: "<br>".join(items),
    "first word in bold": _emphasised,
    "table": _table,
    "fence": lambda items: "```text\n" + "\n".join(items) + "\n```",
    "rules between": _before(lambda n: "", "\n\n---\n\n"),
}
"""By name: a function from sentences, up to three, to a text."""
