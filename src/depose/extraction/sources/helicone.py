"""Helicone: requests as its export tool writes them, JSON lines or CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from depose.extraction.events import Raw
from depose.extraction.sources.answers import answer
from depose.extraction.sources.fields import asked, first, table, text


def requests(rows: Iterable[tuple[int, dict[str, Any]]], tally: dict[str, int]) -> Iterator[Raw]:
    """Yield one request for each row."""
    for number, row in rows:
        response, ended = answer(first(row, "response_body", "response"), tally)
        said = asked(first(row, "request_body", "request"))
        properties = table(first(row, "properties", "request_properties"))
        code = text(row, "response_status", "status")
        yield Raw(
            **said,
            where=str(number),
            id=text(row, "id", "request_id"),
            ts=first(row, "created_at", "request_created_at"),
            account=text(row, "user_id", "request_user_id") or text(row, "auth_hash"),
            access_key=text(row, "auth_hash"),
            session=text(properties, "Helicone-Session-Id"),
            endpoint=text(row, "path", "request_path"),
            model_requested=text(row, "request_model", "model"),
            model_served=text(row, "response_model", "model", "request_model"),
            in_tok=first(row, "prompt_tokens"),
            out_tok=first(row, "completion_tokens"),
            latency_ms=first(row, "delay_ms", "latency"),
            status=code,
            country=text(row, "country_code"),
            response=response,
            finish_reason=ended,
        )
