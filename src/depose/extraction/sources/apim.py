"""Azure API Management: `ApiManagementGatewayLlmLog`, joined to `ApiManagementGatewayLogs` on CorrelationId.

A request is several rows of one CorrelationId, numbered by SequenceNumber: one with its tokens and model, then its
messages, then its answer. RequestId stands in the first of them, or in all. Long bodies are put together again; where
a number is missing the request keeps its place in the volume, its words are lost, and the gap is counted. Rows of a
diagnostic setting (`category`, `properties`) are read as those of the table are, and so is the CSV of the portal, whose
times are headed `TimeGenerated [UTC]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC as UTC_ZONE
from datetime import datetime
from typing import Any

from depose.extraction import values
from depose.extraction.events import Raw
from depose.extraction.sources.answers import answer
from depose.extraction.sources.fields import asked, first, parsed, text

Parts = dict[int, tuple[int, dict[str, Any]]]
UTC = " [UTC]"
"""What the portal writes behind the names of columns that are times."""
UNASKED = "calls of the gateway that no row of a model tells of, such as refused ones, left out"


def requests(rows: Iterable[tuple[int, dict[str, Any]]], tally: dict[str, int]) -> Iterator[Raw]:
    """Yield one request for each CorrelationId, and each RequestId in it, after all rows were read, in any order."""
    found: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    callers: dict[str, dict[str, Any]] = {}
    for number, row in rows:
        one = _flat(row)
        correlation = text(one, "CorrelationId")
        gateway = any(name in one for name in ("CallerIpAddress", "ApimSubscriptionId", "BackendTime"))
        if gateway:
            filled = {name: value for name, value in one.items() if value not in (None, "")}
            callers[correlation] = callers.get(correlation, {}) | filled
        if any(name in one for name in ("PromptTokens", "RequestMessages", "SequenceNumber", "DeploymentName")):
            found.setdefault(correlation, []).append((number, one))
        elif not gateway:
            tally["rows of another category"] = tally.get("rows of another category", 0) + 1
    if unasked := sum(correlation not in found for correlation in callers):
        tally[UNASKED] = unasked
    parted = [(correlation, *one) for correlation, rows_ in found.items() for one in _parted(rows_, tally)]
    base = min((min(parts) for _, _, parts in parted), default=0)
    for correlation, request, parts in parted:
        yield _request(correlation, request, parts, base, callers.get(correlation, {}), tally)


def _parted(rows: list[tuple[int, dict[str, Any]]], tally: dict[str, int]) -> Iterator[tuple[str, Parts]]:
    """Yield the requests of one CorrelationId, with their parts; a row that names none is of the first."""
    ids = list(dict.fromkeys(name for _, one in rows if (name := text(one, "RequestId"))))
    by_id: dict[str, Parts] = {}
    for number, one in rows:
        name = text(one, "RequestId") or (ids[0] if ids else "")
        parts, sequence = by_id.setdefault(name, {}), _whole(one.get("SequenceNumber"))
        if sequence in parts:
            tally["parts that stand twice"] = tally.get("parts that stand twice", 0) + 1
        parts.setdefault(sequence, (number, one))
    yield from by_id.items()


def _request(
    correlation: str,
    request: str,
    found: Parts,
    base: int,
    caller: dict[str, Any],
    tally: dict[str, int],
) -> Raw:
    ordered = [found[number][1] for number in sorted(found)]
    start = min(found)
    gap = sorted(found) != list(range(base, base + len(found)))
    if gap:
        tally["requests with a part missing"] = tally.get("requests with a part missing", 0) + 1
    if not caller:
        tally["requests without a caller"] = tally.get("requests without a caller", 0) + 1

    def joined(name: str) -> Any:
        values = [one[name] for one in ordered if one.get(name) not in (None, "", [], {})]
        if not values or gap:
            return None
        if not all(isinstance(one, str) for one in values):
            return _listed(values)
        whole = parsed("".join(values))
        return _continued([parsed(one) for one in values]) if isinstance(whole, str) and len(values) > 1 else whole

    def only(*names: str) -> Any:
        return next((value for one in ordered if (value := first(one, *names)) is not None), None)

    def most(name: str) -> int | None:  # rows of messages say 0
        return max((_whole(one[name]) for one in ordered if one.get(name) not in (None, "")), default=None)

    messages = joined("RequestMessages")
    said = asked(messages) if isinstance(messages, dict) else {"messages": messages}
    if isinstance(messages, str) or (messages and not said["messages"]):  # parts that do not make a whole
        said = {"messages": None}
        tally["bodies that do not join"] = tally.get("bodies that do not join", 0) + 1
    response, ended = answer(joined("ResponseMessages"), tally)
    return Raw(
        **said,
        where=str(found[start][0]),
        id=request or correlation,
        ts=only("TimeGenerated", "time"),
        account=text(caller, "ApimSubscriptionId", "UserId", "CallerIpAddress"),
        tier=text(caller, "ProductId"),
        session="",
        endpoint=str(only("OperationName", "OperationId") or ""),
        model_requested=str(only("DeploymentName") or ""),
        model_served=str(only("ModelName", "DeploymentName") or ""),
        in_tok=most("PromptTokens"),
        out_tok=most("CompletionTokens"),
        latency_ms=first(caller, "TotalTime", "BackendTime"),
        status="ok" if str(first(caller, "ResponseCode") or "200").startswith("2") else "error",
        ip=text(caller, "CallerIpAddress"),
        response=response,
        finish_reason=ended,
    )


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    inner = row.get("properties")
    found = {**row, **inner} if isinstance(inner, dict) else dict(row)
    if "time" in found and "TimeGenerated" not in found:
        found["TimeGenerated"] = found["time"]
    return {
        name[:1].upper() + name[1:].removesuffix(UTC): _of_portal(value) if name.endswith(UTC) else value
        for name, value in found.items()
    }


def _of_portal(value: Any) -> Any:
    """Return a time as the portal writes it in English, 2/25/2025, 9:19:25.391 AM, as ISO 8601; any other as it is."""
    try:
        return datetime.strptime(str(value), "%m/%d/%Y, %I:%M:%S.%f %p").replace(tzinfo=UTC_ZONE).isoformat()
    except ValueError:
        return value


def _listed(values: list[Any]) -> Any:
    lists = [one for one in values if isinstance(one, list)]
    return [part for one in lists for part in one] if len(lists) == len(values) else values[0]


def _continued(parts: list[Any]) -> Any:
    """Join parts of which each is JSON of its own: a message goes on in the next part under the same role."""
    said: list[Any] = []
    for part in parts:
        if not isinstance(part, list):
            return str(parts[0])
        for place, one in enumerate(part):
            last, goes_on = said[-1] if said else None, place == 0
            if goes_on and isinstance(last, dict) and isinstance(one, dict) and last.get("role") == one.get("role"):
                words = last.get("content"), one.get("content")
                if all(isinstance(half, str) for half in words):
                    said[-1] = {**last, "content": "".join(map(str, words))}
                    continue
            said.append(one)
    return said


def _whole(value: Any) -> int:
    """Return a count or a place in a sequence, which a table of decimal numbers writes as 1.0; 0 for neither."""
    return values.whole(value) or 0
