"""Odd ends of answers, as gateways make them: none counts as an answer that is none, and none is lost that is one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from depose.endpoints.anthropic import ANTHROPIC
from depose.endpoints.google import GOOGLE
from depose.endpoints.http_outcome import Told, judge
from depose.endpoints.openai import OPENAI
from depose.endpoints.wire_format import Dialect
from wire_answers import NOW, events, heard

TEXT = "Mist it daily."


def chunk(**fields: Any) -> dict[str, Any]:
    """Be a piece of a stream of chat completions."""
    return {"choices": [{"index": 0, **fields}]}


def candidate(**fields: Any) -> dict[str, Any]:
    """Be a piece of a stream of generateContent."""
    return {"candidates": [fields]}


def message(*ends: str) -> list[dict[str, Any]]:
    """Be a stream of Messages with these stop reasons."""
    return [
        {"type": "message_start", "message": {"model": "m", "usage": {}}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}},
        *({"type": "message_delta", "delta": {"stop_reason": end}} for end in ends),
        {"type": "message_stop"},
    ]


SAID = chunk(delta={"content": TEXT})
STOP = chunk(delta={}, finish_reason="stop")
PARTS = {"parts": [{"text": TEXT}]}
STREAMS: dict[str, tuple[Dialect, list[Any], str]] = {
    "a filter, then the gateway's stop": (
        OPENAI,
        [SAID, chunk(delta={}, finish_reason="content_filter"), STOP],
        "cut_filter",
    ),
    "cut by length, then the gateway's stop": (
        OPENAI,
        [SAID, chunk(delta={}, finish_reason="length"), STOP],
        "cut_length",
    ),
    "an error without the word": (OPENAI, [SAID, {"object": "error", "message": "boom", "code": 500}, STOP], "failed"),
    "an error in other fields": (OPENAI, [SAID, {"error_code": 50004, "text": "NETWORK ERROR"}, STOP], "failed"),
    "a refusal in parts": (
        OPENAI,
        [chunk(delta={"content": [{"type": "refusal", "refusal": "No."}]}), STOP],
        "refused",
    ),
    "a call of a tool under stop": (OPENAI, [SAID, chunk(delta={"tool_calls": [{"index": 0}]}), STOP], "failed"),
    "a filter on the question": (
        OPENAI,
        [
            {"choices": [], "prompt_filter_results": [{"content_filter_results": {"hate": {"filtered": True}}}]},
            SAID,
            STOP,
        ],
        "cut_filter",
    ),
    "safety, then STOP": (
        GOOGLE,
        [candidate(content=PARTS, finishReason="SAFETY"), candidate(content={}, finishReason="STOP")],
        "cut_filter",
    ),
    "a rating that a later one covers": (
        GOOGLE,
        [
            candidate(content=PARTS, safetyRatings=[{"category": "HARM", "blocked": True}]),
            candidate(content={}, finishReason="STOP", safetyRatings=[{"category": "HARM"}]),
        ],
        "cut_filter",
    ),
    "a call of a function under STOP": (
        GOOGLE,
        [candidate(content={"parts": [{"text": TEXT}, {"functionCall": {"name": "f"}}]}, finishReason="STOP")],
        "failed",
    ),
    "a refusal, then end_turn": (ANTHROPIC, message("refusal", "end_turn"), "refused"),
    "one word": (OPENAI, [SAID, STOP], "whole"),
}


def of(dialect: Dialect, body: Any, *, streamed: bool = False, status: int = 200, **changed: Any) -> Told:
    """Judge what came."""
    data = body if isinstance(body, bytes) else events(body) if streamed else json.dumps(body).encode()
    return judge(dialect, replace(heard(data, streamed=streamed, status=status), **changed), streamed, NOW)


@pytest.mark.parametrize("what", STREAMS)
def test_every_word_of_a_stream_on_its_end_counts(what: str) -> None:
    """The gravest of several words decides, wherever in the stream it stands."""
    dialect, pieces, status = STREAMS[what]
    told = of(dialect, [*pieces, "[DONE]"] if dialect is OPENAI else pieces, streamed=True)
    assert told.status == status
    assert (told.outcome == "answered") == (status in ("whole", "cut_length"))


def choice(text: Any = TEXT, **message: Any) -> dict[str, Any]:
    """Be a chat completion."""
    return {"choices": [{"message": {"content": text, **message}, "finish_reason": "stop"}]}


WHOLE: dict[str, tuple[Dialect, dict[str, Any], str]] = {
    "a refusal in a part": (
        OPENAI,
        choice(None) | choice(**{"content": [{"type": "refusal", "refusal": "No."}]}),
        "refused",
    ),
    "a call of a tool": (OPENAI, choice(tool_calls=[{"function": {"name": "f"}}]), "failed"),
    "a call of a function": (OPENAI, choice(None, function_call={"name": "f"}), "failed"),
    "a status of MiniMax": (
        OPENAI,
        choice("") | {"base_resp": {"status_code": 1008, "status_msg": "balance"}},
        "failed",
    ),
    "sensitive, by MiniMax": (OPENAI, choice() | {"output_sensitive": True}, "cut_filter"),
    "a tool in Messages": (
        ANTHROPIC,
        {"content": [{"type": "text", "text": TEXT}, {"type": "tool_use"}], "stop_reason": "end_turn"},
        "failed",
    ),
}


@pytest.mark.parametrize("what", WHOLE)
def test_what_stands_beside_the_words_counts(what: str) -> None:
    """Refusals in parts, calls under `stop` and outcomes around the answer end it."""
    dialect, body, status = WHOLE[what]
    assert of(dialect, body).status == status


def test_the_first_choice_is_that_of_index_0() -> None:
    """The order in which choices come says nothing."""
    choices = [{"index": n, "message": {"content": str(n)}, "finish_reason": "stop"} for n in (1, 0)]
    told = of(OPENAI, {"choices": choices})
    assert told.settled is not None
    assert told.settled.text == "0"


ERRORS: list[tuple[dict[str, Any], bool, str]] = [
    ({"code": "InvalidApiKey", "message": "Invalid API-key."}, True, "Invalid API-key."),
    ({"choices": None, "base_resp": {"status_code": 1004, "status_msg": "login fail"}}, True, "login fail"),
    ({"header": {"code": 11200, "message": "AppIdNoAuthError"}}, False, "AppIdNoAuthError"),
    ({"__type": "AccessDeniedException", "message": "not authorized"}, True, "not authorized"),
    ({"success": False, "errors": [{"code": 10000, "message": "Authentication error"}]}, False, "Authentication error"),
]


@pytest.mark.parametrize(("body", "hopeless", "words"), ERRORS)
def test_an_error_under_200_keeps_its_words_in_any_shape(body: dict[str, Any], hopeless: bool, words: str) -> None:
    """Gateways that know no field `error` are quoted, and what no other question would pass ends the asking."""
    told = of(OPENAI, body)
    assert (told.outcome, told.hopeless) == ("failed", hopeless)
    assert words in told.reason


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"code": "content_filter", "message": "The prompt was filtered."}),
        (400, {"code": "DataInspectionFailed", "message": "inappropriate"}),
        (403, {"code": 403, "message": "flagged", "metadata": {"reasons": ["violence"], "flagged_input": "..."}}),
    ],
)
def test_a_question_that_a_filter_refused_is_answered_so(status: int, error: dict[str, Any]) -> None:
    """A filter's error is what became of the question: it is not asked again, and the model is not given up."""
    told = of(OPENAI, {"error": error}, status=status)
    assert (told.outcome, told.status, told.hopeless, told.again) == ("blocked", "cut_filter", False, None)
    assert error["message"] in told.reason


AROUND: list[dict[str, Any]] = [
    {"trouble": "broken", "reason": "the connection broke"},
    {"headers": ((b"content-type", b"text/plain"),)},
    {"headers": ((b"content-encoding", b"br"),)},
    {"status": 206},
]


@pytest.mark.parametrize("changed", AROUND)
def test_bytes_that_hold_a_whole_answer_are_one(changed: dict[str, Any]) -> None:
    """A connection that breaks behind the last brace, another type and another status take nothing off an answer."""
    told = of(OPENAI, choice(), **changed)
    assert (told.outcome, told.status) == ("answered", "whole")
    half = of(OPENAI, json.dumps(choice()).encode()[:-3], **changed)
    assert half.outcome == "failed"


@pytest.mark.parametrize("trouble", ["secret", "tls", "address"])
def test_nothing_is_read_where_nothing_may_be(trouble: str) -> None:
    """What was not kept, or came from elsewhere, is no answer."""
    assert of(OPENAI, choice(), trouble=trouble, reason=trouble).outcome == "failed"
