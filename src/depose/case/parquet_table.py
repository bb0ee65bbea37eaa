"""Parquet that came with a bundle or a case, by column: read by a child of limited memory and time."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from depose.case.untrusted_files import in_child, read_untrusted

Columns = dict[str, list[Any]]


def columns(data: bytes, names: tuple[str, ...] = ()) -> Columns:
    """Return the columns of a Parquet file, or those named; raises ValueError for what is none, or takes too much."""
    return in_child("depose.case.parquet_table:unpacked", data, list(names), answer=Columns, size=len(data))


def columns_of(path: Path, names: tuple[str, ...], limit: int) -> Columns:
    """Return those of some columns that a file has; raises ValueError as `columns` does, also for what is no file."""
    data = read_untrusted(path, limit)
    return in_child("depose.case.parquet_table:those", data, list(names), answer=Columns, size=len(data))


def those(data: bytes, names: list[str]) -> Columns:
    """Unpack the columns of these names that there are; for `columns_of` alone."""
    import pyarrow.parquet

    file = io.BytesIO(data)
    there = set(pyarrow.parquet.read_schema(file).names)
    file.seek(0)
    made: Columns = pyarrow.parquet.read_table(file, columns=[name for name in names if name in there]).to_pydict()
    return made


def unpacked(data: bytes, names: list[str]) -> Columns:
    """Unpack columns in this process, whatever that takes; for `columns` alone."""
    import pyarrow.parquet

    made: Columns = pyarrow.parquet.read_table(io.BytesIO(data), columns=names or None).to_pydict()
    return made
