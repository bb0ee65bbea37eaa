"""AWS Bedrock model invocation logs (`ModelInvocationLog`), as JSON lines or one document.

The account is the caller (`identity.arn`), or `requestMetadata.user` where the application names it. A body that was
too large for the log stands elsewhere in the bucket (`inputBodyS3Path`): the request keeps its place in the volume.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from depose.extraction.events import Raw
from depose.extraction.sources.fields import answer, asked, first, table, text


def requests(rows: Iterable[tuple[int, dict[str, Any]]], tally: dict[str, int]) -> Iterator[Raw]:
    """Yield one request for each invocation; events of CloudTrail among them are counted and left out."""
    for number, row in rows:
        if "eventSource" in row or "eventName" in row:
            tally["events of CloudTrail"] = tally.get("events of CloudTrail", 0) + 1
            continue
        given, came = table(row.get("input")), table(row.get("output"))
        if "inputBodyS3Path" in given:
            tally["bodies kept elsewhere"] = tally.get("bodies kept elsewhere", 0) + 1
        identity, metadata = table(row.get("identity")), table(row.get("requestMetadata"))
        response, ended = answer(came.get("outputBodyJson"))
        said = asked(given.get("inputBodyJson"))
        yield Raw(
            **said,
            where=str(number),
            id=text(row, "requestId", "requestID"),
            ts=row.get("timestamp"),
            account=text(metadata, "user", "user_id", "userId") or text(identity, "arn") or text(row, "accountId"),
            session=text(metadata, "session", "sessionId"),
            endpoint=text(row, "operation"),
            model_requested=text(row, "modelId"),
            model_served=text(row, "modelId"),
            in_tok=given.get("inputTokenCount"),
            out_tok=came.get("outputTokenCount"),
            latency_ms=table(table(came.get("outputBodyJson")).get("metrics")).get("latencyMs"),
            status="error" if first(row, "errorCode") else "ok",
            country=text(row, "region"),
            response=response,
            finish_reason=ended,
        )
