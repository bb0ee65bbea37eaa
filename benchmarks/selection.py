"""Choose the detector of a question inside left-out families, on two populations at once: `make selection`.

    python benchmarks/selection.py [--data ../shared/data] [--modern ../shared/data-modern]

Candidates are the means of one to four of the detectors of wording. Each family of true suspects is left out in turn;
on the others a candidate is judged by the mean, or by the worst, of its areas within reference on both populations
against documented negatives and against all; the family that was left out is then measured with what the others chose.
Printed: every candidate with its areas, what was chosen how often, and the areas of what was left out.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depose.case.population import Pair, Population, read
from depose.scoring.bags import Bags
from depose.scoring.engine import Material, score_bag, shared_among
from depose.statistics.centring import FEWEST
from depose.statistics.rates import wins
from depose.validate.scoring import score_population
from depose.validate.study import RELATION, TASK

PARTS = ("phrases", "openings", "starts", "first_words")
CRITERIA: dict[str, Callable[[Sequence[float]], float]] = {"mean": lambda areas: float(np.mean(areas)), "worst": min}
Counts = NDArray[np.float64]
"""Comparisons won and made."""


class Source:
    """One population, every labelled pair scored in each way: T and the larger p by way, and K."""

    def __init__(
        self,
        name: str,
        pairs: Sequence[Pair],
        t: Mapping[str, NDArray[np.float64]],
        p: Mapping[str, NDArray[np.float64]],
        k: Sequence[int],
    ) -> None:
        self.name, self.pairs, self.t, self.p, self.k = name, pairs, t, p, np.array(k)
        self.family = np.array([one.suspect_family for one in pairs])
        self.reference = np.array([one.reference for one in pairs])
        self.negative = np.array([one.label == 0 for one in pairs])
        self.documented = np.array([one.documented for one in pairs])

    def true(self, question: str) -> NDArray[np.bool_]:
        """Mark the true pairs of a question."""
        return np.array([one.label == 1 and one.relation == RELATION[question] for one in self.pairs])

    def counts(
        self, parts: Sequence[str], question: str, *, documented: bool, only: str = "", without: str = ""
    ) -> Counts:
        """Compare true pairs with negatives of the same reference; of one family alone, or without one."""
        t = np.mean([self.t[part] for part in parts], axis=0)
        true, other = self.true(question), self.negative & (self.documented | (not documented))
        kept = self.family != without
        true, other = true & kept, other & kept
        true &= (self.family == only) | (not only)
        total = np.zeros(2)
        for reference in set(self.reference[true]):
            mine = self.reference == reference
            first, second = t[true & mine], t[other & mine]
            total += wins(first, second), len(first) * len(second)
        return total


def scored(data: Path, source: str, parts: Sequence[str] = PARTS) -> Source:
    """Score every labelled pair of a population with every part."""
    population = read(data, source)
    pairs = [one for one in population.pairs if one.label is not None]
    tasks = dict.fromkeys(TASK, parts[0])
    found = score_population(population, pairs, parts, tasks, seed=7, encode=None, progress=_say).pairs
    return Source(
        source,
        [one.pair for one in found],
        {part: np.array([one.t[part][0] for one in found]) for part in parts},
        {part: np.array([one.p[part][0].max() for one in found]) for part in parts},
        [one.k for one in found],
    )


def bags_of(population: Population, material: Material) -> Iterator[tuple[Pair, list[int], dict[str, Any]]]:
    """Yield each labelled pair with its bag, suspect and reference first, and its scores [members, members] by part.

    Pairs with the same controls follow each other: what these share is summed once. Pairs with too few controls, or
    with a member that answered nothing, are left out.
    """
    bags = Bags(population)
    groups: dict[tuple[int, ...], list[Pair]] = {}
    for pair in (one for one in population.pairs if one.label is not None):
        used = bags.controls(pair.suspect, pair.reference).used
        groups.setdefault(tuple(bags.index[spec.code] for spec in used), []).append(pair)
    for controls, pairs in groups.items():
        if len(controls) < FEWEST:
            continue
        known = shared_among(material, controls)
        for pair in pairs:
            bag = [bags.index[pair.suspect], bags.index[pair.reference], *controls]
            if material.there[:, bag].any(axis=0).all():
                yield pair, bag, {name: t[0] for name, t in score_bag(material, bag, known).items()}


def candidates(parts: Sequence[str]) -> list[tuple[str, ...]]:
    """List the means of one to four of these detectors."""
    return [chosen for many in range(1, 5) for chosen in combinations(parts, many)]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def areas_of(sources: Sequence[Source], parts: Sequence[str], question: str, without: str = "") -> list[float]:
    """Areas within reference, documented negatives and all, of each population in turn."""
    counted = [
        one.counts(parts, question, documented=documented, without=without)
        for one in sources
        for documented in (True, False)
    ]
    return [float(won / made) for won, made in counted if made]


def left_out(
    sources: Sequence[Source], question: str, criterion: str, among: Sequence[tuple[str, ...]]
) -> dict[str, Any]:
    """Choose on all families but one, measure on that one; pooled over families."""
    merit = CRITERIA[criterion]
    chosen: Counter[str] = Counter()
    total: dict[tuple[str, str], Counts] = defaultdict(lambda: np.zeros(2))
    for family in sorted({name for one in sources for name in one.family[one.true(question)]}):
        best = max(among, key=lambda parts: merit(areas_of(sources, parts, question, family)))
        chosen["+".join(best)] += 1
        for one in sources:
            for kind in ("documented", "all"):
                total[one.name, kind] += one.counts(best, question, documented=kind == "documented", only=family)
    return {"chosen": chosen, "areas": {key: won / made for key, (won, made) in total.items() if made}}


def told(found: dict[str, Any]) -> str:
    """Say what `left_out` came to: the area in each population, and what was chosen how often."""
    kept = ", ".join(f"{name} {kind} {area:.3f}" for (name, kind), area in found["areas"].items())
    return f"{kept}; chosen: " + ", ".join(f"{name} {count}" for name, count in found["chosen"].most_common())


def both(read_one: Callable[[Path, str], Source]) -> list[Source]:
    """Read both populations from the folders that the command line names; none, and said, where one is not here."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--modern", type=Path, default=Path("../shared/data-modern"))
    options = parser.parse_args()
    for folder in (options.data, options.modern):
        if not (folder / "lineage.csv").is_file():
            print(f"skipped: {folder} is not here; the choice needs both populations")
            return []
    return [read_one(options.data, "alpaca_eval"), read_one(options.modern, "shaberi_w")]


def main() -> int:
    """Print candidates and what left-out families get."""
    sources = both(scored)
    if not sources:
        return 0
    for question in ("derived", "distilled"):
        print(f"{question}: areas within reference, documented and all, on {' and on '.join(s.name for s in sources)}")
        rows = [(parts, areas_of(sources, parts, question)) for parts in candidates(PARTS)]
        for parts, areas in sorted(rows, key=lambda row: -float(np.mean(row[1]))):
            shown = "  ".join(f"{area:.3f}" for area in areas)
            print(f"  {'+'.join(parts):<40} {shown}  mean {np.mean(areas):.3f}, worst {min(areas):.3f}")
        for criterion in CRITERIA:
            found = left_out(sources, question, criterion, candidates(PARTS))
            print(f"  each family left out, chosen by the {criterion}: {told(found)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
