"""Whatever stands in a file that others made, its reader returns or raises a DeposeError, soon and in little room.

About a minute over each reader: pytest tests/case/test_fuzz.py -m slow.
"""

from __future__ import annotations

import io
import json
import resource
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from depose.batch import plan
from depose.case import annexes, calibration, casefile, tables
from depose.custody import own_endpoints
from depose.errors import DeposeError
from depose.model import canonical
from fakes import case_of, model, to_toml

SECONDS = 5.0
MEMORY = 1024**3

Read = Callable[[Path], object]

quick = settings(
    max_examples=30,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
minute = settings(quick, max_examples=1_000)


def hold(path: Path, data: bytes, read: Read) -> None:
    """Read bytes from a file: nothing but a DeposeError comes out, within seconds of a processor and a gibibyte."""
    path.write_bytes(data)
    start = time.process_time()
    try:
        read(path)
    except DeposeError as error:
        assert error.message
        assert error.exit_code in (1, 2, 3)
    assert time.process_time() - start < SECONDS
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        assert (
            resource.getrusage(who).ru_maxrss * 1024 < 2 * MEMORY
        )  # this process holds the libraries of all tests too


# --- what files are made of -----------------------------------------------------------------------

ODD = st.sampled_from(["", "\0", "../x", "/etc/passwd", "a" * 5_000, "=cmd", "\u202e", "1e999", "NaN", "-1", "None"])
TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | ODD
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
KEYS = st.sampled_from(
    [
        "id",
        "prompt",
        "prompt_id",
        "output",
        "text",
        "model",
        "sample",
        "results",
        "samples",
        "eval",
        "messages",
        "role",
        "content",
        "choices",
        "message",
        "custom_id",
        "response",
        "body",
        "status_code",
        "error",
        "epoch",
        "input",
        "raw",
    ]
)
TREE = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | TEXT, inner, max_size=5), max_leaves=25
)
ROWS = st.lists(st.dictionaries(KEYS, TREE, max_size=6), max_size=5)


