"""What products and tables make of a log on its way out: nothing is another's, and nothing is lost without a word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

import request_logs as logs
from depose.extraction import importing
from depose.extraction.entries import ANSWERS_WITHHELD, FLOATS, PROMPTS_WITHHELD, SPELLED, STRANGE_STATUS
from depose.extraction.importing import UNENDED, Manner
from depose.extraction.sources.answers import UNREAD, answer
from depose.extraction.sources.bedrock import OF_ROLE

MAPPING = '[columns]\nid = "id"\nts = "t"\naccount = "a"\nprompt = "q"\nresponse = "r"\nstatus = "s"\n'
WORDS = "Answer one, in two parts."
HALVES = ("Answer one, ", "in two parts.")


def load(folder: Path, files: list[Path], format_: str = "generic", **more: Any) -> importing.Imported:
    """Import logs into a case, with their words."""
    if format_ == "generic":
        (folder / "map.toml").write_text(MAPPING)
        more["mapping"] = str(folder / "map.toml")
    key = str(logs.key_of(folder))
    return importing.load(folder, files, Manner(format=format_, hash_key=key, keep_text=True, **more))


def table(folder: Path, what: str = "day=*") -> list[dict[str, Any]]:
    """All events of a case, or all words."""
    files = [str(one) for one in folder.glob(f"events/{what}/*.parquet")]
    found: list[dict[str, Any]] = duckdb.read_parquet(files).to_arrow_table().to_pylist()
    return found


def asked(n: int, **more: Any) -> dict[str, Any]:
    """Be a row of somebody's table."""
    row = {"id": f"r{n}", "t": f"2026-05-02T10:00:{n:02d}Z", "a": 1000 + n % 5, "q": "Tell me of the four old hills"}
    return {**row, "r": f"Answer {n}.", "s": "ok", **more}


@pytest.mark.parametrize("said", [200, "200", "201 Created", "OK", "Success", "completed", True, 200.0, "", None])
def test_any_word_of_success_is_one(tmp_path: Path, said: Any) -> None:
    """A status was success only as `ok`: with 200 all requests were errors, and no answer was a delivery."""
    folder = logs.case(tmp_path / "case")
    done = load(folder, [logs.lines(tmp_path / "log.jsonl", [asked(n, s=said) for n in range(30)])])
    assert {one["status"] for one in table(folder)} == {"ok"}
    assert STRANGE_STATUS not in done.sources[0].losses


@pytest.mark.parametrize(("said", "strange"), [("429", 0), ("rate_limited", 0), ("failure", 0), ("stop", 30)])
def test_any_other_status_is_none_and_a_strange_one_is_told(tmp_path: Path, said: str, strange: int) -> None:
    """What is no known word for either is counted, so that a column that is no status is seen."""
    folder = logs.case(tmp_path / "case")
    done = load(folder, [logs.lines(tmp_path / "log.jsonl", [asked(n, s=said) for n in range(30)])])
    assert {one["status"] for one in table(folder)} == {said}
    assert done.sources[0].losses.get(STRANGE_STATUS, 0) == strange


@pytest.mark.parametrize("decimal", [lambda one: float(one), lambda one: f"{one}.0", lambda one: f"{one}.000"])
def test_a_number_as_a_decimal_is_the_same_account(tmp_path: Path, decimal: Any) -> None:
    """Tables with a gap in a column of numbers write 1000.0: that was a second account, without a word."""
    folder = logs.case(tmp_path / "case")
    whole = logs.lines(tmp_path / "a.jsonl", [asked(n) for n in range(30)])
    other = [asked(n, id=f"s{n}") for n in range(30)]
    done = load(folder, [whole, logs.lines(tmp_path / "b.jsonl", [{**one, "a": decimal(one["a"])} for one in other])])
    assert len({one["account"] for one in table(folder)}) == 5
    assert [one.losses.get(FLOATS, 0) for one in done.sources] == [0, 30]


@pytest.mark.parametrize("late", [False, True])
def test_of_attempts_under_one_id_the_one_that_was_answered_counts(tmp_path: Path, late: bool) -> None:
    """The earliest counted, which failed: its answer was no delivery."""
    folder, rows = logs.case(tmp_path / "case"), []
    for n in range(30):
        both = [asked(n, s="error", r=""), asked(n, t=f"2026-05-02T10:01:{n:02d}Z")]
        rows += both if late else both[::-1]
    done = load(folder, [logs.lines(tmp_path / "log.jsonl", rows)])
    assert done.sources[0].duplicates == 30
    assert {one["status"] for one in table(folder)} == {"ok"}
    assert {one["response"] for one in table(folder, "texts/day=*")} == {f"Answer {n}." for n in range(30)}


