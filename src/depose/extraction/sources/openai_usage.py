"""OpenAI: buckets of the usage API, which count requests and hold no words.

A bucket stands for so many requests at its start; what needs prompts has nothing to work with, and the scan says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from depose.extraction.events import Raw
from depose.extraction.sources.fields import first, text


def requests(rows: Iterable[tuple[int, dict[str, Any]]], tally: dict[str, int]) -> Iterator[Raw]:
    """Yield one row for each result of each bucket; `requests` of it is the number that it counts."""
    for number, row in rows:
        results = row.get("results")
        for place, one in enumerate(results if isinstance(results, list) else [row]):
            if not isinstance(one, dict):
                continue
            start = first(row, "start_time", "bucket_start") or first(one, "start_time")
            count = first(one, "num_model_requests", "requests")
            account = text(one, "user_id") or text(one, "api_key_id") or text(one, "project_id")
            tally["buckets of a usage export"] = tally.get("buckets of a usage export", 0) + 1
            yield Raw(
                where=str(number),
                id=f"{start}/{account}/{text(one, 'model')}/{text(one, 'batch')}/{place}",
                ts=start,
                account=account,
                org=text(one, "project_id"),
                access_key=text(one, "api_key_id"),
                model_requested=text(one, "model"),
                model_served=text(one, "model"),
                in_tok=one.get("input_tokens"),
                out_tok=one.get("output_tokens"),
                requests=max(1, int(count)) if isinstance(count, int) else 1,
            )
