"""Two-way bootstrap of T(S, R) over prompt clusters and control lineages, with a bias-corrected, accelerated interval.

Both are resampled, because both were sampled (pigeonhole bootstrap, Owen 2007). Resampling is by weights: a
cluster of prompts or a control drawn twice counts twice, and a control is never compared with its own
copy. Duplicated prompts fall into one cluster and do not shrink the interval.

The divisor of T is made anew in each draw, from the weighted bag. A resampled world has the sampling noise of prompts
twice, which lifts the cosines of profiles and every root mean square on average: draws of a profile lay above its
estimate, and those with a new divisor below it where noise rules the bag. So the draws of each part are brought back:
centred likenesses to the mean that was measured, divisors to the root mean square that was measured; their spread and
their shape stay. The interval is BCa (Efron 1987) on these: the share of draws below the estimate corrects what is left
of the bias, the skewness of the influence of each cluster and each control, by leaving it out, gives the acceleration.
BCa on draws that were not brought back missed profiles, and bags in which noise rules the divisor. How far the draws
lay off is kept and printed. `make coverage` simulates the coverage (docs/validation.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from depose.detectors import Measured, Profile, Similarity
from depose.statistics.centring import average, parts_of

Array = NDArray[np.float64]

CHUNK = 100
"""Draws made at once, which bounds memory."""
STEEPEST = 0.2
"""The acceleration is held within this on both sides, so that no quantile of the draws turns back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Resampled:
    """The draws of a score."""

    estimate: float
    draws: Array
    """T of each draw, brought back to where it was measured."""
    acceleration: float
    bias: float
    """Mean of the draws minus the estimate, before they were brought back."""
    below: float
    """Share of draws below the estimate, half of those equal to it, before they were brought back."""

    @property
    def corrected(self) -> Array:
        """The draws moved to the BCa confidence distribution, in their order: its quantiles are the interval's ends."""
        n = len(self.draws)
        ranks = np.argsort(np.argsort(self.draws, kind="stable"), kind="stable")
        return np.quantile(self.draws, self._levels((ranks + 0.5) / n))

    def interval(self, level: float = 0.95) -> Interval:
        """Return the BCa interval."""
        low, high = np.quantile(self.draws, self._levels(np.array([(1 - level) / 2, (1 + level) / 2])))
        return Interval(low=float(low), high=float(high))

    def _levels(self, at: Array) -> Array:
        """Return the levels of the draws that stand for these levels of confidence."""
        n = len(self.draws)
        bias = norm.ppf(np.clip(_share_below(self.draws, self.estimate), 1 / (n + 1), n / (n + 1)))
        shifted = bias + norm.ppf(at)
        # Beyond this the formula turns back, which Efron and Tibshirani (1993, 14.3) leave to the user.
        slope = np.maximum(1 - self.acceleration * shifted, 0.1)
        return np.asarray(norm.cdf(bias + shifted / slope))


