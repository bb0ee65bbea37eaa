"""What shared numbers, dates, names and titles are worth as a detector: `make values-study`.

    python benchmarks/values.py [--data ../shared/data] [--modern ../shared/data-modern]

On an English, a Japanese and the laboratory's population: areas within reference, over all families and the least of
any family left to itself, and the share of true and of documented unrelated pairs with p at most .05. Then the choice
of `selection.py` inside left-out families, with the detector among those it may choose and without it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from selection import PARTS, Source, candidates, left_out, scored, told

from depose.lab.export import SOURCE

ALPHA = 0.05
NEW = "shared_values"
BESIDE = ("wording",)
"""Shown beside it: the mean of `phrases` and `openings`."""


def alone(one: Source, question: str, parts: Sequence[str], name: str) -> str:
    """Set a row of the first table out."""
    true = one.true(question)
    shown = []
    for documented in (True, False):
        won, made = one.counts(parts, question, documented=documented)
        shown.append(f"{won / made:.3f}" if made else "-")
    families = []
    for family in sorted(set(one.family[true])):
        won, made = one.counts(parts, question, documented=False, only=family)
        families.append(won / made if made else np.nan)
    least = f"{np.nanmin(families):.3f} of {np.isfinite(families).sum()}" if np.isfinite(families).any() else "-"
    return f"| {one.name} | {question} | {name} | {shown[0]} | {shown[1]} | {least} |"


def levels(one: Source, question: str) -> str:
    """Count the true and the unrelated pairs that the test calls, beside enough controls."""
    low, enough = one.p[NEW] <= ALPHA, one.k >= round(1 / ALPHA) - 1
    true, other = one.true(question) & enough, one.negative & one.documented & enough
    return (
        f"| {one.name} | {question} | {(low & true).sum()} of {true.sum()} | {(low & other).sum()} of {other.sum()} |"
    )


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--modern", type=Path, default=Path("../shared/data-modern"))
    given = parser.parse_args()
    sources = []
    for folder, source in ((given.data, "alpaca_eval"), (given.modern, "shaberi_w")):
        if (folder / "lineage.csv").is_file():
            sources.append(scored(folder, source, (*PARTS, NEW)))
        else:
            print(f"left out: {folder} is not here")
    with as_file(files("depose.kit")) as kit:
        lab = scored(kit, SOURCE, (*PARTS, NEW))
    print("| population | question | detector | area, documented | area, all | least area of a family |")
    print("|---|---|---|---|---|---|")
    for one in (*sources, lab):
        for question in ("same", "derived", "distilled"):
            if one.true(question).any():
                print(alone(one, question, (NEW,), NEW))
                print(alone(one, question, ("phrases", "openings"), *BESIDE))
    print(f"\n| population | question | {NEW}: true pairs with p <= {ALPHA} | documented unrelated pairs |")
    print("|---|---|---|---|")
    for one in (*sources, lab):
        for question in ("same", "derived", "distilled"):
            if one.true(question).any():
                print(levels(one, question))
    if len(sources) < 2:
        return 0
    for question in ("derived", "distilled"):
        for parts in (PARTS, (*PARTS, NEW)):
            found = left_out(sources, question, "mean", candidates(parts))
            print(f"\n{question}, each family left out, {'with' if NEW in parts else 'without'} {NEW}: {told(found)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
