"""Whatever stands in a file that others made, its reader returns or raises a DeposeError, soon and in little room.

A few examples here, about a minute over each reader under `make fuzz`.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depose.batch import plan
from depose.case import annexes, calibration, casefile, tables
from depose.custody import own_endpoints
from depose.model import canonical
from exports import EXPORTS, Answer, write
from fakes import case_of, model, to_toml
from fuzzing import as_json, broken, changed, example_folder, examples, hold

Read = Callable[[Path], object]


def of_file(path: Path, data: bytes, read: Read) -> None:
    """Read bytes from a file."""
    path.write_bytes(data)
    hold(lambda: read(path))


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
SOON = ("case", "batch", "endpoints")


def _bytes_of(kind: str, data: st.DataObject, path: Path) -> None:
    name, whole, read = {**WHOLE, **UNPACKED}[kind]
    of_file(path / name, data.draw(st.binary(max_size=200) | broken(whole)), read)


@pytest.mark.parametrize("kind", [kind for kind in (*WHOLE, *UNPACKED) if kind not in SOON])
@examples(15, 2_500)
@given(data=st.data())
def test_a_broken_file_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    """Bytes of a whole file changed, dropped, repeated or put in: never a traceback, a hang, or a gibibyte."""
    with example_folder() as path:
        _bytes_of(kind, data, path)


@pytest.mark.parametrize("kind", SOON)
@examples(15, 5_000)
@given(data=st.data())
def test_a_broken_case_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    """The same of files that are read so soon that a minute takes twice as many."""
    with example_folder() as path:
        _bytes_of(kind, data, path)


TABLES = ("json", "results", "jsonl", "csv", "eval")


def _rows_of(kind: str, rows: list[dict[str, Any]], path: Path) -> None:
    name = f"a.{'json' if kind == 'results' else kind}"
    of_file(path / name, packed(rows, kind), lambda file: tables.whole(str(file), {}, [], answers=True))


@pytest.mark.parametrize("kind", TABLES)
@examples(15, 2_500)
@given(rows=ROWS)
def test_odd_rows_are_read_or_refused(kind: str, rows: list[dict[str, Any]]) -> None:
    """Well-formed files of every kind, with anything at all under the names that readers look for."""
    with example_folder() as path:
        _rows_of(kind, rows, path)


@pytest.mark.parametrize("kind", UNPACKED)
def test_a_broken_file_is_refused_through_its_child(kind: str, tmp_path: Path) -> None:
    """What the reader meets in a child comes out as the same error here."""
    name, whole, _ = UNPACKED[kind]
    of_file(tmp_path / name, whole[: len(whole) // 2], tables.read)


ANSWERS = [Answer(id=f"q{n}", prompt=f"Question {n}?", text=f"Answer {n}.", status="unknown") for n in range(3)]


@cache
def _written(name: str) -> tuple[str, bytes]:
    """Write an export once: a workbook holds the time, and every example is to change the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), name, ANSWERS)
        return path.name, path.read_bytes()


@pytest.mark.parametrize("name", EXPORTS)
@examples(8, 2_500)
@given(data=st.data())
def test_a_changed_export_is_read_or_refused(name: str, data: st.DataObject) -> None:
    """Every format that tools write: its bytes changed, or any value in its JSON another, gone or there twice."""
    file, whole = _written(name)
    suffix = Path(file).suffix
    made = data.draw(broken(whole))
    if suffix == ".json" and data.draw(st.booleans()):
        made = as_json(changed(data, json.loads(whole)))
    elif suffix == ".jsonl" and data.draw(st.booleans()):
        made = b"\n".join(map(as_json, changed(data, [json.loads(line) for line in whole.splitlines()])))
    with example_folder() as folder:
        of_file(folder / file, made, lambda path: tables.whole(str(path), {}, [], answers=True))
