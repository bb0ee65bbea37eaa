"""Excel workbooks (`.xlsx`), read by openpyxl: values only, one sheet."""

from __future__ import annotations

import datetime
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

from depose.case.formats.found import Remade

PLAIN = ("General", "@", "0")
"""Formats under which a number shows as it was entered."""
_ESCAPED = re.compile(r"_x(00[01][0-9A-Fa-f])_")
"""How a workbook holds control characters, such as the carriage return of a line end."""
MOST_UNPACKED = 512 * 1024**2
LARGEST_PART = 256 * 1024**2


def read(path: Path, sheet: str) -> list[Any]:
    """Return the rows of a workbook below its header.

    Raises ValueError for what is no workbook, what unpacks to too much, and where several sheets hold rows and none is
    named.
    """
    _harmless(path)
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            tables = {one.title: _rows(one) for one in book.worksheets if not sheet or one.title == sheet}
            names = [one.title for one in book.worksheets]
        finally:
            book.close()
    except (InvalidFileException, KeyError, AttributeError, TypeError, IndexError, SyntaxError, OSError) as error:
        raise ValueError(f"no workbook that can be read: {error}") from error
    filled = [name for name, rows in tables.items() if rows]
    if sheet and sheet not in names:
        raise ValueError(f"no sheet {sheet!r}; there are {', '.join(names[:12])}")
    if len(filled) > 1:
        raise ValueError(f"several sheets hold rows ({', '.join(filled[:12])}): name one with --sheet")
    return tables[filled[0]] if filled else []


def _harmless(path: Path) -> None:
    """Refuse what would unpack to too much, and XML that declares entities, before anything reads it."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if sum(one.file_size for one in members) > MOST_UNPACKED:
                raise ValueError(f"unpacks to more than {MOST_UNPACKED} bytes")
            for one in members:
                if one.filename.endswith((".xml", ".rels")):
                    with archive.open(one) as file:
                        read = 0
                        while piece := file.read(1024**2):
                            read += len(piece)
                            if read > LARGEST_PART or b"<!DOCTYPE" in piece or b"<!ENTITY" in piece:
                                raise ValueError(f"{one.filename}: too large, or with entities of its own")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"not a workbook: {error}") from error


def _rows(sheet: Any) -> list[Any]:
    lines = ([_cell(one) for one in line] for line in sheet.iter_rows())
    kept = [line for line in lines if any(value not in (None, "") for value in line)]
    if not kept:
        return []
    header = ["" if name is None else str(name).strip() for name in kept[0]]
    named = [name for name in header if name]
    if len(set(named)) != len(named):
        raise ValueError("a column name stands twice in the header")
    rows = []
    for number, line in enumerate(kept[1:], start=2):
        if any(value not in (None, "") for value in line[len(header) :]) or any(
            value not in (None, "") for name, value in zip(header, line, strict=False) if not name
        ):
            raise ValueError(f"row {number} holds a value under no column name")
        rows.append({name: value for name, value in zip(header, line, strict=False) if name})
    return rows


def _cell(cell: Any) -> Any:
    """Write a cell: words as entered, whole numbers without a point; what Excel made of an entry is marked."""
    value = cell.value
    if isinstance(value, str):
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value) if "_x00" in value else value
    if isinstance(value, bool):
        return Remade(str(value).upper())
    if isinstance(value, datetime.datetime | datetime.date | datetime.time | datetime.timedelta):
        return Remade(value.isoformat() if not isinstance(value, datetime.timedelta) else str(value))
    if isinstance(value, float):
        value = int(value) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if value is not None and cell.number_format not in PLAIN:
        return Remade(str(value))
    return value
