"""Provider `openai`: chat completions, as OpenAI, xAI, vLLM, Ollama and most others speak it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from depose.endpoints.remote import Remote
from depose.endpoints.wire_format import Dialect, Loose, Reading, Unreadable, adjusted, checked, seed_of
from depose.model import Ask, ModelSpec


class _Part(Loose):
    type: str = ""
    text: str = ""


class _Message(Loose):
    content: str | list[_Part] | None = None
    refusal: str | None = None


class _Choice(Loose):
    message: _Message
    finish_reason: str | None = None


class _Usage(Loose):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Answer(Loose):
    choices: list[_Choice]
    model: str | None = None
    id: str | None = None
    system_fingerprint: str | None = None
    usage: _Usage | None = None


class _StreamChoice(Loose):
    delta: _Message
    index: int = 0
    finish_reason: str | None = None


class _Event(Loose):
    choices: tuple[_StreamChoice, ...] | None = None
    model: str | None = None
    id: str | None = None
    system_fingerprint: str | None = None
    usage: dict[str, Any] | None = None
    error: Any = None


def _body(spec: ModelSpec, ask: Ask) -> dict[str, Any]:
    messages = [{"role": "system", "content": ask.system}] if ask.system else []
    body = {
        "model": spec.model,
        "messages": [*messages, {"role": "user", "content": ask.text}],
        "temperature": ask.temperature,
        "max_tokens": ask.max_tokens,
        "seed": seed_of(ask),
        "stream": spec.stream,
    }
    return adjusted(spec, body | ({"stream_options": {"include_usage": True}} if spec.stream else {}))


def _said(message: _Message) -> str:
    if isinstance(message.content, list):
        return "".join(part.text for part in message.content if part.type == "text")
    return message.content or ""


def read(data: Any) -> Reading:
    """Read an answer; a refusal in a field of its own is what the model said."""
    answer = checked(data, _Answer)
    if not answer.choices:
        raise Unreadable("no choice in it")
    first = answer.choices[0]
    usage = answer.usage or _Usage()
    return Reading(
        text=_said(first.message) or first.message.refusal or "",
        finish=first.finish_reason or "",
        blocked="content_filter" if first.finish_reason == "content_filter" else "",
        model=answer.model or "",
        fingerprint=answer.system_fingerprint or "",
        id=answer.id or "",
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
    )


def _fold(events: Sequence[Any]) -> Any:
    done = bool(events) and events[-1] == "[DONE]"
    whole: dict[str, Any] = {}
    message: dict[str, str] = {}
    finish = None
    for event in (checked(one, _Event) for one in (events[:-1] if done else events)):
        if event.error is not None:
            raise Unreadable(f"the stream ends in an error: {str(event.error)[:300]}")
        for name in ("model", "id", "system_fingerprint", "usage"):
            whole[name] = getattr(event, name) or whole.get(name)
        for choice in (one for one in event.choices or () if one.index == 0):
            for name, piece in (("content", _said(choice.delta)), ("refusal", choice.delta.refusal or "")):
                message[name] = message.get(name, "") + piece
            finish = choice.finish_reason or finish
    if not done and finish is None:  # transformers serve sends no [DONE]
        raise Unreadable("the stream ends without a finish_reason or [DONE]")
    return whole | {"choices": [{"message": message, "finish_reason": finish}]}


OPENAI = Dialect(
    name="openai",
    base_url="https://api.openai.com/v1",
    path=lambda spec, stream: "/chat/completions",
    secret=lambda key: ("Authorization", f"Bearer {key}"),
    headers=(),
    body=_body,
    read=read,
    fold=_fold,
    request_id="x-request-id",
    absent={},
)


def open_openai(spec: ModelSpec, folder: Path) -> Remote:
    """Open a model behind an endpoint that speaks chat completions."""
    return Remote(spec, folder, OPENAI)
