"""OpenAI: buckets of the usage API, which count requests and hold no words.

A bucket stands for so many requests at its start; what needs prompts has nothing to work with, and the scan says so. A
result is known by what it is grouped by, and not by its place: the order of results may change between two answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from depose.extraction import values
from depose.extraction.events import Raw
from depose.extraction.sources.fields import first, text

BY = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")
"""What the usage API groups by."""
NO_COUNT = "buckets that do not say how many requests they count, each taken for one"


def requests(rows: Iterable[tuple[int, dict[str, Any]]], tally: dict[str, int]) -> Iterator[Raw]:
    """Yield one row for each result of each bucket; `requests` of it is the number that it counts."""
    for number, row in rows:
        results = row.get("results")
        same: Counter[str] = Counter()
        for one in results if isinstance(results, list) else [row]:
            if not isinstance(one, dict):
                continue
            start = first(row, "start_time", "bucket_start") or first(one, "start_time")
            account = text(one, "user_id") or text(one, "api_key_id") or text(one, "project_id")
            count = values.small(first(one, "num_model_requests", "requests"))
            if count == 0:
                continue
            if count is None or count < 0:
                tally[NO_COUNT] = tally.get(NO_COUNT, 0) + 1
            by = "/".join(text(one, name) for name in BY)
            same[by] += 1
            tally["buckets of a usage export"] = tally.get("buckets of a usage export", 0) + 1
            yield Raw(
                where=str(number),
                id=f"{start}/{by}/{same[by]}",
                ts=start,
                account=account,
                org=text(one, "project_id"),
                access_key=text(one, "api_key_id"),
                model_requested=text(one, "model"),
                model_served=text(one, "model"),
                in_tok=one.get("input_tokens"),
                out_tok=one.get("output_tokens"),
                requests=max(1, count or 1),
            )
