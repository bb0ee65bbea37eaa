"""A classifier among the models as a detector, alone and beside `wording`, on two populations: `make classifier-study`.

    python benchmarks/classifier.py [--data ../shared/data] [--modern ../shared/data-modern]

`teacher_classifier` (TF-IDF of words and word pairs, multinomial logistic regression, cross-fitted by halves of the
prompts) is taught once on all models of a population and cut out for each bag; its null is that of any detector, the
pairs with the controls. The other parts are those of `make selection`. Combined by the mean of T, and by the mean of
the ranks of T among the pairs of the bag, which no large value of one part can carry.
Printed: areas within reference against documented negatives and against all, true pairs and documented strangers with
both p-values at most .05 (19 controls or more), what families get that took no part in the choice, and how often the
classifier takes an answer for the right model.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
from centring import QUESTIONS, fired
from numpy.typing import NDArray
from scipy.stats import rankdata
from selection import CRITERIA, PARTS, Source, areas_of, bags_of, both, left_out, told

from depose.case.population import Population, read
from depose.detectors.teacher_classifier import teacher_classifier
from depose.features.compared import view_of
from depose.features.extract import Features
from depose.scoring.counting import whole_bag
from depose.statistics.centring import average, centre, standardise
from depose.statistics.ranks import levels
from depose.validate.scoring import prepare

Array = NDArray[np.float64]

CLASSIFIER = "teacher_classifier"
WAYS: dict[str, tuple[str, ...]] = {
    "wording": ("phrases", "openings"),
    CLASSIFIER: (CLASSIFIER,),
    "wording, classifier": ("wording", CLASSIFIER),
    "phrases, classifier": ("phrases", CLASSIFIER),
    "openings, classifier": ("openings", CLASSIFIER),
    "phrases, openings, classifier": ("phrases", "openings", CLASSIFIER),
    "all five": (*PARTS, CLASSIFIER),
}
BY_RANK = {f"{name}, by rank": parts for name, parts in WAYS.items() if len(parts) > 1 and "wording" not in parts} | {
    "phrases, starts, by rank": ("phrases", "starts"),
    "phrases, first_words, by rank": ("phrases", "first_words"),
}


def ranked(t: Array) -> Array:
    """Replace scores [members, members] by their ranks among the pairs of the bag, 0 to 1; the diagonal stays NaN."""
    off = ~np.eye(len(t), dtype=bool)
    out = np.full(t.shape, np.nan)
    out[off] = rankdata(t[off]) / off.sum()
    return out


def combined(t: dict[str, Array]) -> dict[str, Array]:
    """Centre one bag in each way, the parts' scores [members, members] given."""
    made = t | {"wording": np.mean([t["phrases"], t["openings"]], axis=0)}
    ways = {name: np.mean([made[part] for part in parts], axis=0) for name, parts in WAYS.items()}
    return ways | {name: np.mean([ranked(t[part]) for part in parts], axis=0) for name, parts in BY_RANK.items()}


def taught(population: Population) -> Array:
    """Teach the classifier on all models; mean log-probabilities [models, models], the diagonal NaN."""
    found = teacher_classifier(whole_bag(population, view_of(CLASSIFIER)), Features())
    right = found.values.argmax(axis=2) == np.arange(found.values.shape[1])
    there = np.isfinite(np.diagonal(found.values, axis1=1, axis2=2))
    print(
        f"{population.source}: {right[there].mean():.3f} of the answers are taken for the right one of "
        f"{len(population.members)} models"
    )
    return average(found)


def classified(data: Path, source: str) -> Source:
    """Score every labelled pair of a population in each way."""
    population = read(data, source)
    print(f"{source}: features of {len(population.members)} models", file=sys.stderr, flush=True)
    material, _ = prepare(population, PARTS, 7, None, os.cpu_count() or 1)
    print(f"{source}: teaching the classifier", file=sys.stderr, flush=True)
    likely = taught(population)
    names = (*WAYS, *BY_RANK)
    t: dict[str, list[float]] = {name: [] for name in names}
    p: dict[str, list[float]] = {name: [] for name in names}
    pairs, counts = [], []
    for pair, bag, scores in bags_of(population, material):
        scores[CLASSIFIER] = standardise(centre(likely[np.ix_(bag, bag)]))
        for name, way in combined(scores).items():
            t[name].append(float(way[0, 1]))
            p[name].append(float(levels(way[None])[0].max()))
        pairs.append(pair)
        counts.append(len(bag) - 2)
    return Source(
        source, pairs, {name: np.array(t[name]) for name in names}, {name: np.array(p[name]) for name in names}, counts
    )


def main() -> int:
    """Print what each way gives, and what left-out families get."""
    sources = both(classified)
    if not sources:
        return 0
    for question in QUESTIONS:
        print(f"{question}: areas within reference, documented and all, on {' and on '.join(s.name for s in sources)}")
        for way in sources[0].t:
            areas = areas_of(sources, (way,), question)
            line = f"  {way:<40} {'  '.join(f'{area:.3f}' for area in areas)}  worst {min(areas):.3f}"
            line += "; true pairs at .05 " + ", ".join(fired(s, way, s.true(question)) for s in sources)
            print(line + "; strangers " + ", ".join(fired(s, way, s.negative & s.documented) for s in sources))
        among = [(way,) for way in sources[0].t]
        for criterion in CRITERIA:
            print(f"  each family left out, by the {criterion}: {told(left_out(sources, question, criterion, among))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
