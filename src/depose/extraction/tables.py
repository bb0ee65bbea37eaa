"""Events to tables: what the tests read, made by one pass of SQL each, out of core, the same for the same events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from depose.extraction import plan, queries
from depose.extraction.bipartite import Ints, Table, table_of
from depose.extraction.engine import listed
from depose.extraction.plan import ExtractionFile
from depose.model import Record

MADE = "made.json"
AT_ONCE = 20_000_000
"""Requests by which accounts are counted at once: the engine keeps some 400 bytes of each until it has them all."""
FEW = "few"
"""A tier or a country of fewer accounts than may be shown."""
NAMES = ("accounts", "accounts_clean", "rare", "rare_clean", "infrastructure", "daily", "slots", "counts")
KNOWN = (*NAMES, "chosen", "dropped", "dropped_clean")
"""Every table that is written."""


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The tables by name, and the queries that made them, in order."""

    by_name: dict[str, pa.Table]
    sql: dict[str, str] = field(default_factory=dict)

    def column(self, table: str, name: str) -> Any:
        """Return a column as numbers; ids stay unsigned."""
        return self.by_name[table][name].to_numpy()


class Said(Record, frozen=True, kw_only=True):
    """What was counted while tables were made."""

    requests: int
    events: int
    accounts: int
    first: str
    last: str


def declare(db: Any, case: ExtractionFile, public: Sequence[int]) -> None:
    """Enter the accounts that were named as one, and the templates of public prompts."""
    db.execute("CREATE TABLE declared (account UBIGINT, node UBIGINT)")
    rows = [(int(one, 16), int(min(group.accounts), 16)) for group in case.benign for one in group.accounts]
    if rows:
        db.executemany("INSERT INTO declared VALUES (?, ?)", rows)
    db.execute("CREATE TABLE public (template UBIGINT)")
    if public:
        keys = pa.table({"template": pa.array(sorted(public), type=pa.uint64())})
        db.register("public_keys", keys)
        db.execute("INSERT INTO public SELECT template FROM public_keys")


def view(db: Any, files: Sequence[Path]) -> None:
    """Let the engine read files of events as the view `events`."""
    db.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet({listed(list(files))}, hive_partitioning = false)")  # noqa: S608


