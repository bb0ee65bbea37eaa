"""Ratios of left-out pairs of a study, as a case reports them: the nearest number of prompts, its bounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depose.model import HeldOut, Performance, Question, Ratio
from depose.statistics.likelihood_ratio_cap import lineage_cap
from depose.statistics.rates import upper_bound

Array = NDArray[np.float64]

LOG10 = float(np.log(10))


def study_of(performance: Performance | None, question: Question, against: str, prompts: int) -> HeldOut | None:
    """Find the held-out ratios for the largest number of prompts that the case reaches, else for the smallest."""
    if performance is None:
        return None
    mine = [one for one in performance.held_out if one.question == question and one.against == against]
    able = [one for one in mine if one.prompts <= prompts]
    return max(able, key=lambda one: one.prompts) if able else min(mine, key=lambda one: one.prompts, default=None)


def bounded(held: HeldOut, ratio: Ratio) -> tuple[Array, Array]:
    """Hold the study's ratios (natural logarithms; true pairs, other pairs) to the widest bounds that the case allows.

    They are those of a score that no control reaches, and that no family of true pairs stays below.
    """
    if ratio.elub_low is None or ratio.elub_high is None:
        raise ValueError("a ratio without bounds")
    low = np.log(max(upper_bound(0, max(held.families_true, 1)), ratio.elub_low))
    high = np.log(min(lineage_cap(0, ratio.lineages), ratio.elub_high))
    true, other = (np.clip(np.asarray(side) * LOG10, low, high) for side in (held.true, held.other))
    return true, other
