"""Whatever stands in the files of a line-up, each is read or refused with a DeposeError."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import line_ups
from depose.lineup import corpus_files, inputs, tables
from fuzzing import as_json, broken, changed, example_folder, examples, hold


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a small line-up."""
    root = tmp_path_factory.mktemp("line-up")
    _, key = line_ups.scored(root, count=4)
    bags = (root / "bags.jsonl").read_bytes()
    return {
        "bags": bags,
        "key": key.read_bytes(),
        "table": line_ups.table(bags, "S1", {}, 0.0),
        "deliveries": (root / "deliveries.jsonl").read_bytes(),
        "decoys": (root / "decoys.jsonl").read_bytes(),
        "corpus": b'{"text": "a document"}\n{"messages": [{"role": "user", "content": "Why?"}]}\n',
    }


def spoilt(data: st.DataObject, whole: bytes) -> bytes:
    """Change values of the JSON, one document or one a line, or bytes."""
    if data.draw(st.integers(0, 2)) == 0:
        return data.draw(broken(whole) | st.binary(max_size=200))
    rows: Any = changed(data, [json.loads(line) for line in whole.splitlines()])
    return b"".join(as_json(one) + b"\n" for one in rows)


@pytest.mark.parametrize("kind", ["bags", "key", "table", "deliveries", "decoys", "corpus"])
@examples(20, 5_000)
@given(data=st.data())
def test_a_changed_file_is_read_or_refused(kind: str, made: dict[str, bytes], data: st.DataObject) -> None:
    """Any value another, gone or there twice, or any bytes changed."""
    raw = spoilt(data, made[kind])
    with example_folder() as folder:
        file = folder / "file.jsonl"
        file.write_bytes(raw)
        _reads(kind, raw, file, made)


def _reads(kind: str, raw: bytes, file: Path, made: dict[str, bytes]) -> None:
    if kind == "bags":
        hold(lambda: tables.read_bags(raw, "bags"))
    elif kind == "key":
        hold(lambda: tables.read_key(raw, made["bags"], "key"))
    elif kind == "table":
        hold(lambda: tables.read_table(raw, made["bags"], "table"))
    elif kind == "deliveries":
        hold(lambda: inputs.deliveries(file))
    elif kind == "decoys":
        hold(lambda: inputs.decoys(file))
    else:
        hold(lambda: list(corpus_files.documents([file], file)))
