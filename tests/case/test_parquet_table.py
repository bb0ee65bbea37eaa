"""Columns of a Parquet file that came with a bundle: all of them, or a refusal."""

from __future__ import annotations

import io
import math
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from depose.case.parquet_table import columns, columns_of
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


def test_of_a_file_no_more_is_read_than_the_columns_that_are_wanted_and_there(tmp_path: Path) -> None:
    """A name that the file lacks is no error; a link is none of its files."""
    path = tmp_path / "a.parquet"
    path.write_bytes(_packed(pyarrow.table({"prompt_id": ["a"], "output": ["x"], "family": ["f"]})))
    assert columns_of(path, ("prompt_id", "id", "family"), 2**20) == {"prompt_id": ["a"], "family": ["f"]}
    (tmp_path / "b.parquet").symlink_to(path)
    with pytest.raises(ValueError, match="a symbolic link"):
        columns_of(tmp_path / "b.parquet", ("family",), 2**20)
    with pytest.raises(TooMuch, match="larger than 9 bytes"):
        columns_of(path, ("family",), 9)
