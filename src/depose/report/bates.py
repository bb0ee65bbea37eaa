"""Numbers at production time: a prefix and at least seven digits on every page, never used twice."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence

from depose.errors import ReportError, UsageError
from depose.model import Record, spreadsheet

COLUMNS = ("first", "last", "object", "sha256", "exhibit", "legend")


class Bates(Record, frozen=True, kw_only=True):
    """The first number of a production."""

    prefix: str
    first: int
    digits: int = 7

    @property
    def css(self) -> str:
        """Set the number of each page in the middle of its foot."""
        return (
            f'@counter-style bates {{ system: extends decimal; pad: {self.digits} "0"; prefix: ""; suffix: "" }}\n'
            f"@page :first {{ counter-reset: bates {self.first - 1} }}\n"
            f'@page {{ counter-increment: bates; @bottom-center {{ content: "{self.prefix}-" counter(bates, bates); '
            'font: 7.5pt "Depose Sans", sans-serif; color: #1a1a1a } }'
        )

    def number(self, offset: int = 0) -> str:
        """Write the number that stands so many pages after the first."""
        return f"{self.prefix}-{self.first + offset:0{self.digits}d}"


class Produced(Record, frozen=True, kw_only=True):
    """One object of a production: a page of a document, a native file by one slip-sheet number."""

    first: str
    last: str
    object: str
    sha256: str
    exhibit: str
    legend: str


def parse(text: str) -> Bates:
    """Read `PREFIX-0000001`."""
    found = re.fullmatch(r"([A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*?)-(\d{7,12})", text)
    if not found or int(found[2]) < 1:
        raise UsageError(
            f"--bates: {text!r} is not a prefix and at least seven digits", hint="such as DEP-ACME-0000001"
        )
    return Bates(prefix=found[1], first=int(found[2]), digits=len(found[2]))


def table(rows: Iterable[Produced]) -> bytes:
    """Write the map of numbers to objects."""
    return spreadsheet.write([COLUMNS, *([getattr(row, column) for column in COLUMNS] for row in rows)])


def index(exhibits: bytes, rows: Iterable[Produced]) -> bytes:
    """Add to the index of exhibits the number of the page on which each stands, and the legend of that page."""
    places = {number: one for one in rows for number in one.exhibit.split()}
    head, *listed = spreadsheet.read(exhibits)
    made = [[*head, "page", "legend"]]
    for row in listed:
        place = places.get(row[0])
        made.append([*row, place.first if place else "", place.legend if place else ""])
    return spreadsheet.write(made)


def read(data: bytes) -> tuple[Produced, ...]:
    """Read the map of earlier productions."""
    try:
        rows = list(spreadsheet.read(data))
    except (ValueError, csv.Error) as error:
        raise ReportError(f"bates.csv: {error}", hint="restore it; numbers already used must be known") from error
    if not rows or tuple(rows[0]) != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        raise ReportError("bates.csv: not a map of numbers", hint="restore it; numbers already used must be known")
    return tuple(Produced(**dict(zip(COLUMNS, row, strict=True))) for row in rows[1:])


def add(earlier: Sequence[Produced], rows: Sequence[Produced]) -> tuple[Produced, ...]:
    """Add a production; raise ReportError where one of its numbers was used before."""
    used = sorted((_place(one.first), _place(one.last)[1]) for one in earlier)
    for one in rows:
        (prefix, first), (_, last) = _place(one.first), _place(one.last)
        for (old, start), end in used:
            if old == prefix and first <= end and start <= last:
                free = max(end for (name, _), end in used if name == prefix) + 1
                raise ReportError(
                    f"{one.first} to {one.last}: numbers used before",
                    hint=f"begin at --bates {prefix}-{free:07d}: a number is never used twice",
                )
    return (*earlier, *rows)


def _place(number: str) -> tuple[str, int]:
    prefix, _, digits = number.rpartition("-")
    return prefix, int(digits)