@st.composite
def broken(draw: st.DrawFn, whole: bytes) -> bytes:
    """Change, drop, repeat or insert bytes of a whole file."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.integers(0, 40))
        new = draw(st.binary(max_size=20) | st.sampled_from([b"\0", b"\xff\xfe", b"[" * 2_000, b'"', b"\n", b"9" * 50]))
        if draw(st.booleans()):
            data[place : place + length] = new
        else:
            data[place:place] = bytes(data[place : place + length]) * draw(st.integers(1, 5))
    return bytes(data)


def packed(rows: list[dict[str, Any]], kind: str) -> bytes:
    """Write rows as one of the kinds of files."""
    if kind == "jsonl":
        return "\n".join(json.dumps(row) for row in rows).encode()
    if kind == "csv":
        return "\n".join(",".join(str(one) for one in row.values()) for row in rows).encode("utf-8", "replace")
    if kind == "eval":
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("header.json", json.dumps(rows[0] if rows else {"eval": {"model": "m"}}))
            for number, row in enumerate(rows):
                archive.writestr(f"samples/{number}_epoch_1.json", json.dumps(row))
        return made.getvalue()
    return json.dumps(rows if kind == "json" else {"results": rows, "samples": rows, "eval": {"model": "m"}}).encode()


def _parquet() -> bytes:
    made = io.BytesIO()
    table = pyarrow.table({"prompt_id": ["a", "b"] * 20, "output": ["Hello", None] * 20, "sample": list(range(40))})
    pyarrow.parquet.write_table(table, made, compression="zstd")
    return made.getvalue()


CASE = to_toml(case_of([model("S1", "suspect"), model("R1", "reference"), model("C1", "control")])).encode()
BATCH = b"""[batch]
title = "x"
authority = "x"
[screening]
prompts = "p.csv"
[[models]]
code = "S1"
role = "suspect"
provider = "recorded"
file = "a.csv"
developer = "d"
weight_lineage = "w"
data_lineage = "l"
released = "2025"
"""
ENDPOINTS = b"""[models.S1]
base_url = "https://api.example.com/v1"
api_key_env = "KEY"
[budget]
money = 2.5
"""
WAIVERS = b"""[[waiver]]
id = "w1"
suspect = "S1"
reference = "R1"
reason = "x"
owner = "o"
approver = "a"
expires = 2027-01-01
"""
PARQUET = _parquet()
EVAL = packed(
    [{"id": "a", "epoch": 1, "input": "Hi?", "output": {"choices": [{"message": {"content": "Hi"}}]}}], "eval"
)


def _annexes(path: Path) -> object:
    return annexes.read(path.parent)


def _calibration(path: Path) -> object:
    return calibration.load(path.name, path.parent)


def _reached(path: Path) -> object:
    return own_endpoints.read(path)


WHOLE: dict[str, tuple[str, bytes, Read]] = {
    "case": ("case.toml", CASE, casefile.read),
    "batch": ("batch.toml", BATCH, plan.read),
    "endpoints": ("endpoints.toml", ENDPOINTS, _reached),
    "waivers": ("waivers.toml", WAIVERS, _annexes),
    "calibration": ("mine.json", canonical.canonical({"format": "depose calibration 1"}), _calibration),
    "csv": ("a.csv", b"id,prompt,output\na,One?,Yes\nb,Two?,No\n", tables.read),
}
UNPACKED: dict[str, tuple[str, bytes, Read]] = {
    "parquet": ("a.parquet", PARQUET, lambda path: tables.whole(str(path), {}, [], answers=True)),
    "inspect log": ("a.eval", EVAL, lambda path: tables.whole(str(path), {}, [], answers=True)),
}
"""Read here as their child does: a process for each of thousands of examples would take hours."""


def _bytes_of(kind: str, data: st.DataObject, path: Path) -> None:
    name, whole, read = {**WHOLE, **UNPACKED}[kind]
    hold(path / name, data.draw(st.binary(max_size=200) | broken(whole)), read)


@pytest.mark.parametrize("kind", [*WHOLE, *UNPACKED])
@quick
@given(data=st.data())
def test_a_broken_file_is_read_or_refused(
    kind: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Bytes of a whole file changed, dropped, repeated or put in: never a traceback, a hang, or a gibibyte."""
    _bytes_of(kind, data, tmp_path_factory.mktemp("broken"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*WHOLE, *UNPACKED])
@minute
@given(data=st.data())
def test_a_broken_file_is_read_or_refused_for_a_minute(
    kind: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same with many more examples."""
    _bytes_of(kind, data, tmp_path_factory.mktemp("broken"))


TABLES = ("json", "results", "jsonl", "csv", "eval")


def _rows_of(kind: str, rows: list[dict[str, Any]], path: Path) -> None:
    name = f"a.{'json' if kind == 'results' else kind}"
    hold(path / name, packed(rows, kind), lambda file: tables.whole(str(file), {}, [], answers=True))


@pytest.mark.parametrize("kind", TABLES)
@quick
@given(rows=ROWS)
def test_odd_rows_are_read_or_refused(
    kind: str, rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Well-formed files of every kind, with anything at all under the names that readers look for."""
    _rows_of(kind, rows, tmp_path_factory.mktemp("rows"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", TABLES)
@minute
@given(rows=ROWS)
def test_odd_rows_are_read_or_refused_for_a_minute(
    kind: str, rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same with many more examples."""
    _rows_of(kind, rows, tmp_path_factory.mktemp("rows"))


@pytest.mark.parametrize("kind", UNPACKED)
def test_a_broken_file_is_refused_through_its_child(kind: str, tmp_path: Path) -> None:
    """What the reader meets in a child comes out as the same error here."""
    name, whole, _ = UNPACKED[kind]
    hold(tmp_path / name, whole[: len(whole) // 2], tables.read)
