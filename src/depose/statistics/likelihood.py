"""How good likelihood ratios are; how large they may be stands in `likelihood_ratio_cap`.

Cllr                 Bruemmer and du Preez 2006: the cost of a set of likelihood ratios, 0 perfect, 1 worthless
Cllr_min             the same after the best monotone recalibration (pool adjacent violators)
ECE                  Ramos and Gonzalez-Rodriguez 2013: empirical cross-entropy at a prior
devPAV               Vergeer, van Schaik and Sjerps 2021: how far ratios lie from that recalibration
ELUB                 Vergeer and others 2016: bounds at which a LR system stops being better than always LR = 1

All logarithms of likelihood ratios are natural unless a name says log10.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LN2 = float(np.log(2))


def cllr(h1: Array, h2: Array) -> float:
    """Cost of log likelihood ratios: `h1` where H1 is true, `h2` where H2 is; both sides weigh the same."""
    _need(h1, h2)
    return float((np.logaddexp(0, -h1).mean() + np.logaddexp(0, h2).mean()) / (2 * LN2))


def pav(h1: Array, h2: Array) -> tuple[Array, Array]:
    """Recalibrate scores by pool adjacent violators, class-balanced; returns log likelihood ratios.

    The ends may be infinite: a score above every H2 score has no finite optimum.
    """
    _need(h1, h2)
    scores = np.concatenate([h1, h2])
    label = np.concatenate([np.ones(len(h1)), np.zeros(len(h2))])
    weight = np.concatenate([np.full(len(h1), 0.5 / len(h1)), np.full(len(h2), 0.5 / len(h2))])
    levels, index = np.unique(scores, return_inverse=True)
    mass: Array = np.bincount(index, weight, len(levels)).astype(float)
    mean = np.bincount(index, weight * label, len(levels)) / mass
    fitted = _isotonic(mean, mass)[index]
    with np.errstate(divide="ignore"):
        log_lr = np.log(fitted) - np.log1p(-fitted)
    return log_lr[: len(h1)], log_lr[len(h1) :]


def _isotonic(mean: Array, mass: Array) -> Array:
    from scipy.optimize import isotonic_regression

    fitted: Array = isotonic_regression(mean, weights=mass).x
    return np.clip(fitted, 0.0, 1.0)


def cllr_min(h1: Array, h2: Array) -> float:
    """Cost that is left after the best monotone recalibration: what the scores could do at best."""
    return cllr(*pav(h1, h2))


def dev_pav(h1: Array, h2: Array) -> float:
    """Mean distance, over the range in which it is finite, of the best monotone recalibration from no recalibration.

    The area between the two, the recalibrated ratios joined by straight lines, over the length of the range, in the
    logarithm of the arguments. 0 where nothing is finite, since the two kinds do not overlap.
    """
    given = np.concatenate([h1, h2])
    best = np.concatenate(pav(h1, h2))
    finite = np.isfinite(best)
    if not finite.any():
        return 0.0
    order = np.argsort(given[finite], kind="stable")
    x = given[finite][order]
    gap = best[finite][order] - x
    width = np.diff(x)
    if not width.sum():
        return float(np.abs(gap).mean())
    left, right = np.abs(gap[:-1]), np.abs(gap[1:])
    crossing = gap[:-1] * gap[1:] < 0
    both = np.where(left + right > 0, left + right, 1.0)
    area = np.where(crossing, (left**2 + right**2) / both, left + right) * width / 2
    return float(area.sum() / width.sum())


def ece(h1: Array, h2: Array, log10_odds: Array) -> Array:
    """Empirical cross-entropy in bits at each prior log10 odds."""
    _need(h1, h2)
    prior = log10_odds * np.log(10)
    p = 1 / (1 + np.exp(-prior))
    first = np.logaddexp(0, -(h1[None, :] + prior[:, None])).mean(axis=1)
    second = np.logaddexp(0, h2[None, :] + prior[:, None]).mean(axis=1)
    found: Array = (p * first + (1 - p) * second) / LN2
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """Smallest and largest log10 likelihood ratio that a validation set supports."""

    low: float
    high: float


def elub(h1: Array, h2: Array) -> Bounds:
    """Empirical lower and upper bound of log10 likelihood ratios.

    At prior odds o the system decides for H1 when LR > 1 / o. Its cost, with one wrong decision added on each side, is
    set against the cost of always deciding by the prior alone. The bounds are the ends of the range of 1 / o
    around 1 in which the system is not worse. (0, 0) where there is no such range.
    """
    _need(h1, h2)
    grid = np.arange(-800, 801) / 100
    missed = (np.searchsorted(np.sort(h1 / np.log(10)), grid, side="right") + 1) / (len(h1) + 1)
    false = (len(h2) - np.searchsorted(np.sort(h2 / np.log(10)), grid, side="right") + 1) / (len(h2) + 1)
    odds = 10.0 ** (-grid)
    cost = odds * missed + false
    neutral = np.minimum(odds, 1.0)
    worse = cost > neutral
    middle = int(np.searchsorted(grid, 0.0))
    if worse[middle]:
        return Bounds(low=0.0, high=0.0)
    high = middle + int(np.argmax(worse[middle:])) if worse[middle:].any() else len(grid)
    low = middle - int(np.argmax(worse[middle::-1])) if worse[middle::-1].any() else -1
    return Bounds(low=float(grid[low + 1]), high=float(grid[high - 1]))


def _need(h1: Array, h2: Array) -> None:
    if not len(h1) or not len(h2):
        raise ValueError("likelihood ratios of both kinds are needed")
