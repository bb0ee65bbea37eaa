"""Azure API Management: `ApiManagementGatewayLlmLog`, joined to `ApiManagementGatewayLogs` on CorrelationId.

Long bodies are split over SequenceNumber and put together again here; where a number is missing the request keeps its
place in the volume, its words are lost, and the gap is counted. Rows of a diagnostic setting (`category`,
`properties`) are read as those of the table are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from depose.extraction.events import Raw
from depose.extraction.sources.fields import answer, asked, first, parsed, text

Key = tuple[str, str]


def requests(rows: Iterable[tuple[int, dict[str, Any]]], tally: dict[str, int]) -> Iterator[Raw]:
    """Yield one request for each CorrelationId and RequestId, after all rows were read: parts come in any order."""
    parts: dict[Key, dict[int, tuple[int, dict[str, Any]]]] = {}
    callers: dict[str, dict[str, Any]] = {}
    for number, row in rows:
        one = _flat(row)
        correlation = text(one, "CorrelationId")
        if "CallerIpAddress" in one or "ApimSubscriptionId" in one or "BackendTime" in one:
            callers[correlation] = one
        if any(name in one for name in ("PromptTokens", "RequestMessages", "SequenceNumber", "DeploymentName")):
            sequence = _whole(one.get("SequenceNumber"))
            found = parts.setdefault((correlation, text(one, "RequestId")), {})
            if sequence in found:
                tally["parts that stand twice"] = tally.get("parts that stand twice", 0) + 1
            found.setdefault(sequence, (number, one))
        elif correlation not in callers:
            tally["rows of another category"] = tally.get("rows of another category", 0) + 1
    base = min((min(found) for found in parts.values()), default=0)
    for (correlation, request), found in parts.items():
        yield _request(correlation, request, found, base, callers.get(correlation, {}), tally)


def _request(
    correlation: str,
    request: str,
    found: dict[int, tuple[int, dict[str, Any]]],
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
        return parsed("".join(values)) if all(isinstance(one, str) for one in values) else _listed(values)

    def only(*names: str) -> Any:
        return next((value for one in ordered if (value := first(one, *names)) is not None), None)

    messages = joined("RequestMessages")
    said = asked(messages) if isinstance(messages, dict) else {"messages": messages}
    if isinstance(messages, str):  # parts that do not make a whole
        said = {"messages": None}
        tally["bodies that do not join"] = tally.get("bodies that do not join", 0) + 1
    response, ended = answer(joined("ResponseMessages"))
    return Raw(
        **said,
        where=str(found[start][0]),
        id=request or correlation,
        ts=only("TimeGenerated", "time"),
        account=text(caller, "ApimSubscriptionId", "UserId", "CallerIpAddress"),
        org=text(caller, "ProductId"),
        session="",
        endpoint=str(only("OperationName", "OperationId") or ""),
        model_requested=str(only("DeploymentName") or ""),
        model_served=str(only("ModelName", "DeploymentName") or ""),
        in_tok=only("PromptTokens"),
        out_tok=only("CompletionTokens"),
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
    return {name[:1].upper() + name[1:]: value for name, value in found.items()}


def _listed(values: list[Any]) -> Any:
    lists = [one for one in values if isinstance(one, list)]
    return [part for one in lists for part in one] if len(lists) == len(values) else values[0]


def _whole(value: Any) -> int:
    try:
        return int(str(value or 0))
    except ValueError:
        return 0
