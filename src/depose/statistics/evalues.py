"""p-values as e-values: a registered calibrator, the average, which no dependence harms, and a choice among many.

The calibrator integrates kappa p^(kappa - 1) over kappa from 0 to 1 (Vovk and Wang 2021, equation 2): it needs no
choice. The average of e-values is one under any dependence (same, section 3). An e-value of e is reached by chance with
a probability of at most 1/e. Of a group that the first layer chose, the later layers are conditional on that choice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def calibrated(p: float) -> float:
    """Return the e-value of a p-value: (1 - p + p ln p) / (p (ln p)^2), 1/2 at p = 1."""
    if not 0 < p <= 1:
        raise ValueError(f"a p-value lies above 0 and at most at 1: {p}")
    if p > 0.999:
        return 0.5 + (1 - p) / 6  # the formula loses all digits here; its series does not
    log = math.log(p)
    return (1 - p + p * log) / (p * log * log)


def averaged(p: Sequence[float]) -> float:
    """Return the average of the e-values of these p-values."""
    if not p:
        raise ValueError("an average needs a p-value")
    return sum(map(calibrated, p)) / len(p)


def e_bh(log10: Sequence[float], rate: float) -> tuple[int, ...]:
    """Choose hypotheses by e-values with a false-discovery rate of at most `rate` under any dependence.

    The procedure of Wang and Ramdas 2022: the k largest, for the largest k whose k-th e-value is at least n / (rate k).
    """
    if not 0 < rate < 1:
        raise ValueError(f"a false-discovery rate lies between 0 and 1: {rate}")
    order = sorted(range(len(log10)), key=lambda one: -log10[one])
    kept = 0
    for k, one in enumerate(order, start=1):
        if log10[one] >= np.log10(len(log10) / (rate * k)):
            kept = k
    return tuple(sorted(order[:kept]))
