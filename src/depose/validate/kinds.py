"""Whether ratios hold on prompts of a kind that took no part in their fit.

A case that lists prompts of its own lists prompts of a kind that no study knows. What a study can show is how its own
kinds fare when each is left out: every pair is scored on the prompts of one kind alone, and its ratio fitted on scores
from as many prompts of the other kinds, without the pairs that share a lineage with it. Where the cost (gate.py) stays
below 1 with its whole interval, and on another population too, whose prompts are all others, a question is open to
listed prompts: to so many that every kind with as many or more held, as a study speaks from the number on from which
it always informs, and to answers as long as those that were examined.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.case.population import Population
from depose.features.words import typical_length
from depose.model import Calibration, Gate, Listed, Primary, Question
from depose.model.random_streams import stream
from depose.statistics.calibration import left_out
from depose.validate.areas import FEWEST_FAMILIES
from depose.validate.gate import gate
from depose.validate.labelled import QUESTIONS
from depose.validate.scoring import Progress, score_population
from depose.validate.study import PRIMARY, Study, families

Array = NDArray[np.float64]

FEWEST_PROMPTS = 10
"""Of a kind that is examined: as many as the smallest number of prompts that ratios are fitted for."""
FEWEST_KINDS = 4
"""Kinds that must be examined before any other is taken to be like them."""


def kinds(population: Population) -> tuple[str, ...]:
    """Name the kinds with prompts enough to be examined; none where there is one kind alone."""
    if not population.kinds:
        return ()
    prompts = {(kind, key[0]) for kind, key in zip(population.kinds, population.rows, strict=True)}
    count = Counter(kind for kind, _ in prompts)
    found = tuple(sorted(kind for kind, n in count.items() if n >= FEWEST_PROMPTS))
    return found if len(count) > 1 else ()


def parted(population: Population, seed: int) -> tuple[Array, tuple[int, ...]]:
    """Choose for each kind its prompts, and then as many of the others; weights [2 x kinds, rows] and sizes."""
    of = {key[0]: kind for kind, key in zip(population.kinds, population.rows, strict=True)}
    chosen: list[set[str]] = []
    for kind in kinds(population):
        mine, rest = ([key for key in sorted(of) if (of[key] == kind) is own] for own in (True, False))
        rng = stream(seed, "kind of prompts", population.source, kind)
        chosen += [set(mine), set(rng.choice(rest, min(len(mine), len(rest)), replace=False).tolist())]
    weights = np.array([[float(key[0] in one) for key in population.rows] for one in chosen])
    return weights, tuple(len(one) for one in chosen)


def examine(study: Study, progress: Progress) -> tuple[Gate, ...]:
    """Leave out each kind of prompts; one gate for each question and kind that has families enough."""
    named = kinds(study.population)
    if not named:
        return ()
    wanted = [one.pair for q in QUESTIONS for one in (*study.positives(q), *study.matched(q))]
    pairs = list({id(one): one for one in wanted}.values())
    scored = score_population(
        msgspec.structs.replace(study.population, tasks=()),
        pairs,
        Primary().detectors(),
        {},
        seed=study.seed,
        encode=None,
        progress=progress,
        choose=parted,
    )
    apart = Study(study.population, scored, study.seed)
    return tuple(
        found
        for question in QUESTIONS
        for place, kind in enumerate(named)
        if (found := _left_out(apart, question, kind, 2 * place)) is not None
    )


def _left_out(apart: Study, question: Question, kind: str, subset: int) -> Gate | None:
    """Give the cost on the pairs scored on one kind, which is subset `subset`; the one after it holds the others."""
    detector = PRIMARY[question]
    sides = [
        [one for one in pairs if np.isfinite(one.t[detector][subset : subset + 2]).all()]
        for pairs in (apart.positives(question), apart.matched(question))
    ]
    if min(map(families, sides)) < FEWEST_FAMILIES:
        return None
    own, other = ([np.array([one.t[detector][n] for one in pairs]) for pairs in sides] for n in (subset, subset + 1))
    lineages = [[apart.lineages(one) for one in pairs] for pairs in sides]
    h1, h2 = left_out(own[0], own[1], lineages[0], lineages[1], other[0], other[1])
    first, second = ([one.pair.suspect_family for one in pairs] for pairs in sides)
    found = gate(apart, question, apart.population.source, h1, h2, first, second, kind)
    return msgspec.structs.replace(found, prompts=apart.scored.sizes[subset], words=typical(apart.population, kind))


def listed(made: Calibration) -> tuple[Listed, ...]:
    """Say which questions are open to listed prompts: those with ratios that held elsewhere, and on kinds enough."""
    given = dict.fromkeys(one.question for one in made.calibrators)
    return tuple(one for question in given if (one := _open(question, made.gates)) is not None)


def _open(question: Question, gates: Sequence[Gate]) -> Listed | None:
    mine = [one for one in gates if one.question == question]
    examined = [one for one in mine if one.kind]
    failed = max((one.prompts for one in examined if not one.passed), default=0)
    held = [one for one in examined if one.prompts > failed]
    elsewhere = [one for one in mine if one.left_out == "population"]
    if len(held) < FEWEST_KINDS or not elsewhere or not all(one.passed for one in mine if not one.kind):
        return None
    return Listed(
        question=question,
        prompts=min(one.prompts for one in held),
        kinds=len(held),
        shortest=min(one.words for one in held),
        longest=max(one.words for one in held),
    )


def typical(population: Population, kind: str) -> float:
    """Median words of an answer to prompts of one kind."""
    rows = zip(population.kinds, population.answers, strict=True)
    return typical_length(text for one, row in rows if one == kind for text in row if text is not None) or 0.0
