"""JSON in which no key stands twice."""

from __future__ import annotations

from typing import Any


def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object in which a key stands twice."""
    seen = dict(found)
    if len(seen) != len(found):
        names = [name for name, _ in found]
        raise ValueError(f"key {next(n for n in names if names.count(n) > 1)!r} stands twice in one object")
    return seen
