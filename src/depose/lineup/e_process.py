"""Evidence that may be looked at after every line-up: a mixture of likelihood ratios against delivery at random.

For one bag and a strength lambda the ratio of exp(lambda u) to its mean over the members of the bag has expectation 1
if the delivered member is a random one, u being its rank from -1/2 to 1/2. Products over bags, averaged over a
registered grid of strengths, are a non-negative martingale of mean 1: the probability that it ever reaches c is at most
1/c (Ville 1939; e-values as in Vovk and Wang 2021). It is a likelihood ratio of stated propositions only with its
alternative: a preference for delivered answers of this exponential form.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from depose.lineup.rank_test import LineUps, Shape

Array = NDArray[np.float64]

STRENGTHS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""The registered grid; each strength has the same weight."""


def log10_e(bags: LineUps, strengths: Sequence[float] = STRENGTHS) -> Array:
    """Return log10 of the e-process after each bag, in their order; raise ValueError for strengths not positive."""
    grid = np.asarray(strengths, dtype=float)
    if grid.ndim != 1 or not len(grid) or not (grid > 0).all():
        raise ValueError("strengths of an e-process are positive numbers")
    expected = np.stack([_log_mean(one, grid) for one in bags.shapes])
    halves = 2 * ((bags.doubled >= 0).sum(axis=1) - 1)
    preferred = bags.sums / halves - 0.5 * bags.delivered.sum(axis=1)
    steps = preferred[:, None] * grid - expected[bags.shape]
    return np.asarray((logsumexp(np.cumsum(steps, axis=0), axis=1) - np.log(len(grid))) / np.log(10))


def _log_mean(shape: Shape, grid: Array) -> Array:
    """Log of the mean of exp(lambda sum u) over all choices of so many members: an elementary symmetric polynomial."""
    half = len(shape.doubled) - 1
    weights = np.exp(np.outer([value / (2 * half) - 0.5 for value in shape.doubled], grid))
    sums = np.zeros((shape.delivered + 1, len(grid)))
    sums[0] = 1.0
    for weight in weights:
        sums[1:] = sums[1:] + sums[:-1] * weight
    return np.asarray(np.log(sums[-1] / comb(len(shape.doubled), shape.delivered)))
