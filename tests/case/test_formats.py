"""Files of other tools: every answer in them is found, every row without one is told, hostile ones are refused."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from depose import pipeline
from depose.case.formats import inspect_log
from depose.case.tables import Row, read
from depose.errors import CaseError
from fakes import Clock, depose, recorded_case

REST: dict[str, Any] = {"family": "", "cluster": ""}


def row(id: str, prompt: str, text: str | None, model: str, line: int, sample: int = 0, problem: str = "") -> Row:
    """Write a row."""
    return Row(id=id, prompt=prompt, text=text, model=model, line=line, sample=sample, problem=problem, **REST)


def bare(path: Path) -> tuple[Row, ...]:
    """Read a file, and leave out of its rows what stands around the answers."""
    return tuple(row(one.id, one.prompt, one.text, one.model, one.line, one.sample, one.problem) for one in read(path))


def put(folder: Path, name: str, data: bytes | str) -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


# --- OpenAI batch output ----------------------------------------------------------------------------


def batch_line(name: str, content: Any, status: int = 200, error: Any = None) -> str:
    """Write a line as the batch API of OpenAI does."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content, "refusal": None},
        "finish_reason": "stop",
    }
    body: dict[str, Any] = {"id": "c", "model": "gpt-x", "choices": [choice]} if status == 200 else {"error": error}
    response = {"status_code": status, "request_id": "r", "body": body}
    return json.dumps({"id": f"batch_req_{name}", "custom_id": name, "response": response, "error": None})


def test_a_batch_output_is_read_line_by_line(tmp_path: Path) -> None:
    """`custom_id` gives prompt id and sample; a failed line is a row without an answer that says why."""
    refused = json.dumps({"id": "b", "custom_id": "q4", "response": None, "error": {"code": "batch_expired"}})
    lines = [
        batch_line("q1", "one"),
        batch_line("q1#1", "two"),
        batch_line("q2", [{"type": "text", "text": "par"}, {"type": "text", "text": "ts"}]),
        batch_line("q3", None, 429, {"message": "too fast"}),
        refused,
        batch_line("q5", None),
    ]
    assert bare(put(tmp_path, "b.jsonl", "\n".join(lines))) == (
        row("q1", "", "one", "gpt-x", 1),
        row("q1", "", "two", "gpt-x", 2, sample=1),
        row("q2", "", "parts", "gpt-x", 3),
        row("q3", "", None, "", 4, problem="status 429: too fast"),
        row("q4", "", None, "", 5, problem="status none: batch_expired"),
        row("q5", "", "", "gpt-x", 6),
    )


# --- inspect ----------------------------------------------------------------------------------------


def sample(id: Any, epoch: int, given: Any, content: Any, **more: Any) -> dict[str, Any]:
    """Write a sample as inspect 0.3 does."""
    message = {"role": "assistant", "content": content, "source": "generate"}
    output = {"model": "openai/gpt-x", "choices": [{"message": message, "stop_reason": "stop"}], "completion": "unused"}
    return {"id": id, "epoch": epoch, "input": given, "target": "", "messages": [], "output": output, **more}


