"""Vertex AI request-response logging, exported from BigQuery: full_request and full_response as JSON.

The service may log a sample only (`sampling_rate`): then counts are lower bounds, which the manifest says. The account
is what the metadata of the request names; the service itself writes no caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from depose.extraction.events import Raw
from depose.extraction.sources.answers import answer
from depose.extraction.sources.fields import asked, first, parsed, table, text


def requests(rows: Iterable[tuple[int, dict[str, Any]]], tally: dict[str, int]) -> Iterator[Raw]:
    """Yield one request for each row; a sampling rate below 1 is counted under `sampled`."""
    for number, row in rows:
        body, whole = table(row.get("full_request")), parsed(row.get("full_response"))
        came = _last(whole)
        metadata = table(row.get("metadata")) | table(body.get("labels"))
        usage = table(came.get("usageMetadata"))
        rate = first(row, "sampling_rate", "samplingRate") or first(metadata, "sampling_rate", "samplingRate")
        if rate is not None and _number(rate) < 1:
            tally["sampled"] = tally.get("sampled", 0) + 1
        response, ended = answer(whole, tally)
        yield Raw(
            **asked(body),
            where=str(number),
            id=text(row, "request_id"),
            ts=row.get("logging_time"),
            account=text(metadata, "user", "user_id", "account", "principal"),
            org=text(metadata, "organization"),
            endpoint=text(row, "api_method"),
            model_requested=text(row, "model", "endpoint"),
            model_served=text(came, "modelVersion") or text(row, "deployed_model_id", "model"),
            in_tok=usage.get("promptTokenCount"),
            out_tok=usage.get("candidatesTokenCount"),
            response=response,
            finish_reason=ended,
        )


def _last(response: Any) -> dict[str, Any]:
    """Return a response, of a stream its parts as one: what the last of them says of model and tokens is of all."""
    parts = response if isinstance(response, list) else [response]
    return {name: value for one in parts if isinstance(one, dict) for name, value in one.items()}


def _number(value: Any) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 1.0
