"""Seconds and memory of the tables at 10^6, 10^7 and 10^8 requests without text, beside pandas; and of the swap null.

    python benchmarks/extraction/scale.py 1e6 1e7            (1e8 where there is time: about 3 GB of disk)
    python benchmarks/extraction/scale.py swaps              999 random tables for 6,000 accounts
    python benchmarks/extraction/scale.py pandas             the aggregates of accounts at 10^6, beside pandas

Each size runs in a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from depose.extraction import groups, plan, queries, tables
from depose.extraction.bipartite import table_of
from depose.extraction.engine import engine
from depose.extraction.events import COLUMNS
from depose.features.workers import cores
from depose.model import CaseHead

CASE = plan.ExtractionFile(
    case=CaseHead(title="scale", authority="simulated"), period=plan.Period(tested=("2026-03-01", "2026-05-29"))
)
FILES = 10


def generate(rows: int, place: Path) -> list[Path]:
    """Write so many requests in files, of a two-hundredth as many accounts: the engine makes them."""
    accounts, pool, addresses = max(rows // 200, 100), max(rows // 5, 1_000), max(rows // 300, 100)
    made = {
        "event": "range::UBIGINT", "ts": "(TIMESTAMP '2026-03-01' + to_seconds((hash(range) % 7776000)::BIGINT))",
        "account": f"hash(hash(range * 3 + 1) % {accounts} + 77)",
        "template": f"hash(hash(range * 5 + 2) % {pool} + 99)",
        "prompt": "hash(range * 7 + 3)", "ip": f"hash(hash(range * 11 + 4) % {addresses})",
        "ip24": f"hash(hash(range * 13 + 5) % {max(addresses // 20, 10)} )", "in_tok": "(hash(range) % 400)::BIGINT",
        "out_tok": "(hash(range + 9) % 900)::BIGINT", "max_tokens": "1024::BIGINT", "status": "'ok'",
        "model_served": "'m-' || (hash(range + 5) % 3)", "classes": "(hash(range + 6) % 128)::INTEGER",
        "turns": "1", "requests": "1::BIGINT",
    }  # fmt: skip
    columns = ", ".join(f"{made.get(name, 'NULL')}::{kind} AS {name}" for name, kind in COLUMNS.items())
    files = []
    with engine(place) as db:
        for part in range(FILES):
            file = place / f"part-{part}.parquet"
            start, end = rows * part // FILES, rows * (part + 1) // FILES
            db.execute(f"COPY (SELECT {columns} FROM range({start}, {end})) TO '{file}' (COMPRESSION zstd)")  # noqa: S608
            files.append(file)
    return files


def size(rows: int) -> None:
    """Make all tables of so many requests, and say what it took."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("DEPOSE_SCALE_DIR")) as name:
        place = Path(name)
        start = time.monotonic()
        files = generate(rows, place)
        written, disk = time.monotonic() - start, sum(one.stat().st_size for one in files)
        start, cpu = time.monotonic(), time.process_time()
        parts: list[tuple[str, float]] = []

        def say(name: str) -> None:
            parts.append((name, time.monotonic()))

        with engine(place) as db:
            tables.view(db, files)
            tables.declare(db, CASE, ())
            made = tables.make(db, CASE, say)
        seconds, used = time.monotonic() - start, time.process_time() - cpu
        ends = [*(at for _, at in parts[1:]), start + seconds]
        each = ", ".join(f"{name} {end - at:.1f}" for (name, at), end in zip(parts, ends, strict=True))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(
            f"{rows:.0e} requests: {made.by_name['accounts'].num_rows} accounts, {made.by_name['rare'].num_rows} "
            f"uses of rare templates; written in {written:.1f} s ({disk / 1e9:.2f} GB); tables {seconds:.1f} s "
            f"({used:.1f} s of processor, {cores()} cores), peak {peak:.2f} GiB ({each})",
            flush=True,
        )


def swaps() -> None:
    """Run the primary test of 6,000 accounts with 999 random tables."""
    rng = np.random.default_rng(0)
    volume = np.minimum((rng.pareto(1.1, 6_000) + 1) * 4, 400).astype(int)
    who = np.repeat(np.arange(6_000), volume)
    every = table_of(who, rng.integers(0, 61_000, len(who)), 6_000, 61_000)
    table, _ = groups.without(every, np.ones(6_000, dtype=bool))
    grid = CASE.templates.grid
    groups.find(table, grid, swaps=3, rounds=1, alpha=0.05, seed=1, workers=cores())  # compile
    start, cpu = time.monotonic(), time.process_time()
    found = groups.find(table, grid, swaps=999, rounds=1, alpha=0.05, seed=1, workers=cores())
    print(
        f"swap null, B = 999: {table.rows} nodes, {len(table.columns)} uses of {table.width} templates, "
        f"{len(grid)} graphs: "
        f"{time.monotonic() - start:.1f} s, {time.process_time() - cpu:.1f} s of processor; p {found.rounds[0].p:.3f}"
    )


def pandas() -> None:
    """Count what an account did, at 10^6 requests, here and in pandas."""
    import pandas as pd

    with tempfile.TemporaryDirectory() as name:
        files = generate(1_000_000, Path(name))
        with engine(Path(name)) as db:
            tables.view(db, files)
            tables.declare(db, CASE, ())
            start = time.process_time()
            db.sql(queries.accounts(*CASE.period.tested)).to_arrow_table()
            ours = time.process_time() - start
        start = time.process_time()
        frame = pd.concat([pd.read_parquet(one) for one in files])
        frame["day"], frame["hour"] = frame["ts"].dt.date, frame["ts"].dt.floor("h")
        frame["night"], frame["weekend"] = frame["ts"].dt.hour < 6, frame["ts"].dt.day_of_week > 4
        frame["bad"] = frame["status"] != "ok"
        for place in range(7):
            frame[f"c{place}"] = (frame["classes"].to_numpy() >> place) & 1
        frame.groupby("account").agg(
            {"requests": "sum", "day": "nunique", "hour": "nunique", "night": "sum", "weekend": "sum", "bad": "sum",
             "template": "nunique", "prompt": "nunique", "ip": "nunique", "model_served": "nunique", "in_tok": "sum",
             "out_tok": "sum", "ts": ["min", "max"], **{f"c{place}": "sum" for place in range(7)}}
        )  # fmt: skip
        theirs = time.process_time() - start
        print(f"accounts at 1e6: {ours:.1f} s of processor, pandas {theirs:.1f} s: {theirs / ours:.1f} times as long")


def main() -> None:
    """Run what was asked for, each size in a process of its own."""
    for one in sys.argv[1:] or ("1e6", "1e7", "swaps", "pandas"):
        if one == "swaps":
            swaps()
        elif one == "pandas":
            pandas()
        elif one.startswith("="):
            size(int(float(one[1:])))
        else:
            subprocess.run([sys.executable, __file__, f"={one}"], check=True)


if __name__ == "__main__":
    main()
