"""Exports of other tools: every answer is found, none passes for one that is none, hostile files are refused."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depose.case.formats import DOCUMENTS, ROWS
from depose.case.tables import Wanted, read_file
from depose.endpoints.recorded import Recorded
from depose.errors import CaseError
from depose.model import Ask
from exports import EXPORTS, Answer, inspect_json, inspect_samples, openai_chat, promptfoo_results, write

PROMPTS = {"q1": "Say hello.\n\nTo a neighbour.", "q2": "Count to three.", "q3": "Name a river."}


def answers(**changed: Any) -> list[Answer]:
    """Answer three prompts, the second as `changed` says."""
    made = [Answer(id=name, prompt=text, text=f"words on {name}", status="unknown") for name, text in PROMPTS.items()]
    made[1] = Answer(**({"id": "q2", "prompt": PROMPTS["q2"], "text": "one, two", "status": "whole"} | changed))
    return made


def asks(system: str = "", samples: int = 1) -> list[Ask]:
    """Ask the three."""
    rest: dict[str, Any] = {"replicate": 0, "temperature": 0.0, "max_tokens": 9, "seed": 7, "system": system}
    return [
        Ask(model="S1", prompt=name, sample=sample, text=text, **rest)
        for name, text in PROMPTS.items()
        for sample in range(samples)
    ]


def put(folder: Path, name: str, made: Any) -> Path:
    """Write JSON, or text as it is."""
    path = folder / name
    path.write_text(made if isinstance(made, str) else json.dumps(made))
    return path


def lines(made: list[Any]) -> str:
    """Write JSONL."""
    return "\n".join(map(json.dumps, made))


def texts(file: Path, model: str = "", **options: Any) -> list[str]:
    """Look all three up; what is no answer is shown by its outcome."""
    replies = Recorded(file, model).ask(asks(**options))
    return [one.text if one.outcome == "answered" else f"[{one.outcome}]" for one in replies]


@pytest.mark.parametrize("name", EXPORTS)
def test_every_format_gives_its_answers(tmp_path: Path, name: str) -> None:
    """Whatever tool wrote them, the answers to the registered prompts are found, word by word."""
    file = write(tmp_path, name, answers(status=EXPORTS[name][2][0]))
    assert texts(file) == ["words on q1", "one, two", "words on q3"]


@pytest.mark.parametrize(("name", "status"), [(name, status) for name, one in EXPORTS.items() for status in one[2]])
def test_only_what_ended_as_an_answer_is_one(tmp_path: Path, name: str, status: Any) -> None:
    """Filtered, refused, failed and empty answers are told by the words of every format that has any."""
    reply = Recorded(write(tmp_path, name, answers(status=status)), "").ask(asks())[1]
    assert reply.status == status
    assert (reply.outcome == "answered") is (status in ("whole", "cut_length", "unknown"))


def test_every_reader_is_tried_here(tmp_path: Path) -> None:
    """No format stands in the table that these tests leave out, but the trace that wraps observations of Langfuse."""
    told = {read_file(write(tmp_path, name, answers())).format for name in EXPORTS}
    assert {one.name for one in (*DOCUMENTS, *ROWS)} - told == {"Langfuse trace"}


def test_a_trace_of_langfuse_is_its_observations(tmp_path: Path) -> None:
    """A trace that was downloaded alone reads like a table of observations."""
    _, writer, _ = EXPORTS["Langfuse"]
    file = put(tmp_path, "trace.json", {"trace": {"id": "t"}, "observations": writer(answers()), "scores": []})
    assert read_file(file).format == "Langfuse trace"
    assert texts(file) == ["words on q1", "one, two", "words on q3"]


def test_a_wrapper_or_a_single_line_does_not_hide_a_format(tmp_path: Path) -> None:
    """Rows under `results`, as promptfoo once wrote them, and one line of a batch by itself are known all the same."""
    old = put(tmp_path, "old.json", {"version": 2, "results": promptfoo_results(answers())})
    assert texts(old) == ["words on q1", "one, two", "words on q3"]
    one = put(tmp_path, "one.json", openai_chat(answers())[0])
    assert read_file(one).format == "OpenAI batch"


# --- matched to what was asked ----------------------------------------------------------------------


def changed_messages(place: int, messages: list[Any]) -> Any:
    """Write an inspect log of which one sample was asked otherwise."""
    document = inspect_json(answers())
    document["samples"][place]["messages"] = [*messages, {"role": "assistant", "content": "x"}]
    return document


USER = {"role": "user", "content": PROMPTS["q2"]}
OTHERWISE = {
    "asked under a system prompt": [{"role": "system", "content": "Be a pirate."}, USER],
    "asked in other words": [{"role": "user", "content": f"Reply with a letter.\n{PROMPTS['q2']}"}],
    "asked after another turn": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}, USER],
    "asked with more before the answer (tool)": [USER, {"role": "tool", "content": "4"}],
}


@pytest.mark.parametrize("why", OTHERWISE)
def test_a_row_that_was_asked_otherwise_is_listed_with_both_wordings(tmp_path: Path, why: str) -> None:
    """System prompts, wrappers, earlier turns and calls of tools are told from the messages, not from the input."""
    recorded = Recorded(put(tmp_path, "a.json", changed_messages(1, OTHERWISE[why])), "")
    assert [one.outcome for one in recorded.ask(asks())] == ["answered", "failed", "answered"]
    (row,) = recorded.unaligned(asks())
    assert (row.line, row.problem, row.registered, row.asked) == (2, why, PROMPTS["q2"], True)
    assert " | registered 'Count to three.'" in str(row)


def test_a_registered_system_prompt_fits_the_rows_that_had_it(tmp_path: Path) -> None:
    """Under a system prompt of the case, the rows with just that one are answers, and those without are not."""
    system = [{"role": "system", "content": "Be a pirate."}, USER]
    file = put(tmp_path, "a.json", changed_messages(1, system))
    assert texts(file, system="Be a pirate.") == ["[failed]", "one, two", "[failed]"]
    assert "asked without the system prompt" in str(Recorded(file, "").unaligned(asks("Be a pirate."))[0])


def test_chat_json_of_promptfoo_is_what_was_asked(tmp_path: Path) -> None:
    """A raw prompt of messages is read as messages: its words fit, its system prompt does not."""
    results = promptfoo_results(answers())
    for one, more in zip(results, ([], [{"role": "system", "content": "Be brief."}], []), strict=True):
        asked = [*more, {"role": "user", "content": one["prompt"]["raw"].rstrip()}]
        one["prompt"]["raw"] = json.dumps(asked)
    file = put(tmp_path, "a.jsonl", lines(results))
    assert texts(file) == ["words on q1", "[failed]", "words on q3"]
    assert "asked under a system prompt" in str(Recorded(file, "").unaligned(asks())[0])


def test_the_input_of_alpaca_belongs_to_the_question(tmp_path: Path) -> None:
    """An instruction with another input is another question."""
    rows = [{"instruction": "Say hello.", "input": "To a stranger.", "output": "Hey"}]
    recorded = Recorded(put(tmp_path, "a.json", rows), "")
    assert [one.outcome for one in recorded.ask(asks())] == ["failed"] * 3
    assert [one.prompt for one in recorded.unaligned(asks())] == ["Say hello.\n\nTo a stranger."]


def test_epochs_choices_and_retries_are_samples_in_order(tmp_path: Path) -> None:
    """Epochs of inspect, choices of one call and tries after a failure become the samples of their prompt."""
    samples = [dict(one) for one in inspect_samples(answers())]
    second = {**samples[0], "epoch": 2, "output": {"choices": [{"message": {"content": "again"}}]}}
    file = put(tmp_path, "a.json", {**inspect_json([answers()[0]]), "samples": [second, *samples]})
    assert texts(file, samples=2)[:2] == ["words on q1", "again"]
    line = openai_chat(answers())[0]
    more = {"index": 1, "message": {"content": "the other"}, "finish_reason": "stop"}
    line["response"]["body"]["choices"].insert(0, more)
    assert texts(put(tmp_path, "b.jsonl", lines([line])), samples=2)[:2] == ["words on q1", "the other"]
    tries = [*promptfoo_results(answers(status="failed")), promptfoo_results(answers())[1]]
    file = put(tmp_path, "c.jsonl", lines(tries))
    assert texts(file) == ["words on q1", "one, two", "words on q3"]
    assert [str(one) for one in Recorded(file, "").unaligned(asks())] == [
        "row 2: Count to three.\n (API error: 500; a later try answered)"
    ]


def test_a_file_shifted_by_a_row_is_caught_by_words_of_any_name(tmp_path: Path) -> None:
    """Words beside ids are compared even where no name tells their column."""
    rows = ["item,question_text,reply"]
    rows += [f'{name},"{list(PROMPTS.values())[place - 1]}",{name}' for place, name in enumerate(PROMPTS)]
    file = put(tmp_path, "a.csv", "\n".join(rows))
    recorded = Recorded(file, "", Wanted(columns={"id": "item", "text": "reply"}))
    assert [one.text for one in recorded.ask(asks())] == ["", "", ""]
    assert {one.problem for one in recorded.unaligned(asks())} == {"asked in other words"}
    assert recorded.table.notes == ("prompts: column 'question_text', which holds words of registered prompts",)


# --- no silent choice -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("prompt_id,answer,response", "'answer' and 'response' may hold the answers, and they differ"),
        ("id,output,completion,prediction", "'output', 'completion', 'prediction' may hold the answers"),
        ("prompt,question,output", "'prompt' and 'question' may hold the prompts, and they differ"),
    ],
)
def test_two_columns_that_may_be_meant_are_not_chosen_between(tmp_path: Path, header: str, says: str) -> None:
    """Nothing is read until the user has named one of them."""
    file = put(tmp_path, "a.csv", f"{header}\n" + ",".join("abcd"[: header.count(",") + 1]))
    with pytest.raises(CaseError, match=says):
        read_file(file)
    meaning, name = ("prompt", "question") if "prompts" in says else ("text", header.split(",")[1])
    assert read_file(file, Wanted(columns={meaning: name})).rows[0].line == 1


def test_columns_that_say_the_same_or_nothing_are_no_choice(tmp_path: Path) -> None:
    """Equal columns are one, an empty one is none, and a key beside the answers is named."""
    same = put(tmp_path, "a.csv", "id,output,response,answer\n1,yes,yes,\n2,no,no,\n")
    assert [row.text for row in read_file(same).rows] == ["yes", "no"]
    key = read_file(put(tmp_path, "b.csv", "id,ground_truth,output\n1,KEY,said\n"))
    assert key.rows[0].text == "said"
    assert key.notes == ("answers: column 'output'; 'ground_truth' holds what they should have been",)


def test_the_registered_words_tell_the_prompt_from_what_was_put_around_it(tmp_path: Path) -> None:
    """Where only one column holds registered prompts there is no choice to make."""
    file = put(tmp_path, "a.json", [{"prompt": "Q: Count to three. A:", "question": "Count to three.", "output": "x"}])
    assert read_file(file, words=["Count to three."]).rows[0].prompt == "Count to three."


def test_a_column_may_begin_late_and_lie_deep(tmp_path: Path) -> None:
    """Names are looked for in all rows, and a path leads into nested fields."""
    rows: list[Any] = [{"id": n, "note": "x"} for n in range(1_500)]
    rows[-1] = {"id": 1_499, "output": "the only one"}
    assert read_file(put(tmp_path, "a.jsonl", lines(rows))).rows[-1].text == "the only one"
    deep = [{"n": "q1", "choices": [{"turns": ["first", "second"]}]}, {"n": "q2", "choices": []}]
    wanted = Wanted(columns={"id": "n", "text": "choices[0].turns[1]"})
    assert [row.text for row in read_file(put(tmp_path, "b.json", deep), wanted).rows] == ["second", None]
    with pytest.raises(CaseError, match=r"no column 'choices\[0\].turn'"):
        read_file(tmp_path / "b.json", Wanted(columns={"id": "n", "text": "choices[0].turn"}))


# --- text tables and workbooks ----------------------------------------------------------------------


def test_an_encoding_is_asked_for_and_suggested(tmp_path: Path) -> None:
    """Bytes of Windows are not guessed at: the message names what they may be, and the option reads them."""
    file = tmp_path / "a.csv"
    file.write_bytes("id;output\n1;Café – schön\n".encode("cp1252"))
    with pytest.raises(
        CaseError, match=r"not UTF-8 at byte 15; it may be Windows \(western\): if so, --encoding cp1252"
    ):
        read_file(file)
    table = read_file(file, Wanted(encoding="cp1252"))
    assert table.rows[0].text == "Café – schön"
    assert table.notes == ("its columns are parted by semicolons",)
    with pytest.raises(CaseError, match="unknown encoding 'cp99'"):
        read_file(file, Wanted(encoding="cp99"))
    with pytest.raises(CaseError, match="unknown encoding 'rot13'"):
        read_file(file, Wanted(encoding="rot13"))


def test_what_parts_the_columns_is_not_guessed(tmp_path: Path) -> None:
    """Two marks that both fit every row are a choice; Excel's own first line makes it."""
    both = "id;x,output;y\n1;a,b;c\n"
    with pytest.raises(CaseError, match="may be parted by commas or semicolons"):
        read_file(put(tmp_path, "a.csv", both))
    named = put(tmp_path, "b.csv", "sep=;\nid;output\n1;a,b\n")
    assert read_file(named).rows[0].text == "a,b"


