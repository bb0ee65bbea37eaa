"""Control-centring: what is left of a likeness when everybody's habits are taken away.

For members a, b of a bag B, with the other K members of B as their controls (design.md, "The measurement"), and M
the mean similarity over prompts:

    d(a, b) = M(a, b) - mean_k M(a, C_k) - mean_k M(C_k, b) + mean_{k<l} M(C_k, C_l)
    T(a, b) = d(a, b) / root mean square of d over all pairs of B

T says how many times larger the centred likeness of the pair is than that of a typical pair of the bag. Every pair is
scored by the same function with the roles swapped and divided by the same number, so that relabelling the members
permutes the scores exactly and ranks are those of d itself. One divisor for all prompts, instead of one for each,
because a prompt on which no two controls agree would divide by nearly nothing, and because it ranked no worse; a
divisor from the controls of each pair alone was tried and gave no gain (docs/validation.md).

Prompts differ in how alike any two answers are. Where answers are missing, pairs are averaged over different
prompts; so each prompt's mean over all pairs of the bag is taken away first.

Profiles are compared by the cosine of log rates standardised over the bag. A combination is the mean of its parts' T.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depose.detectors import Combination, Measured, Profile, Similarity

Array = NDArray[np.float64]

FEWEST = 3
"""Fewer controls cannot say how controls differ."""
RATE = 10_000
"""Profiles are log(1 + occurrences per RATE)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """Standardised scores of every two members of a bag."""

    t: Array
    """[members, members]; NaN on the diagonal and where a pair has no prompt in common."""
    scales: tuple[float, ...]
    """What each part of the measure was divided by; 0 where no two members agree in anything."""


def parts_of(measured: Measured) -> tuple[Similarity | Profile, ...]:
    """List the parts of a combination; any other measure is its own only part."""
    return measured.parts if isinstance(measured, Combination) else (measured,)


def average(part: Similarity | Profile, weights: Array | None = None) -> Array:
    """Mean similarity over prompts, [..., members, members]; `weights` [..., prompts] counts prompts as often."""
    if isinstance(part, Profile):
        return _compared(part, weights)
    values = part.values
    members = values.shape[1]
    there = np.isfinite(values)
    off = there & ~np.eye(members, dtype=bool)
    count = np.maximum(off.sum(axis=(1, 2)), 1)
    level = np.where(off, values, 0.0).sum(axis=(1, 2)) / count
    filled = np.where(off, values - level[:, None, None], 0.0).reshape(len(values), -1)
    if weights is None:
        weights = np.ones(len(values))
    total = weights @ filled
    if (off == off[:1]).all():  # every prompt has the same pairs: no product of matrices says how often each was seen
        seen = weights.sum(axis=-1, keepdims=True) * off[:1].reshape(-1)
    else:
        seen = weights @ off.reshape(len(values), -1).astype(float)
    mean = np.divide(total, seen, out=np.full(total.shape, np.nan), where=seen > 0)
    shaped: Array = mean.reshape(*weights.shape[:-1], members, members)
    return shaped


def _compared(part: Profile, weights: Array | None) -> Array:
    if weights is None:
        counts, totals = part.counts.sum(axis=0, dtype=np.float64), part.totals.sum(axis=0, dtype=np.float64)
    else:
        flat = part.counts.reshape(len(part.counts), -1)
        counts = (weights.astype(np.float32) @ flat).reshape(*weights.shape[:-1], *part.counts.shape[1:])
        totals = weights @ part.totals
    return cosines(log_rates(counts, totals), totals <= 0)


def log_rates(counts: NDArray[np.floating], totals: NDArray[np.floating]) -> NDArray[np.floating]:
    """Turn counts [..., members, things] out of totals [..., members] into log rates, in the precision given."""
    rates: NDArray[np.floating] = np.log1p(counts * (RATE / np.maximum(totals, 1))[..., None])
    return rates


def cosines(rates: NDArray[np.floating], silent: NDArray[np.bool_]) -> Array:
    """Compare log rates [..., members, things], standardised over the members; NaN for the silent [..., members]."""
    spread = rates.std(axis=-2, keepdims=True)
    z = (rates - rates.mean(axis=-2, keepdims=True)) / np.where(spread > 1e-9, spread, 1.0)
    norm = np.linalg.norm(z, axis=-1, keepdims=True)
    unit = z / np.where(norm > 1e-12, norm, 1.0)
    cosine: Array = (unit @ np.swapaxes(unit, -1, -2)).astype(np.float64)
    cosine[silent[..., :, None] | silent[..., None, :]] = np.nan
    return cosine


def centre(mean: Array) -> Array:
    """Centre mean similarities [..., members, members] on the controls of each pair; NaN on the diagonal."""
    members = mean.shape[-1]
    off = ~np.eye(members, dtype=bool)
    k = members - 2
    if k < FEWEST:
        return np.full(mean.shape, np.nan)
    s = np.where(off, mean, 0.0)
    row = s.sum(axis=-1)
    total = row.sum(axis=-1)[..., None, None] / 2
    ends = row[..., :, None] + row[..., None, :]
    d = s - (ends - 2 * s) / k + (total - ends + s) / (k * (k - 1) / 2)
    return np.where(off, d, np.nan)


def scale_of(d: Array) -> Array:
    """Root mean square of centred scores [..., members, members] over the pairs of each bag; 0 where all are 0."""
    square = np.where(np.isfinite(d), d, 0.0) ** 2
    pairs = np.maximum(np.isfinite(d).sum(axis=(-1, -2)), 1)
    scale: Array = np.sqrt(square.sum(axis=(-1, -2)) / pairs)
    return np.where(scale > 1e-9, scale, 0.0)


def standardise(d: Array) -> Array:
    """Divide centred scores by their scale; 0 where there is none."""
    scale = scale_of(d)[..., None, None]
    t: Array = np.divide(d, scale, out=np.where(np.isnan(d), d, 0.0), where=scale > 0)
    return t


def score(measured: Measured) -> Scores:
    """Score every two members of a bag."""
    made = [centre(average(part)) for part in parts_of(measured)]
    return Scores(t=np.mean([standardise(d) for d in made], axis=0), scales=tuple(float(scale_of(d)) for d in made))


def per_prompt(measured: Measured) -> Array:
    """Centred scores prompt by prompt, [prompts, members, members], in units of the bag's scale.

    Of a combination the parts that have a score per prompt count; a profile alone has none (all NaN).
    """
    similar = [part for part in parts_of(measured) if isinstance(part, Similarity)]
    if not similar:
        prompts, members = next(part.totals.shape for part in parts_of(measured) if isinstance(part, Profile))
        return np.full((prompts, members, members), np.nan)
    made = []
    for part in similar:
        scale = scale_of(centre(average(part)))
        made.append(np.stack([_on_one(values) for values in part.values]) / np.where(scale > 0, scale, 1.0))
    mean: Array = np.mean(made, axis=0)
    return mean


def per_prompt_parts(measured: Measured) -> tuple[str, ...]:
    """Name the parts of a measure that `per_prompt` rests on; none for a profile alone."""
    return tuple(part.detector for part in parts_of(measured) if isinstance(part, Similarity))


def _on_one(values: Array) -> Array:
    """Centre one prompt over the members that answered it."""
    out = np.full(values.shape, np.nan)
    there = np.flatnonzero(np.isfinite(np.diagonal(values)))
    if len(there) >= FEWEST + 2:
        out[np.ix_(there, there)] = centre(values[np.ix_(there, there)])
    return out
