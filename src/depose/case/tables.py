"""Files of prompts and recorded answers, read strictly: tables, and what other tools write (`formats`).

Every file becomes the same rows. Which column of a table means what says `columns`; JSON, JSONL, CSV, TSV, Parquet and
Excel workbooks are read.
"""

from __future__ import annotations

import codecs
import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from depose.answers.line_ends import evened
from depose.case import packs
from depose.case.cells import Remade, as_written, beside, body_in, cut_by_cell, damaged
from depose.case.columns import COLUMNS as COLUMNS
from depose.case.columns import Columns, at, choose, of_interest, plain
from depose.case.formats import delimited, inspect_log, recognise, spreadsheet
from depose.case.formats.found import Found, Turn
from depose.case.formats.strict import pairs
from depose.case.untrusted_files import in_child, opened, read_untrusted
from depose.errors import CaseError
from depose.model import Record

LARGEST = 2 * 1024**3
"""A table of more bytes than this is refused before it is read."""
PLAIN = 8 * 1024**2
"""A text of at most so many bytes is read in this process: it cannot grow to more than some fifty times its size."""
UNPACKED = (".parquet", ".eval", ".xlsx")
"""Kinds that are unpacked by a library: what they grow to is known only afterwards, so a child reads them."""
TEXT = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".tab")
KINDS = (*TEXT, ".parquet", ".xlsx", ".eval", packs.SUFFIX)


class Row(Record, frozen=True, kw_only=True, omit_defaults=True):
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
    turns: tuple[Turn, ...] = ()
    """All messages that were sent before the answer; empty where the file does not say."""
    finish: str = ""
    also: tuple[str, ...] = ()
    guard: str = ""
    refusal: str = ""
    reasoning: str = ""
    missing: tuple[str, ...] = ()
    """What the format has a place for and this row leaves out."""


class Table(Record, frozen=True, kw_only=True):
    """A file, read."""

    rows: tuple[Row, ...]
    format: str
    notes: tuple[str, ...]
    """What was chosen on the way."""
    words: bool
    """Whether it says what was asked, not by ids alone."""


class Wanted(Record, frozen=True, kw_only=True):
    """How a file is to be read, where the user says so."""

    columns: dict[str, str] = {}  # noqa: RUF012 - msgspec makes a new one for each record
    """Under which name, or on which path, a meaning stands, where it is none of the usual names."""
    encoding: str = ""
    sheet: str = ""


AS_IT_IS = Wanted()


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=pairs)


def _jsonl(text: str) -> Any:
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                rows.append(json.loads(line, object_pairs_hook=pairs))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error
    return rows[0] if len(rows) == 1 and isinstance(rows[0], dict) and recognise(rows[0]) else rows


def _parquet(path: Path, mapped: Mapping[str, str]) -> list[Any]:
    import pyarrow
    import pyarrow.parquet

    known = {name for one in mapped.values() for name in (one, one.partition("[")[0].partition(".")[0])}
    prompts = {*COLUMNS["prompt"], *mapped.values()}
    try:
        names = pyarrow.parquet.read_schema(path).names
        narrow = any(
            name in prompts or plain(name) in prompts for name in names
        )  # else any column may hold the prompts
        kept = [name for name in names if name in known or of_interest(name)]
        table = pyarrow.parquet.read_table(path, columns=kept if narrow else None)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(str(error).partition("\n")[0]) from error
    rows: list[Any] = table.to_pylist()
    return rows


def _text(path: Path, encoding: str) -> str:
    """Decode a file: as the user says, else UTF-8, or UTF-16 where a byte order mark says so."""
    data = read_untrusted(path, LARGEST)
    if not encoding and data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        encoding = "utf-16"
    try:
        return data.decode(encoding or "utf-8-sig").removeprefix("\ufeff")
    except LookupError as error:
        raise ValueError(f"unknown encoding {encoding!r}; such as utf-8, cp1252, shift_jis, gb18030") from error
    except UnicodeDecodeError as error:
        named = (encoding or "UTF-8").replace("utf-8-sig", "UTF-8")
        raise ValueError(f"not {named} at byte {error.start}{_guess(data, encoding)}") from error


def _guess(data: bytes, encoding: str) -> str:
    """Suggest an encoding that the bytes would fit; only the user can know."""
    if encoding:
        return ""
    for name, what in (("utf-16-le", "UTF-16"), ("cp1252", "Windows (western)"), ("cp1251", "Windows (Cyrillic)")):
        if (name == "utf-16-le") != (data[1:200:2].count(0) > 20):
            continue
        try:
            data.decode(name)
        except UnicodeDecodeError:
            continue
        return f"; it may be {what}: if so, --encoding {name}"
    return "; save it as UTF-8, or name its --encoding"


