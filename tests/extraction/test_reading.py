"""Files to rows: every form in which records are put behind one another, and what is said of all that is no log."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from depose.errors import CaseError
from depose.extraction import documents
from depose.extraction.reading import BreaksOffError, Reader

ROWS = [{"request_id": f"r{n}", "messages": [{"content": f'a "quoted" [ü] {{{n}}}\u2028'}]} for n in range(9)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)
ARRAY = json.dumps(ROWS[:4]), json.dumps(ROWS[4:])


def read(file: Path, data: str | bytes) -> tuple[list[dict[str, Any]], Reader]:
    """The rows of a file that holds this, and its reader."""
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    reader = Reader(file)
    return [row for _, row in reader], reader


FORMS: dict[str, str | bytes] = {
    "lines": LINES,
    "lines that end in CR LF": LINES.replace("\n", "\r\n"),
    "lines that end in CR": LINES.replace("\n", "\r"),
    "blank lines between": LINES.replace("\n", "\n\n \n"),
    "a byte-order mark": b"\xef\xbb\xbf" + LINES.encode(),
    "two logs with marks, put together": b"\xef\xbb\xbf" + LINES[: len(LINES) // 9 * 9].encode().replace(
        b'{"request_id": "r5"', b'\xef\xbb\xbf{"request_id": "r5"'),
    "an array": json.dumps(ROWS, indent=1),
    "an array on each of two lines": "\n".join(ARRAY),
    "two arrays, nothing between": "".join(ARRAY),
    "pretty records": "\n".join(json.dumps(row, indent=2) for row in ROWS),
    "records, nothing between": "".join(json.dumps(row) for row in ROWS),
    "pages of an API, one a line": "".join(
        json.dumps({"object": "page", "data": ROWS[n : n + 3], "has_more": n < 6, "next_page": "x"}) + "\n"
        for n in (0, 3, 6)),
    "pages of an API, pretty": "\n".join(
        json.dumps({"data": ROWS[n : n + 3], "meta": {"page": n}}, indent=1) for n in (0, 3, 6)),
    "one page, its records on lines": '{"data": [\n' + ",\n".join(map(json.dumps, ROWS)) + "\n]}",
    "packed in two parts": gzip.compress(LINES[:200].encode()) + gzip.compress(LINES[200:].encode()),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_records_behind_one_another_are_all_read(form: str, tmp_path: Path) -> None:
    """Whatever stands between them: none is lost, and none of it is a loss."""
    rows, reader = read(tmp_path / "log", FORMS[form])
    assert rows == ROWS
    assert (reader.losses.count, reader.losses.truncated) == (0, False)


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 50, 10_000])
@pytest.mark.parametrize("form", ["an array", "an array on each of two lines", "pretty records"])
def test_documents_are_the_same_whatever_is_read_at_once(form: str, chunk: int) -> None:
    """A record, a character or a number may be cut by the end of what was read."""
    data = str(FORMS[form]).encode()
    parts = [data[n : n + chunk] for n in range(0, len(data), chunk)]
    assert [value for value, _ in documents.values_of(parts[0], parts[1:], "log")] == ROWS
    numbers = [b"[1", b"2, 3.", b"5", b", tr", b"ue]", b"17"]
    assert [value for value, _ in documents.values_of(numbers[0], numbers[1:], "log")] == [12, 3.5, True, 17]


@pytest.mark.parametrize("chunk", [1, 10, 100_000])
def test_what_follows_a_document_and_is_none_is_no_silent_loss(chunk: int, tmp_path: Path) -> None:
    """The records before it are handed out, and the log breaks off there."""
    data = (ARRAY[0] + "\nERROR: connection lost " + "x" * 100).encode()
    parts, found = [data[n : n + chunk] for n in range(0, len(data), chunk)], []
    with pytest.raises(documents.CutError):
        for value, _ in documents.values_of(parts[0], parts[1:], "log"):
            found.append(value)
    assert found == ROWS[:4]
    rows, reader = read(tmp_path / "log", data)
    assert (rows, reader.losses.truncated) == (ROWS[:4], True)


def test_a_broken_first_line_costs_itself_alone(tmp_path: Path) -> None:
    """Also where the file is larger than what is read at once."""
    rows, reader = read(tmp_path / "log", '{"request_id": oops}\n' + LINES * 8_000)
    assert (len(rows), reader.losses.broken, reader.losses.count) == (72_000, (1,), 1)


@pytest.mark.parametrize("array", [False, True])
def test_numbers_that_only_python_writes_or_no_column_holds_cost_nothing(array: bool, tmp_path: Path) -> None:
    """NaN, infinity, and whole numbers of any length are values that are left out later, and the row is read."""
    words = ["NaN", "-Infinity", "9" * 400, "9" * 5_000, "1e999"]
    lines = [f'{{"request_id": "r", "n": {word}}}' for word in words]
    rows, reader = read(tmp_path / "log", "[" + ",".join(lines) + "]" if array else "\n".join([*lines, "{}"]))
    assert [row.get("request_id") for row in rows[:5]] == ["r"] * 5
    assert reader.losses.count == 0


def packed(name: str) -> bytes:
    """A log in what is no log."""
    whole, made = LINES.encode(), io.BytesIO()
    if name.startswith("zip"):
        with zipfile.ZipFile(made, "w") as file:
            file.writestr("log.jsonl.gz", gzip.compress(whole))
    elif name.startswith("tar"):
        with tarfile.open(fileobj=made, mode="w") as archive:
            member = tarfile.TarInfo("log, with, commas.jsonl")
            member.size = len(whole)
            archive.addfile(member, io.BytesIO(whole))
    else:
        return {"utf-16": LINES.encode("utf-16"), "utf-16, no mark": json.dumps(ROWS).encode("utf-16-le"),
                "gzip in gzip": gzip.compress(gzip.compress(whole))}[name]  # fmt: skip
    return gzip.compress(made.getvalue()) if name.endswith("in gzip") else made.getvalue()


@pytest.mark.parametrize(
    ("name", "said", "hint"),
    [
        ("zip", "a workbook or a zip, not a log", "unpack it, and name the log or the folder"),
        ("zip in gzip", "a workbook or a zip, not a log", "unpack it"),
        ("tar", "a tar archive, not a log", "unpack it"),
        ("tar in gzip", "a tar archive, not a log", "unpack it"),
        ("gzip in gzip", "gzip within what packs it", "unpack it once"),
        ("utf-16", "not UTF-8 but UTF-16", "export it again as UTF-8"),
        ("utf-16, no mark", "not UTF-8 but UTF-16", "export it again as UTF-8"),
    ],
)
def test_what_packs_a_log_in_another_way_is_named(name: str, said: str, hint: str, tmp_path: Path) -> None:
    """With what to do about it; nothing of it is read as a table by accident."""
    with pytest.raises(CaseError, match=said) as refused:
        read(tmp_path / "log", packed(name))
    assert hint in refused.value.hint


HEAD = "request_id,user,startTime"
ROW = "r1,u,2026-05-01T10:00:00Z"


@pytest.mark.parametrize(
    "data",
    [
        f"{HEAD}\n{ROW}\n",
        f"\ufeff{HEAD}\r\n{ROW}\r\n",
        f"sep=;\r\n{HEAD}\n{ROW}\n".replace(",", ";"),
        f'{HEAD}\n"r1", "u", 2026-05-01T10:00:00Z\n'.replace(",user", ", user").replace(",start", ", start"),
        f"{HEAD}\n{ROW}".replace(",", "\t"),
    ],
)
def test_tables_as_spreadsheets_and_databases_write_them(data: str, tmp_path: Path) -> None:
    """A word for the separator, spaces behind it, marks and ends of lines are no part of a name or a value."""
    rows, reader = read(tmp_path / "log.csv", data)
    assert rows == [dict(zip(HEAD.split(","), ROW.split(","), strict=True))]
    assert reader.losses.count == 0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (f"{HEAD},user\n{ROW},v\n", "the column 'user' stands twice"),
        (f"{HEAD}\r{ROW}\r", "row 2: new-line character"),
        ("sep=;", "no log in JSON, CSV or Parquet"),
    ],
)
def test_tables_that_are_none_say_why(data: str, said: str, tmp_path: Path) -> None:
    """And never end in a traceback."""
    with pytest.raises(CaseError, match=said) as refused:
        read(tmp_path / "log.csv", data)
    assert refused.value.hint


def test_a_table_that_ends_within_quotes_breaks_off(tmp_path: Path) -> None:
    """As the text of a prompt does that was being written."""
    rows, reader = read(tmp_path / "log.csv", f'{HEAD}\n{ROW}\nr2,"u,2026')
    assert (len(rows), reader.losses.truncated) == (1, True)
    with pytest.raises(BreaksOffError, match="empty"):
        read(tmp_path / "log.csv", " \n")
