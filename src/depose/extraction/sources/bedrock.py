"""AWS Bedrock model invocation logs (`ModelInvocationLog`), as JSON lines or one document, from a bucket or CloudWatch.

The account is the caller (`identity.arn`), or `requestMetadata.user` where the application names it. The session of a
role is left out of it where a client made its name up: else each run of a program would be an account of its own. A
body that was too large for the log stands elsewhere in the bucket (`inputBodyS3Path`): the request keeps its place in
the volume. CloudWatch hands out the record as a text in `message`, or in `@message` of a query.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from depose.extraction.events import Raw
from depose.extraction.sources.answers import answer
from depose.extraction.sources.fields import asked, first, table, text

_MADE_UP = re.compile(
    r"(?:(?<!\d)1[5-9]\d{8}(?:\d{3}){0,3}(?!\d)|(?<!\d)20[2-9]\d[01]\d[0-3]\d|i-[0-9a-f]{8,17}|[0-9a-f]{8}-[0-9a-f]{4}-"
    r"|[0-9a-f]{24,})"
)
"""In the name of a session that no person and no customer chose: a clock, an instance, a random id."""
OF_ROLE = "requests under a session of a role whose name a client made up: the account is the role"


def requests(rows: Iterable[tuple[int, dict[str, Any]]], tally: dict[str, int]) -> Iterator[Raw]:
    """Yield one request for each invocation; events of CloudTrail among them are counted and left out."""
    for number, row in rows:
        row = table(first(row, "message", "@message")) or row
        if "eventSource" in row or "eventName" in row:
            tally["events of CloudTrail"] = tally.get("events of CloudTrail", 0) + 1
            continue
        given, came = table(row.get("input")), table(row.get("output"))
        if "inputBodyS3Path" in given:
            tally["bodies kept elsewhere"] = tally.get("bodies kept elsewhere", 0) + 1
        identity, metadata = table(row.get("identity")), table(row.get("requestMetadata"))
        response, ended = answer(came.get("outputBodyJson"), tally)
        said = asked(given.get("inputBodyJson"))
        yield Raw(
            **said,
            where=str(number),
            id=text(row, "requestId", "requestID"),
            ts=row.get("timestamp"),
            account=text(metadata, "user", "user_id", "userId")
            or _caller(text(identity, "arn"), tally)
            or text(row, "accountId"),
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


def _caller(arn: str, tally: dict[str, int]) -> str:
    """Return who called: a user, or a role with its session unless the name of that was made up by a client."""
    role, _, session = arn.rpartition("/")
    if ":assumed-role/" not in role or not _MADE_UP.search(session):
        return arn
    tally[OF_ROLE] = tally.get(OF_ROLE, 0) + 1
    return role
