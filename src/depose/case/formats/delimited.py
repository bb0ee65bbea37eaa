"""Text tables: comma, semicolon or tab, found by what makes every row as wide as the header."""

from __future__ import annotations

import csv
import io
from typing import Any

LARGEST_CELL = 16 * 1024**2
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs"}


def read(text: str, suffix: str) -> tuple[list[Any], str]:
    """Return the rows of a text table and what separates its columns; raise ValueError where no separator fits.

    A first line `sep=;`, as Excel writes it, decides.
    """
    csv.field_size_limit(LARGEST_CELL)
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        return _rows(rest, first.strip()[4]), NAMES.get(first.strip()[4], first.strip()[4])
    usual = "\t" if suffix in (".tsv", ".tab") else ","
    fits, failed = {}, {}
    for mark in (usual, *(one for one in NAMES if one != usual)):
        if mark == usual or mark in first:
            try:
                fits[mark] = _rows(text, mark)
            except ValueError as error:
                failed[mark] = error
    wide = {mark: rows for mark, rows in fits.items() if rows and len(rows[0]) > 1}
    if len(wide) > 1:
        named = " or ".join(NAMES[mark] for mark in wide)
        raise ValueError(f"its columns may be parted by {named}: begin it with a line such as sep=;")
    if wide:
        mark = next(iter(wide))
        return wide[mark], NAMES[mark]
    if usual in failed:
        raise failed[usual]
    return fits[usual], NAMES[usual]


def _rows(text: str, mark: str) -> list[Any]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, delimiter=mark)
    rows = []
    try:
        names = reader.fieldnames or []
        if len(set(names)) != len(names):
            raise ValueError("a column name stands twice in the header")
        for number, row in enumerate(reader, start=2):
            if None in row or None in row.values():
                raise ValueError(f"record {number} has another number of fields than the header")
            rows.append(row)
    except csv.Error as error:
        raise ValueError(str(error)) from error
    return rows
