"""Rates with exact bounds, and areas under the curve.

Clopper and Pearson (1934) bounds, one-sided as PCAST (2016) asks for error rates; the area under the ROC curve
as the share of pairs (positive, negative) in which the positive scores higher, ties one half.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from depose.model import Record

Array = NDArray[np.float64]


class Rate(Record, frozen=True, kw_only=True):
    """k of n, with one-sided 95 % exact bounds."""

    k: int
    n: int
    lower95: float
    upper95: float


def upper_bound(k: int, n: int, level: float = 0.95) -> float:
    """Return the one-sided exact upper bound of a rate; 1 if nothing was tried."""
    return 1.0 if k >= n else float(betaincinv(k + 1, n - k, level))


def lower_bound(k: int, n: int, level: float = 0.95) -> float:
    """Return the one-sided exact lower bound of a rate; 0 if nothing happened."""
    return 0.0 if k <= 0 else float(betaincinv(k, n - k + 1, 1 - level))


def rate(k: int, n: int) -> Rate:
    """Put a count with its bounds."""
    return Rate(k=k, n=n, lower95=lower_bound(k, n), upper95=upper_bound(k, n))


def wins(positives: Array, negatives: Array) -> float:
    """Count the pairs in which the positive is higher, ties one half: AUC times the number of pairs."""
    if not len(positives) or not len(negatives):
        return 0.0
    order = np.sort(negatives)
    below = np.searchsorted(order, positives, side="left")
    upto = np.searchsorted(order, positives, side="right")
    return float((below + upto).sum() / 2)


def auc(positives: Array, negatives: Array) -> float:
    """Area under the ROC curve; both sides must have a score."""
    if not len(positives) or not len(negatives):
        raise ValueError("an area needs positives and negatives")
    return wins(positives, negatives) / (len(positives) * len(negatives))
