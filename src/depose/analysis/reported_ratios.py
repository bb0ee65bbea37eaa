"""How good ratios like the case's were in its study: held to the same cap and least, at the nearest number of prompts.

A report that prints Cllr, Tippett and PAV of other ratios than those it hands out says nothing of these. So the ratios
of left-out pairs are held to the bounds of the case before they are judged. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.model import HeldOut, OpinionRate, Performance, Question, Ratio, Reported
from depose.statistics.held_out import LOG10, bounded, study_of
from depose.statistics.likelihood import cllr, cllr_min, dev_pav
from depose.statistics.rounding import tidy

Array = NDArray[np.float64]

DRAWS = 1_000
ROUNDED = 1e-7
"""A ratio of a case has eight digits (`likelihood_ratios`): one that is held to the same bound is as large."""


def used(performance: Performance, questions: Collection[Question], prompts: int) -> Performance:
    """Keep of a study what the questions and the number of prompts of a case use."""
    kept = {
        id(study_of(performance, one.question, one.against, prompts))
        for one in performance.held_out
        if one.question in questions
    }
    return msgspec.structs.replace(
        performance,
        held_out=tuple(one for one in performance.held_out if id(one) in kept),
        doses=tuple(one for one in performance.doses if one.question in questions),
        opinions=_nearest(performance, questions, prompts),
        gates=tuple(one for one in performance.gates if one.question in questions),
    )


def _nearest(performance: Performance, questions: Collection[Question], prompts: int) -> tuple[OpinionRate, ...]:
    """Keep the opinions on the largest number of prompts that the case reaches, else on the smallest."""
    mine = [one for one in performance.opinions if one.question in questions]
    sizes = {one.prompts for one in mine}
    size = max((one for one in sizes if one <= prompts), default=min(sizes, default=0))
    return tuple(one for one in mine if one.prompts == size)


def reported(
    performance: Performance | None,
    question: Question,
    ratios: Sequence[Ratio],
    prompts: int,
    rng: np.random.Generator,
) -> tuple[Reported, ...]:
    """Judge the ratios of the study, as the case would report them, for each alternative that was evaluated."""
    found = []
    for ratio in ratios:
        held = study_of(performance, question, ratio.against, prompts)
        if ratio.value is None or held is None or not held.true or not held.other:
            continue
        true, other = bounded(held, ratio)
        low, high = _interval(held, true, other, rng)
        found.append(
            Reported(
                against=ratio.against,
                prompts=held.prompts,
                n_true=len(true),
                n_other=len(other),
                cllr=tidy(cllr(true, other)),
                cllr_low=low,
                cllr_high=high,
                cllr_min=tidy(cllr_min(true, other)),
                dev_pav=tidy(dev_pav(true, other) / LOG10),
                mean_other=tidy(float(np.exp(other).mean())),
                as_large=int((np.exp(other) >= ratio.value * (1 - ROUNDED)).sum()),
            )
        )
    return tuple(found)


def _interval(held: HeldOut, true: Array, other: Array, rng: np.random.Generator) -> tuple[float | None, float | None]:
    """Bootstrap Cllr over the families of suspects of both kinds of pairs; none where they are not known."""
    if len(held.true_families) != len(true) or len(held.other_families) != len(other):
        return None, None
    costs = np.logaddexp(0, -true), np.logaddexp(0, other)
    named = np.asarray(held.true_families), np.asarray(held.other_families)
    names = np.unique(np.concatenate(named))
    made = []
    for _ in range(DRAWS):
        drawn = np.bincount(np.searchsorted(names, rng.choice(names, len(names))), minlength=len(names))
        weights = [drawn[np.searchsorted(names, side)].astype(float) for side in named]
        if all(w.sum() for w in weights):
            made.append(sum(float(w @ c / w.sum()) for w, c in zip(weights, costs, strict=True)) / (2 * np.log(2)))
    if not made:
        return None, None
    low, high = np.quantile(made, [0.025, 0.975])
    return tidy(float(low)), tidy(float(high))
