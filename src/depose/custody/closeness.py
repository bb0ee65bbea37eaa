"""Compares what was sealed with what was computed again where the arithmetic of two machines rounds differently.

Sums of many products depend in their last digits on the order in which a processor's library adds (BLAS). Nothing but
numbers may differ, and none by more than TOLERANCE: nine orders of magnitude below what any sentence rests on.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

from depose.case.parquet_table import columns
from depose.errors import EvidenceError
from depose.model import Record

DRAWING = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
TOLERANCE = 1e-9
"""Relative to the number, or to 1 where it is smaller."""


class Rounded(Record, frozen=True, kw_only=True):
    """How two files differ that are the same but for rounding."""

    numbers: int
    differing: int
    largest: float
    """The largest difference, relative as TOLERANCE is."""
    drawings: int = 0
    """Figures of a page that were drawn otherwise; their words and numbers stand in the findings."""

    def __str__(self) -> str:
        """Say it in a few words."""
        if self.drawings:
            return f"all words and numbers are the same, {self.drawings} figures are drawn otherwise"
        return f"{self.differing} of {self.numbers} numbers differ, by {self.largest:.1g} at most"


def rounded(name: str, sealed: bytes, made: bytes) -> Rounded:
    """Compare two files by their numbers; raise EvidenceError, with `name`, at the first that is another."""
    if name.endswith(".html"):
        return _page(name, sealed.decode("utf-8", "replace"), made.decode("utf-8", "replace"))
    numbers = differing = 0
    largest = 0.0
    for place, old, new in _cells(name, sealed, made):
        if isinstance(old, float | int) and isinstance(new, float | int) and bool not in (type(old), type(new)):
            off = abs(old - new) / max(1.0, abs(old))
            numbers, differing, largest = numbers + 1, differing + (off > 0), max(largest, off)
            if off <= TOLERANCE or (old != old and new != new):
                continue
        elif type(old) is type(new) and old == new:
            continue
        raise EvidenceError(
            f"{name}: does not follow from the log: computed again, {place} is {str(new)[:60]}, not {str(old)[:60]}",
            hint="it was changed before it was sealed",
        )
    return Rounded(numbers=numbers, differing=differing, largest=largest)


def _page(name: str, sealed: str, made: str) -> Rounded:
    """Compare two pages but for their drawings, which a library of another version draws otherwise."""
    if DRAWING.sub("<svg>", sealed) != DRAWING.sub("<svg>", made):
        raise EvidenceError(
            f"{name}: does not follow from the log: rendered again, its words differ",
            hint="it was changed before it was sealed",
        )
    pairs = zip(DRAWING.findall(sealed), DRAWING.findall(made), strict=True)
    return Rounded(numbers=0, differing=0, largest=0.0, drawings=sum(old != new for old, new in pairs))


def _cells(name: str, sealed: bytes, made: bytes) -> Iterator[tuple[str, Any, Any]]:
    """Yield what stands at the same place of two files, with the place."""
    try:
        if name.endswith(".json"):
            yield from _tree("$", json.loads(sealed), json.loads(made))
        elif name.endswith(".csv"):
            yield from _tree(
                "row", *([list(map(_numbers, csv.reader(io.StringIO(x.decode())))) for x in (sealed, made)])
            )
        elif name.endswith(".parquet"):
            yield from _tree("column", *map(columns, (sealed, made)))
        else:
            yield "the file", sealed, made
    except (ValueError, OSError) as error:
        raise EvidenceError(f"{name}: cannot be read: {error}", hint="it was changed before it was sealed") from error


def _numbers(row: list[str]) -> list[str | float]:
    return [_number(cell) for cell in row]


def _number(cell: str) -> str | float:
    try:
        return float(cell)
    except ValueError:
        return cell


def _tree(place: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        for name in old:
            yield from _tree(f"{place}.{name}", old[name], new[name])
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _tree(f"{place}[{number}]", one, other)
    else:
        yield place, old, new
