"""OTLP log records: the words of a span in records of their own, however they are exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

import request_logs as logs
from depose.errors import CaseError
from depose.extraction import importing
from depose.extraction.importing import Manner
from depose.extraction.sources import otlp, otlp_logs

WORDS = ("gen_ai.input", "gen_ai.output")


def value(one: Any) -> dict[str, Any]:
    """A value as OTLP JSON writes it."""
    if isinstance(one, dict):
        return {"kvlistValue": {"values": pairs(one)}}
    if isinstance(one, list):
        return {"arrayValue": {"values": [value(part) for part in one]}}
    return {"intValue": str(one)} if isinstance(one, int) else {"stringValue": one}


def pairs(table: dict[str, Any]) -> list[dict[str, Any]]:
    """A table as OTLP JSON writes it."""
    return [{"key": key, "value": value(one)} for key, one in table.items()]


def spans(count: int = 30) -> list[dict[str, Any]]:
    """Spans of which each is of a trace of its own, without words."""
    rows = logs.otlp(count)
    every = [one for row in rows for one in row["resourceSpans"][0]["scopeSpans"][0]["spans"]]
    for n, span in enumerate(every):
        span["traceId"] = f"{n:032x}"
        span["attributes"] = [one for one in span["attributes"] if not one["key"].startswith(WORDS)]
    return rows


def records(form: str, count: int = 30) -> list[dict[str, Any]]:
    """The log records of the same calls: by an event for each message, older or newer, or one for the call."""
    made = []
    for n in range(count):
        when = str(1_777_629_600_000_000_000 + n * 60_000_000_000)
        at: dict[str, Any] = {"timeUnixNano": when, "spanId": f"{n:016X}", "traceId": f"{n:032x}"}
        words = logs.PROMPT.format(n=n)
        if form in ("details", "alone"):
            own: dict[str, Any] = {
                "gen_ai.operation.name": "chat", "gen_ai.response.model": "m-1", "gen_ai.usage.input_tokens": 10,
                "gen_ai.usage.output_tokens": 4,
                "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
                "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": words}]}],
                "gen_ai.output.messages": [{"role": "assistant", "finish_reason": "stop",
                                            "parts": [{"type": "text", "content": "An answer."}]}],
            } | ({"user.id": f"u{n % 5}"} if form == "alone" else {})  # fmt: skip
            made.append({**at, "eventName": otlp_logs.DETAILS, "attributes": pairs(own)})
            continue
        said: list[tuple[str, dict[str, Any]]] = [
            ("gen_ai.system.message", {"content": "Be brief."}),
            ("gen_ai.user.message", {"content": words}),
            ("gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": {"content": "An answer."}}),
        ]
        for name, body in said:
            if form == "attribute":
                made.append({**at, "attributes": pairs({"event.name": name}), "body": value(body)})
            else:
                made.append({**at, "eventName": name, "body": value(body)})
    return [{"resourceLogs": [{"scopeLogs": [{"logRecords": made[n : n + 20]}]}]} for n in range(0, len(made), 20)]


def load(folder: Path, *rows: list[dict[str, Any]]) -> importing.Imported:
    """Import logs, each a file, in one command."""
    files = [logs.lines(folder.parent / f"{n}.jsonl", one) for n, one in enumerate(rows)]
    return importing.load(folder, files, Manner(format="otlp", hash_key=str(logs.key_of(folder)), keep_text=True))


def totals(folder: Path) -> tuple[Any, ...]:
    """Requests, accounts, templates, tokens, systems, and the answers of a case."""
    rows = duckdb.read_parquet(f"{folder}/events/day=*/*.parquet")
    counted = "count(*), count(DISTINCT account), count(DISTINCT template), sum(in_tok), count(DISTINCT system)"
    found = rows.aggregate(counted).fetchall()[0]
    texts = duckdb.read_parquet(f"{folder}/events/texts/*/*.parquet")
    said = texts.project("response, finish_reason").distinct().fetchall()
    return (*map(int, found), *said)


WANTED = (30, 5, 1, 300, 1, ("An answer.", "stop"))


@pytest.mark.parametrize("first", ["spans", "records"])
@pytest.mark.parametrize("form", ["attribute", "name", "details"])
def test_words_in_log_records_belong_to_their_span(form: str, first: str, tmp_path: Path) -> None:
    """By trace and span, whichever case their ids are written in, and whichever export is read first."""
    folder = logs.case(tmp_path / "case")
    both = [spans(), records(form)]
    done = load(folder, *(both if first == "spans" else both[::-1]))
    assert totals(folder) == WANTED
    assert done.sources[0].losses == {}


def test_a_record_of_a_whole_call_is_a_request_without_its_span(tmp_path: Path) -> None:
    """Traces are sampled, and such records are not; nor do they need to name a span."""
    folder = logs.case(tmp_path / "case")
    load(folder, records("alone"))
    assert totals(folder) == WANTED
    rows = records("alone")
    for row in rows:
        for one in row["resourceLogs"][0]["scopeLogs"][0]["logRecords"]:
            del one["spanId"], one["traceId"]
    bare = logs.case(tmp_path / "bare" / "case")
    load(bare, rows)
    assert totals(bare) == WANTED


@pytest.mark.parametrize("form", ["attribute", "details"])
@pytest.mark.parametrize("first", [0, 1])
def test_a_span_that_has_its_words_is_not_counted_again(form: str, first: int, tmp_path: Path) -> None:
    """Where an instrumentation writes both."""
    folder = logs.case(tmp_path / "case")
    whole = logs.otlp()
    for row, other in zip(whole, spans(), strict=True):
        own, bare = (one["resourceSpans"][0]["scopeSpans"][0]["spans"] for one in (row, other))
        for span, same in zip(own, bare, strict=True):
            span["traceId"] = same["traceId"]
    both = [whole, records(form)]
    done = load(folder, *(both if first else both[::-1]))
    assert (done.events, done.sources[0].duplicates, done.sources[0].losses) == (30, 0, {})


def test_words_without_a_span_are_said_to_be_lost(tmp_path: Path) -> None:
    """With the way out; so are records of something else, and those of some spans that are missing."""
    folder = logs.case(tmp_path / "case")
    with pytest.raises(CaseError, match="no request in it; 90 log records of words whose span") as refused:
        load(folder, records("name"))
    assert "name the exports of both in one command" in refused.value.hint
    other = [{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "started"}}]}]}]}]
    done = load(folder, spans(20), records("name"), other)
    assert (done.events, done.sources[0].losses) == (20, {otlp_logs.APART: 30, otlp_logs.ELSE: 1})


def test_a_conversation_in_records_keeps_its_order() -> None:
    """What the model said before stands between the questions; the last of it is the answer where no choice follows."""

    def said(*names: str) -> Any:
        listed: list[dict[str, Any]] = [
            {"traceId": "a", "spanId": "b", "eventName": name, "body": value({"content": f"{name} {n}"})}
            for n, name in enumerate(names)
        ]
        span = {"traceId": "a", "spanId": "b", "startTimeUnixNano": "1", "attributes": pairs({"gen_ai.system": "x"})}
        rows: list[dict[str, Any]] = [{"resourceLogs": [{"scopeLogs": [{"logRecords": listed}]}]},
                {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}]  # fmt: skip
        return next(iter(otlp.requests(enumerate(rows, 1), {})))

    user, model, choice = "gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.choice"
    whole = said(user, model, user, choice)
    assert [one["role"] for one in whole.messages] == ["user", "assistant", "user"]
    assert whole.response == f"{choice} 3"
    assert said(user, model).response == f"{model} 1"


@pytest.mark.parametrize("wrong", [None, 7, "x", [1], {"a": []}, True])
def test_no_value_of_a_record_breaks_the_reader(wrong: Any) -> None:
    """Every field of a record in turn holds something else."""
    for form in ("attribute", "name", "details", "alone"):
        row = records(form, 1)[0]
        own = row["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
        for name in {key for one in own for key in one}:
            spoiled = json.loads(json.dumps(row))
            for one in spoiled["resourceLogs"][0]["scopeLogs"][0]["logRecords"]:
                one[name] = wrong
            for raw in otlp.requests(enumerate([spoiled, *spans(1)], 1), {}):
                assert isinstance(raw.account, str)
