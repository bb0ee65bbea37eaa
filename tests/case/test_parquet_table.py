"""Columns of a Parquet file that came with a bundle: all of them, or a refusal."""

from __future__ import annotations

import io
import math

import pyarrow
import pyarrow.parquet
import pytest

from depose.case.parquet_table import columns
from depose.case.untrusted_files import TooMuch


def _packed(table: pyarrow.Table) -> bytes:
    made = io.BytesIO()
    pyarrow.parquet.write_table(table, made, compression="zstd", store_schema=False)
    return made.getvalue()


def test_columns_come_back_to_the_bit() -> None:
    """Text, bytes, whole numbers and floats, in all their odd values, are the same as if they were read here."""
    given = {
        "a": ["x", None, "\u202e"],
        "b": [b"\0\xff", b"", None],
        "c": [0.1, -0.0, math.inf],
        "d": [1, -(2**62), None],
    }
    data = _packed(pyarrow.table(given))
    assert columns(data) == given
    assert math.copysign(1, columns(data, ("c",))["c"][1]) == -1


def test_what_is_no_parquet_or_takes_too_much_is_refused() -> None:
    """A few kilobytes that unpack to gigabytes end the child, not the verification."""
    with pytest.raises(ValueError, match="Parquet"):
        columns(b"PAR1 and no more")
    text = pyarrow.DictionaryArray.from_arrays(
        pyarrow.array([0] * 4_000, pyarrow.int32()), pyarrow.array(["x" * 10**6])
    )
    with pytest.raises(TooMuch):
        columns(_packed(pyarrow.table({"value": text})))