def test_a_workbook_is_read_as_it_is_shown(tmp_path: Path) -> None:
    """Whole numbers have no point, a formula counts by its value, and of two sheets with rows one must be named."""
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["id", "output", None], [1.0, "yes", None], [2, 3.5, None], [None, None, None], [3, "=1+1", None]):
        book.active.append(row)
    book.active.title = "first"
    book.save(tmp_path / "a.xlsx")
    rows = read_file(tmp_path / "a.xlsx").rows
    assert [(row.id, row.text) for row in rows] == [("1", "yes"), ("2", "3.5"), ("3", None)]
    other = book.create_sheet("second")
    other.append(["id", "output"])
    other.append([1, "no"])
    book.save(tmp_path / "b.xlsx")
    with pytest.raises(CaseError, match=r"several sheets hold rows \(first, second\): name one with --sheet"):
        read_file(tmp_path / "b.xlsx")
    assert read_file(tmp_path / "b.xlsx", Wanted(sheet="second")).rows[0].text == "no"
    with pytest.raises(CaseError, match="no sheet 'third'; there are first, second"):
        read_file(tmp_path / "b.xlsx", Wanted(sheet="third"))


# --- hostile ----------------------------------------------------------------------------------------

JUNK: tuple[Any, ...] = (None, True, -1, 1e308, "", "x", [], [None], {}, {"text": {}}, "\ud800")


