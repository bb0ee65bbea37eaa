"""Two-way bootstrap of T(S, R) over prompt clusters and control lineages.

Both are resampled, because both were sampled (pigeonhole bootstrap, Owen 2007). Resampling is by weights: a
cluster of prompts or a control drawn twice counts twice, and a control is never compared with its own
copy, since the sum over control pairs k < l has no pair of a control with itself. The divisor of T stays
as it was measured. Duplicated prompts fall into one cluster and do not shrink the interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depose.detectors import Measured
from depose.statistics.centring import average, parts_of

Array = NDArray[np.float64]

CHUNK = 100
"""Draws made at once, which bounds memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A percentile interval."""

    low: float
    high: float


def draws_of(
    measured: Measured, scales: Sequence[float], clusters: Sequence[str], draws: int, rng: np.random.Generator
) -> Array:
    """Draw T(member 0, member 1) `draws` times; `scales` as `centring.score` returned them."""
    names, index = np.unique(np.asarray(clusters), return_inverse=True)
    prompts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)[:, index].astype(float)
    parts = [(part, scale) for part, scale in zip(parts_of(measured), scales, strict=True) if scale]
    if not parts:
        raise ValueError("no two members of the bag agree in anything")
    k = average(parts[0][0]).shape[0] - 2
    controls = rng.multinomial(k, np.full(k, 1 / k), size=draws).astype(float)
    found = np.empty(draws)
    for start in range(0, draws, CHUNK):
        rows = slice(start, start + CHUNK)
        scaled = [_pair(average(part, prompts[rows]), controls[rows]) / scale for part, scale in parts]
        found[rows] = np.sum(scaled, axis=0) / len(parts_of(measured))
    return found


def _pair(mean: Array, weights: Array) -> Array:
    """Centre members 0 and 1 on weighted controls: `mean` [draws, members, members], `weights` [draws, K]."""
    sides = (mean[:, 0, 2:] + mean[:, 1, 2:]) * weights
    among = mean[:, 2:, 2:].copy()
    k = among.shape[1]
    among[:, np.arange(k), np.arange(k)] = 0.0
    between = np.einsum("bk,bkl,bl->b", weights, among, weights)
    pairs = weights.sum(axis=1) ** 2 - (weights**2).sum(axis=1)
    centred: Array = mean[:, 0, 1] - sides.sum(axis=1) / weights.sum(axis=1)
    centred += np.divide(between, pairs, out=np.zeros(len(mean)), where=pairs > 0)
    return centred


def interval(found: Array, level: float = 0.95) -> Interval:
    """Take the percentile interval of draws; those without a value are left out."""
    low, high = np.nanquantile(found, [(1 - level) / 2, (1 + level) / 2])
    return Interval(low=float(low), high=float(high))
