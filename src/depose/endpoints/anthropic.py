"""Provider `anthropic`: the Messages format.

Version, credential and fields are those of its own client (anthropic 2.12), which knows neither a temperature nor a
seed: neither is sent unless the case puts it into `parameters`, as an older model or another service may want.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from depose.endpoints.remote import Remote
from depose.endpoints.wire_format import (
    Dialect,
    ErrorWithin,
    Loose,
    Reading,
    Unreadable,
    adjusted,
    checked,
    soft_count,
    soft_text,
)
from depose.endpoints.wire_values import turns
from depose.model import Ask, ModelSpec

VERSION = "2026-10-21"


class _Block(Loose):
    type: str
    text: str | None = None
    thinking: str | None = None


class _Usage(Loose):
    input_tokens: Any = None
    cache_creation_input_tokens: Any = None
    cache_read_input_tokens: Any = None
    output_tokens: Any = None


class _Details(Loose):
    category: Any = None


class _Answer(Loose):
    content: list[_Block | None] | None = None
    model: Any = None
    id: Any = None
    stop_reason: str | None = None
    stop_reasons: Any = None
    stop_details: _Details | None = None
    usage: _Usage | None = None
    error: Any = None
    guardrail: Any = msgspec.field(default=None, name="amazon-bedrock-guardrailAction")


class _Event(Loose):
    type: str
    index: int = 0
    message: dict[str, Any] | None = None
    content_block: dict[str, Any] | None = None
    delta: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None
    error: Any = None


def _body(spec: ModelSpec, ask: Ask) -> dict[str, Any]:
    body = {
        "model": spec.model,
        "messages": turns(ask),
        "max_tokens": ask.max_tokens,
        "stream": spec.stream,
    }
    return adjusted(spec, body | ({"system": ask.system} if ask.system else {}))


def read(data: Any) -> Reading:
    """Read an answer: its text blocks, one after the other; thinking apart."""
    answer = checked(data, _Answer)
    if answer.content is None:
        raise ErrorWithin(answer.error) if answer.error else Unreadable("no content in it")
    usage, details = answer.usage or _Usage(), answer.stop_details or _Details()
    read_in = [usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens]
    counts = [one for one in map(soft_count, read_in) if one is not None]
    blocks = [block for block in answer.content if block]
    words = answer.stop_reasons if isinstance(answer.stop_reasons, list) else []
    blocked = f"{soft_text(details.category) or 'no category'}" if answer.stop_reason == "refusal" else ""
    return Reading(
        text="".join(block.text or "" for block in blocks if block.type == "text"),
        finish=answer.stop_reason or "",
        also=(*map(soft_text, words), "tool_use" if any(block.type == "tool_use" for block in blocks) else ""),
        guard=blocked or ("guardrail intervened" if answer.guardrail == "INTERVENED" else ""),
        reasoning="\n\n".join(block.thinking or "" for block in blocks if block.type == "thinking"),
        error=answer.error,
        model=soft_text(answer.model),
        fingerprint="",
        id=soft_text(answer.id),
        input_tokens=sum(counts) if counts else None,
        output_tokens=soft_count(usage.output_tokens),
    )


_PIECES = {"text_delta": "text", "thinking_delta": "thinking"}


def _fold(events: Sequence[Any]) -> Any:
    whole: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    pieces: dict[tuple[int, str], list[str]] = {}
    ended = False
    words: list[str] = []
    for event in (checked(one, _Event) for one in events):
        delta = event.delta or {}
        if event.type == "error" or event.error:
            raise ErrorWithin(event.error or "error")
        if event.type == "message_start":
            whole = event.message or {}
        elif event.type == "content_block_start":
            blocks[event.index] = dict(event.content_block or {})
        elif event.type == "content_block_delta" and delta.get("type") in _PIECES:
            name = _PIECES[delta["type"]]
            block = blocks.setdefault(event.index, {"type": name})
            pieces.setdefault((event.index, name), [soft_text(block.get(name))]).append(soft_text(delta.get(name)))
        elif event.type == "message_delta":
            words += [delta["stop_reason"]] if isinstance(delta.get("stop_reason"), str) else []
            usage = {**(whole.get("usage") or {}), **(event.usage or {})}
            whole = whole | {"usage": usage} | {k: delta.get(k) for k in ("stop_reason", "stop_details")}
        ended = ended or event.type == "message_stop"
    if not ended or not whole.get("stop_reason"):
        raise Unreadable("the stream ends without message_stop and a stop_reason")
    for (index, name), texts in pieces.items():
        blocks[index][name] = "".join(texts)
    return whole | {"stop_reasons": words, "content": [blocks[index] for index in sorted(blocks)]}


ANTHROPIC = Dialect(
    name="anthropic",
    base_url="https://api.anthropic.com",
    path=lambda spec, stream: "/v1/messages",
    secret=lambda key: ("Authorization", f"Bearer {key}"),
    headers=(("anthropic-version", VERSION),),
    body=_body,
    read=read,
    fold=_fold,
    request_id="request-id",
    absent={"fingerprint": "the Messages format has none"},
)


def open_anthropic(spec: ModelSpec, folder: Path) -> Remote:
    """Open a model behind an endpoint that speaks Anthropic's Messages."""
    return Remote(spec, folder, ANTHROPIC)
