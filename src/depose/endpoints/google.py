"""Provider `google`: generateContent of the Gemini API."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from depose.answers.guards import rated
from depose.endpoints.remote import Remote
from depose.endpoints.wire_format import (
    Dialect,
    ErrorWithin,
    Loose,
    Reading,
    Unreadable,
    adjusted,
    checked,
    failing,
    produced,
    seed_of,
    soft_count,
    soft_text,
)
from depose.endpoints.wire_values import turns
from depose.model import Ask, ModelSpec


class _Part(Loose):
    text: str | None = None
    thought: bool | None = None
    function_call: Any = msgspec.field(default=None, name="functionCall")


class _Content(Loose):
    parts: tuple[_Part | None, ...] | None = None


class _Candidate(Loose, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None
    finish_reasons: Any = None
    safety_ratings: Any = None


class _Feedback(Loose, rename="camel"):
    block_reason: str | None = None


class _Usage(Loose, rename="camel"):
    prompt_token_count: Any = None
    candidates_token_count: Any = None
    thoughts_token_count: Any = None
    tool_use_prompt_token_count: Any = None
    total_token_count: Any = None


class _Answer(Loose, rename="camel"):
    candidates: tuple[_Candidate, ...] | None = None
    prompt_feedback: _Feedback | None = None
    model_version: Any = None
    response_id: Any = None
    usage_metadata: _Usage | None = None
    error: Any = None


def _body(spec: ModelSpec, ask: Ask) -> dict[str, Any]:
    config = {
        "temperature": ask.temperature,
        "maxOutputTokens": ask.max_tokens,
        "candidateCount": 1,
        "seed": seed_of(ask),
    }
    said = [("model" if turn["role"] == "assistant" else "user", turn["content"]) for turn in turns(ask)]
    body: dict[str, Any] = {"contents": [{"role": role, "parts": [{"text": text}]} for role, text in said]}
    if ask.system:
        body["systemInstruction"] = {"parts": [{"text": ask.system}]}
    kept = {name: value for name, value in config.items() if name not in spec.omit}
    whole = adjusted(spec, body | {"generationConfig": kept})
    own = spec.parameters.get("generationConfig")  # joined with ours, field by field
    return whole | ({"generationConfig": kept | own} if isinstance(own, dict) else {})


def _parts(candidate: _Candidate) -> list[_Part]:
    return [part for part in (candidate.content or _Content()).parts or () if part]


def read(data: Any) -> Reading:
    """Read an answer: the parts of the first candidate that are no thoughts, and the thoughts apart."""
    answer = checked(data, _Answer)
    blocked = (answer.prompt_feedback and answer.prompt_feedback.block_reason) or ""
    if not answer.candidates and not blocked:
        nothing = Unreadable("neither a candidate nor a reason why there is none")
        raise ErrorWithin(answer.error) if answer.error else nothing
    first = answer.candidates[0] if answer.candidates else _Candidate()
    words = first.finish_reasons if isinstance(first.finish_reasons, list) else []
    usage = answer.usage_metadata or _Usage()
    prompt, tools, spoken, thought, total = map(
        soft_count,
        (
            usage.prompt_token_count,
            usage.tool_use_prompt_token_count,
            usage.candidates_token_count,
            usage.thoughts_token_count,
            usage.total_token_count,
        ),
    )
    out = None if spoken is None and thought is None else (spoken or 0) + (thought or 0)
    return Reading(
        text="".join(part.text or "" for part in _parts(first) if not part.thought),
        finish=first.finish_reason or "",
        also=(*map(soft_text, words), "tool_calls" if any(part.function_call for part in _parts(first)) else ""),
        guard=blocked or rated(first.safety_ratings),
        reasoning="".join(part.text or "" for part in _parts(first) if part.thought),
        error=answer.error,
        model=soft_text(answer.model_version),
        fingerprint="",
        id=soft_text(answer.response_id),
        input_tokens=prompt,
        output_tokens=produced(out, None if prompt is None else prompt + (tools or 0), total),
    )


def _fold(events: Sequence[Any]) -> Any:
    whole: dict[str, Any] = {}
    parts: list[dict[str, Any]] = []
    last: dict[str, Any] = {}
    words: list[str] = []
    ratings: list[Any] = []
    for event, answer in ((one, checked(one, _Answer)) for one in events if not failing(one)):
        if answer.error:
            raise ErrorWithin(answer.error)
        whole |= {name: value for name, value in event.items() if name != "candidates"}
        for candidate in (answer.candidates or ())[:1]:
            parts += [
                {"text": one.text, "thought": one.thought, "functionCall": one.function_call}
                for one in _parts(candidate)
            ]
            last["finishReason"] = candidate.finish_reason or last.get("finishReason")
            words += [candidate.finish_reason] if candidate.finish_reason else []
            ratings += candidate.safety_ratings if isinstance(candidate.safety_ratings, list) else []
    more = {"finishReasons": words, "safetyRatings": ratings}
    feedback = whole.get("promptFeedback") or {}
    if not last.get("finishReason") and not feedback.get("blockReason"):
        raise Unreadable("the stream ends without a finishReason")
    return whole | ({"candidates": [last | more | {"content": {"parts": parts}}]} if last.get("finishReason") else {})


def _path(spec: ModelSpec, stream: bool) -> str:
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return f"/models/{quote(spec.model.removeprefix('models/'), safe='')}:{method}"


GOOGLE = Dialect(
    name="google",
    base_url="https://generativelanguage.googleapis.com/v1beta",
    path=_path,
    secret=lambda key: ("x-goog-api-key", key),
    headers=(),
    body=_body,
    read=read,
    fold=_fold,
    request_id="",
    absent={
        "fingerprint": "generateContent has none",
        "request_id": "generateContent names the answer (response_id), not the request",
    },
)


def open_google(spec: ModelSpec, folder: Path) -> Remote:
    """Open a model behind an endpoint that speaks generateContent."""
    return Remote(spec, folder, GOOGLE)