def spoilt(value: Any) -> Iterator[Any]:
    """Yield a document with every one of its parts put in its place by every kind of junk, and left out."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield {key: one for key, one in value.items() if key != name}
            yield from ({**value, name: one} for one in spoilt(part))
    elif isinstance(value, list):
        for place, part in enumerate(value[:2]):
            yield from ([*value[:place], one, *value[place + 1 :]] for one in spoilt(part))
    yield from JUNK


@pytest.mark.parametrize("name", [name for name, one in EXPORTS.items() if one[0] in ("json", "jsonl")])
def test_a_spoilt_export_is_refused_or_its_rows_are_told(tmp_path: Path, name: str) -> None:
    """Whatever stands where a reader looks, it raises CaseError or lists the row; no other error gets out."""
    suffix, writer, _ = EXPORTS[name]
    good = writer(answers()[:2])
    tried = 0
    for made in spoilt(good):
        if tried % 3 == 0:  # a third of them reaches every part with several kinds
            rows = suffix == "jsonl" and isinstance(made, list)
            file = put(tmp_path, f"a.{suffix}", lines(made) if rows else json.dumps(made))
            try:
                Recorded(file, "").unaligned(asks())
            except CaseError as error:
                assert error.message.startswith(f"{file}: ")
        tried += 1
    assert tried > 30


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04" + b"\0" * 60, b"not a zip", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_workbook_is_refused(tmp_path: Path, data: bytes) -> None:
    """Empty, cut and foreign bytes under the name of a workbook are an error of the file."""
    (tmp_path / "a.xlsx").write_bytes(data)
    with pytest.raises(CaseError, match=r"a\.xlsx: "):
        read_file(tmp_path / "a.xlsx")


def test_a_workbook_with_entities_of_its_own_is_refused(tmp_path: Path) -> None:
    """Declared entities can grow without end, and no program that writes workbooks declares any."""
    import zipfile

    file = write(tmp_path, "Excel", answers())
    evil = tmp_path / "evil.xlsx"
    with zipfile.ZipFile(file) as good, zipfile.ZipFile(evil, "w") as archive:
        for member in good.namelist():
            data = good.read(member)
            if member == "xl/worksheets/sheet1.xml":
                data = b'<!DOCTYPE x [<!ENTITY a "b">]>' + data
            archive.writestr(member, data)
    with pytest.raises(CaseError, match="with entities of its own"):
        read_file(evil)


# --- order is no evidence ---------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(order=st.permutations(range(6)), columns=st.permutations(["prompt_id", "prompt", "output", "sample", "note"]))
def test_any_order_of_rows_and_columns_gives_the_same_transcripts(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], columns: list[str]
) -> None:
    """A table says the same whichever way it was sorted."""
    rows = [
        {"prompt_id": name, "prompt": text, "output": f"{name} {sample}", "sample": str(sample), "note": "n"}
        for name, text in PROMPTS.items()
        for sample in (0, 1)
    ]
    folder = tmp_path_factory.mktemp("order")
    file = put(folder, "a.json", [{name: rows[place][name] for name in columns} for place in order])
    assert texts(file, samples=2) == [row["output"] for row in rows]


# --- tables that say more than words ----------------------------------------------------------------


def table(**columns: Any) -> list[dict[str, Any]]:
    """Write a row for each prompt; a function makes its cell."""
    return [
        {"prompt_id": name, "prompt": text}
        | {column: cell(name) if callable(cell) else cell for column, cell in columns.items()}
        for name, text in PROMPTS.items()
    ]


def said(name: str) -> str:
    """Answer a prompt."""
    return f"words on {name}"


def on_second(cell: Any, other: Any = "") -> Any:
    """Make a cell that only the second row has."""
    return lambda name: cell if name == "q2" else other


def body(name: str, finish: str = "stop", **choice: Any) -> dict[str, Any]:
    """Write a chat completion."""
    made = {"index": 0, "message": {"role": "assistant", "content": said(name)}, "finish_reason": finish, **choice}
    return {"object": "chat.completion", "choices": [made]}


FILTERED = {"hate": {"filtered": True}}
BESIDE: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a finish reason": (table(output=said, finish_reason=on_second("content_filter", "stop")), "cut_filter"),
    "a stop reason in capitals": (table(output=said, stopReason=on_second("SAFETY", "STOP")), "cut_filter"),
    "an error": (table(output=said, error=on_second("timeout after 30 s")), "failed"),
    "an error as an object": (table(output=said, error=on_second({"message": "slow down"}, None)), "failed"),
    "a status of HTTP": (table(output=said, status_code=on_second(503, 200)), "failed"),
    "a status in words": (table(output=said, status=on_second("cancelled", "success")), "failed"),
    "a whole body": (
        table(response=lambda name: body(name, "content_filter" if name == "q2" else "stop")),
        "cut_filter",
    ),
    "a whole body as text": (
        table(response=lambda name: json.dumps(body(name, content_filter_results=FILTERED if name == "q2" else {}))),
        "cut_filter",
    ),
    "an error for a body": (
        table(response=lambda name: {"error": {"message": "slow"}} if name == "q2" else body(name)),
        "failed",
    ),
}


@pytest.mark.parametrize("what", BESIDE)
def test_a_table_tells_how_an_answer_ended(tmp_path: Path, what: str) -> None:
    """A word on its end in any column, or in a body that stands in the cell, counts as it does for an endpoint."""
    rows, status = BESIDE[what]
    replies = Recorded(put(tmp_path, "a.jsonl", lines(rows)), "").ask(asks())
    assert [one.status for one in replies] == [replies[0].status, status, replies[0].status]
    assert [replies[0].text, replies[2].text] == ["words on q1", "words on q3"]


def test_a_path_to_an_answer_sees_what_stands_on_its_way(tmp_path: Path) -> None:
    """The answer that a filter cut is none, though the path leads to its words alone; numbers are no errors."""
    rows = table(reply=lambda name: body(name, "content_filter" if name == "q2" else "stop"), error=0.25)
    file = put(tmp_path, "a.jsonl", lines(rows))
    path = Wanted(columns={"text": "reply.choices[0].message.content"})
    assert [one.outcome for one in Recorded(file, "", path).ask(asks())] == ["answered", "blocked", "answered"]


ELSEWHERE: dict[str, tuple[str, Any]] = {
    "a column of system prompts": ("a.jsonl", table(output=said, system_prompt="Be a pirate.")),
    "a context": ("a.jsonl", table(output=said, context="The river is long.")),
    "Alpaca with a history": (
        "a.json",
        [
            {"instruction": text, "input": "of it" * (name == "q1"), "output": "x", "history": [["a", "b"]]}
            for name, text in PROMPTS.items()
        ],
    ),
    "ShareGPT with a system prompt beside it": (
        "a.json",
        [
            {
                "system": "Be a pirate.",
                "conversations": [{"from": "human", "value": text}, {"from": "gpt", "value": "x"}],
            }
            for text in PROMPTS.values()
        ],
    ),
    "a batch that repeats its instructions": (
        "a.jsonl",
        [
            {
                "custom_id": name,
                "response": {
                    "status_code": 200,
                    "body": {"object": "response", "status": "completed", "instructions": "Be a pirate.", "output": []},
                },
            }
            for name in PROMPTS
        ],
    ),
    "Vertex in the other spelling": (
        "a.jsonl",
        [
            {
                "request": {
                    "system_instruction": {"parts": [{"text": "Be a pirate."}]},
                    "contents": [{"role": "user", "parts": [{"text": text}]}],
                },
                "response": {"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}]},
            }
            for text in PROMPTS.values()
        ],
    ),
    "Langfuse with Anthropic's request": (
        "a.json",
        [
            {
                "traceId": "t",
                "input": {"system": "Be a pirate.", "messages": [{"role": "user", "content": text}]},
                "output": "x",
            }
            for text in PROMPTS.values()
        ],
    ),
    "promptfoo with Anthropic's request": (
        "a.jsonl",
        [
            {
                "prompt": {
                    "raw": json.dumps({"system": "Be a pirate.", "messages": [{"role": "user", "content": text}]})
                },
                "provider": "m",
                "response": {"output": "x"},
            }
            for text in PROMPTS.values()
        ],
    ),
    "messages beside their answer": (
        "a.jsonl",
        [
            {
                "messages": [{"role": "system", "content": "Be a pirate."}, {"role": "user", "content": text}],
                "response": "x",
            }
            for text in PROMPTS.values()
        ],
    ),
}


@pytest.mark.parametrize("what", ELSEWHERE)
def test_what_else_was_said_is_seen_wherever_it_stands(tmp_path: Path, what: str) -> None:
    """A system prompt, a context or a history outside of the messages makes it another question, and says so."""
    name, rows = ELSEWHERE[what]
    recorded = Recorded(put(tmp_path, name, lines(rows) if name.endswith("l") else rows), "")
    assert texts(tmp_path / name) == ["[failed]"] * 3
    assert any(one.problem.startswith(("asked under", "asked with more")) for one in recorded.unaligned(asks()))


def test_the_registered_system_prompt_is_found_where_only_ids_tell_the_prompt(tmp_path: Path) -> None:
    """A column of system prompts beside ids is held against the registered one."""
    rows = [{"id": name, "system": "Be brief.", "output": said(name)} for name in PROMPTS]
    file = put(tmp_path, "a.jsonl", lines(rows))
    assert texts(file, system="Be brief.") == ["words on q1", "words on q2", "words on q3"]
    assert texts(file) == ["[failed]"] * 3


COLUMNS_OF_ANSWERS = [
    {"Response": said, "answer": "the key it is"},
    {"model_response": said, "answer": "B"},
    {"output": said, "output_2": "other words than these"},
    {"Output": said, "output": "other words than these"},
]


@pytest.mark.parametrize("columns", COLUMNS_OF_ANSWERS)
def test_no_column_of_answers_is_taken_silently_before_another(tmp_path: Path, columns: dict[str, Any]) -> None:
    """Capitals, numbers and prefixes do not hide a second column that may be meant."""
    with pytest.raises(CaseError, match="may hold the answers, and they differ: say which with --column text=NAME"):
        Recorded(put(tmp_path, "a.jsonl", lines(table(**columns))), "").ask(asks())


def test_names_are_read_as_people_write_them(tmp_path: Path) -> None:
    """Capitals, blanks and a maker's prefix in names are no obstacle; what is about answers holds none."""
    rows = [{"Prompt ID": n, "Prompt": t, "Model Output": said(n), "response_time": 1.5} for n, t in PROMPTS.items()]
    assert texts(put(tmp_path, "a.jsonl", lines(rows))) == ["words on q1", "words on q2", "words on q3"]


