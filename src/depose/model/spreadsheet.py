"""CSV that a spreadsheet takes for what it is: the one writer of every table that depose writes, and its reader.

Names, ids and prompts are other people's, and a spreadsheet runs a cell that begins like a formula. Such a cell is
written with an apostrophe before it, and read back without; a plain number stays a number. Where a decimal comma is
usual a spreadsheet parts cells at semicolons, and looks at no quotes within a cell: what begins like a formula after
a semicolon, a tab or a line's end, and could do more than add, has its apostrophe there.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
"""What a spreadsheet may take for a formula, a command, or the end of a cell; wide forms of these count alike."""
DOING = "(!|"
"""One of these stands in every formula that calls, looks elsewhere or starts something."""
_PARTS = re.compile(r"([;\t\r\n])")
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?\Z")


def _like_a_formula(text: str) -> bool:
    """Tell whether a text begins as one, after apostrophes, spaces and marks that a spreadsheet skips or hides."""
    for place, letter in enumerate(text):
        if unicodedata.normalize("NFKC", letter).startswith(BEGINNINGS):
            return not _NUMBER.match(text, place) if place == 0 else True
        if letter != "'" and not letter.isspace() and unicodedata.category(letter) not in ("Cf", "Cc"):
            return False
    return False


def _acts(part: str) -> bool:
    """Tell whether what stands after a semicolon, a tab or a line's end would be a formula that does something."""
    return any(mark in part for mark in DOING) and not part.lstrip().startswith("|") and _like_a_formula(part)


def cell(value: Any) -> Any:
    """Return a value as it is written: text that begins like a formula stands behind an apostrophe."""
    if not isinstance(value, str):
        return value
    first, *others = _PARTS.split(value)
    written = first + "".join(f"'{part}" if _acts(part) else part for part in others)
    return f"'{written}" if _like_a_formula(value) else written


def text_in(written: str) -> str:
    """Return the text of a cell that `cell` wrote."""
    whole = written[1:] if written.startswith("'") and _like_a_formula(written[1:]) else written
    first, *others = _PARTS.split(whole)
    return first + "".join(part[1:] if part.startswith("'") and _acts(part[1:]) else part for part in others)


def write(rows: Iterable[Sequence[Any]], ending: str = "\r\n") -> bytes:
    """Write rows, the head first."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=ending)
    writer.writerows([cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def read(data: bytes) -> Iterator[list[str]]:
    """Yield the rows of a table that `write` wrote, the head first."""
    for row in csv.reader(io.StringIO(data.decode(), newline="")):
        yield [text_in(value) for value in row]
