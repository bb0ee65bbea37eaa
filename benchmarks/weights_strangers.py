"""False calls of weights: strangers drawn afresh, of any shape, that one tool or one habit changed alike on both sides.

Every pair has a shape, first weights and seeds of its own. Both models of a pair learnt the same, under numbers and
signs of their own, so that nearly every unit has its likeness in the other. What `depose weights` decides is counted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import numpy as np
from scipy.stats import kstest

import weight_changes as changes
import weight_strangers as strangers
from depose.model.weights import WeightFinding
from depose.report.typography import power_of_ten
from depose.weights.compare import Named, compare
from weight_orders import ORDERS
from weight_strangers import HABITS, INITIALISERS, Change, Drawn


def pair(folder: Path, change: Change, seed: int) -> tuple[WeightFinding, str]:
    """Draw two strangers, change both, and compare them as the command does."""
    config, tensors = changes.initialised(seed, **strangers.shape(seed))
    kind = list(INITIALISERS)[seed % len(INITIALISERS)]
    learnt = Drawn(config, strangers.redrawn(tensors, kind, seed + 1))
    made = [change(Drawn(config, strangers.own(learnt, seed + 10 * side, kind)), seed + side) for side in (1, 2)]
    paths = [changes.save(folder / f"{seed}-{side}", one.config, one.tensors) for side, one in enumerate(made)]
    found = compare(*(Named(name=name, path=path) for name, path in zip(("S1", "R1"), paths, strict=True)))
    return found, kind


def main() -> None:
    """Print calls and p-values for each thing that is done to both sides."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    every = {**HABITS, **ORDERS}
    print("| changed on both sides | pairs | called | least p | medians | KS |\n|" + "---|" * 6)
    for place, (name, change) in enumerate(every.items()):
        if asked.only not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            results = []
            start = time.monotonic()
            for number in range(asked.pairs):
                seed = asked.seed * 10_000_000 + place * 10_000 + number * 100
                try:
                    results.append(pair(Path(folder), change, seed))
                except Exception as error:
                    print(name, seed, strangers.shape(seed), type(error), error)
        by = [one for one, _ in results]
        called = [(one.log10_p, kind) for one, kind in results if one.reading == "not independent"]
        ps = [10**one.log10_p for one in by]
        kinds = defaultdict(list)
        for one in by:
            for t in one.tests:
                if f"not counted, since both models fail its assumption: {t.kind}" not in one.cautions:
                    kinds[t.kind].append(t.log10_p)
        worst = {k[:14]: round(min(v), 1) for k, v in kinds.items() if min(v) < -3}
        print(
            f"| {name} | {len(by)} | {len(called)} | {power_of_ten(min(one.log10_p for one in by))} | {np.median(ps):.2f} | {kstest(ps, 'uniform').pvalue:.3f} | {worst} {called[:4]} {time.monotonic() - start:.0f}s",
            flush=True,
        )


if __name__ == "__main__":
    main()
