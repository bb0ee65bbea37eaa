"""Parquet that came with a bundle or a case, by column: read by a child of limited memory and time."""

from __future__ import annotations

import io
from typing import Any

from depose.case.untrusted_files import in_child

Columns = dict[str, list[Any]]


def columns(data: bytes, names: tuple[str, ...] = ()) -> Columns:
    """Return the columns of a Parquet file, or those named; raises ValueError for what is none, or takes too much."""
    return in_child("depose.case.parquet_table:unpacked", data, list(names), answer=Columns, size=len(data))


def unpacked(data: bytes, names: list[str]) -> Columns:
    """Unpack columns in this process, whatever that takes; for `columns` alone."""
    import pyarrow.parquet

    made: Columns = pyarrow.parquet.read_table(io.BytesIO(data), columns=names or None).to_pydict()
    return made
