"""A page for each opinion, reason code and error family, listed from the code so that none is missing.

What the code knows (the words of the report, exit codes, every message with its next step) is taken from it; what only
a person can explain stands in `explained.toml`, and a name that is not explained there is an error.
"""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import depose
from depose.analysis import opinion
from depose.errors import DeposeError
from depose.model import Verdict
from depose.report.wording import REASONS

EXPLAINED = Path(__file__).with_name("explained.toml")
SOURCE = Path(depose.__file__).parent
CUT = 400
"""Characters of a message that the table of an error shows."""


def pages() -> dict[str, str]:
    """The pages of opinions, reasons and errors, with an index of each."""
    said = tomllib.loads(EXPLAINED.read_text("utf-8"))
    found: dict[str, str] = {}
    for verdict in verdicts():
        found[f"reference/opinions/{slug(verdict)}.md"] = f"# {verdict}\n\n{_hand(said, 'opinions', slug(verdict))}"
    found["reference/opinions/index.md"] = _opinions()
    for code in reasons():
        text = f"# {code}\n\nThe report says: *{_plain(REASONS[code])}.*\n\n{_hand(said, 'reasons', code)}"
        found[f"reference/reasons/{code}.md"] = text
    found["reference/reasons/index.md"] = _reasons()
    messages = raised()
    for family in families():
        found[f"reference/errors/{family.__name__}.md"] = _family(family, said, messages.get(family.__name__, []))
    found["reference/errors/index.md"] = _errors()
    return found


def _hand(said: dict[str, Any], kind: str, name: str) -> str:
    """What a person says of a name."""
    if name not in said[kind]:
        raise SystemExit(f"{EXPLAINED}: [{kind}] says nothing of {name!r}; explain it there")
    found: str = said[kind][name]
    return found


def slug(text: str) -> str:
    """A name of a file for an opinion."""
    return re.sub(r"[^a-z]+", "-", text.lower()).strip("-")


def verdicts() -> tuple[str, ...]:
    """Every opinion that there is."""
    found: tuple[str, ...] = get_args(Verdict)
    return found


def reasons() -> list[str]:
    """Every reason code that an opinion can carry: the strings that opinion.py hands out."""
    found: list[str] = []
    for node in ast.walk(ast.parse(inspect.getsource(opinion))):
        values: Sequence[ast.expr] = ()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
            values = node.args
        elif isinstance(node, ast.keyword) and node.arg == "reasons":
            values = [one for one in ast.walk(node.value) if isinstance(one, ast.Constant)]
        found += [str(one.value) for one in values if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return sorted(set(found))


def families() -> list[type[DeposeError]]:
    """Every error of depose, parents before children."""

    def below(kind: type[DeposeError]) -> Iterator[type[DeposeError]]:
        yield kind
        for child in kind.__subclasses__():
            if child.__module__ == DeposeError.__module__:
                yield from below(child)

    return list(below(DeposeError))


def raised() -> dict[str, list[tuple[str, str]]]:
    """Every message that the source can raise, with its next step, by the name of the error.

    What a module makes of an error for itself, such as `BreaksOffError`, is of the family of that error.
    """
    nodes = [one for path in sorted(SOURCE.rglob("*.py")) for one in ast.walk(ast.parse(path.read_text("utf-8")))]
    known = {one.__name__: one.__name__ for one in families()}
    known |= {
        node.name: base.id
        for node in nodes
        if isinstance(node, ast.ClassDef) and node.name not in known
        for base in node.bases
        if isinstance(base, ast.Name) and base.id in known
    }
    found: dict[str, set[tuple[str, str]]] = {}
    for node in nodes:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in known):
            continue
        hint = next((one.value for one in node.keywords if one.arg == "hint"), None)
        if node.args:
            found.setdefault(known[node.func.id], set()).add((_shown(node.args[0]), _shown(hint) if hint else ""))
    return {name: sorted(each) for name, each in found.items()}


def _shown(node: ast.expr) -> str:
    """A message as it is written, with what is filled in as `…`."""
    match node:
        case ast.Constant():
            return str(node.value)
        case ast.JoinedStr():
            return "".join(_shown(part) for part in node.values)
        case ast.BinOp(op=ast.Add()):
            return _shown(node.left) + _shown(node.right)
        case _:
            return "…"


def _plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def _cell(text: str) -> str:
    flat = " ".join(text.split())[:CUT].replace("|", "\\|")
    return f"`` {flat} ``" if flat.strip("…: ") else ""


def _opinions() -> str:
    lines = [
        "# Opinions",
        "",
        "An opinion is looked up in a table, from numbers that are all printed, and nothing else; one for each",
        "suspect, reference and question.",
        "",
        "```text",
        (inspect.getdoc(opinion) or "").partition("\n\n")[2],
        "```",
        "",
        *(f"- [{one}]({slug(one)}.md)" for one in verdicts()),
    ]
    return "\n".join([*lines, "", *_tree(slug(one) for one in verdicts())])


def _reasons() -> str:
    lines = [
        "# Reason codes",
        "",
        "Why an opinion is `inconclusive`, or why a relation is not resolved. Several may stand together.",
        "",
        "| code | means |",
        "|---|---|",
        *(f"| [`{code}`]({code}.md) | {_plain(REASONS[code])} |" for code in reasons()),
    ]
    return "\n".join([*lines, "", *_tree(reasons())])


def _errors() -> str:
    lines = [
        "# Errors",
        "",
        "Every error that depose raises on purpose is one of these. It says what is wrong, where, and the next step;",
        "the command line prints it as `error: …` and `hint: …` (`next: …` where it is a command that runs as it "
        "stands), with `--json` as an object besides, and leaves with its exit code. In Python they are in "
        "`depose.errors`. A traceback is a fault of depose: please report it.",
        "",
        "| error | parent | exit code | means |",
        "|---|---|---|---|",
        *(
            f"| [`{one.__name__}`]({one.__name__}.md) | `{one.__base__.__name__}` | {one.exit_code} "
            f"| {inspect.getdoc(one)} |"
            for one in families()
            if one.__base__
        ),
    ]
    return "\n".join([*lines, "", *_tree(one.__name__ for one in families())])


def _family(family: type[DeposeError], said: dict[str, Any], messages: list[tuple[str, str]]) -> str:
    name = family.__name__
    lines = [f"# {name}", "", inspect.getdoc(family) or "", "", f"Exit code {family.exit_code}.", ""]
    below = [one.__name__ for one in families() if one.__mro__[1] is family]
    if below:
        lines += ["More special: " + ", ".join(f"[`{one}`]({one}.md)" for one in below) + ".", ""]
    lines += [_hand(said, "errors", name), ""]
    if messages:
        lines += ["## Messages", "", "`…` stands for what is filled in.", "", "| message | next |", "|---|---|"]
        lines += [f"| {_cell(message)} | {_cell(hint)} |" for message, hint in messages if _cell(message)]
    return "\n".join(lines)


def _tree(names: Iterator[str] | Sequence[str]) -> list[str]:
    return ["```{toctree}", ":hidden:", "", *names, "```"]
