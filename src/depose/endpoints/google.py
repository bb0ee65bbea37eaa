"""Provider `google`: generateContent of the Gemini API."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from depose.endpoints.remote import Remote
from depose.endpoints.wire_format import Dialect, Loose, Reading, Unreadable, adjusted, checked, seed_of
from depose.model import Ask, ModelSpec


class _Part(Loose):
    text: str = ""
    thought: bool = False


class _Content(Loose):
    parts: tuple[_Part, ...] = ()


class _Candidate(Loose, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None


class _Feedback(Loose, rename="camel"):
    block_reason: str | None = None


class _Usage(Loose, rename="camel"):
    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None


class _Answer(Loose, rename="camel"):
    candidates: tuple[_Candidate, ...] = ()
    prompt_feedback: _Feedback | None = None
    model_version: str | None = None
    response_id: str | None = None
    usage_metadata: _Usage | None = None
    error: Any = None


STOPPED = ("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII")


def _body(spec: ModelSpec, ask: Ask) -> dict[str, Any]:
    config = {
        "temperature": ask.temperature,
        "maxOutputTokens": ask.max_tokens,
        "candidateCount": 1,
        "seed": seed_of(ask),
    }
    body: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": ask.text}]}]}
    if ask.system:
        body["systemInstruction"] = {"parts": [{"text": ask.system}]}
    return body | {"generationConfig": adjusted(spec, config)}


def read(data: Any) -> Reading:
    """Read an answer: the parts of the first candidate that are no thoughts."""
    answer = checked(data, _Answer)
    blocked = (answer.prompt_feedback and answer.prompt_feedback.block_reason) or ""
    if not answer.candidates and not blocked:
        raise Unreadable("neither a candidate nor a reason why there is none")
    first = answer.candidates[0] if answer.candidates else _Candidate()
    usage = answer.usage_metadata or _Usage()
    said, thought = usage.candidates_token_count, usage.thoughts_token_count
    return Reading(
        text="".join(part.text for part in (first.content or _Content()).parts if not part.thought),
        finish=first.finish_reason or "",
        blocked=blocked or (first.finish_reason if first.finish_reason in STOPPED else ""),
        model=answer.model_version or "",
        fingerprint="",
        id=answer.response_id or "",
        input_tokens=usage.prompt_token_count,
        output_tokens=None if said is None and thought is None else (said or 0) + (thought or 0),
    )


def _fold(events: Sequence[Any]) -> Any:
    whole: dict[str, Any] = {}
    parts: list[dict[str, Any]] = []
    finish = None
    for event, answer in ((one, checked(one, _Answer)) for one in events):
        if answer.error is not None:
            raise Unreadable(f"the stream ends in an error: {str(answer.error)[:300]}")
        whole |= {name: value for name, value in event.items() if name != "candidates"}
        for candidate in answer.candidates[:1]:
            parts += [{"text": one.text, "thought": one.thought} for one in (candidate.content or _Content()).parts]
            finish = candidate.finish_reason or finish
    if finish is None and not whole.get("promptFeedback"):
        raise Unreadable("the stream ends without a finishReason")
    return whole | ({"candidates": [{"content": {"parts": parts}, "finishReason": finish}]} if finish else {})


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
