"""Two-way bootstrap of T(S, R) over prompt clusters and control lineages.

Both are resampled, because both were sampled (pigeonhole bootstrap, Owen 2007). Resampling is by weights: a
cluster of prompts or a control drawn twice counts twice, and a control is never compared with its own
copy, since the sum over control pairs k < l has no pair of a control with itself. The scale of each
prompt stays as it was measured. Duplicated prompts fall into one cluster and do not shrink the interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A percentile interval."""

    low: float
    high: float


def interval(
    values: Array,
    scale: Array,
    clusters: Sequence[str],
    draws: int,
    rng: np.random.Generator,
    level: float = 0.95,
) -> Interval:
    """Bootstrap T(member 0, member 1) from similarities [prompts, members, members].

    `scale` holds, per prompt, what the centred score is divided by (NaN where the pair is not scored).
    """
    usable = np.isfinite(scale) & (scale > 0)
    s, scale = values[usable], scale[usable]
    if not len(s):
        raise ValueError("no prompt on which the pair is scored")
    names, index = np.unique(np.asarray(clusters)[usable], return_inverse=True)
    there = np.isfinite(np.diagonal(s, axis1=1, axis2=2))[:, 2:]
    sides = np.where(there, s[:, 0, 2:] + s[:, 1, 2:], 0.0)
    upper = np.triu(np.ones((there.shape[1],) * 2), 1)
    pairs = np.where(there[:, :, None] & there[:, None, :], s[:, 2:, 2:], 0.0) * upper
    among = (there[:, :, None] & there[:, None, :]) * upper
    picks = rng.multinomial(there.shape[1], np.full(there.shape[1], 1 / there.shape[1]), size=draws).T.astype(float)
    side = _ratio(sides @ picks, there.astype(float) @ picks)
    between = _ratio(_quadratic(pairs, picks), _quadratic(among, picks))
    d = (s[:, 0, 1][:, None] - side + between) / scale[:, None]
    by_cluster = np.zeros((len(names), draws))
    np.add.at(by_cluster, index, np.where(np.isfinite(d), d, 0.0))
    size = np.zeros((len(names), draws))
    np.add.at(size, index, np.isfinite(d).astype(float))
    weights = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws).T
    total, count = (by_cluster * weights).sum(axis=0), (size * weights).sum(axis=0)
    drawn = total[count > 0] / count[count > 0]
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(low=float(low), high=float(high))


def _quadratic(matrix: Array, picks: Array) -> Array:
    """Sum over k < l of w_k w_l m_kl for every prompt and draw: [prompts, draws]."""
    out = np.empty((len(matrix), picks.shape[1]))
    for row, one in enumerate(matrix):
        out[row] = np.einsum("kb,kb->b", picks, one @ picks)
    return out


def _ratio(top: Array, bottom: Array) -> Array:
    ratio: Array = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)
    return ratio