@pytest.mark.parametrize("number", [float, lambda one: f"{one}.0", str])
def test_numbers_of_parts_may_be_decimals(tmp_path: Path, number: Any) -> None:
    """A table with gaps writes SequenceNumber as 1.0: all parts were one, tokens 0, prompts and answers lost."""
    rows = []
    for n in range(30):
        base = {"TimeGenerated": f"2026-05-02T10:00:{n:02d}Z", "CorrelationId": f"c{n}", "RequestId": f"q{n}"}
        body = json.dumps([{"role": "user", "content": f"Tell me of the four old hills by {'abc'[n % 3] * 6}"}])
        rows += [
            {**base, "SequenceNumber": number(0), "PromptTokens": number(7), "ModelName": "m-1"},
            {**base, "SequenceNumber": number(2), "RequestMessages": body[20:]},
            {**base, "SequenceNumber": number(1), "RequestMessages": body[:20]},
            {**base, "SequenceNumber": number(3), "ResponseMessages": '[{"role": "assistant", "content": "Here."}]'},
            {"CorrelationId": f"c{n}", "ApimSubscriptionId": f"s{n % 5}", "BackendTime": 5},
        ]
    folder = logs.case(tmp_path / "case")
    done = load(folder, [logs.lines(tmp_path / "log.jsonl", rows)], "apim")
    found = table(folder)
    assert (len(found), {one["in_tok"] for one in found}, len({one["template"] for one in found})) == (30, {7}, 3)
    assert {one["response"] for one in table(folder, "texts/day=*")} == {"Here."}
    assert done.sources[0].losses == {}


def chunk(text: str, index: int = 0) -> dict[str, Any]:
    """Be a part of a stream of chat completions."""
    return {"choices": [{"index": index, "delta": {"content": text}, "finish_reason": None}]}


