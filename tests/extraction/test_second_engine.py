"""The SQL of the exhibit on a second engine: SQLite makes the same tables of the same events."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import duckdb
import numpy as np
import pytest

import request_logs as logs
from depose.errors import UsageError
from depose.extraction import conduct, plan, queries
from depose.extraction.masking import CLASSES

FIRST, END = "2026-05-01", "2026-05-29"
TABLES = {
    "held": queries.held(FIRST, END),
    "known": queries.known(6),
    "rare": queries.rare(300, 0.05),
    "dropped": queries.dropped(300, 0.05),
    "infrastructure": queries.infrastructure(FIRST, END),
}


def filled(db: sqlite3.Connection | duckdb.DuckDBPyConnection, engine: str) -> dict[str, list[tuple[object, ...]]]:
    """Load 900 requests of 40 accounts, some declared as one, and run the queries one on the other's table."""
    rng = np.random.default_rng(3)
    made: dict[str, list[tuple[object, ...]]] = {}
    db.execute("CREATE TABLE events (account BIGINT, org BIGINT, template BIGINT, classes INTEGER, ts TIMESTAMP, "
               "payment BIGINT, ip24 BIGINT, agent BIGINT, tls BIGINT, country VARCHAR)")  # fmt: skip
    rows = [
        [int(rng.integers(1, 41)), None if rng.random() < 0.9 else 7, int((rng.pareto(0.9) * 9) % 300),
         int(rng.integers(0, 128)), f"2026-05-{rng.integers(1, 31):02} 10:00:00", int(rng.integers(0, 30)),
         int(rng.integers(0, 9)), None, 5, ("DE", "US", None)[int(rng.integers(0, 3))]]
        for _ in range(900)
    ]  # fmt: skip
    db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    db.execute("CREATE TABLE declared (account BIGINT, node BIGINT)")
    db.executemany("INSERT INTO declared VALUES (?, ?)", [[4, 3], [3, 3]])
    db.execute("CREATE TABLE public (template BIGINT)")
    db.execute("INSERT INTO public VALUES (5)")
    for name, query in TABLES.items():
        said = queries.translated(query, engine)
        made[name] = sorted((tuple(row) for row in db.execute(said).fetchall()), key=str)
        if name in ("held", "known"):
            db.execute(f"CREATE TABLE {name} AS {said}")
    return made


def test_sqlite_makes_the_same_tables() -> None:
    """Margins, rare templates, what is dropped and what is shared are the same to the row."""
    with sqlite3.connect(":memory:") as one, duckdb.connect() as other:
        mine, theirs = filled(one, "sqlite"), filled(other, "duckdb")
    assert mine == theirs
    assert all(len(rows) > 0 for rows in mine.values())


@pytest.mark.parametrize("engine", ["bigquery", "clickhouse", "postgres", "snowflake", "spark"])
def test_every_query_can_be_said_in_other_engines(engine: str, tmp_path: Path) -> None:
    """Each query is translated, keeps its names, and can be read back by that engine's grammar."""
    import sqlglot

    for name, query in conduct.sql_of(plan.read(logs.case(tmp_path / engine))).items():
        said = queries.translated(query, engine)
        read = sqlglot.parse_one(said, read=engine)
        if name == "accounts":
            assert isinstance(read, sqlglot.exp.Query)
            assert all(one in read.named_selects for one in ("account", "requests", *CLASSES))


def test_what_an_engine_cannot_say_is_named() -> None:
    """A query that breaks off is no query."""
    with pytest.raises(UsageError, match="sqlite"):
        queries.translated("SELECT FROM WHERE (", "sqlite")
