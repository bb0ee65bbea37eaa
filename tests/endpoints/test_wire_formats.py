"""What single fields of the wire formats mean: errors under 200, counts of tokens, parts that say nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from depose.endpoints.anthropic import ANTHROPIC
from depose.endpoints.google import GOOGLE
from depose.endpoints.http_outcome import Told, judge
from depose.endpoints.openai import OPENAI
from depose.endpoints.wire_format import Dialect, Unreadable
from depose.model import Ask, ModelSpec
from wire_answers import NOW, events, heard

ASK = Ask(model="S1", prompt="p", sample=0, replicate=0, text="Q", system="", temperature=0.7, max_tokens=9, seed=7)


REASONED = {"reasoning_tokens": 2000}


def judged(dialect: Dialect, body: Any, *, streamed: bool = False, **more: Any) -> Told:
    """Judge a body under 200."""
    written = events(body) if streamed else json.dumps(body).encode()
    return judge(dialect, heard(written, streamed=streamed, **more), streamed, NOW)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("error", "hopeless", "again"),
    [
        ({"code": 401, "message": "bad key"}, True, None),
        ({"code": 402, "message": "no credits"}, True, None),
        ({"code": "model_not_found", "message": "no such model"}, True, None),
        ({"code": "insufficient_quota", "message": "pay"}, True, None),
        ({"code": 400, "message": "unknown field"}, False, None),
        ({"code": 429, "message": "try again in 7s"}, False, 7.0),
        ({"code": 429, "message": "try again in 20m"}, False, None),
        ({"code": 502, "message": "upstream went away"}, False, 0.0),
        ("went wrong", False, 0.0),
    ],
)
def test_an_error_under_200_counts_as_its_code(error: Any, hopeless: bool, again: float | None, streamed: bool) -> None:
    """It fails with the gateway's words, and is asked again or given up as the status that it names would be."""
    told = judged(OPENAI, [{"error": error}] if streamed else {"error": error}, streamed=streamed)
    words = error["message"] if isinstance(error, dict) else error
    assert (told.outcome, told.hopeless, told.again) == ("failed", hopeless, again)
    assert told.reason.startswith("HTTP 200, but an error: ") and words in told.reason


def test_an_error_instead_of_a_stream_keeps_its_words() -> None:
    """A gateway that answers JSON to a request for a stream is quoted, not its content type."""
    body = json.dumps({"error": {"code": 402, "message": "no credits"}}).encode()
    told = judge(OPENAI, heard(body), True, NOW)
    assert (told.reason, told.hopeless) == ("HTTP 200, but an error: 402: no credits", True)


def completion(usage: Any) -> dict[str, Any]:
    """Be a chat completion."""
    return {
        "id": 12,
        "model": "m",
        "choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}],
        "usage": usage,
    }


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 2041}, (32, 2009)),
        ({"prompt_tokens": 32, "completion_tokens": 2009, "total_tokens": 2041}, (32, 2009)),
        (
            {"prompt_tokens": 32, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 2000}},
            (32, 2009),
        ),
        (
            {"prompt_tokens": 32, "completion_tokens": 2009, "completion_tokens_details": {"reasoning_tokens": 2000}},
            (32, 2009),
        ),
        ({"prompt_tokens": 32.0, "completion_tokens": 9.0, "total_tokens": 41.0}, (32, 9)),
        ({"prompt_tokens": 32, "completion_tokens": 9, "reasoning_tokens": 2000}, (32, 2009)),
        ({"prompt_tokens": 32, "total_tokens": 41}, (32, 9)),
        ({"prompt_tokens": "32", "completion_tokens": None}, (None, None)),
        ({"prompt_tokens": -1, "completion_tokens": float("nan")}, (None, None)),
        ({}, (None, None)),
        (None, (None, None)),
    ],
)
def test_tokens_are_counted_by_the_total(usage: Any, tokens: tuple[int | None, int | None]) -> None:
    """Reasoning that stands apart is counted; what is no count is none, and the answer is read all the same."""
    told = judged(OPENAI, completion(usage))
    assert told.reading is not None
    assert (told.reading.input_tokens, told.reading.output_tokens) == tokens
    assert (told.outcome, told.reading.id) == ("answered", "12")


