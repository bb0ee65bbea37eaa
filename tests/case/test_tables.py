"""Tables of prompts and answers: read to the last row, or refused with the row that is wrong."""

from __future__ import annotations

import csv
import json
import os
import time
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from depose.case.tables import Row, models, of_model, read, read_file
from depose.endpoints.recorded import Recorded
from depose.errors import CaseError
from depose.model import Ask

ROWS = [
    {"prompt_id": "1", "instruction": "Say hello.", "output": "Hello, \u202eworld\x00!", "generator": "m"},
    {"prompt_id": "2", "instruction": 'Count, "please":\n1', "output": "", "generator": "n"},
]


def put(folder: Path, name: str, data: bytes | str) -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def as_csv(folder: Path, rows: list[dict[str, str]]) -> Path:
    """Write rows as CSV."""
    path = folder / "rows.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def as_parquet(folder: Path, columns: dict[str, list[Any]]) -> Path:
    """Write columns as Parquet."""
    path = folder / "rows.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


def test_every_format_becomes_the_same_rows(tmp_path: Path) -> None:
    """JSON, JSONL, CSV and Parquet of the same rows read alike, control characters and bidi marks included."""
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    files = [
        put(tmp_path, "a.json", json.dumps(ROWS)),
        put(tmp_path, "b.json", json.dumps({"results": ROWS})),
        put(tmp_path, "c.jsonl", "\r\n\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)),
        put(tmp_path, "d.ndjson", b"\xef\xbb\xbf" + "\n".join(json.dumps(row) for row in ROWS).encode()),
        as_csv(tmp_path, ROWS),
        as_parquet(tmp_path, columns),
    ]
    expected = (
        Row(id="1", prompt="Say hello.", text="Hello, \u202eworld\x00!", model="m", line=1, **REST),
        Row(id="2", prompt='Count, "please":\n1', text="", model="n", line=2, **REST),
    )
    assert [read(file) for file in files] == [expected] * len(files)


REST: dict[str, Any] = {"family": "", "cluster": "", "sample": 0}


def test_numbers_serve_as_ids_and_samples(tmp_path: Path) -> None:
    """Whole numbers are as good as text for an id or a sample, in JSON and in Parquet."""
    row = {"id": 7, "prompt": "p", "answer": "a", "sample": 3}
    expected = (Row(id="7", prompt="p", text="a", model="", family="", cluster="", sample=3, line=1),)
    assert read(put(tmp_path, "a.json", json.dumps([row]))) == expected
    assert read(as_parquet(tmp_path, {name: [value] for name, value in row.items()})) == expected


def test_a_file_without_answers_has_none_and_a_null_is_none(tmp_path: Path) -> None:
    """No answer is None, which is not the same as an answer of no words."""
    assert read(put(tmp_path, "a.csv", "prompt\nhello\n"))[0].text is None
    rows = read(put(tmp_path, "b.jsonl", '{"prompt": "p", "output": null}\n{"prompt": "p", "output": ""}\n'))
    assert [row.text for row in rows] == [None, ""]


def test_the_order_of_names_decides_between_ids_and_is_told(tmp_path: Path) -> None:
    """Of two columns of ids the more telling name is taken, and the file says so."""
    table = read_file(put(tmp_path, "a.json", json.dumps([{"id": "x", "prompt_id": "y", "output": "yes"}])))
    assert table.rows[0].id == "y"
    assert table.notes == ("id: column 'prompt_id' is taken, not 'id'",)


BAD = {
    "empty.json": (b"", "Expecting value"),
    "empty.jsonl": (b"", "no rows"),
    "empty.csv": (b"", "no rows"),
    "empty.parquet": (b"", "Parquet file size is 0 bytes"),
    "no_rows.json": (b"[]", "no rows"),
    "header_only.csv": (b"prompt,output\n", "no rows"),
    "blank.jsonl": (b"\n \n", "no rows"),
    "latin.csv": ("prompt\nCafé\n".encode("latin-1"), "not UTF-8 at byte 10"),
    "utf16.csv": ("prompt\nhello\n".encode("utf-16-le") * 20, "no column of prompts"),
    "cut_utf16.csv": ("prompt\nhello\n".encode("utf-16")[:-1], "not utf-16 at byte"),
    "cut.json": (b'[{"prompt": "a"}, {"prom', "Unterminated string"),
    "cut.jsonl": (b'{"prompt": "a"}\n{"prompt": "b', "line 2: Unterminated string"),
    "cut.parquet": (b"PAR1\x00\x00\x00\x00PAR1", "deserialize"),
    "not.parquet": (b"prompt,output\nhello,world\n" * 9, "Parquet magic bytes not found"),
    "twice.json": (b'[{"prompt": "a", "prompt": "b"}]', "key 'prompt' stands twice in one object"),
    "twice.jsonl": (b'{"prompt": "a"}\n{"prompt": "a", "prompt": "b"}', "line 2: key 'prompt' stands twice"),
    "twice.csv": (b"prompt,prompt\na,b\n", "a column name stands twice in the header"),
    "deep.json": (b"[" * 200_000, "recursion"),
    "deep.jsonl": (b'{"prompt": ' + b"[" * 200_000, "recursion"),
    "half.json": (b'[{"prompt": "a", "output": "x\\ud83d"}]', "row 1, 'output' holds half of a surrogate pair"),
    "half_id.json": (b'[{"id": "\\udc00"}]', "row 1, 'id' holds half of a surrogate pair"),
    "no_list.json": (b'{"prompt": "a"}', "the top level is not a list"),
    "number.json": (b"[1, 2]", "no column of prompts"),
    "mixed.json": (b'[{"prompt": "a"}, 2]', "row 2 is not an object"),
    "float_id.json": (b'[{"id": 1.5}]', "row 1, 'id' is float, not text"),
    "nan_id.json": (b'[{"id": NaN}]', "row 1, 'id' is float, not text"),
    "true_prompt.json": (b'[{"prompt": true}]', "row 1, 'prompt' is bool, not text"),
    "list_answer.json": (b'[{"prompt": "a", "output": ["b"]}]', "row 1, 'output' is list, not text"),
    "long_number.json": (b'[{"id": ' + b"9" * 5_000 + b"}]", "Exceeds the limit"),
    "no_columns.csv": (b"text,reply\na,b\n", "no column of prompts or prompt ids; looked for prompt, instruction"),
    "blank_prompt.csv": (b'prompt,output\n" ",b\n', "row 1 has neither a prompt nor a prompt id"),
    "too_many.csv": (b"prompt,output\na,b\nc,d,e\n", "record 3 has another number of fields than the header"),
    "too_few.csv": (b"prompt,output\na,b\nc\n", "record 3 has another number of fields than the header"),
    "quote.csv": (b'prompt,output\n"a"b,c\n', "',' expected after '\"'"),
    "quote_in_header.csv": (b'"prompt"x,output\na,b\n', "',' expected after '\"'"),
    "open_quote.csv": (b'prompt,output\na,"b\n', "unexpected end of data"),
    "sample.csv": (b"prompt,sample\na,-1\n", "row 1, 'sample' is '-1', not a small whole number"),
    "arabic_sample.csv": ("prompt,sample\na,\u0663\n".encode(), "not a small whole number"),
    "kind.ods": (b"PK", "unknown kind of file '.ods'"),
    "no_kind": (b"prompt\na\n", "unknown kind of file ''"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_is_refused_with_its_name_and_the_reason(tmp_path: Path, name: str) -> None:
    """Every bad table raises CaseError that names the file and says what is wrong where."""
    data, reason = BAD[name]
    path = put(tmp_path, name, data)
    with pytest.raises(CaseError) as caught:
        read(path)
    assert caught.value.message.startswith(f"{path}: ")
    assert reason in caught.value.message
    assert caught.value.hint


def test_a_bad_parquet_column_is_refused(tmp_path: Path) -> None:
    """Bytes for text, text that is not UTF-8, and a column that stands twice are refused."""
    with pytest.raises(CaseError, match="row 1, 'prompt' is bytes, not text"):
        read(as_parquet(tmp_path, {"prompt": [b"a"]}))
    broken = pyarrow.array([b"\xff"]).view(pyarrow.string())
    with pytest.raises(CaseError, match="not UTF-8 at byte 0"):
        read(as_parquet(tmp_path, {"prompt": broken}))
    twice = pyarrow.table([["a"], ["b"]], names=["prompt", "prompt"])
    pyarrow.parquet.write_table(twice, tmp_path / "twice.parquet")
    with pytest.raises(CaseError, match="Multiple matches"):
        read(tmp_path / "twice.parquet")


def test_a_cut_parquet_file_is_refused(tmp_path: Path) -> None:
    """A Parquet file that lost its end, or its middle, is refused."""
    whole = as_parquet(tmp_path, {"prompt": [f"prompt {n} {n * n}" for n in range(5_000)]}).read_bytes()
    for data in (whole[: len(whole) // 2], whole[:-1], whole[:100] + whole[-4_00:]):
        with pytest.raises(CaseError):
            read(put(tmp_path, "cut.parquet", data))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder, a pipe and an impossible name are refused without waiting for anybody."""
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "folder.parquet").mkdir()
    for name in (
        "none.csv",
        "none.parquet",
        "pipe.csv",
        "folder.csv",
        "folder.parquet",
        "a\0b.csv",
        "x" * 300 + ".csv",
    ):
        with pytest.raises(CaseError):
            read(tmp_path / name)
        with pytest.raises(CaseError):
            Recorded(tmp_path / name, "m")


@pytest.mark.slow
def test_a_hundred_thousand_rows_are_read_in_time(tmp_path: Path) -> None:
    """100,000 rows take seconds in every format, and the last row is there."""
    text = "word " * 50
    count = 100_000
    files = [
        put(tmp_path, "a.jsonl", "".join(f'{{"id": {n}, "output": "{text}"}}\n' for n in range(count))),
        put(tmp_path, "b.csv", "id,output\n" + "".join(f"{n},{text}\n" for n in range(count))),
        as_parquet(tmp_path, {"id": list(range(count)), "output": [text] * count}),
    ]
    for file in files:
        start = time.process_time()
        rows = read(file)
        assert time.process_time() - start < 20  # a reader that looks back at every row takes minutes
        assert (len(rows), rows[-1].id, rows[-1].text) == (count, str(count - 1), text)


def test_the_models_of_a_table_are_told_apart(tmp_path: Path) -> None:
    """The models of a table come in order of appearance, each with its own rows."""
    rows = read(put(tmp_path, "a.csv", "id,model,output\n1,b,x\n1,a,y\n2,b,z\n"))
    assert models(rows) == ("b", "a")
    assert [row.text for row in of_model(rows, "b")] == ["x", "z"]


# --- answers looked up in a table -------------------------------------------------------------------


def ask(prompt: str, text: str = "", sample: int = 0) -> Ask:
    """Ask something."""
    return Ask(
        model="S1", prompt=prompt, sample=sample, replicate=0, text=text, system="", temperature=0, max_tokens=9, seed=7
    )


def looked_up(path: Path, *asks: Ask) -> list[str]:
    """Look answers up; a failure is shown in brackets."""
    return [one.text if one.outcome == "answered" else f"[{one.outcome}]" for one in Recorded(path, "").ask(asks)]


def test_an_answer_is_found_by_id_else_by_the_words_of_the_prompt(tmp_path: Path) -> None:
    """The id decides where it is known; an id whose prompt reads otherwise is no answer."""
    path = put(tmp_path, "a.csv", "id,prompt,output\n1,hello,A\n2,world,B\n3,blank, \n")
    assert looked_up(path, ask("1", "hello"), ask("9", "world"), ask("1", "other words"), ask("3", "blank")) == [
        "A",
        "B",
        "[failed]",
        "[empty]",
    ]


def test_samples_are_looked_up_by_number(tmp_path: Path) -> None:
    """Each sample of a prompt has its own answer, and one that is not there fails."""
    path = put(tmp_path, "a.csv", "id,sample,output\n1,0,A\n1,1,B\n")
    assert looked_up(path, ask("1"), ask("1", sample=1), ask("1", sample=2)) == ["A", "B", "[failed]"]


@pytest.mark.parametrize(
    "rows", ["id,output\n1,A\n1,B\n", "id,output\n1,A\n1,A\n", "prompt,output\nhello,A\nhello,B\n"]
)
def test_two_answers_to_one_question_are_an_error(tmp_path: Path, rows: str) -> None:
    """Nobody chooses between two answers to one question: the file must number its samples."""
    with pytest.raises(CaseError, match="rows 1 and 2 both answer"):
        Recorded(put(tmp_path, "a.csv", rows), "")


def test_the_same_words_under_two_ids_are_told_apart_by_id_only(tmp_path: Path) -> None:
    """Words that stand twice with two answers find none by themselves; the ids still do."""
    path = put(tmp_path, "a.csv", "id,prompt,output\n1,hello,A\n2,hello,B\n")
    assert looked_up(path, ask("1", "hello"), ask("2", "hello"), ask("9", "hello")) == ["A", "B", "[failed]"]


def test_rows_that_answer_nothing_asked_are_listed(tmp_path: Path) -> None:
    """Every row that no question uses is listed with its line."""
    path = put(tmp_path, "a.csv", "id,prompt,output\n1,hello,A\n2,never asked,B\n")
    assert [(one.line, one.prompt) for one in Recorded(path, "").unaligned([ask("1", "hello")])] == [(2, "never asked")]


def test_a_reply_says_where_it_stands(tmp_path: Path) -> None:
    """The source of a recorded answer is its file, the digest of that file, and the row."""
    path = put(tmp_path, "a.csv", "id,model,output\n1,m,A\n")
    recorded = Recorded(path, "m")
    facts = {fact.name: fact.value for fact in recorded.facts()}
    assert recorded.ask([ask("1")])[0].source == f"a.csv sha256:{facts['file sha256']} row 1"
    with pytest.raises(CaseError, match="no answers of model 'x'"):
        Recorded(path, "x")
