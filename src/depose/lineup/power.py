"""How many line-ups a test needs, and what it can see with those it has.

The normal approximation of the rank sum of bags with M fillers, one delivered member each: the mean of the rank share
is the area, its variance at chance (M + 2) / (12 M). With a share f of the deliveries learnt, the area is
1/2 + f (area of those learnt - 1/2).
"""

from __future__ import annotations

from math import ceil, sqrt

from scipy.stats import norm


def area_of(learnt: float, share: float) -> float:
    """Return the area over all deliveries where a share of them was learnt with this area."""
    if not 0.5 <= learnt <= 1 or not 0 <= share <= 1:
        raise ValueError(f"an area lies from .5 to 1 and a share from 0 to 1: {learnt}, {share}")
    return 0.5 + share * (learnt - 0.5)


def bags_needed(area: float, fillers: int, alpha: float, power: float = 0.9) -> int:
    """Return how many line-ups find this area with this power at this level; raise ValueError at chance."""
    if not 0.5 < area <= 1 or fillers < 1:
        raise ValueError(f"no number of line-ups with {fillers} fillers shows an area of {area}")
    z = float(norm.isf(alpha) + norm.ppf(power))
    return ceil((z / (area - 0.5)) ** 2 * (fillers + 2) / (12 * fillers))


def power_at(area: float, fillers: int, bags: int, alpha: float) -> float:
    """Return the power of so many line-ups against this area, under the same approximation."""
    if fillers < 1 or bags < 1 or not 0.5 <= area <= 1:
        raise ValueError(f"no power is defined for {bags} line-ups with {fillers} fillers and an area of {area}")
    shift = (area - 0.5) * sqrt(bags * 12 * fillers / (fillers + 2))
    return float(norm.sf(norm.isf(alpha) - shift))
