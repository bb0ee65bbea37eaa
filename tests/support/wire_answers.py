"""Answers as the wire formats write them, streamed and not, one for each way in which an answer can end."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from depose.endpoints.anthropic import ANTHROPIC
from depose.endpoints.google import GOOGLE
from depose.endpoints.http_outcome import Told, judge
from depose.endpoints.network import Heard
from depose.endpoints.openai import OPENAI
from depose.endpoints.wire_format import Dialect

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
TEXT, HALF = "Mist it daily.", "Sure, first you"

ENDS = {
    "whole": "whole",
    "whole, reasoning apart": "whole",
    "whole, reasoning before it": "whole",
    "cut by length": "cut_length",
    "cut by a filter": "cut_filter",
    "nothing but a filter": "cut_filter",
    "a guardrail's field": "cut_filter",
    "refused": "refused",
    "an error beside half a text": "failed",
    "an error in its place": "failed",
    "aborted": "failed",
    "stopped to use a tool": "failed",
    "no word on its end": "unknown",
    "nothing was run": "failed",
    "empty": "empty",
    "reasoning used up the tokens": "empty",
    "a word that nobody knows": "unknown",
}
"""Each way to end, with its status."""


def status_of(source: str, end: str) -> str:
    """The right status: a stream without a word on its end broke off, another answer is whole for all we know."""
    return "failed" if end == "no word on its end" and source.endswith("streamed") else ENDS[end]


def heard(body: bytes, *, streamed: bool = False, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> Heard:
    """Be what came back to a request."""
    kind = ("content-type", "text/event-stream" if streamed else "application/json")
    shown = tuple((name.encode(), value.encode()) for name, value in (kind, *headers))
    return Heard(
        status=status,
        http_version="HTTP/1.1",
        headers=shown,
        body=body,
        chunks=(),
        sent_at="",
        first_byte_at="",
        last_byte_at="",
        sent_us=0,
        first_byte_us=None,
        last_byte_us=None,
        peer="",
        tls="",
        certificate=b"",
        trouble="",
        reason="",
    )


def events(pieces: Sequence[Any]) -> bytes:
    """Write server-sent events."""
    return b"".join(b"data: " + (json.dumps(one) if one != "[DONE]" else one).encode() + b"\n\n" for one in pieces)


# --- one writer per format: text, thought, finish and usage of each way to end ----------------------

_OPENAI = {"cut by length": "length", "cut by a filter": "content_filter", "nothing but a filter": "content_filter"}
_OPENAI |= {"an error beside half a text": "error", "aborted": "abort", "stopped to use a tool": "tool_calls"}
_OPENAI |= {"reasoning used up the tokens": "length", "a word that nobody knows": "xyzzy"}
_ANTHROPIC = {"cut by length": "max_tokens", "cut by a filter": "guardrail_intervened", "refused": "refusal"}
_ANTHROPIC |= {"nothing but a filter": "content_filtered", "aborted": "cancelled", "stopped to use a tool": "tool_use"}
_ANTHROPIC |= {"reasoning used up the tokens": "max_tokens", "a word that nobody knows": "xyzzy"}
_ANTHROPIC |= {"an error beside half a text": "error"}
_GOOGLE = {"cut by length": "MAX_TOKENS", "cut by a filter": "SAFETY", "aborted": "OTHER", "refused": "REFUSAL"}
_GOOGLE |= {"stopped to use a tool": "UNEXPECTED_TOOL_CALL", "reasoning used up the tokens": "MAX_TOKENS"}
_GOOGLE |= {"a word that nobody knows": "XYZZY", "an error beside half a text": "ERROR"}
_NO_TEXT = ("nothing but a filter", "nothing was run", "empty", "reasoning used up the tokens", "an error in its place")
_HALF = ("cut by length", "cut by a filter", "an error beside half a text", "aborted", "no word on its end")
_ERROR = {"code": 502, "message": "upstream went away"}


def text_of(end: str) -> str:
    """What the answer says that ends so."""
    if end == "whole, reasoning before it":
        return f"<think>\nHm.\n</think>\n\n{TEXT}"
    return "" if end in _NO_TEXT else HALF if end in _HALF else TEXT


def thought_of(end: str) -> str:
    """What stands in the field for reasoning."""
    return "Hm." if end in ("whole, reasoning apart", "reasoning used up the tokens") else ""


def _openai(end: str, *, streamed: bool) -> bytes:
    tokens = 0 if end == "nothing was run" else 7
    usage = {"prompt_tokens": tokens, "completion_tokens": tokens, "total_tokens": 2 * tokens}
    head: dict[str, Any] = {"id": "c", "model": "m-1", "usage": usage}
    if end == "an error in its place":
        return events([{"error": _ERROR}]) if streamed else json.dumps({"error": _ERROR}).encode()
    message: dict[str, Any] = {"content": text_of(end), "reasoning_content": thought_of(end)}
    if end == "refused":
        message = {"content": None, "refusal": "I will not."}
    choice: dict[str, Any] = {"index": 0, "finish_reason": _OPENAI.get(end, "stop")}
    if end == "an error beside half a text":
        choice["error"] = _ERROR
    if end == "a guardrail's field":
        choice["content_filter_results"] = {"hate": {"filtered": True, "severity": "high"}}
    if end == "no word on its end":
        choice["finish_reason"] = None
    if not streamed:
        return json.dumps(head | {"choices": [choice | {"message": message}]}).encode()
    first = head | {"usage": None, "choices": [{"index": 0, "delta": message, "finish_reason": None}]}
    last = head | {"usage": None, "choices": [choice | {"delta": None}]}
    return events([first, last, head | {"choices": []}, "[DONE]"])


def _anthropic(end: str, *, streamed: bool) -> bytes:
    usage = {"input_tokens": 7, "output_tokens": 0 if end == "nothing was run" else 7}
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    if end == "an error in its place":
        return events([error]) if streamed else json.dumps(error).encode()
    blocks = [{"type": "thinking", "thinking": thought_of(end)}] if thought_of(end) else []
    blocks += [{"type": "text", "text": text_of(end)}] if text_of(end) else []
    whole: dict[str, Any] = {"id": "m", "type": "message", "model": "m-1", "content": blocks, "usage": usage}
    stop: dict[str, Any] = {"stop_reason": _ANTHROPIC.get(end, "end_turn")}
    if end == "a guardrail's field":
        whole["amazon-bedrock-guardrailAction"] = "INTERVENED"
    if end == "no word on its end":
        stop["stop_reason"] = None
    if not streamed:
        return json.dumps(whole | stop).encode()
    made: list[Any] = [{"type": "message_start", "message": whole | {"content": []}}]
    for place, block in enumerate(blocks):
        kind = block["type"]
        delta = {"type": f"{kind}_delta", kind: block[kind]}
        made.append({"type": "content_block_start", "index": place, "content_block": {"type": kind, kind: ""}})
        made.append({"type": "content_block_delta", "index": place, "delta": delta})
    if end == "an error beside half a text":
        return events([*made, error])
    ended = [] if end == "no word on its end" else [{"type": "message_stop"}]
    return events([*made, {"type": "message_delta", "delta": stop, "usage": usage}, *ended])


def _google(end: str, *, streamed: bool) -> bytes:
    usage = {"promptTokenCount": 7, "candidatesTokenCount": 0 if end == "nothing was run" else 7}
    head: dict[str, Any] = {"modelVersion": "m-1", "responseId": "r", "usageMetadata": usage}
    if end == "an error in its place":
        return events([{"error": _ERROR}]) if streamed else json.dumps([{"error": _ERROR}]).encode()
    if end == "nothing but a filter":
        made = head | {"promptFeedback": {"blockReason": "SAFETY"}}
        return events([made]) if streamed else json.dumps(made).encode()
    parts: list[Any] = [{"text": thought_of(end), "thought": True}] if thought_of(end) else []
    parts += [{"text": text_of(end)}, None] if text_of(end) else []
    candidate: dict[str, Any] = {"content": {"parts": parts}, "finishReason": _GOOGLE.get(end, "STOP")}
    if end == "a guardrail's field":
        candidate["safetyRatings"] = [{"category": "HARM", "probability": "HIGH", "blocked": True}]
    if end == "no word on its end":
        candidate["finishReason"] = None
    if end == "an error beside half a text":
        head["error"] = _ERROR
    whole = head | {"candidates": [candidate]}
    return events([whole]) if streamed else json.dumps(whole).encode()


_WRITERS: dict[str, tuple[Dialect, Callable[..., bytes]]] = {
    "openai": (OPENAI, _openai),
    "anthropic": (ANTHROPIC, _anthropic),
    "google": (GOOGLE, _google),
}
SOURCES = [f"{name}{how}" for name in _WRITERS for how in ("", ", streamed")]
"""Every wire format, both ways."""


def told(source: str, end: str) -> Told:
    """What depose makes of an answer of a source that ends so."""
    dialect, write = _WRITERS[source.partition(",")[0]]
    streamed = source.endswith("streamed")
    return judge(dialect, heard(write(end, streamed=streamed), streamed=streamed), streamed, NOW)