def _load(path: Path, wanted: Wanted, notes: list[str]) -> Any:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _parquet(path, wanted.columns)
    if suffix == ".xlsx":
        return spreadsheet.read(path, wanted.sheet)
    if suffix not in TEXT:
        raise ValueError(f"unknown kind of file {suffix!r}; known: {', '.join(KINDS)}")
    text = _text(path, wanted.encoding)
    if suffix == ".json":
        return _json(text)
    if suffix in (".jsonl", ".ndjson"):
        return _jsonl(text)
    rows, mark = delimited.read(text, suffix)
    if mark != ("tabs" if suffix in (".tsv", ".tab") else "commas"):
        notes.append(f"its columns are parted by {mark}")
    return rows


def _string(value: object, where: str) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)  # as pandas writes whole numbers beside a gap
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"{where} is {type(value).__name__}, not text")
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{where} holds half of a surrogate pair, which no UTF-8 text can hold") from error
    return text


def _row(raw: object, line: int, columns: Mapping[str, str]) -> Row:
    if not isinstance(raw, dict):
        raise ValueError(f"row {line} is not an object")

    def text(meaning: str) -> str:
        name = columns.get(meaning)
        if name is None:
            return ""
        value = raw[name] if name in raw else at(raw, name)
        if type(value) is str and value.isascii():
            return value
        return _string(value, f"row {line}, {name!r}")

    prompt = text("prompt")
    if not prompt.strip() and not text("id"):
        raise ValueError(f"row {line} has neither a prompt nor a prompt id")
    sample = text("sample") or "0"
    if not sample.isascii() or not sample.isdigit() or len(sample) > 6:
        raise ValueError(f"row {line}, 'sample' is {sample!r}, not a small whole number")
    answer = at(raw, columns.get("text", ""))
    more = beside(raw, columns, prompt)
    try:
        body = body_in(answer)
    except ValueError as error:
        raise ValueError(f"row {line}, {columns['text']!r}: {error}") from error
    remade = "a spreadsheet made a date, a truth value or a number of it" if isinstance(answer, Remade) else ""
    problem = remade or more.problem or (body.problem if body else "")
    said = body.text if body else None if answer is None else text("text")
    return Row(
        id=text("id"),
        prompt=prompt,
        text=None if problem else said,
        model=text("model"),
        family=text("family"),
        cluster=text("cluster"),
        sample=int(sample),
        line=line,
        problem=problem,
        turns=more.turns,
        finish=more.finish or (body.finish if body else ""),
        also=(*more.also, *(body.also if body else ())),
        guard=more.guard or (body.guard if body else ""),
        refusal=more.refusal or (body.refusal if body else ""),
        reasoning=more.reasoning or (body.reasoning if body else ""),
    )


def _as_said(rows: Sequence[Row], suffix: str, notes: list[str]) -> tuple[Row, ...]:
    """Undo what a tool wrote around the answers, and mark those that a spreadsheet cut."""
    texts, told = as_written([row.text for row in rows])
    if told:
        notes.append(told)
        rows = [msgspec.structs.replace(row, text=text) for row, text in zip(rows, texts, strict=True)]
    cut = cut_by_cell(texts) if suffix in (".xlsx", ".csv", ".tsv", ".tab") else ()
    return tuple(
        msgspec.structs.replace(row, also=(*row.also, "cell_limit")) if short else row
        for row, short in zip(rows, cut or (False,) * len(rows), strict=True)
    )


def _numbered(found: Iterable[Found]) -> Iterator[Row]:
    """Turn answers into rows; those to one question that have no number are samples in order.

    What failed and was tried again keeps the number of the try that did not.
    """
    seen: Counter[tuple[object, ...]] = Counter()
    for line, one in enumerate(found, start=1):
        for name in ("id", "prompt", "model", "text"):
            _string(getattr(one, name), f"row {line}, {name!r}")
        problem = one.problem or ("" if one.id or one.prompt.strip() else "it does not say what it answers")
        key = (one.model, one.id, evened(one.prompt), one.turns)
        sample = seen[key] if one.sample is None else one.sample
        seen[key] += one.text is not None and not problem
        yield Row(
            id=one.id,
            prompt=one.prompt,
            text=None if problem else one.text,
            model=one.model,
            family=one.family,
            cluster=one.cluster,
            sample=sample,
            line=line,
            problem=problem,
            turns=one.turns,
            finish=one.finish,
            also=one.also,
            guard=one.guard,
            refusal=one.refusal,
            reasoning=one.reasoning,
            missing=one.missing,
        )


def _within(document: dict[str, Any]) -> list[Any] | None:
    """Give the one list of rows that a document holds under a usual name."""
    held = [document[name] for name in ("results", "data", "rows") if isinstance(document.get(name), list)]
    return held[0] if len(held) == 1 else None