def resampled(measured: Measured, clusters: Sequence[str], draws: int, rng: np.random.Generator) -> Resampled:
    """Draw T(member 0, member 1) `draws` times; `clusters` names the cluster of each prompt.

    Raises ValueError where no two members of the bag agree in anything.
    """
    names, index = np.unique(np.asarray(clusters), return_inverse=True)
    parts = parts_of(measured)
    members = average(parts[0]).shape[0]
    k = members - 2
    prompts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)[:, index].astype(float)
    controls = rng.multinomial(k, np.full(k, 1 / k), size=draws).astype(float)
    measured_at = _parts(parts, np.ones((1, len(index))), np.ones((1, k)))
    estimate = float(_mean_t(measured_at)[0])
    if not np.isfinite(estimate):
        raise ValueError("no two members of the bag agree in anything")
    drawn = _parts(parts, prompts, controls)
    raw = _mean_t(drawn)
    raw = raw[np.isfinite(raw)]
    found = _mean_t([_brought_back(one, there) for one, there in zip(drawn, measured_at, strict=True)])
    without_cluster = (1 - np.eye(len(names)))[:, index]
    influence = np.concatenate(
        [
            _influence(_mean_t(_parts(parts, without_cluster, np.ones((len(names), k))))),
            _influence(_mean_t(_parts(parts, np.ones((k, len(index))), 1 - np.eye(k)))),
        ]
    )
    square = float((influence**2).sum())
    skewness = float((influence**3).sum()) / (6 * square**1.5) if square > 0 else 0.0
    return Resampled(
        estimate=estimate,
        draws=found[np.isfinite(found)],
        acceleration=float(np.clip(skewness, -STEEPEST, STEEPEST)),
        bias=float(raw.mean() - estimate),
        below=_share_below(raw, estimate),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Drawn:
    """One part of a measure in weighted bags."""

    d: Array
    """Centred likeness of members 0 and 1, [draws]."""
    scale: Array
    """Root mean square over all pairs of the bag, [draws]; 0 where no two members agree in anything."""


def _share_below(draws: Array, estimate: float) -> float:
    """Count half of what is equal but for rounding, which differs between processors."""
    equal = np.isclose(draws, estimate, rtol=1e-9, atol=1e-12)
    return float(np.mean((draws < estimate) & ~equal) + np.mean(equal) / 2)


def _mean_t(drawn: Sequence[_Drawn]) -> Array:
    """Average T over the parts; a part that agrees in nothing scores 0 (`centring.standardise`), all such NaN."""
    alive = np.stack([one.scale > 0 for one in drawn])
    scored = [np.divide(one.d, one.scale, out=np.zeros(len(one.d)), where=one.scale > 0) for one in drawn]
    return np.asarray(np.where(alive.any(axis=0), np.mean(scored, axis=0), np.nan))


def _brought_back(drawn: _Drawn, measured: _Drawn) -> _Drawn:
    """Move the draws of one part to where it was measured: likenesses in their mean, divisors in their mean square."""
    alive = (drawn.scale > 0) & np.isfinite(drawn.d)
    if not measured.scale[0] or not alive.any():
        return drawn
    lift = np.sqrt(np.mean(drawn.scale[alive] ** 2)) / measured.scale[0]
    return _Drawn(d=drawn.d - drawn.d[alive].mean() + measured.d[0], scale=drawn.scale / lift)


def _influence(left_out: Array) -> Array:
    """Turn scores without one unit each into the empirical influence of the units."""
    kept = left_out[np.isfinite(left_out)]
    n = max(len(kept), 1)
    return np.asarray((n - 1) * (kept.mean() - kept) / n) if len(kept) > 1 else np.zeros(0)


def _parts(parts: Sequence[Similarity | Profile], prompts: Array, controls: Array) -> list[_Drawn]:
    """Centre each part under each row of weights."""
    made: list[list[_Drawn]] = [[] for _ in parts]
    for start in range(0, len(prompts), CHUNK):
        rows = slice(start, start + CHUNK)
        for place, part in enumerate(parts):
            made[place].append(_centred(average(part, prompts[rows]), controls[rows]))
    return [
        _Drawn(d=np.concatenate([one.d for one in part]), scale=np.concatenate([one.scale for one in part]))
        for part in made
    ]


def _centred(mean: Array, controls: Array) -> _Drawn:
    """Centre members 0 and 1 in weighted bags: `mean` [draws, members, members], `controls` [draws, K].

    With weights of 1 it is `centring.score`: each pair is centred on the others, by weight, and the divisor is the root
    mean square over all pairs of the bag.
    """
    weights = np.concatenate([np.ones((len(mean), 2)), controls], axis=1)
    off = ~np.eye(mean.shape[1], dtype=bool)
    s = np.where(off, mean, 0.0)
    a, b = weights[:, :, None], weights[:, None, :]
    row = (s * b).sum(axis=2)
    whole = weights.sum(axis=1)[:, None, None]
    pairs = (row * weights).sum(axis=1)[:, None, None] / 2
    others = whole - a - b
    of_a, of_b = row[:, :, None] - b * s, row[:, None, :] - a * s
    among = pairs - a * of_a - b * of_b - a * b * s
    distinct = (others**2 - ((weights**2).sum(axis=1)[:, None, None] - a**2 - b**2)) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        d = s - (of_a + of_b) / others + among / distinct
    weight = np.where(np.isfinite(d), a * b * off, 0.0)
    known = np.where(np.isfinite(d), d, 0.0)
    square = (weight * known**2).sum(axis=(1, 2)) / np.maximum(weight.sum(axis=(1, 2)), 1e-9)
    scale = np.sqrt(square)
    return _Drawn(d=d[:, 0, 1], scale=np.where(scale > 1e-9, scale, 0.0))