def test_google_counts_thoughts_wherever_they_stand() -> None:
    """Thoughts beside the candidates' tokens, or only in the total, or in both, are output."""
    for usage in (
        {"promptTokenCount": 5, "candidatesTokenCount": 7, "thoughtsTokenCount": 100, "totalTokenCount": 112},
        {"promptTokenCount": 5, "candidatesTokenCount": 7, "totalTokenCount": 112},
        {"promptTokenCount": 5, "candidatesTokenCount": 7, "thoughtsTokenCount": 100},
    ):
        body = {
            "candidates": [{"content": {"parts": [{"text": "Yes."}]}, "finishReason": "STOP"}],
            "usageMetadata": usage,
        }
        told = judged(GOOGLE, body)
        assert told.reading is not None
        assert told.reading.output_tokens == 107


def test_chunks_and_parts_that_say_nothing_are_passed_over() -> None:
    """A last chunk without a delta, with a null one, without choices; null parts and blocks."""
    finish = {"index": 0, "delta": {}, "finish_reason": "stop"}
    last: dict[str, Any] = {
        "index": 0,
        "finish_reason": None,
        "content_filter_results": {},
        "content_filter_offsets": {},
    }
    stream = [
        {"id": "", "model": "", "choices": [], "prompt_filter_results": []},
        {"id": "g", "model": "m", "choices": [{"index": 0, "delta": {"content": "Water it."}, "finish_reason": None}]},
        {"id": "g", "model": "m", "choices": [finish]},
        {"id": "g", "model": "m", "choices": [{**finish, "delta": None}, None]},
        {"id": "", "object": "", "model": "", "choices": [last], "usage": None},
        "[DONE]",
    ]
    told = judged(OPENAI, stream, streamed=True)
    assert told.settled is not None
    assert (told.outcome, told.settled.text) == ("answered", "Water it.")
    blocks = [None, {"type": "text", "text": None}, {"type": "text", "text": "Yes."}, {"type": "server_tool_use"}]
    assert judged(ANTHROPIC, {"content": blocks, "stop_reason": "end_turn"}).outcome == "answered"
    assert judged(GOOGLE, {"candidates": [{"content": {"parts": None}, "finishReason": "STOP"}]}).outcome == "empty"


@pytest.mark.parametrize("dialect", [OPENAI, ANTHROPIC, GOOGLE])
@pytest.mark.parametrize("body", [None, [], 3, "text", {}, {"choices": 3}, {"content": 3}, {"candidates": "x"}, [[[]]]])
def test_what_is_no_answer_is_unreadable(dialect: Dialect, body: Any) -> None:
    """Any other JSON fails and is asked again; it never raises."""
    told = judged(dialect, body)
    assert (told.outcome, told.again) == ("failed", 0.0)
    with pytest.raises((Unreadable, TypeError)):
        dialect.read(dialect.fold([body]))


def test_parameters_stand_at_the_top_of_google_s_body() -> None:
    """`safetySettings` goes to the top; a `generationConfig` is joined with ours, field by field."""
    more = {"safetySettings": [{"category": "X"}], "generationConfig": {"topK": 3, "temperature": 0.1}}
    spec = ModelSpec(code="S1", role="suspect", provider="google", parameters=more, omit=("seed",))
    body = GOOGLE.body(spec, ASK)
    assert body["safetySettings"] == [{"category": "X"}]
    assert body["generationConfig"] == {"temperature": 0.1, "maxOutputTokens": 9, "candidateCount": 1, "topK": 3}


def test_thinking_is_kept_apart_in_every_format() -> None:
    """Fields, parts and blocks of reasoning are the answer's reasoning and no part of its text."""
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Yes."}]
    for dialect, body in (
        (OPENAI, {"choices": [{"message": {"content": "Yes.", "reasoning": "Hm."}, "finish_reason": "stop"}]}),
        (OPENAI, {"choices": [{"message": {"content": parts}, "finish_reason": "stop"}]}),
        (ANTHROPIC, {"content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Yes."}]}),
        (GOOGLE, {"candidates": [{"content": {"parts": [{"text": "Hm.", "thought": True}, {"text": "Yes."}]}}]}),
    ):
        told = judged(dialect, body)
        assert told.settled is not None
        assert (told.settled.text, told.settled.reasoning) == ("Yes.", "Hm.")