STREAM = [chunk(HALVES[0]), chunk(HALVES[1]), {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]
SENT = "".join(f"data: {json.dumps(one)}\n\n" for one in STREAM) + "data: [DONE]\n\n"
WHOLE = {"choices": [{"index": 0, "message": {"content": WORDS}, "finish_reason": "stop"}]}
CONVERSE = [
    {"messageStart": {"role": "assistant"}},
    *({"contentBlockDelta": {"delta": {"text": half}, "contentBlockIndex": 0}} for half in HALVES),
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {"messageStop": {"stopReason": "stop"}},
    {"metadata": {"usage": {"outputTokens": 9}}},
]
THOUGHT = {"parts": [{"text": "I wonder.", "thought": True}, {"text": WORDS}]}


@pytest.mark.parametrize(
    "body",
    [
        STREAM,
        SENT,
        [chunk("No.", 1), *STREAM[:1], chunk("Nor this.", 1), *STREAM[1:]],
        {"choices": [{"index": 1, "message": {"content": "No."}, "finish_reason": "length"}, *WHOLE["choices"]]},
        repr(WHOLE),
        CONVERSE,
        {"candidates": [{"content": THOUGHT, "finishReason": "stop"}]},
        {"message": {"role": "assistant", "content": WORDS}, "done": True, "done_reason": "stop"},
        {"response": WORDS, "done_reason": "stop"},
    ],
)
def test_an_answer_is_the_first_choice_without_thoughts(body: Any) -> None:
    """Streams with two choices were mixed; thoughts, the bytes of a stream and tables of Python were the answer."""
    tally: dict[str, int] = {}
    assert answer(body, tally) == (WORDS, "stop")
    assert tally == {}


@pytest.mark.parametrize(
    ("body", "unread"),
    [({"said": WORDS}, 1), ([{"said": WORDS}], 1), (7, 1), (None, 0), ({}, 0), ([], 0), ("", 0),
     ({"error": {"code": 429}}, 0), ({"choices": []}, 0), ({"role": "assistant", "tool_calls": [{}]}, 0),
     ({"choices": [{"message": {"content": None, "refusal": "No."}}]}, 0)],
)  # fmt: skip
def test_what_is_in_no_known_form_is_counted(body: Any, unread: int) -> None:
    """An answer that is lost is told; a body without words, such as an error or a call of a tool, is none."""
    tally: dict[str, int] = {}
    assert answer(body, tally)[0] == ""
    assert tally.get(UNREAD, 0) == unread


@pytest.mark.parametrize("mark", ["redacted-by-litellm", "[REDACTED]", "<masked by policy 7>", "*****", " redacted "])
def test_a_mark_in_the_place_of_words_is_no_prompt_and_no_answer(tmp_path: Path, mark: str) -> None:
    """All requests of a gateway that keeps no words had one prompt, and their answers were deliveries of one text."""
    folder = logs.case(tmp_path / "case")
    rows = [
        asked(n, q=mark if n < 20 else "Tell me of [redacted] hills", r=mark if n < 10 else "removed")
        for n in range(30)
    ]
    done = load(folder, [logs.lines(tmp_path / "log.jsonl", rows)])
    assert done.sources[0].losses == {PROMPTS_WITHHELD: 20, ANSWERS_WITHHELD: 10}
    assert sum(one["prompt"] is None for one in table(folder)) == 20
    texts = table(folder, "texts/day=*")
    assert sorted(one["response"] or "" for one in texts) == [""] * 10 + ["removed"] * 20


def test_an_answer_that_is_json_itself_is_one(tmp_path: Path) -> None:
    """Langfuse holds what was said: an object in JSON, as it was asked for, was no answer."""
    rows = [
        {"id": f"o{n}", "traceId": f"t{n}", "type": "GENERATION", "startTime": f"2026-05-02T10:00:{n:02d}Z",
         "userId": f"u{n % 5}", "input": "Tell me of the four old hills", "output": '{"name": "Old Hill"}'}
        for n in range(30)]  # fmt: skip
    folder = logs.case(tmp_path / "case")
    load(folder, [logs.lines(tmp_path / "log.jsonl", rows)], "langfuse")
    assert {one["response"] for one in table(folder, "texts/day=*")} == {'{"name": "Old Hill"}'}


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_a_table_that_may_be_cut_in_its_last_row_says_so(tmp_path: Path, cut: int) -> None:
    """The last account of a file that broke off was another one, without a word; many tools write no last line feed."""
    names = ["id", "t", "q", "r", "s", "a"]
    rows = [",".join(str(asked(n)[name]) for name in names) for n in range(30)]
    data = "\n".join([",".join(names), *rows]) + "\n"
    (tmp_path / "log.csv").write_text(data[: len(data) - cut])
    folder = logs.case(tmp_path / "case")
    done = load(folder, [tmp_path / "log.csv"])
    assert done.sources[0].losses == ({UNENDED: 1} if cut else {})


@pytest.mark.parametrize(
    ("session", "accounts"),
    [("acct-89506477773{}", 5), ("customer-1002345{}", 5), ("botocore-session-175000000{}", 1),
     ("aws-sdk-js-175000000000{}", 1), ("run-2026030{}", 1), ("i-0abcdef123456789{}", 1)],
)  # fmt: skip
def test_a_customers_number_is_no_clock(tmp_path: Path, session: str, accounts: int) -> None:
    """Sessions of a role named after customers by their numbers were one account, without a word."""
    rows = [
        {"timestamp": f"2026-05-02T10:00:{n:02d}Z", "requestId": f"r{n}", "modelId": "m",
         "identity": {"arn": f"arn:aws:sts::1:assumed-role/app/{session.format(n % 5)}"},
         "input": {"inputBodyJson": {"prompt": "Tell me of the four old hills"}}} for n in range(30)]  # fmt: skip
    folder = logs.case(tmp_path / "case")
    done = load(folder, [logs.lines(tmp_path / "log.jsonl", rows)], "bedrock")
    assert len({one["account"] for one in table(folder)}) == accounts
    assert done.sources[0].losses.get(OF_ROLE, 0) == (30 if accounts == 1 else 0)


@pytest.mark.parametrize(
    ("names", "accounts", "told"),
    [(("M\u00fcller", "Mu\u0308ller"), 1, 0), (("Acme", "ACME", "acme "), 3, 2), (("00123", "123"), 2, 0),
     (("{3F2504E0-4F89}", "3f2504e0-4f89", "3f2504e04f89"), 3, 2), (("north", "south"), 2, 0)],
)  # fmt: skip
def test_an_account_that_is_spelled_otherwise_is_told(
    tmp_path: Path, names: tuple[str, ...], accounts: int, told: int
) -> None:
    """One form of Unicode is the other; what differs in case or dashes is another account, and is counted."""
    folder = logs.case(tmp_path / "case")
    done = load(folder, [logs.lines(tmp_path / "a.jsonl", [asked(n, a=names[n % len(names)]) for n in range(30)])])
    assert len({one["account"] for one in table(folder)}) == accounts
    assert done.sources[0].losses == ({SPELLED: told} if told else {})
