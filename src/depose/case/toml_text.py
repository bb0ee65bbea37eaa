"""TOML of somebody else's: Python's own reader takes memory by the square of a dotted key, 20 GB for one of 200 KB."""

from __future__ import annotations

import tomllib
from typing import Any

from depose.case.untrusted_files import TooMuch, in_child

MOST_DOTS = 100
"""On a line that is read in this process; longer texts have more, and are read in a child within its limits."""
MEMORY = 512 * 1024**2
MOST_LINES = 200_000
"""Of a file: each line of one that is sealed has a salt of its own, so that empty ones take minutes to seal."""


def loads(text: str) -> dict[str, Any]:
    """Read TOML, of which nobody knows who wrote it; raises ValueError for what is none, or takes too much."""
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        raise ValueError(f"has {len(lines)} lines, more than the {MOST_LINES} that are read")
    if max(line.count(".") for line in lines) > MOST_DOTS:
        try:
            in_child(f"{__name__}:tried", text, answer=int, memory=MEMORY)
        except TooMuch:
            raise
        except ValueError:  # it ended in time, and says below in which line
            pass
    return tomllib.loads(text)


def tried(text: str) -> int:
    """Read TOML and leave it, for `loads` alone: what can be read within the limits of a child, can be read."""
    return len(tomllib.loads(text))
