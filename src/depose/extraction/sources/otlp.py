"""OpenTelemetry GenAI spans as OTLP JSON: attributes are lists of key and value, times nanoseconds written as text.

Read are the names of the semantic conventions (`gen_ai.*`, under development) and the older ones: `gen_ai.system`,
`gen_ai.prompt`, usage as `prompt_tokens`, messages as events of a span, and messages by number
(`gen_ai.prompt.0.content`). The words may stand in log records instead (`otlp_logs`), before their span or after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from depose.extraction.events import Raw
from depose.extraction.sources.answers import answer
from depose.extraction.sources.fields import MOVING, first, parsed, system_words, text
from depose.extraction.sources.otlp_logs import Key, Said, key_of
from depose.extraction.sources.otlp_values import attributes, listed, table_of

ACCOUNTS = ("user.id", "enduser.id", "enduser.pseudo.id", "gen_ai.user.id", "client.id", "user.hash")
OPERATIONS = ("execute_tool", "create_agent", "invoke_agent")
"""Spans that are no question to a model."""
_NUMBERED = re.compile(r"gen_ai\.(prompt|completion)\.(\d{1,4})\.(role|content|finish_reason)\Z")
"""Attributes of OpenLLMetry: each message by its number."""


def requests(rows: Iterable[tuple[int, dict[str, Any]]], tally: dict[str, int]) -> Iterator[Raw]:
    """Yield one request for each span that asks a model; a span without words once all log records were read."""
    logs = Said(tally)
    silent: list[tuple[Key, Raw]] = []
    for number, row in rows:
        logs.take(number, row)
        for span, found in _spans(row, tally):
            raw, key = _request(number, span, found, tally), key_of(span)
            if raw.messages:
                logs.met(key)
                yield raw
            else:
                silent.append((key, raw))
    for key, raw in silent:
        if said := logs.of(key):
            _fill(raw, _request(0, {}, said, tally))
        yield raw
    for number, span, found in logs.left():
        if str(found.get("gen_ai.operation.name", "chat")) not in OPERATIONS:
            yield _request(number, span, found, tally)


def _fill(raw: Raw, said: Raw) -> None:
    """Let log records say what a span does not."""
    for name in Raw.__struct_fields__:
        if name != "where" and getattr(raw, name) in (None, "", []):
            setattr(raw, name, getattr(said, name))


def _spans(row: dict[str, Any], tally: dict[str, int]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the spans of a document that ask a model, each with its attributes."""
    for resource in listed(first(row, "resourceSpans", "resource_spans")):
        common = attributes(table_of(resource.get("resource")).get("attributes"))
        for scope in listed(first(resource, "scopeSpans", "scope_spans", "instrumentationLibrarySpans")):
            for span in listed(scope.get("spans")):
                found = common | attributes(span.get("attributes"))
                if not any(name.startswith("gen_ai.") for name in found):
                    tally["spans of something else"] = tally.get("spans of something else", 0) + 1
                elif str(found.get("gen_ai.operation.name", "chat")) in OPERATIONS:
                    tally["spans that ask no model"] = tally.get("spans that ask no model", 0) + 1
                else:
                    yield span, found


def _request(number: int, span: dict[str, Any], said: dict[str, Any], tally: dict[str, int]) -> Raw:
    asked, answered = (one or numbered for one, numbered in zip(_from_events(span), _numbered(said), strict=True))
    start, end = first(span, "startTimeUnixNano", "start_time_unix_nano"), first(span, "endTimeUnixNano")
    output = first(said, "gen_ai.output.messages", "gen_ai.completion") or answered
    response, ended = answer(_spoken(parsed(output)), tally)
    reasons = said.get("gen_ai.response.finish_reasons")
    code = str(table_of(span.get("status")).get("code", "0"))
    return Raw(
        where=str(number),
        id=text(span, "spanId", "span_id") or text(said, "gen_ai.response.id"),
        ts=start,
        account=text(said, *ACCOUNTS),
        org=text(said, "organization.id", "tenant.id"),
        session=text(said, "gen_ai.conversation.id", "session.id"),
        endpoint=text(said, "gen_ai.operation.name"),
        model_requested=text(said, "gen_ai.request.model"),
        model_served=text(said, "gen_ai.response.model", "gen_ai.request.model"),
        messages=_spoken(parsed(first(said, "gen_ai.input.messages", "gen_ai.prompt"))) or asked,
        system=system_words(said.get("gen_ai.system_instructions")),
        tools=said.get("gen_ai.tool.definitions"),
        temperature=said.get("gen_ai.request.temperature"),
        top_p=said.get("gen_ai.request.top_p"),
        seed=said.get("gen_ai.request.seed"),
        settings={
            name: value for name in MOVING if (value := said.get(f"gen_ai.request.{name}")) not in (None, "", 0, [])
        }
        or None,
        max_tokens=said.get("gen_ai.request.max_tokens"),
        choices=said.get("gen_ai.request.choice.count"),
        in_tok=first(said, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
        out_tok=first(said, "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
        latency_ms=_between(start, end),
        status="error" if code in ("2", "STATUS_CODE_ERROR") or "error.type" in said else "ok",
        ip=text(said, "client.address", "net.peer.ip"),
        agent=text(said, "user_agent.original"),
        response=response,
        finish_reason=ended or (str(reasons[0]) if isinstance(reasons, list) and reasons else ""),
    )


def _from_events(span: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what older instrumentations write as events: the messages asked, and those answered."""
    asked: list[dict[str, Any]] = []
    answered: list[dict[str, Any]] = []
    for one in listed(span.get("events")):
        name, said = str(one.get("name", "")), attributes(one.get("attributes"))
        content = first(said, "content", "gen_ai.prompt", "gen_ai.completion", "gen_ai.event.content")
        if name in ("gen_ai.user.message", "gen_ai.content.prompt"):
            asked.append({"role": "user", "content": content})
        elif name == "gen_ai.system.message":
            asked.append({"role": "system", "content": content})
        elif name in ("gen_ai.choice", "gen_ai.assistant.message", "gen_ai.content.completion"):
            answered.append({"content": content})
    return asked, answered


def _numbered(said: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the messages asked, and those answered, where each stands under its number."""
    found: dict[str, dict[int, dict[str, Any]]] = {"prompt": {}, "completion": {}}
    for name, value in said.items():
        if parts := _NUMBERED.match(name):
            found[parts[1]].setdefault(int(parts[2]), {})[parts[3]] = parsed(value)
    asked, answered = ([by_number[place] for place in sorted(by_number)] for by_number in found.values())
    return asked, answered


def _spoken(messages: Any) -> Any:
    """Turn messages in parts (`{"type": "text", "content": ...}`) into those with a content."""
    if not isinstance(messages, list):
        return messages
    return [
        {**one, "content": one["parts"]} if isinstance(one, dict) and "parts" in one and "content" not in one else one
        for one in messages
    ]


def _between(start: Any, end: Any) -> int | None:
    try:
        return (int(str(end)) - int(str(start))) // 1_000_000
    except ValueError:
        return None
