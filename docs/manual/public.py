"""The page of the public Python names: signature and docstring of everything in `depose.__all__`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import msgspec

import depose
from manual import files, records

HEAD = """\
# Python

`import depose` gives the names below. They are typed, and semantic versioning is promised for them alone: everything
else may move from one version to the next. [Findings with Python](../tutorials/notebook.md) uses them.
"""
NONE = (
    "This version names none: use the [commands](commands.md), and read the [files](files/index.md) that they write.\n"
)
KINDS: dict[str, Callable[[Any], bool]] = {
    "Functions": inspect.isroutine,
    "Records": lambda value: inspect.isclass(value) and not issubclass(value, Exception),
    "Errors": lambda value: inspect.isclass(value) and issubclass(value, Exception),
}


class _Bare(str):
    """Words that print as they are."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def pages() -> dict[str, str]:
    """The one page of public names."""
    named = {name: getattr(depose, name) for name in sorted(getattr(depose, "__all__", ()))}
    if not named:
        return {"reference/api.md": f"{HEAD}\n{NONE}"}
    said = (inspect.getdoc(depose) or "").partition("\n\n")[2]
    parts = [HEAD, said, ""]
    seen: set[str] = set()
    for title, holds in KINDS.items():
        mine = {name: value for name, value in named.items() if holds(value)}
        seen |= mine.keys()
        parts += [f"## {title}", "", *(_section(name, value, set(named)) for name, value in mine.items())]
    parts += [_section(name, value, set(named)) for name, value in named.items() if name not in seen]
    return {"reference/api.md": "\n".join(parts)}


def _section(name: str, value: Any, named: set[str]) -> str:
    said = inspect.getdoc(value) or ""
    if inspect.isclass(value) and issubclass(value, msgspec.Struct):
        table = "\n".join(_linked(line, named) for line in records.table(value, strict=False))
        return f"### {name}\n\n{said}\n\n{table}\n"
    if inspect.isclass(value) and issubclass(value, Exception):
        return f"### {name}\n\n{said} See [its messages](errors/{name}.md).\n"
    if inspect.isclass(value):
        methods = [one for one in vars(value).values() if inspect.isfunction(one) and not one.__name__.startswith("_")]
        return f"### {name}\n\n{said}\n\n{''.join(_call(one.__name__, one) for one in methods)}"
    if callable(value):
        return f"### {name}\n\n{_call(name, value)}"
    return f"### {name}\n\n`{value!r}`\n"


def _call(name: str, function: Any) -> str:
    given = inspect.signature(function)
    bare = [
        one.replace(
            annotation=_Bare(one.annotation),
            default=_Bare("...") if inspect.isroutine(one.default) else one.default,
        )
        for one in given.parameters.values()
    ]
    shown = given.replace(parameters=bare, return_annotation=_Bare(given.return_annotation))
    return f"```python\n{name}{shown}\n```\n\n{inspect.getdoc(function) or ''}\n\n"


def _linked(line: str, named: set[str]) -> str:
    """Lead to records that stand on this page, or on that of a file; name others."""

    def place(found: re.Match[str]) -> str:
        name = found[1]
        if name in named:
            return found[0]
        home = files.home().get(name)
        return f"[{name}](files/{home}.md#{name.lower()})" if home else f"`{name}`"

    return re.sub(r"\[(\w+)\]\(#\w+\)", place, line)