def make(
    db: Any, case: ExtractionFile, progress: Callable[[str], None] = lambda _: None, at_once: int = AT_ONCE
) -> Tables:
    """Make all tables but that of the slots, which is asked of chosen accounts alone.

    What accounts did is counted in parts of the accounts, so many requests `at_once`: the result is the same.
    """
    parts = -(-max(1, db.execute("SELECT count(*) FROM events").fetchone()[0]) // at_once)
    tested, clean = case.period.tested, case.period.clean
    spans = [("_clean", clean), ("", tested)] if clean else [("", tested)]
    db.execute("CREATE OR REPLACE TEMP TABLE known (template UBIGINT)")
    made: dict[str, pa.Table] = {}
    sql: dict[str, str] = {}

    def run(name: str, query: str, order: str = "") -> None:
        progress(name.replace("_", " "))
        sql[name] = query
        made[name] = db.sql(f"{query}\nORDER BY {order}" if order else query).to_arrow_table()

    def run_accounts(suffix: str, first: str, end: str) -> None:
        progress(f"accounts{suffix}".replace("_", " "))
        asked = [queries.accounts(first, end, part, parts) for part in range(parts)]
        sql[f"accounts{suffix}"] = ";\n\n".join(asked)
        found = pa.concat_tables([db.sql(query).to_arrow_table() for query in asked])
        made[f"accounts{suffix}"] = without_small_cells(found.sort_by("account"), case.retention.fewest)

    for suffix, span in spans:
        first, end = span[0], plan.before(span)
        run_accounts(suffix, first, end)
        held = queries.held(first, end)
        sql[f"held{suffix}"] = held
        db.execute(f"CREATE OR REPLACE TEMP TABLE held AS {held}")
        run(f"rare{suffix}", queries.rare(case.templates.most, case.templates.share))
        run(f"dropped{suffix}", queries.dropped(case.templates.most, case.templates.share))
        if suffix:
            sql["known"] = queries.known(case.templates.known)
            db.execute(f"INSERT INTO known {sql['known']}")
    db.execute("DROP TABLE held")
    first, end = tested[0], plan.before(tested)
    run("infrastructure", queries.infrastructure(first, end))
    made["infrastructure"] = at_home(made["infrastructure"], made["accounts"])
    run("daily", queries.daily(first, end), "account, day, model")
    return Tables(by_name=made, sql=sql)


def without_small_cells(accounts: pa.Table, fewest: int) -> pa.Table:
    """Call a tier or a country of fewer accounts than that `FEW`: who is alone in it would be known by it."""
    for name in ("tier", "country"):
        if name in accounts.column_names:
            values = accounts[name].to_pylist()
            count = Counter(values)
            kept = [one if one is None or count[one] >= fewest else FEW for one in values]
            accounts = accounts.set_column(accounts.column_names.index(name), name, pa.array(kept, pa.string()))
    return accounts


def at_home(shared: pa.Table, accounts: pa.Table) -> pa.Table:
    """Say of each network whether it is in the account's country, in the place of its own, which few may share."""
    home = dict(zip(accounts["account"].to_pylist(), accounts["country"].to_pylist(), strict=True))
    rows = zip(shared["account"].to_pylist(), shared["country"].to_pylist(), strict=True)
    found = pa.array([said is not None and home.get(one) == said for one, said in rows], pa.bool_())
    return shared.drop_columns(["country"]).append_column("home", found)


def slots(db: Any, case: ExtractionFile, accounts: Ints) -> tuple[pa.Table, str]:
    """Make the table of the slots in which chosen accounts were active."""
    db.register("chosen", pa.table({"account": pa.array(accounts, type=pa.uint64())}))
    query = queries.slots(case.period.tested[0], plan.before(case.period.tested), case.tests.slot, case.tests.window)
    return db.sql(query).to_arrow_table(), query


def write(tables: Tables, folder: Path) -> None:
    """Write the tables as Parquet, each under a name of its own until it is whole."""
    import os

    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.by_name.items():
        work = folder / f".{name}.{os.getpid()}.tmp"
        try:
            pq.write_table(table, work, compression="zstd")
            with work.open("rb") as file:
                os.fsync(file.fileno())
            work.replace(folder / f"{name}.parquet")
        finally:
            work.unlink(missing_ok=True)


def rows(files: Sequence[str]) -> int:
    """Read tables whole, together, and say how many rows they have; for a child, whose memory is limited, alone."""
    return sum(one.num_rows for one in [pq.read_table(file) for file in files])


def read(folder: Path) -> Tables:
    """Read tables that were written."""
    return Tables(by_name={one.stem: pq.read_table(one) for one in sorted(folder.glob("*.parquet"))})


def merged(nodes: Any, together: dict[int, int]) -> Any:
    """Return the node that stands for each, where `together` maps nodes that are one."""
    if not together:
        return nodes
    swap = np.array(sorted(together), dtype=np.uint64)
    into = np.array([together[int(one)] for one in swap], dtype=np.uint64)
    place = np.searchsorted(swap, nodes)
    place[place == len(swap)] = 0
    return np.where(swap[place] == nodes, into[place], nodes)


def shared_templates(nodes: Any, templates: Any, together: dict[int, int]) -> tuple[Table, Any]:
    """Return who holds which rare template as a table, and the node of each row; `together` maps nodes that are one."""
    known, row = np.unique(merged(nodes, together), return_inverse=True)
    _, column = np.unique(templates, return_inverse=True)
    return table_of(row, column, len(known), int(column.max()) + 1 if len(column) else 0), known