def test_what_a_program_wrote_around_every_answer_is_undone_and_told(tmp_path: Path) -> None:
    """Strings of JSON and lists of one text are read; where one answer alone is a list, it is an answer."""
    for cell in (lambda name: json.dumps(f"on {name}\n\nmore"), lambda name: str([f"on {name}\n\nmore"])):
        file = put(tmp_path, "a.jsonl", lines(table(output=cell)))
        assert texts(file) == [f"on {name}\n\nmore" for name in PROMPTS]
        assert "read so" in read_file(file).notes[0]
    file = put(tmp_path, "a.jsonl", lines(table(output=on_second('["a river"]', "words"))))
    assert texts(file)[1] == '["a river"]'


def test_lost_and_misread_characters_are_told(tmp_path: Path) -> None:
    """Damage that was done before is nothing that a reader could undo; it is said, and how often."""
    notes = read_file(put(tmp_path, "a.jsonl", lines(table(output=on_second("caf\ufffd", "tÃªte"))))).notes
    assert any("1 of 3 answers hold U+FFFD" in note for note in notes)
    assert any("2 of 3 answers look like UTF-8 that was read as Windows-1252" in note for note in notes)


def test_a_workbook_s_own_doings_are_no_answers(tmp_path: Path) -> None:
    """Dates, truth values and percents that Excel made are told; line ends are read, and a full cell was cut."""
    import openpyxl

    for first, second, third, status in (
        ("one_x000D_\ntwo", datetime.date(2026, 1, 2), "a" * 32_767, ["unknown", "failed", "cut_length"]),
        (True, 0.5, "plain", ["failed", "failed", "unknown"]),
    ):
        book = openpyxl.Workbook()
        for row in (("id", "output"), ("q1", first), ("q2", second), ("q3", third)):
            book.active.append(row)
        book.active["B3"].number_format = "0%" if second == 0.5 else book.active["B3"].number_format
        book.save(tmp_path / "a.xlsx")
        replies = Recorded(tmp_path / "a.xlsx", "").ask(asks())
        assert [one.status for one in replies] == status
        assert replies[0].text in ("one\r\ntwo", "")


