"""Many cells at once: local false-discovery rates from a two-group model, and Benjamini-Hochberg.

Two groups (Efron 2008, "Microarrays, empirical Bayes and the two-groups model"): a share pi of the cells is related and
has density f1, the others have f0. With LR = f1 / f0 the local false-discovery rate of a cell is

    lfdr = (1 - pi) / (1 - pi + pi LR)

LR comes from pairs of known relation; pi is estimated from the batch by maximum likelihood (the fixed point of EM for a
change of class shares: Saerens, Latinne and Decaestecker 2002). The likelihood is concave in pi, so the maximum is one.
Used is not the maximum but the lower end of its one-sided 95 % likelihood interval. Cells of one suspect are not
independent, so the logarithm of the likelihood is tempered by the ratio of its information to the variance of its score
with suspects as the units (Godambe's; Ribatet, Cooley and Davison 2012), by 1 at most. In a small batch only strong
ratios move the lower end from 0, and with it nothing is a hit.

Model-based: right only as far as the pairs of known relation are like the cells of the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import gammaincinv

Array = NDArray[np.float64]

LARGEST = 1 - 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """Share of related cells: the estimate, and the lower end on which local rates rest."""

    value: float
    low: float


def related_share(log_lr: Array, suspects: Sequence[str]) -> Share:
    """Estimate the share of related cells from their log likelihood ratios and the suspect of each."""
    if not len(log_lr):
        return Share(value=0.0, low=0.0)
    gain = np.expm1(np.clip(log_lr, -500, 500))

    def slopes(share: float) -> Array:
        found: Array = gain / (1 + share * gain)
        return found

    def slope(share: float) -> float:
        return float(slopes(share).sum())

    if slope(0.0) <= 0:
        return Share(value=0.0, low=0.0)
    best = LARGEST if slope(LARGEST) >= 0 else float(brentq(slope, 0.0, LARGEST))
    _, place = np.unique(np.asarray(suspects), return_inverse=True)
    each = slopes(best)
    tempered = min(1.0, float((each**2).sum() / (np.bincount(place, each) ** 2).sum()))

    def above(share: float) -> float:
        """How far the likelihood at `share` is above that of the end of the interval."""
        lost = np.log1p(share * gain) - np.log1p(best * gain)
        return float(tempered * lost.sum() + gammaincinv(0.5, 0.9))

    low = 0.0 if above(0.0) >= 0 else float(brentq(above, 0.0, best))
    return Share(value=best, low=low)


def local_fdr(log_lr: Array, share: float) -> Array:
    """Local false-discovery rate of each cell when this share is related; 1 where nothing is."""
    if share <= 0:
        return np.ones(len(log_lr))
    odds = np.log(share) - np.log1p(-share) + log_lr
    found: Array = 1 / (1 + np.exp(np.clip(odds, -500, 500)))
    return found


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """q-values of Benjamini and Hochberg (1995), in the order given."""
    order = sorted(range(len(p)), key=p.__getitem__)
    adjusted = [0.0] * len(p)
    running = 1.0
    for rank in range(len(order), 0, -1):
        place = order[rank - 1]
        running = min(running, p[place] * len(p) / rank)
        adjusted[place] = running
    return adjusted
