"""Provider `openai`: chat completions, as OpenAI, xAI, vLLM, Ollama and most others speak it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from depose.answers.guards import filtered
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
    type: str = ""
    text: str | None = None
    thinking: Any = None
    refusal: Any = None


class _Message(Loose):
    content: str | list[_Part | None] | None = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    tool_calls: Any = None
    function_call: Any = None


class _Choice(Loose):
    message: _Message
    index: Any = None
    finish_reason: str | None = None
    finish_reasons: Any = None
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
    base_resp: Any = None
    input_sensitive: Any = None
    output_sensitive: Any = None
    prompt_filter_results: Any = None


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
    base_resp: Any = None
    input_sensitive: Any = None
    output_sensitive: Any = None
    prompt_filter_results: Any = None


def _body(spec: ModelSpec, ask: Ask) -> dict[str, Any]:
    messages = [{"role": "system", "content": ask.system}] if ask.system else []
    body = {
        "model": spec.model,
        "messages": [*messages, *turns(ask)],
        "temperature": ask.temperature,
        "max_tokens": ask.max_tokens,
        "seed": seed_of(ask),
        "stream": spec.stream,
        # The words of vLLM and SGLang; a server that does not know them refuses, or begins anew.
        **({"add_generation_prompt": False, "continue_final_message": True} if ask.beginning else {}),
    }
    return adjusted(spec, body | ({"stream_options": {"include_usage": True}} if spec.stream else {}))


def _said(message: _Message) -> str:
    if isinstance(message.content, list):
        return "".join(part.text or "" for part in message.content if part and part.type in ("text", "output_text"))
    return message.content or ""


def _refused(message: _Message) -> str:
    """Give the words of a refusal, in a field of its own or in parts of the content."""
    parts = message.content if isinstance(message.content, list) else []
    return message.refusal or "".join(soft_text(part.refusal) for part in parts if part)


def _guard(answer: _Answer, choice: _Choice) -> str:
    """Name what filters took hold of, in the answer or in the question."""
    listed = answer.prompt_filter_results if isinstance(answer.prompt_filter_results, list) else []
    asked = [filtered(one.get("content_filter_results")) for one in listed if isinstance(one, dict)]
    flags = (("the question", answer.input_sensitive), ("the answer", answer.output_sensitive))
    sensitive = [f"{what} is sensitive" for what, flag in flags if flag is True]
    return ", ".join(filter(None, (filtered(choice.content_filter_results), *asked, *sensitive)))


def _error(answer: _Answer, choice: _Choice | None) -> Any:
    """Give the error that stands beside an answer, or in the status that MiniMax puts around it."""
    status = answer.base_resp if isinstance(answer.base_resp, dict) else {}
    code = status.get("status_code")
    return answer.error or (choice.error if choice else None) or ({**status, "code": code} if code else None)


def _place(choice: _Choice) -> int:
    return choice.index if isinstance(choice.index, int) else 0


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
        error = _error(answer, None)
        raise ErrorWithin(error) if error else Unreadable("no choice in it")
    first = min(answer.choices, key=_place)
    words = first.finish_reasons if isinstance(first.finish_reasons, list) else []
    called = "tool_calls" if first.message.tool_calls or first.message.function_call else ""
    usage = answer.usage or _Usage()
    details = usage.completion_tokens_details if isinstance(usage.completion_tokens_details, dict) else {}
    thought = soft_count(details.get("reasoning_tokens", usage.reasoning_tokens))
    prompt, said, total = map(soft_count, (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens))
    return Reading(
        text=_said(first.message),
        finish=first.finish_reason or "",
        also=(soft_text(first.native_finish_reason), *map(soft_text, words), called),
        guard=_guard(answer, first),
        refusal=_refused(first.message),
        reasoning=_thought(first.message),
        error=_error(answer, first),
        model=soft_text(answer.model),
        fingerprint=soft_text(answer.system_fingerprint),
        id=soft_text(answer.id),
        input_tokens=prompt,
        output_tokens=produced(said, prompt, total, thought),
    )


_WHOLE = ("model", "id", "system_fingerprint", "usage", "base_resp", "input_sensitive", "output_sensitive")
"""Fields of a stream of which the last that says something counts."""


def _fold(events: Sequence[Any]) -> Any:
    """Join the pieces; of several words on the end every one counts, for a gateway may add a `stop` of its own."""
    done = bool(events) and events[-1] == "[DONE]"
    whole: dict[str, Any] = {}
    message: dict[str, list[str]] = {}
    choice: dict[str, Any] = {"finish_reason": None}
    words: dict[str, None] = {}
    calls: list[Any] = []
    filters: list[Any] = []
    pieces = events[:-1] if done else events
    for event in (checked(one, _Event) for one in pieces if not failing(one)):
        if event.error:
            raise ErrorWithin(event.error)
        for name in _WHOLE:
            whole[name] = getattr(event, name) or whole.get(name)
        filters += event.prompt_filter_results if isinstance(event.prompt_filter_results, list) else []
        for one in (one for one in event.choices or () if one and not one.index):
            delta = one.delta or _Message()  # a last chunk of Azure's asynchronous filter has none
            calls += [one for one in (delta.tool_calls, delta.function_call) if one]
            words |= {word: None for word in (one.finish_reason, soft_text(one.native_finish_reason)) if word}
            for name, piece in (
                ("content", _said(delta)),
                ("refusal", _refused(delta)),
                ("reasoning_content", _thought(delta)),
            ):
                message.setdefault(name, []).append(piece)
            choice["error"] = one.error or choice.get("error")
            for name in ("finish_reason", "native_finish_reason"):
                choice[name] = getattr(one, name) or choice.get(name)
            if filtered(one.content_filter_results):
                choice["content_filter_results"] = one.content_filter_results
    if choice["finish_reason"] is None and not choice.get("error"):
        raise Unreadable("the stream ends without a finish_reason")
    joined: dict[str, Any] = {name: "".join(parts) for name, parts in message.items()}
    more = {"finish_reasons": [*words], "message": joined | {"tool_calls": calls}}
    return whole | {"choices": [choice | more], "prompt_filter_results": filters}


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
