"""What is odd in a log that was read, as counts for its manifest: nothing is changed for it, and everybody is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from depose.extraction.engine import listed

CONFLICTS = "ids that stand again with another time or account: is the column a request's own id?"
KEYS = "keys that several accounts use: an account may be several, or several one"
LARGEST = "requests of one account, more than all others together: a gateway that does not say who asks?"
AHEAD = "seconds that its clock is ahead of what was read before (median of the requests in both)"
BEHIND = "seconds that its clock is behind what was read before (median of the requests in both)"
OTHERWISE = "requests that an earlier log has with another account, prompt or count: the earlier one stands"
COMPARED = ("account", "template", "in_tok", "out_tok", "requests")
FEWEST = 20
"""Accounts from which one that holds more than half of all requests is odd."""


def within(db: Any, parts: list[Path]) -> dict[str, int]:
    """Count what is odd in the table `fresh` of one source, and in the `parts` that it was made of."""
    conflicts = _one(
        db,
        f"SELECT count(*) FROM (SELECT event FROM read_parquet({listed(parts)}) GROUP BY event "  # noqa: S608
        "HAVING min(ts) <> max(ts) OR min(account) <> max(account))",
    )
    keys = _one(
        db,
        "SELECT count(*) FROM (SELECT access_key FROM fresh WHERE access_key IS NOT NULL GROUP BY access_key "
        "HAVING min(account) <> max(account))",
    )
    largest, every, accounts = db.execute(
        "SELECT max(own), sum(own), count(*) FROM (SELECT sum(requests) AS own FROM fresh GROUP BY account)"
    ).fetchone()
    found = {CONFLICTS: conflicts, KEYS: keys}
    if accounts >= FEWEST and 2 * largest > every:
        found[LARGEST] = int(largest)
    return {name: count for name, count in found.items() if count}


def between(db: Any, before: list[Path]) -> dict[str, int]:
    """Compare the requests that stand in `fresh` and in files that were read before; nothing where none do."""
    differ = " OR ".join(f"f.{one} IS DISTINCT FROM k.{one}" for one in COMPARED)
    both, seconds, otherwise = db.execute(
        "SELECT count(*), median(epoch(f.ts) - epoch(k.ts)), "  # noqa: S608
        f"coalesce(sum(CASE WHEN {differ} THEN 1 ELSE 0 END), 0) FROM {_joined(before)}"
    ).fetchone()
    whole = round(seconds) if both else 0
    found = {AHEAD if whole > 0 else BEHIND: abs(whole), OTHERWISE: int(otherwise)}
    return {name: count for name, count in found.items() if count}


def shared(db: Any, before: list[Path]) -> int:
    """Count the requests that stand in `fresh` and in files that were read before."""
    return _one(db, f"SELECT count(*) FROM {_joined(before)}")  # noqa: S608


def _joined(before: list[Path]) -> str:
    return f"fresh f JOIN read_parquet({listed(before)}, hive_partitioning = false) k ON k.event = f.event"


def _one(db: Any, query: str) -> int:
    return int(db.execute(query).fetchone()[0])