def _plain(document: Any) -> list[Any]:
    """Give the rows of a document that no tool is known for."""
    if not isinstance(document, list):
        raise ValueError("the top level is not a list, nor what one of the known tools writes")
    return document


def _table(path: Path, wanted: Wanted, words: Collection[str], *, answers: bool) -> Table:
    notes: list[str] = []
    if path.suffix.lower() == ".eval":
        if wanted.columns:
            raise ValueError("--column names columns of a table, and an inspect log has none")
        return _of_tool("inspect log", inspect_log.read_archive(path), ())
    if path.suffix.lower() == packs.SUFFIX:
        if wanted.columns:
            raise ValueError("--column names columns of a table, and a control pack has none")
        return _of_tool("control pack", packs.found(path, answers=answers), ())
    document = _load(path, wanted, notes)
    known = None if wanted.columns else recognise(document)
    if known is None and isinstance(document, dict):  # rows within a wrapper, or one line alone
        inner = _within(document)
        document = inner if inner is not None else [document] if recognise([document]) else document
        known = None if wanted.columns else recognise(document)
    if known is not None:
        return _of_tool(known.name, known.read(document), notes)
    raw = _plain(document)
    if not raw:
        raise ValueError("no rows")
    chosen: Columns = choose(raw, wanted.columns, words, answers=answers)
    suffix = path.suffix.lower()
    rows = _as_said([_row(one, number, chosen.names) for number, one in enumerate(raw, start=1)], suffix, notes)
    return Table(
        rows=rows,
        format=f"table ({suffix.removeprefix('.')})",
        notes=(*notes, *chosen.notes, *damaged(row.text for row in rows)),
        words="prompt" in chosen.names,
    )


def _of_tool(name: str, found: Iterable[Found], notes: Sequence[str]) -> Table:
    rows = tuple(_numbered(found))
    if not rows:
        raise ValueError("no rows")
    left_out = Counter(what for row in rows for what in row.missing)
    told = (f"{count} of {len(rows)} answers: {what}" for what, count in sorted(left_out.items()))
    return Table(
        rows=rows,
        format=name,
        notes=(*notes, *told, *damaged(row.text for row in rows)),
        words=any(row.prompt for row in rows),
    )


def read_file(path: Path, wanted: Wanted = AS_IT_IS, words: Collection[str] = (), *, answers: bool = True) -> Table:
    """Read a whole file; the first bad row is an error that names it.

    `words` are evened prompts that are registered: they tell the column of prompts where no name does. Without
    `answers` the file is read for its prompts alone. A file that may take more memory or time than its size shows is
    read by a child that the kernel holds to limits.
    """
    try:
        with opened(path) as file:
            size = os.fstat(file.fileno()).st_size
        if size > LARGEST:
            raise ValueError(f"larger than {LARGEST} bytes")
        if path.suffix.lower() == packs.SUFFIX:
            size = max(size, packs.read(path).manifest.body.unpacked)
        if path.suffix.lower() in UNPACKED or size > PLAIN:
            given = (str(path), wanted, sorted(words), answers)
            return in_child("depose.case.tables:whole", *given, answer=Table, size=size)
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror or error}", hint="check the file name in the case") from error
    except ValueError as error:
        raise CaseError(f"{path}: {error}", hint="see the table formats: depose import --help") from error
    return whole(str(path), wanted, list(words), answers)


def whole(name: str, wanted: Wanted | dict[str, Any], words: list[str], answers: bool) -> Table:
    """Read a file in this process, whatever it takes; `read_file` is for everybody else."""
    path = Path(name)
    try:
        return _table(path, msgspec.convert(wanted, Wanted), frozenset(words), answers=answers)
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: not UTF-8 at byte {error.start}", hint="save the file as UTF-8") from error
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror or error}", hint="check the file name in the case") from error
    except (ValueError, RecursionError, KeyError) as error:
        if isinstance(error.__cause__, MemoryError):
            raise error.__cause__ from error
        raise CaseError(f"{path}: {error}", hint="see the table formats: depose import --help") from error


def read(path: Path, mapped: Mapping[str, str] | None = None, *, answers: bool = True) -> tuple[Row, ...]:
    """Read the rows of a file; `mapped` says under which name a meaning stands, where it is none of the usual ones."""
    return read_file(path, Wanted(columns=dict(mapped or {})), answers=answers).rows


def models(rows: tuple[Row, ...]) -> tuple[str, ...]:
    """Names of the models that a table holds, in order of appearance."""
    return tuple(dict.fromkeys(row.model for row in rows))


def of_model(rows: tuple[Row, ...], model: str) -> Iterator[Row]:
    """Yield the rows of one model."""
    return (row for row in rows if row.model == model)
