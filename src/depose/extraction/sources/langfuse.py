"""Langfuse: traces and their observations, from the export of the API or of the tables.

The account is `user_id` of the trace, or of the observation in exports that repeat it there. Tables keep several
versions of a row: the newest counts, deleted ones do not.
Observations may stand inside their trace, or as rows beside it; a trace without any is one request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from depose.extraction.events import Raw
from depose.extraction.sources.answers import answer
from depose.extraction.sources.fields import asked, first, parsed, table, text

Numbered = tuple[int, dict[str, Any]]

ASKS = ("GENERATION", "EMBEDDING")
"""Types of observations in which a model is called; the others are steps of a program."""
ALONE = "traces without an observation, each taken for a request"
SCORES = {"dataType", "data_type", "stringValue", "string_value"}
"""Columns of the third table of an export, in which each row names a trace too."""


def requests(rows: Iterable[tuple[int, dict[str, Any]]], tally: dict[str, int]) -> Iterator[Raw]:
    """Yield one request for each generation, after all rows were read: a trace may follow its observations."""
    traces: dict[str, Numbered] = {}
    seen: dict[str, Numbered] = {}
    for number, row in rows:
        if SCORES & row.keys() and "type" not in row:
            tally["scores, which are no requests"] = tally.get("scores, which are no requests", 0) + 1
            continue
        if first(row, "trace_id", "traceId") is not None:
            _keep(seen, number, row, tally)
            continue
        _keep(traces, number, row, tally)
        for one in row.get("observations") or ():
            if isinstance(one, dict):
                _keep(seen, number, {"trace_id": text(row, "id"), **one}, tally)
    observed = set()
    for number, one in seen.values():
        trace = text(one, "trace_id", "traceId")
        observed.add(trace)
        if _gone(one, tally) or str(one.get("type") or "GENERATION").upper() not in ASKS:
            continue
        yield _request(number, one, traces.get(trace, (0, {}))[1], tally)
    for name, (number, row) in traces.items():
        if name not in observed and not row.get("observations") and not _gone(row, tally):
            tally[ALONE] = tally.get(ALONE, 0) + 1
            yield _request(number, row, row, tally)


def _keep(into: dict[str, Numbered], number: int, row: dict[str, Any], tally: dict[str, int]) -> None:
    name = text(row, "id")
    before = into.get(name)
    if before is not None:
        tally["older versions of a row"] = tally.get("older versions of a row", 0) + 1
    if before is None or text(row, "event_ts", "updated_at") >= text(before[1], "event_ts", "updated_at"):
        into[name] = (number, row)


def _gone(row: dict[str, Any], tally: dict[str, int]) -> bool:
    gone = str(row.get("is_deleted", 0)).lower() in ("1", "true")
    if gone:
        tally["deleted rows"] = tally.get("deleted rows", 0) + 1
    return gone


def _request(number: int, one: dict[str, Any], trace: dict[str, Any], tally: dict[str, int]) -> Raw:
    given = parsed(first(one, "input"))
    said = asked(given) if isinstance(given, dict) else {"messages": given}
    settings = table(first(one, "model_parameters", "modelParameters"))
    usage = table(first(one, "usage_details", "usageDetails", "usage"))
    response, ended = _answered(first(one, "output"), tally)
    said |= {name: value for name, value in asked(settings).items() if value not in (None, "")}
    return Raw(
        **said,
        where=str(number),
        id=text(one, "id"),
        ts=first(one, "start_time", "startTime", "timestamp"),
        account=text(trace, "user_id", "userId") or text(one, "user_id", "userId"),
        session=text(trace, "session_id", "sessionId") or text(one, "session_id", "sessionId"),
        endpoint=text(one, "name") if str(one.get("type")).upper() != "EMBEDDING" else "embedding",
        model_requested=text(one, "provided_model_name", "model"),
        model_served=text(one, "provided_model_name", "model"),
        in_tok=first(usage, "input", "promptTokens", "input_tokens"),
        out_tok=first(usage, "output", "completionTokens", "output_tokens"),
        latency_ms=None,
        status="error" if text(one, "level") == "ERROR" else "ok",
        response=response,
        finish_reason=ended,
    )


def _answered(output: Any, tally: dict[str, int]) -> tuple[str, str]:
    """Return what was answered: an output that is a text may be an answer in JSON, and is one as it stands."""
    if isinstance(output, str) and not answer(output)[0]:
        return output, ""
    return answer(output, tally)
