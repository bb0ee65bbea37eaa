"""LiteLLM spend logs: rows of the table `LiteLLM_SpendLogs` as JSON or CSV, names as in its schema.

The account is `user` where it stands and is not that of the administrator, in whose name keys are made unless told
otherwise; else the key (`api_key`, which LiteLLM writes hashed). `messages` and `response`
are empty unless the proxy was told to store them; then `proxy_server_request` may hold the body.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from depose.errors import CaseError
from depose.extraction.events import Raw
from depose.extraction.sources.answers import answer
from depose.extraction.sources.fields import asked, first, parsed, table, text

ADMINISTRATOR = "default_user_id"


def requests(rows: Iterable[tuple[int, dict[str, Any]]], tally: dict[str, int]) -> Iterator[Raw]:
    """Yield one request for each row of the spend logs."""
    for number, row in rows:
        if "request_id" not in row and "spend" in row:
            raise CaseError(
                f"row {number}: the spend of a day, and not a request",
                hint="export LiteLLM_SpendLogs itself, or ask /spend/logs with summarize=false, or /spend/logs/v2",
            )
        body = table(row.get("proxy_server_request"))
        said = asked(table(body.get("body")) or body)
        messages = parsed(row.get("messages"))
        if not messages or messages == {}:
            messages = said["messages"]
        response, ended = answer(row.get("response"), tally)
        metadata = table(row.get("metadata"))
        user = text(row, "user")
        yield Raw(
            **(said | {"messages": messages}),
            where=str(number),
            id=text(row, "request_id"),
            ts=first(row, "startTime", "start_time"),
            account=(user if user != ADMINISTRATOR else "") or text(row, "api_key") or user,
            org=text(row, "organization_id") or text(row, "team_id"),
            access_key=text(row, "api_key"),
            end_user=text(row, "end_user"),
            session=text(row, "session_id"),
            endpoint=text(row, "call_type"),
            model_requested=text(row, "model_group", "model"),
            model_served=text(row, "model"),
            in_tok=row.get("prompt_tokens"),
            out_tok=row.get("completion_tokens"),
            latency_ms=row.get("request_duration_ms"),
            status="ok" if text(row, "status") in ("", "success") else "error",
            cache_hit=row.get("cache_hit"),
            ip=text(row, "requester_ip_address"),
            agent=text(metadata, "user_agent"),
            response=response,
            finish_reason=ended,
        )