def test_bodies_of_files_are_judged_as_those_of_endpoints(tmp_path: Path) -> None:
    """Filters, guardrails, refusals within parts and limits of the harness are seen in every format."""
    azure: list[Any] = [{"custom_id": n, "response": {"status_code": 200, "body": body(n)}} for n in PROMPTS]
    azure[1]["response"]["body"]["choices"][0]["content_filter_results"] = FILTERED
    azure[2]["response"]["body"]["choices"][0]["message"]["content"] = [{"type": "refusal", "refusal": "No."}]
    assert statuses(tmp_path, lines(azure)) == ["whole", "cut_filter", "refused"]
    vertex: list[Any] = [
        {"key": n, "response": {"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}]}}
        for n in PROMPTS
    ]
    vertex[1]["response"]["candidates"][0]["safetyRatings"] = [{"category": "HARM", "blocked": True}]
    vertex[2]["response"]["promptFeedback"] = {"blockReason": "OTHER"}
    assert statuses(tmp_path, lines(vertex)) == ["whole", "cut_filter", "cut_filter"]
    bedrock: list[Any] = [
        {
            "custom_id": n,
            "result": {
                "type": "succeeded",
                "message": {
                    "content": [{"type": "text", "text": "x"}],
                    "stop_reason": "end_turn",
                    "amazon-bedrock-guardrailAction": "INTERVENED" if n == "q2" else "NONE",
                },
            },
        }
        for n in PROMPTS
    ]
    assert statuses(tmp_path, lines(bedrock)) == ["whole", "cut_filter", "whole"]
    log = inspect_json(answers())
    log["samples"][0]["limit"] = {"type": "token", "limit": 10}
    assert Recorded(put(tmp_path, "limit.json", log), "").ask(asks())[0].status == "failed"


def statuses(folder: Path, made: str) -> list[Any]:
    """Look all three up, and say how they ended."""
    return [one.status for one in Recorded(put(folder, "bodies.jsonl", made), "").ask(asks())]
