"""Provider `anthropic`: the Messages format.

Version, credential and fields are those of its own client (anthropic 2.12), which knows neither a temperature nor a
seed: neither is sent unless the case puts it into `parameters`, as an older model or another service may want.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from depose.endpoints.remote import Remote
from depose.endpoints.wire_format import Dialect, Loose, Reading, Unreadable, adjusted, checked
from depose.model import Ask, ModelSpec

VERSION = "2026-10-21"


class _Block(Loose):
    type: str
    text: str = ""


class _Usage(Loose):
    input_tokens: int | None = None
    output_tokens: int | None = None


class _Details(Loose):
    category: str | None = None


class _Answer(Loose):
    content: list[_Block]
    model: str | None = None
    id: str | None = None
    stop_reason: str | None = None
    stop_details: _Details | None = None
    usage: _Usage | None = None


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
        "messages": [{"role": "user", "content": ask.text}],
        "max_tokens": ask.max_tokens,
        "stream": spec.stream,
    }
    return adjusted(spec, body | ({"system": ask.system} if ask.system else {}))


def read(data: Any) -> Reading:
    """Read an answer: its text blocks, one after the other."""
    answer = checked(data, _Answer)
    usage, details = answer.usage or _Usage(), answer.stop_details or _Details()
    return Reading(
        text="".join(block.text for block in answer.content if block.type == "text"),
        finish=answer.stop_reason or "",
        blocked=f"refusal, {details.category or 'no category'}" if answer.stop_reason == "refusal" else "",
        model=answer.model or "",
        fingerprint="",
        id=answer.id or "",
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
    )


def _fold(events: Sequence[Any]) -> Any:
    whole: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    ended = False
    for event in (checked(one, _Event) for one in events):
        delta = event.delta or {}
        if event.type == "error":
            raise Unreadable(f"the stream ends in an error: {str(event.error)[:300]}")
        if event.type == "message_start":
            whole = event.message or {}
        elif event.type == "content_block_start":
            blocks[event.index] = dict(event.content_block or {})
        elif event.type == "content_block_delta" and delta.get("type") == "text_delta":
            block = blocks.setdefault(event.index, {"type": "text", "text": ""})
            block["text"] = str(block.get("text", "")) + str(delta.get("text", ""))
        elif event.type == "message_delta":
            usage = {**(whole.get("usage") or {}), **(event.usage or {})}
            whole = whole | {"usage": usage} | {k: delta.get(k) for k in ("stop_reason", "stop_details")}
        ended = ended or event.type == "message_stop"
    if not ended:
        raise Unreadable("the stream ends without message_stop")
    return whole | {"content": [blocks[index] for index in sorted(blocks)]}


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
