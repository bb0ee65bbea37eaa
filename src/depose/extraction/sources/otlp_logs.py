"""OpenTelemetry GenAI log records: where newer instrumentations put the words of a span, apart from the span.

    gen_ai.user.message, gen_ai.system.message, ..., gen_ai.choice     one record for each message, words in its body
    gen_ai.client.inference.operation.details                          one record for a call, messages as attributes

Records belong to the span whose trace and span they name. A record of a whole call that names no span, or a span that
is in no log, is a request of its own: it has all that a span has but its length.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from depose.extraction.sources.fields import first, text
from depose.extraction.sources.otlp_values import attributes, listed, table_of, value_of

DETAILS = "gen_ai.client.inference.operation.details"
ASKED = {"gen_ai.user.message": "user", "gen_ai.system.message": "system", "gen_ai.content.prompt": "user",
         "gen_ai.tool.message": "tool"}  # fmt: skip
ANSWERED = ("gen_ai.choice", "gen_ai.content.completion")
WITHIN = "gen_ai.assistant.message"
"""What the model said before, in a conversation that goes on; where nothing follows it is the answer."""
APART = "log records of words whose span is in none of these logs"
ELSE = "log records of something else"
Key = tuple[str, str]


class Said:
    """What log records say of each span, until the span is met."""

    def __init__(self, tally: dict[str, int]) -> None:
        self._tally = tally
        self._by_span: dict[Key, list[tuple[int, str, dict[str, Any], dict[str, Any]]]] = {}
        self._met: set[int] = set()
        self._count = 0

    def take(self, number: int, row: dict[str, Any]) -> None:
        """Keep the records of a document that are of a model."""
        for resource in listed(first(row, "resourceLogs", "resource_logs")):
            common = attributes(table_of(resource.get("resource")).get("attributes"))
            for scope in listed(first(resource, "scopeLogs", "scope_logs", "instrumentationLibraryLogs")):
                for record in listed(first(scope, "logRecords", "log_records")):
                    self._record(number, record, common)

    def met(self, span: Key) -> None:
        """Leave out what is said of a span that has its words itself, here or later."""
        self._met.add(hash(span))
        self._by_span.pop(span, None)

    def of(self, span: Key) -> dict[str, Any]:
        """Return what was said in a span, as attributes of it; nothing where nothing was."""
        kept = self._by_span.pop(span, [])
        return _joined([(name, said, record) for _, name, said, record in kept])

    def left(self) -> Iterator[tuple[int, dict[str, Any], dict[str, Any]]]:
        """Yield the calls whose span is in no log, each as number of a row, span and attributes; count the rest."""
        for (trace, span), kept in self._by_span.items():
            whole = [one for one in kept if one[1] == DETAILS]
            if not whole:
                self._lose(APART, len(kept))
                continue
            number, _, said, record = whole[0]
            at = first(record, "timeUnixNano", "time_unix_nano", "observedTimeUnixNano")
            joined = said | _joined([(name, one, body) for _, name, one, body in kept])
            yield number, {"startTimeUnixNano": at, "traceId": trace, "spanId": span}, joined

    def _record(self, number: int, record: dict[str, Any], common: dict[str, Any]) -> None:
        own = attributes(record.get("attributes"))
        name = text(record, "eventName", "event_name") or text(own, "event.name")
        if name not in (DETAILS, WITHIN, *ASKED, *ANSWERED):
            self._lose(ELSE, 1)
            return
        key = key_of(record)
        if not key[1]:
            self._count += 1  # a call by itself; messages that name no span cannot be told apart
            key = ("", f"record {self._count}") if name == DETAILS else ("", "")
        if hash(key) not in self._met:
            self._by_span.setdefault(key, []).append((number, name, common | own, record))

    def _lose(self, why: str, count: int) -> None:
        self._tally[why] = self._tally.get(why, 0) + count


def key_of(span: dict[str, Any]) -> Key:
    """Name a span, or the span of a record."""
    return text(span, "traceId", "trace_id").lower(), text(span, "spanId", "span_id").lower()


def _joined(records: list[tuple[str, dict[str, Any], dict[str, Any]]]) -> dict[str, Any]:
    """Return the messages of a call in the order in which they were logged, as the attributes that spans have."""
    asked: list[dict[str, Any]] = []
    answered: list[dict[str, Any]] = []
    found: dict[str, Any] = {}
    for name, said, record in records:
        if name == DETAILS:
            found |= {one: value for one, value in said.items() if one.startswith("gen_ai.")}
            continue
        body = value_of(record.get("body"))
        held = body if isinstance(body, dict) else {"content": body}
        held = said | held
        content = first(held, "content", "gen_ai.prompt", "gen_ai.completion", "gen_ai.event.content")
        if name in ANSWERED:
            message = held.get("message")
            inner = message if isinstance(message, dict) else {"content": first(held, "message") or content}
            answered.append({**inner, "finish_reason": held.get("finish_reason")})
        elif name == WITHIN:
            asked.append({"role": "assistant", "content": content})
        else:
            asked.append({"role": ASKED[name], "content": content})
    if not answered and asked and asked[-1]["role"] == "assistant":
        answered.append(asked.pop())
    named = {"gen_ai.input.messages": asked, "gen_ai.output.messages": answered}
    return {one: value for one, value in named.items() if value} | found
