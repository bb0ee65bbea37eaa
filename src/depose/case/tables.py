"""Files of prompts and recorded answers, read strictly: JSON (AlpacaEval), JSONL, CSV, Parquet, and `foreign` ones.

Every format becomes the same rows. Columns are known under these names, or under those that a mapping gives them:

| meaning | names |
|---|---|
| prompt id | `prompt_id`, `id` |
| prompt | `prompt`, `instruction`, `question`, `input` |
| answer | `output`, `answer`, `response`, `completion` |
| model | `model`, `generator` |
| family | `category`, `family`, `dataset` |
| cluster | `cluster` |
| sample | `sample` |
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from depose.case import foreign
from depose.case.untrusted_files import in_child, opened, read_untrusted
from depose.errors import CaseError
from depose.model import Record

COLUMNS = {
    "id": ("prompt_id", "id"),
    "prompt": ("prompt", "instruction", "question", "input"),
    "text": ("output", "answer", "response", "completion"),
    "model": ("model", "generator"),
    "family": ("category", "family", "dataset"),
    "cluster": ("cluster",),
    "sample": ("sample",),
}
LARGEST = 2 * 1024**3
"""A table of more bytes than this is refused before it is read."""
PLAIN = 8 * 1024**2
"""A text of at most so many bytes is read in this process: it cannot grow to more than some fifty times its size."""
UNPACKED = (".parquet", ".eval")
"""Kinds that are unpacked by a library: what they grow to is known only afterwards, so a child reads them."""


class Row(Record, frozen=True, kw_only=True):
    """One line of a table; `text` is None where the file has no answers."""

    id: str
    prompt: str
    text: str | None
    model: str
    family: str
    cluster: str
    sample: int
    line: int
    """Number of the row in its file, from 1."""
    problem: str = ""
    """Why a row that should hold an answer holds none."""


def _json(text: str) -> list[Any]:
    return foreign.rows_of(json.loads(text, object_pairs_hook=foreign.pairs))


def _jsonl(text: str) -> list[Any]:
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                rows.append(json.loads(line, object_pairs_hook=foreign.pairs))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error
    return foreign.from_batch(rows)


def _csv(text: str) -> list[Any]:
    csv.field_size_limit(16 * 1024**2)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
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


def _parquet(path: Path, mapped: Mapping[str, str]) -> list[Any]:
    import pyarrow
    import pyarrow.parquet

    try:
        schema = pyarrow.parquet.read_schema(path)
        known = {name for group in COLUMNS.values() for name in group} | set(mapped.values())
        table = pyarrow.parquet.read_table(path, columns=[n for n in schema.names if n in known])
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(str(error).partition("\n")[0]) from error
    rows: list[Any] = table.to_pylist()
    return rows


def _load(path: Path, mapped: Mapping[str, str]) -> list[Any]:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _parquet(path, mapped)
    if suffix == ".eval":
        return foreign.from_inspect(path)
    readers = {".json": _json, ".jsonl": _jsonl, ".ndjson": _jsonl, ".csv": _csv}
    if suffix not in readers:
        raise ValueError(f"unknown kind of file {suffix!r}; known: .json, .jsonl, .ndjson, .csv, .parquet, .eval")
    return readers[suffix](read_untrusted(path, LARGEST).decode("utf-8-sig"))


def _string(value: object, where: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"{where} is {type(value).__name__}, not text")
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{where} holds half of a surrogate pair, which no UTF-8 text can hold") from error
    return text


def _row(raw: object, line: int, columns: dict[str, str]) -> Row:
    if not isinstance(raw, dict):
        raise ValueError(f"row {line} is not an object")

    def text(meaning: str) -> str:
        value = raw.get(columns.get(meaning, ""))
        if type(value) is str and value.isascii():
            return value
        return _string(value, f"row {line}, {columns.get(meaning, meaning)!r}")

    prompt = text("prompt")
    if not prompt.strip() and not text("id"):
        raise ValueError(f"row {line} has neither a prompt nor a prompt id")
    sample = text("sample") or "0"
    if not sample.isascii() or not sample.isdigit() or len(sample) > 6:
        raise ValueError(f"row {line}, 'sample' is {sample!r}, not a small whole number")
    answer = raw.get(columns.get("text", ""))
    return Row(
        id=text("id"),
        prompt=prompt,
        text=None if answer is None else text("text"),
        model=text("model"),
        family=text("family"),
        cluster=text("cluster"),
        sample=int(sample),
        line=line,
        problem=_string(raw.get("problem"), f"row {line}, 'problem'") if answer is None and "text" in columns else "",
    )


def _columns(rows: list[Any], mapped: Mapping[str, str]) -> dict[str, str]:
    present = {name for raw in rows[:1_000] if isinstance(raw, dict) for name in raw}
    gone = next((name for name in mapped.values() if name not in present), None)
    if gone is not None:
        raise ValueError(f"no column {gone!r}; there are {', '.join(sorted(present)[:12])}")
    found = dict(mapped)
    for meaning, names in COLUMNS.items():
        if meaning in mapped:
            continue
        hits = [name for name in names if name in present]
        if hits:
            found[meaning] = hits[0]
    if "prompt" not in found and "id" not in found:
        looked = ", ".join(COLUMNS["prompt"] + COLUMNS["id"])
        raise ValueError(f"no column of prompts or prompt ids; looked for {looked}")
    return found


def read(path: Path, mapped: Mapping[str, str] | None = None) -> tuple[Row, ...]:
    """Read a whole table; the first bad row is an error that names it.

    `mapped` says under which name a meaning of COLUMNS stands in this file, where it is none of the usual ones. A
    file that may take more memory or time than its size shows is read by a child that the kernel holds to limits.
    """
    given = dict(mapped or {})
    try:
        with opened(path) as file:
            size = os.fstat(file.fileno()).st_size
        if size > LARGEST:
            raise ValueError(f"larger than {LARGEST} bytes")
        if path.suffix.lower() in UNPACKED or size > PLAIN:
            return in_child("depose.case.tables:whole", str(path), given, answer=tuple[Row, ...], size=size)
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror or error}", hint="check the file name in the case") from error
    except ValueError as error:
        raise CaseError(f"{path}: {error}", hint="see the table formats: depose import --help") from error
    return whole(str(path), given)


def whole(name: str, mapped: Mapping[str, str]) -> tuple[Row, ...]:
    """Read a table in this process, whatever it takes; `read` is for everybody else."""
    path = Path(name)
    try:
        raw = _load(path, mapped)
        if not raw:
            raise ValueError("no rows")
        columns = _columns(raw, mapped)
        return tuple(_row(one, number, columns) for number, one in enumerate(raw, start=1))
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: not UTF-8 at byte {error.start}", hint="save the file as UTF-8") from error
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror or error}", hint="check the file name in the case") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error.__cause__, MemoryError):
            raise error.__cause__ from error
        raise CaseError(f"{path}: {error}", hint="see the table formats: depose import --help") from error


def models(rows: tuple[Row, ...]) -> tuple[str, ...]:
    """Names of the models that a table holds, in order of appearance."""
    return tuple(dict.fromkeys(row.model for row in rows))


def of_model(rows: tuple[Row, ...], model: str) -> Iterator[Row]:
    """Yield the rows of one model."""
    return (row for row in rows if row.model == model)
