"""Control-centring: what is left of a similarity when everybody's habits are taken away.

For members a, b of a bag B, with the other K members of B as their controls (design.md, "The measurement"):

    d_p(a, b) = s_p(a, b) - mean_k s_p(a, C_k) - mean_k s_p(C_k, b) + mean_{k<l} s_p(C_k, C_l)

divided by a standard deviation of the control-control similarities on prompt p, its variance shrunken
half-way to the mean over all prompts and pairs of the bag: without shrinkage a prompt on which no two
controls agree divides by zero and one prompt decides the score. T(a, b) is the mean over prompts. Every
pair of the bag is scored by the same function with the roles swapped, so that relabelling the members
permutes the scores exactly.

Assumes at least three controls; a prompt counts for a pair when both answered it and three others did.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SHRINKAGE = 0.5
FEWEST = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Centred:
    """Centred scores of every two members of a bag."""

    d: Array
    """[prompts, members, members]; NaN where the pair cannot be scored on that prompt."""
    scale: Array
    """[prompts, members, members]: the shrunken standard deviation that d was divided by."""
    t: Array
    """[members, members]: mean over prompts; NaN on the diagonal."""


def centre(values: Array) -> Centred:
    """Centre similarities [prompts, members, members] of one bag."""
    raw, variance = _raw(values)
    pooled = np.nanmean(variance) if np.isfinite(variance).any() else np.nan
    scale = np.sqrt((1 - SHRINKAGE) * variance + SHRINKAGE * pooled)
    usable = np.isfinite(raw)
    d = np.full_like(raw, np.nan)
    np.divide(raw, scale, out=d, where=usable & (scale > 0))
    d[usable & (scale == 0)] = 0.0
    return Centred(d=d, scale=scale, t=mean_over_prompts(d))


def mean_over_prompts(d: Array) -> Array:
    """Average over the prompts on which a pair was scored; NaN where there is none."""
    count = np.isfinite(d).sum(axis=0)
    total = np.nansum(d, axis=0)
    mean: Array = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def _raw(values: Array) -> tuple[Array, Array]:
    """Return the centred similarity and the control-control variance of every pair on every prompt."""
    members = values.shape[1]
    there = np.isfinite(np.diagonal(values, axis1=1, axis2=2))
    off = ~np.eye(members, dtype=bool)
    both = there[:, :, None] & there[:, None, :] & off
    s = np.where(both, values, 0.0)
    row, row2 = s.sum(axis=2), (s**2).sum(axis=2)
    total, total2 = row.sum(axis=1) / 2, (row2.sum(axis=1)) / 2
    k = np.broadcast_to((there.sum(axis=1) - 2)[:, None, None], s.shape).astype(np.float64)
    pairs = k * (k - 1) / 2
    enough = both & (k >= FEWEST)
    k, pairs = np.where(enough, k, 1.0), np.where(enough, pairs, 1.0)
    ends = row[:, :, None] + row[:, None, :]
    among = (total[:, None, None] - ends + s) / pairs
    among2 = (total2[:, None, None] - row2[:, :, None] - row2[:, None, :] + s**2) / pairs
    raw = s - (ends - 2 * s) / k + among
    variance = np.maximum(among2 - among**2, 0.0)
    nothing = ~enough
    raw[nothing] = np.nan
    variance[nothing] = np.nan
    return raw, variance
