"""The gate of a calibration: what its ratios cost on families and on whole populations that took no part in it.

A ratio that misleads on the next population is worse than none. So the ratios of a question ship only where their cost
(Cllr; Brummer and du Preez 2006) lies below 1, the cost of saying nothing, with the whole of its interval: on the
study's own pairs with the lineages of each left out of the fit, and on every other population at hand with the fit as
it is. Intervals resample the families of true suspects and those of the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.model import Calibration, Fact, Gate, Question
from depose.statistics.calibration import fit, log_lr
from depose.statistics.likelihood import cllr
from depose.validate.areas import FEWEST_FAMILIES
from depose.validate.labelled import QUESTIONS, Labelled, LabelledPair
from depose.validate.scoring import PairScores
from depose.validate.study import PRIMARY, Study, held_out

Array = NDArray[np.float64]

DRAWS = 999


def interval(
    h1: Array, h2: Array, families1: Sequence[str], families2: Sequence[str], rng: np.random.Generator
) -> tuple[float, float]:
    """Give 95 % of the cost of log ratios of true pairs, `h1`, and of others, `h2`, over resampled families."""
    kinds = [
        [values[np.array(named) == name] for name in sorted(set(named))]
        for values, named in ((h1, families1), (h2, families2))
    ]

    def drawn() -> float:
        first, second = (np.concatenate([kind[n] for n in rng.integers(0, len(kind), len(kind))]) for kind in kinds)
        return cllr(first, second)

    low, high = np.quantile([drawn() for _ in range(DRAWS)], [0.025, 0.975])
    return float(low), float(high)


def gates(study: Study, others: Sequence[Labelled]) -> tuple[Gate, ...]:
    """Measure every question against an unrelated model on the study itself and on each other population.

    Whole kinds of prompts are left out by `kinds.examine`.
    """
    found = []
    for question in QUESTIONS:
        first, second = study.positives(question), study.matched(question)
        found += [_own(study, question, first, second)] if _enough(_suspects(first), _suspects(second)) else []
        found += [gate for one in others if (gate := _elsewhere(study, question, one)) is not None]
    return tuple(found)


def _suspects(pairs: Sequence[PairScores]) -> list[str]:
    return [one.pair.suspect_family for one in pairs]


def _enough(*kinds: Sequence[str]) -> bool:
    return all(len(set(named)) >= FEWEST_FAMILIES for named in kinds)


def _own(study: Study, question: Question, first: Sequence[PairScores], second: Sequence[PairScores]) -> Gate:
    h1, h2 = held_out(study, first, second, PRIMARY[question])
    return gate(study, question, study.population.source, h1, h2, _suspects(first), _suspects(second))


def _elsewhere(study: Study, question: Question, other: Labelled) -> Gate | None:
    """Apply the fit to all pairs of another population; None where either has too few families."""
    detector = PRIMARY[question]
    mine = [
        np.array([one.t[detector][0] for one in pairs])
        for pairs in (study.positives(question), study.matched(question))
    ]
    usable = [one for one in other.pairs if one.t[detector][0] is not None]
    true = [one for one in usable if one.question == question]
    rest = [one for one in usable if question in one.control_for]
    first, second = ([one.family for one in kind] for kind in (true, rest))
    if not _enough(_suspects(study.positives(question)), _suspects(study.matched(question)), first, second):
        return None
    line = fit(*mine)
    h1, h2 = (log_lr(line, np.array([_whole(one, detector) for one in kind])) for kind in (true, rest))
    return gate(study, question, other.source, h1, h2, first, second)


def _whole(one: LabelledPair, detector: str) -> float:
    """Score on all prompts, which come first."""
    value = one.t[detector][0]
    return float("nan") if value is None else value


def gate(
    study: Study,
    question: Question,
    population: str,
    h1: Array,
    h2: Array,
    first: Sequence[str],
    second: Sequence[str],
    kind: str = "",
) -> Gate:
    """Judge log ratios of true pairs, `h1`, and of others, `h2`, of these families, on one kind of prompts or all."""
    low, high = interval(h1, h2, first, second, study.rng("gate", question, population, *([kind] if kind else [])))
    return Gate(
        question=question,
        detector=PRIMARY[question],
        population=population,
        left_out="kind of prompts" if kind else "lineages" if population == study.population.source else "population",
        families_true=len(set(first)),
        families_other=len(set(second)),
        cllr=round(cllr(h1, h2), 4),
        low=round(low, 4),
        high=round(high, 4),
        passed=high < 1,
        kind=kind,
    )


def refused(found: Sequence[Gate]) -> dict[Question, str]:
    """Say of every question that does not pass why its ratios are not given.

    A kind of prompts on which they do not hold limits listed prompts alone (`kinds.listed`).
    """
    return {
        one.question: f"not given: on {one.population}, {one.left_out} left out, it costs (Cllr) {one.cllr:z.2f}, "
        f"95 % {one.low:z.2f} to {one.high:z.2f}; that interval would have to lie below 1"
        for one in sorted(found, key=lambda one: one.high)
        if not one.passed and not one.kind
    }


def gated(made: Calibration, found: Sequence[Gate]) -> Calibration:
    """Keep the ratios of the questions that pass; those of the others are missing, with the reason."""
    why = refused(found)
    gone = dict.fromkeys((one.question, one.against) for one in made.calibrators if one.question in why)
    missing = tuple(Fact(name=f"{question} / {against}", value=why[question]) for question, against in gone)
    return msgspec.structs.replace(
        made,
        gates=tuple(found),
        calibrators=tuple(one for one in made.calibrators if one.question not in why),
        missing=(*made.missing, *missing),
    )
