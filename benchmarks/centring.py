"""Other ways to centre a likeness, inside left-out families, on two populations at once: `make centring-study`.

    python benchmarks/centring.py [--data ../shared/data] [--modern ../shared/data-modern]

T(S, R) grows with how peculiar S and R are, since it is a covariance. Here each centred score d(a, b) is divided by
(n_a n_b)^g, where n is the root mean square of a member's row: g = 0 is the score as it is, g = 1/2 divides by the
geometric mean of the two, and g = 1 is a correlation. `second order` is how far what S shares with each control goes
with what R shares with it. The score is the mean over `phrases` and `openings`, as in `wording`.
Printed: areas within reference against documented negatives and against all, true pairs and documented strangers with
both p-values at most .05 (19 controls or more), and what families get that took no part in the choice of g.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from selection import CRITERIA, Source, areas_of, bags_of, both, left_out, told

from depose.case.population import read
from depose.statistics.ranks import levels
from depose.validate.scoring import prepare

Array = NDArray[np.float64]

PARTS = ("phrases", "openings")
POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)
SECOND = "second order"
ALPHA, LINEAGES = 0.05, 19
QUESTIONS = ("derived", "distilled")


def divided(t: Array, power: float) -> Array:
    """Divide scores [members, members] by (n_a n_b)^power; n is the root mean square of a row, the diagonal NaN."""
    rows = np.sqrt(np.nanmean(t**2, axis=1))
    size = np.outer(rows, rows) ** power
    return np.divide(t, size, out=np.where(np.isnan(t), t, 0.0), where=size > 0)


def second_order(t: Array) -> float:
    """Cosine between what the first two members of a bag share with each of the others, -1 to 1."""
    s, r = t[0, 2:], t[1, 2:]
    size = float(np.linalg.norm(s) * np.linalg.norm(r))
    return float(s @ r) / size if size > 0 else 0.0


def ways(scores: dict[str, Array]) -> dict[str, Array]:
    """Centre one bag in each way, the parts' scores [members, members] given."""
    return {f"g = {power:g}": np.mean([divided(scores[part], power) for part in PARTS], axis=0) for power in POWERS}


def centred(data: Path, source: str) -> Source:
    """Score every labelled pair of a population in each way."""
    population = read(data, source)
    print(f"{source}: features of {len(population.members)} models", file=sys.stderr, flush=True)
    found, _ = prepare(population, PARTS, 7, None, os.cpu_count() or 1)
    pairs, counts = [], []
    called: dict[str, list[float]] = {f"g = {power:g}": [] for power in POWERS}
    made: dict[str, list[float]] = {name: [] for name in (*called, SECOND)}
    for pair, bag, scores in bags_of(population, found):
        for name, way in ways(scores).items():
            made[name].append(float(way[0, 1]))
            called[name].append(float(levels(way[None])[0].max()))
        made[SECOND].append(float(np.mean([second_order(one) for one in scores.values()])))
        pairs.append(pair)
        counts.append(len(bag) - 2)
    t, p = [{name: np.array(values) for name, values in one.items()} for one in (made, called)]
    return Source(source, pairs, t, p, counts)


def fired(one: Source, way: str, chosen: NDArray[np.bool_]) -> str:
    """Count these pairs with both p-values at most alpha, among those with controls enough."""
    kept = chosen & (one.k >= LINEAGES)
    return f"{int((one.p[way][kept] <= ALPHA).sum())} of {int(kept.sum())}"


def main() -> int:
    """Print what each way gives, and what left-out families get."""
    sources = both(centred)
    if not sources:
        return 0
    for question in QUESTIONS:
        print(f"{question}: areas within reference, documented and all, on {' and on '.join(s.name for s in sources)}")
        for way in sources[0].t:
            areas = areas_of(sources, (way,), question)
            line = f"  {way:<14} {'  '.join(f'{area:.3f}' for area in areas)}  mean {np.mean(areas):.3f}"
            if way in sources[0].p:
                line += "; true pairs at .05 " + ", ".join(fired(s, way, s.true(question)) for s in sources)
                line += "; strangers " + ", ".join(fired(s, way, s.negative & s.documented) for s in sources)
            print(line)
        among = [(way,) for way in sources[0].p]
        for criterion in CRITERIA:
            print(
                f"  each family left out, g by the {criterion}: {told(left_out(sources, question, criterion, among))}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
