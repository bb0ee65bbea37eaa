"""The page of the public Python names: signature and docstring of everything in `depose.__all__`."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

import depose
from manual import records

HEAD = """\
# Python

`import depose` gives these names. They are typed, and semantic versioning is promised for them alone: everything else
may move from one version to the next. [Findings with Python](../tutorials/notebook.md) shows the files that a case
leaves, which need no import of depose at all.
"""
NONE = """\
This version names none: use the [commands](commands.md), and read the [files](files/index.md) that they write.
"""


def pages() -> dict[str, str]:
    """The one page of public names."""
    names = sorted(getattr(depose, "__all__", ()))
    parts = [HEAD, *(_section(name, getattr(depose, name)) for name in names)] if names else [HEAD, NONE]
    return {"reference/api.md": "\n".join(parts)}


def _section(name: str, value: Any) -> str:
    said = inspect.getdoc(value) or ""
    if isinstance(value, type) and issubclass(value, msgspec.Struct):
        table = "\n".join(records.table(value, strict=False))
        return f"## {name}\n\n{said}\n\n{table}\n"
    if isinstance(value, type) and issubclass(value, Exception):
        return f"## {name}\n\n{said} See [errors](errors/index.md).\n"
    if isinstance(value, type):
        return f"## {name}\n\n{said}\n\n{''.join(_method(one) for one in vars(value).values() if _public(one))}"
    if callable(value):
        return f"## {name}\n\n```python\n{name}{inspect.signature(value)}\n```\n\n{said}\n"
    return f"## {name}\n\n`{value!r}`\n"


def _public(value: object) -> bool:
    return inspect.isfunction(value) and not value.__name__.startswith("_")


def _method(function: Any) -> str:
    said = inspect.getdoc(function) or ""
    return f"```python\n{function.__name__}{inspect.signature(function)}\n```\n\n{said}\n\n"