HEADER = {"version": 2, "status": "success", "eval": {"model": "openai/gpt-x", "task": "t"}}
SAMPLES = [
    sample("q1", 1, "Say hello.", "Hello"),
    sample("q1", 2, "Say hello.", [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "Hi"}]),
    sample(2, 1, [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Count."}], "1"),
    sample("q3", 1, "Fail.", "x", error={"message": "out of time", "traceback": "..."}),
]
EXPECTED = (
    row("q1", "Say hello.", "Hello", "openai/gpt-x", 1),
    row("q1", "Say hello.", "Hi", "openai/gpt-x", 2, sample=1),
    row("2", "Count.", "1", "openai/gpt-x", 3),
    row("q3", "Fail.", None, "openai/gpt-x", 4, problem="out of time"),
)


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Pack a log the old way, or with Zstandard, which inspect uses today and Python 3.11 cannot write."""
    data = io.BytesIO()
    packed = {}
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED if method == inspect_log.ZSTANDARD else method) as archive:
        for name, plain in members.items():
            packed[name] = pyarrow.compress(plain, "zstd", asbytes=True) if method == inspect_log.ZSTANDARD else plain
            archive.writestr(name, packed[name])
        infos = archive.infolist()
    raw = bytearray(data.getvalue())
    if method != inspect_log.ZSTANDARD:
        return bytes(raw)
    at = raw.index(b"PK\x01\x02")
    for info in infos:  # the archive holds packed bytes as if they were stored: say what they are
        plain = members[info.filename]
        for place in (info.header_offset + 8, at + 10):
            struct.pack_into("<H", raw, place, inspect_log.ZSTANDARD)
        for place in (info.header_offset + 14, at + 16):
            struct.pack_into("<I", raw, place, zlib.crc32(plain))
        for place in (info.header_offset + 22, at + 24):
            struct.pack_into("<I", raw, place, len(plain))
        name, extra, comment = struct.unpack_from("<HHH", raw, at + 28)
        at += 46 + name + extra + comment
    return bytes(raw)


def log(samples: list[Any] = SAMPLES, header: Any = HEADER) -> dict[str, bytes]:
    """Members of a log."""
    members = {f"samples/{one['id']}_epoch_{one['epoch']}.json": json.dumps(one).encode() for one in samples}
    return {"_journal/start.json": b"{}", **members, "header.json": json.dumps(header).encode()}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, inspect_log.ZSTANDARD])
def test_an_inspect_log_is_read_sample_by_sample(tmp_path: Path, method: int) -> None:
    """Epochs are samples; reasoning is no answer; a failed sample says why it has none; packing makes no difference."""
    assert bare(put(tmp_path, "a.eval", zipped(log(), method))) == EXPECTED


def test_an_inspect_log_in_json_reads_like_the_zip(tmp_path: Path) -> None:
    """`inspect log convert --to json` changes nothing."""
    assert bare(put(tmp_path, "a.json", json.dumps({**HEADER, "samples": SAMPLES}))) == EXPECTED


BOMB = {"header.json": json.dumps(HEADER).encode(), "samples/a_epoch_1.json": b" " * (inspect_log.LARGEST_MEMBER + 9)}
BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "not a whole zip file"),
    "no zip": (b"{}", "not a whole zip file"),
    "cut": (zipped(log())[:-30], "not a whole zip file"),
    "no header": (zipped({"samples/a_epoch_1.json": b"{}"}), "no header.json in it"),
    "no model": (zipped(log(header={"eval": {}})), "its header names no model"),
    "no JSON": (zipped({**log(), "samples/a_epoch_1.json": b"{"}), "samples/a_epoch_1.json: Expecting"),
    "no UTF-8": (zipped({**log(), "samples/a_epoch_1.json": b'{"id": "\xff"}'}), "samples/a_epoch_1.json: 'utf-8'"),
    "key twice": (zipped({**log(), "samples/a_epoch_1.json": b'{"id": 1, "id": 2}'}), "key 'id' stands twice"),
    "no epoch": (zipped({**log(), "samples/a_epoch_1.json": b'{"id": 1}'}), "a sample of the log has no epoch"),
    "nested": (zipped({**log(), "samples/a_epoch_1.json": b"[" * 200_000}), "recursion"),
    "bomb": (zipped(BOMB), "samples/a_epoch_1.json unpacks to more than"),
    "bomb of another kind": (zipped(BOMB, inspect_log.ZSTANDARD), "samples/a_epoch_1.json unpacks to more than"),
    "no samples": (zipped({"header.json": json.dumps(HEADER).encode()}), "no rows"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_hostile_inspect_log_is_refused(tmp_path: Path, name: str) -> None:
    """Each is an error that names the file and what is wrong in it."""
    data, says = BAD[name]
    path = put(tmp_path, "a.eval", data)
    with pytest.raises(CaseError) as error:
        read(path)
    assert error.value.message.startswith(f"{path}: ")
    assert says in error.value.message


def test_a_changed_byte_in_a_packed_sample_is_noticed(tmp_path: Path) -> None:
    """The checksum of a Zstandard member is checked like that of any other."""
    whole = zipped(log(), inspect_log.ZSTANDARD)
    at = whole.index(zlib.crc32(json.dumps(SAMPLES[0]).encode()).to_bytes(4, "little"), whole.index(b"PK\x01\x02"))
    changed = bytearray(whole)
    changed[at] ^= 1
    with pytest.raises(CaseError, match="its checksum is wrong"):
        read(put(tmp_path, "a.eval", bytes(changed)))


# --- promptfoo --------------------------------------------------------------------------------------


def result(raw: str, provider: Any, response: Any, **more: Any) -> dict[str, Any]:
    """Write a result as promptfoo does."""
    head = {"promptIdx": 0, "testIdx": 0, "success": True, "vars": {}, "prompt": {"raw": raw, "label": raw}}
    return {**head, "provider": provider, "response": response, **more}


def test_promptfoo_results_are_read_one_by_one(tmp_path: Path) -> None:
    """Prompt and provider name the row, a repetition is the next sample, an error says why there is no answer."""
    provider = {"id": "openai:gpt-x", "label": "X"}
    results = [
        result("Say hello.", provider, {"output": "Hello"}),
        result("Say hello.", provider, {"output": "Hi"}),
        result("Say hello.", {"id": "other"}, {"output": "Hey"}),
        result("Count.", provider, {"output": {"a": 1}}),
        result("Fail.", provider, None, error="API error: 500"),
    ]
    whole = {"evalId": "e", "results": {"version": 3, "results": results, "prompts": []}, "config": {}}
    assert bare(put(tmp_path, "p.json", json.dumps(whole))) == (
        row("", "Say hello.", "Hello", "X", 1),
        row("", "Say hello.", "Hi", "X", 2, sample=1),
        row("", "Say hello.", "Hey", "other", 3),
        row("", "Count.", None, "X", 4, problem="the answer is not text"),
        row("", "Fail.", None, "X", 5, problem="API error: 500"),
    )


@pytest.mark.parametrize("results", [{}, {"results": 1}, {"results": [1]}, {"results": [{"prompt": "x"}]}])
def test_what_only_looks_like_promptfoo_is_refused(tmp_path: Path, results: Any) -> None:
    """A document of the shape but without its parts is an error."""
    with pytest.raises(CaseError, match=r"no list of results in it|result 1 has no prompt"):
        read(put(tmp_path, "p.json", json.dumps({"results": results})))


# --- mappings and the command -----------------------------------------------------------------------


def test_columns_can_have_other_names(tmp_path: Path) -> None:
    """A mapping finds columns under any name in every tabular format, and a name that is not there is an error."""
    mapped = {"id": "Nr", "text": "Antwort"}
    for name, data in (
        ("a.csv", "Nr,Antwort,output\n1,ja,no\n"),
        ("a.jsonl", '{"Nr": 1, "Antwort": "ja", "output": "no"}\n'),
        ("a.json", '[{"Nr": 1, "Antwort": "ja", "output": "no"}]'),
    ):
        assert read(put(tmp_path, name, data), mapped) == (row("1", "", "ja", "", 1),)
    pyarrow.parquet.write_table(pyarrow.table({"Nr": [1], "Antwort": ["ja"]}), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet", mapped) == (row("1", "", "ja", "", 1),)
    with pytest.raises(CaseError, match="no column 'Frage'; there are Antwort, Nr, output"):
        read(tmp_path / "a.csv", {"prompt": "Frage"})


def test_import_lists_what_it_cannot_use(tmp_path: Path) -> None:
    """Answers are recorded with their rows; failed lines and strangers are listed with their reasons."""
    folder = recorded_case(tmp_path / "case", suspect="same", controls=1, prompts=3)
    file = folder / "case.toml"
    file.write_text(file.read_text().replace('file = "answers.jsonl"\n', "", 1))
    pipeline.register_case(folder, Clock())
    lines = [batch_line("q0", "zero"), batch_line("q1", None, 500, {"message": "sorry"}), batch_line("zz", "stranger")]
    put(tmp_path, "b.jsonl", "\n".join(lines))
    ran = depose("import", folder, "--model", "S1", "--name", "gpt-x", tmp_path / "b.jsonl", "--json")
    assert ran.code == 1, ran.err  # a row was meant for q1, and q1 is open
    done = json.loads(ran.out)
    assert (done["answered"], done["missing"], done["whole"]) == (1, 2, False)
    assert done["unaligned"] == ["row 2: q1 (status 500: sorry)", "row 3: zz"]
    assert [(one["reason"], one["rows"]) for one in done["reasons"]] == [
        ("no registered prompt has its id or its words", 1),
        ("status 500: sorry", 1),
    ]
    table = put(tmp_path, "t.csv", "nr,reply\nq1,one\nq2,two\n")
    ran = depose("import", folder, "--model", "S1", "--column", "id=nr", "--column", "text=reply", table)
    assert ran.out == "S1: 2 recorded, 0 missing in the file, 1 were there before: 100% of its 3 questions\n"


@pytest.mark.parametrize("columns", [["text"], ["text="], ["answer=x"], ["text=a", "text=b"]])
def test_a_mapping_that_cannot_be_meant_is_a_mistake_of_usage(tmp_path: Path, columns: list[str]) -> None:
    """--column takes MEANING=NAME, each meaning once."""
    options = [part for one in columns for part in ("--column", one)]
    assert depose("import", tmp_path, "--model", "S1", *options, tmp_path / "x.csv").code == 2
