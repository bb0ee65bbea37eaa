"""JSON in which no key stands twice."""

from __future__ import annotations

from collections import Counter
from typing import Any


def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object in which a key stands twice."""
    seen = dict(found)
    if len(seen) != len(found):
        name, _ = Counter(name for name, _ in found).most_common(1)[0]
        raise ValueError(f"key {name[:80]!r} stands twice in one object")
    return seen
