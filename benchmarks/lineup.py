"""Speed and memory of the line-up. Run by `make bench-lineup`.

    benchmarks/lineup.py [--documents N] [--bags N] [PART ...]

Parts: `exact` (p of 10^6 line-ups with 9 fillers), `corpus` (a planted corpus and 1,000 bags). Both by default. A
figure is of the machine that prints it. Log-likelihoods against each member alone are in lineup_likelihood.py; the
level of the test, and other tests on the same tables, in lineup_study.py.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from depose.lineup.rank_test import opened, rank_sum
from depose.model.lineup import Bag, Context, Turn

VOCABULARY = 20_000
LENGTH = 60
"""Words of a document."""


def main() -> None:
    """Run the parts, each in a process of its own, so that its memory is its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[])
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--bags", type=int, default=1_000)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        PARTS[asked.parts[0]](asked)
        return
    sizes = [f"--documents={asked.documents}", f"--bags={asked.bags}"]
    for part in asked.parts or PARTS:
        subprocess.run([sys.executable, __file__, part, "--here", *sizes], check=True)


def told(what: str, start: tuple[float, float], **more: Any) -> None:
    """Print one line: what, seconds by the clock and of the processor since `start`, and the most memory so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    clock, processor = (one - other for one, other in zip(begun(), start, strict=True))
    figures = {"seconds": round(clock, 1), "cpu": round(processor, 1)}
    print(f"{what}: {json.dumps(figures | more)}, {used.ru_maxrss / 1024**2:.2f} GB", flush=True)


def begun() -> tuple[float, float]:
    """Return the clock, and the processor's time of this process and of its children."""
    return time.perf_counter(), time.process_time() + sum(os.times()[2:4])


# --- parts ------------------------------------------------------------------------------------------


def exact(asked: argparse.Namespace) -> None:
    """Time the exact p of a million line-ups of ten members, ties among them."""
    rng = np.random.default_rng(7)
    scores = rng.normal(size=(1_000_000, 10))
    scores[:, 0] += 0.02
    scores[:1_000] = np.round(scores[:1_000])
    key = np.zeros(scores.shape, dtype=bool)
    key[:, 0] = True
    start = begun()
    found = rank_sum(opened(scores, key))
    told("exact p, N = 10^6, M = 9", start, log10_p=round(found.log10_p, 3), area=round(found.level, 4))


def _text(rng: np.random.Generator, length: int = LENGTH) -> str:
    # A few words make up most of a text, as in any language.
    return " ".join(f"w{n}" for n in np.minimum(rng.zipf(1.3, size=length), VOCABULARY))


def corpus(asked: argparse.Namespace) -> None:
    """Plant a tenth of the deliveries, one word in ten changed, in a corpus, and search all members in it."""
    from depose.lineup.corpus import CorpusScorer

    rng = np.random.default_rng(7)
    turn = Context(messages=(Turn(role="user", content="?"),))
    bags = [Bag(bag=f"b{n}", context=turn, members=tuple(_text(rng) for _ in range(5))) for n in range(asked.bags)]
    with tempfile.TemporaryDirectory() as folder:
        import pyarrow
        import pyarrow.parquet

        path, planted = Path(folder) / "corpus.parquet", 0
        schema = pyarrow.schema([("text", pyarrow.string())])
        with pyarrow.parquet.ParquetWriter(path, schema) as writer:
            for at in range(0, asked.documents, 10_000):
                size = min(10_000, asked.documents - at)
                rows = np.minimum(rng.zipf(1.3, size=(size, LENGTH)), VOCABULARY)
                texts = [" ".join(f"w{n}" for n in row) for row in rows.tolist()]
                while planted < len(bags) // 10 and planted * asked.documents < at * (len(bags) // 10) + 1:
                    words = bags[planted * 10].members[0].split()
                    for place in rng.choice(LENGTH, size=LENGTH // 10, replace=False):
                        words[place] = "changed"
                    texts[planted % size] = " ".join(words)
                    planted += 1
                writer.write_table(pyarrow.table({"text": texts}, schema=schema))
        start = begun()
        scorer = CorpusScorer(path)
        scores = scorer.score(bags)
    found = sum(row[0] is not None and row[0].ratio > 0.8 for row in scorer.matches)
    key = np.zeros((len(bags), 5), dtype=bool)
    key[:, 0] = True
    p = rank_sum(opened(np.array(scores), key)).log10_p
    told(
        f"corpus of {asked.documents:,} documents, {len(bags):,} bags",
        start,
        planted=planted,
        found=found,
        log10_p=round(p, 1),
    )


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "exact": exact,
    "corpus": corpus,
}

if __name__ == "__main__":
    main()
