"""Provider `openai`: chat completions, as OpenAI, xAI, vLLM, Ollama and most others speak it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from depose.endpoints.remote import Remote
from depose.endpoints.wire_format import (
    Dialect,
    ErrorWithin,
    Loose,
    Reading,
    Unreadable,
    adjusted,
    checked,
    guarded,
    produced,
    seed_of,
    soft_count,
    soft_text,
)
from depose.endpoints.wire_values import turns
from depose.model import Ask, ModelSpec


class _Part(Loose):
    type: str = ""
    text: str | None = None
    thinking: Any = None


class _Message(Loose):
    content: str | list[_Part | None] | None = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None


class _Choice(Loose):
    message: _Message
    finish_reason: str | None = None
    native_finish_reason: Any = None
    content_filter_results: Any = None
    error: Any = None


class _Usage(Loose):
    prompt_tokens: Any = None
    completion_tokens: Any = None
    total_tokens: Any = None
    completion_tokens_details: Any = None
    reasoning_tokens: Any = None


class _Answer(Loose):
    choices: list[_Choice] | None = None
    model: Any = None
    id: Any = None
    system_fingerprint: Any = None
    usage: _Usage | None = None
    error: Any = None


class _StreamChoice(Loose):
    delta: _Message | None = None
    index: int | None = None
    finish_reason: str | None = None
    native_finish_reason: Any = None
    content_filter_results: Any = None
    error: Any = None


class _Event(Loose):
    choices: tuple[_StreamChoice | None, ...] | None = None
    model: Any = None
    id: Any = None
    system_fingerprint: Any = None
    usage: dict[str, Any] | None = None
    error: Any = None


def _body(spec: ModelSpec, ask: Ask) -> dict[str, Any]:
    messages = [{"role": "system", "content": ask.system}] if ask.system else []
    body = {
        "model": spec.model,
        "messages": [*messages, *turns(ask)],
        "temperature": ask.temperature,
        "max_tokens": ask.max_tokens,
        "seed": seed_of(ask),
        "stream": spec.stream,
    }
    return adjusted(spec, body | ({"stream_options": {"include_usage": True}} if spec.stream else {}))


def _said(message: _Message) -> str:
    if isinstance(message.content, list):
        return "".join(part.text or "" for part in message.content if part and part.type in ("text", "output_text"))
    return message.content or ""


def _thought(message: _Message) -> str:
    """Give what was thought: a field that vLLM, DeepSeek and OpenRouter name in two ways, or parts of their own."""
    for field in (message.reasoning_content, message.reasoning):
        if isinstance(field, str) and field:
            return field
    parts = message.content if isinstance(message.content, list) else []
    return "".join(_texts(part.thinking) for part in parts if part and part.type in ("thinking", "reasoning"))


def _texts(thinking: Any) -> str:
    if isinstance(thinking, list):
        return "".join(soft_text(one.get("text")) for one in thinking if isinstance(one, dict))
    return soft_text(thinking)


def read(data: Any) -> Reading:
    """Read an answer; a refusal in a field of its own is told apart from what the model said."""
    answer = checked(data, _Answer)
    if not answer.choices:
        raise ErrorWithin(answer.error) if answer.error else Unreadable("no choice in it")
    first = answer.choices[0]
    usage = answer.usage or _Usage()
    details = usage.completion_tokens_details if isinstance(usage.completion_tokens_details, dict) else {}
    thought = soft_count(details.get("reasoning_tokens", usage.reasoning_tokens))
    prompt, said, total = map(soft_count, (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens))
    return Reading(
        text=_said(first.message),
        finish=first.finish_reason or "",
        also=(soft_text(first.native_finish_reason),),
        guard=guarded(first.content_filter_results),
        refusal=first.message.refusal or "",
        reasoning=_thought(first.message),
        error=answer.error or first.error,
        model=soft_text(answer.model),
        fingerprint=soft_text(answer.system_fingerprint),
        id=soft_text(answer.id),
        input_tokens=prompt,
        output_tokens=produced(said, prompt, total, thought),
    )


def _fold(events: Sequence[Any]) -> Any:
    done = bool(events) and events[-1] == "[DONE]"
    whole: dict[str, Any] = {}
    message: dict[str, list[str]] = {}
    choice: dict[str, Any] = {"finish_reason": None}
    for event in (checked(one, _Event) for one in (events[:-1] if done else events)):
        if event.error:
            raise ErrorWithin(event.error)
        for name in ("model", "id", "system_fingerprint", "usage"):
            whole[name] = getattr(event, name) or whole.get(name)
        for one in (one for one in event.choices or () if one and not one.index):
            delta = one.delta or _Message()  # a last chunk of Azure's asynchronous filter has none
            for name, piece in (
                ("content", _said(delta)),
                ("refusal", delta.refusal or ""),
                ("reasoning_content", _thought(delta)),
            ):
                message.setdefault(name, []).append(piece)
            choice["error"] = one.error or choice.get("error")
            for name in ("finish_reason", "native_finish_reason"):
                choice[name] = getattr(one, name) or choice.get(name)
            if guarded(one.content_filter_results):
                choice["content_filter_results"] = one.content_filter_results
    if choice["finish_reason"] is None and not choice.get("error"):
        raise Unreadable("the stream ends without a finish_reason")
    return whole | {"choices": [choice | {"message": {name: "".join(pieces) for name, pieces in message.items()}}]}


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
