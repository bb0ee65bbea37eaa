"""How far the premise may fail before the line-up says nothing: unequal chances, drift; and how much was used.

Gamma   within a bag the odds of being the delivered member may differ by up to Gamma for causes that nobody recorded
        (Rosenbaum 2002, chapter 4). For each bag the distribution that is largest at every rank is taken, so that the
        bound holds exactly for any number of bags, not only in the limit.
drift   fillers may rank lower than delivered answers for innocent reasons, such as a changed sampler. The null mean of
        the rank is moved to 1/2 + delta by an exponential tilt, delta being what the negative controls do not exclude.
share   deliveries that left a trace: a share f of them can lift the chance of a pick to f + (1 - f)/(M + 1) at most.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log

import numpy as np
from scipy.optimize import brentq
from scipy.stats import beta

from depose.lineup.exact_null import Summand, log_tail
from depose.lineup.rank_test import LineUps

LARGEST_GAMMA = 1e6


def log10_p_at_gamma(bags: LineUps, gamma: float) -> float:
    """Return log10 of the largest p that unequal chances of up to `gamma` allow; gamma = 1 is the exact p."""
    if gamma < 1:
        raise ValueError(f"Gamma is at least 1: {gamma}")
    return _tail(bags, lambda null: _lifted(null, gamma))


def gamma_at(bags: LineUps, alpha: float) -> float:
    """Return the Gamma at which p reaches `alpha`: 1 where it is there already, infinity beyond `LARGEST_GAMMA`."""
    return _crossing(lambda at: log10_p_at_gamma(bags, float(np.exp(at))), alpha, 0.0, log(LARGEST_GAMMA), np.exp)


def log10_p_at_drift(bags: LineUps, delta: float) -> float:
    """Return log10 of p against a null whose mean rank is 1/2 + `delta` of the bag instead of 1/2."""
    if not 0 <= delta < 0.5:
        raise ValueError(f"a drift lies from 0 up to below one half: {delta}")
    return _tail(bags, lambda null: _moved(null, delta))


def drift_at(bags: LineUps, alpha: float) -> float:
    """Return the drift at which p reaches `alpha`: 0 where it is there already."""
    return _crossing(lambda at: log10_p_at_drift(bags, at), alpha, 0.0, 0.499, float)


def least_share(bags: LineUps, confidence: float = 0.95) -> float:
    """Return the lower confidence bound of the share of deliveries that left a trace, from the picks alone.

    The one-sided bound of Clopper and Pearson 1934; for picks of unequal chance it is conservative (Hoeffding 1956).
    """
    picks = int(bags.picked.sum())
    low = float(beta.ppf(1 - confidence, picks, len(bags) - picks + 1)) if picks else 0.0
    chance = float(np.mean(bags.delivered.sum(axis=1) / (bags.doubled >= 0).sum(axis=1)))
    return max(0.0, (low - chance) / (1 - chance))


def _tail(bags: LineUps, change: Callable[[Summand], Summand]) -> float:
    return log_tail([change(one.null) for one in bags.shapes], int(bags.sums.sum())) / log(10)


def _lifted(null: Summand, gamma: float) -> Summand:
    """Return the distribution whose upper tails are the largest that odds of up to gamma allow, one at a time."""
    above = np.cumsum(np.asarray(null.probabilities)[::-1])[::-1]
    above = np.minimum(above, 1.0)
    tails = gamma * above / (gamma * above + (1 - above))
    tails[0] = 1.0
    mass = tails - np.append(tails[1:], 0.0)
    kept = mass > 0
    values = np.asarray(null.values)[kept]
    return Summand(
        values=tuple(map(int, values)), probabilities=tuple((mass[kept] / mass[kept].sum()).tolist()), count=null.count
    )


def _moved(null: Summand, delta: float) -> Summand:
    """Tilt a distribution until its mean lies delta of its range above where it was, or as near as it can come."""
    values, mass = np.asarray(null.values, dtype=float), np.asarray(null.probabilities)
    low, width = values[0], values[-1] - values[0]
    if not delta or not width:
        return null
    places = (values - low) / width

    def tilted(theta: float) -> np.ndarray:
        weights = mass * np.exp(theta * (places - 1))
        return np.asarray(weights / weights.sum())

    goal = float(mass @ places) + delta
    theta = brentq(lambda at: float(tilted(at) @ places) - goal, 0, 500) if goal < tilted(500) @ places else 500
    moved = tilted(theta)
    kept = moved > 0
    return Summand(
        values=tuple(np.asarray(null.values)[kept].tolist()),
        probabilities=tuple((moved[kept] / moved[kept].sum()).tolist()),
        count=null.count,
    )


def _crossing(
    log10_p: Callable[[float], float], alpha: float, low: float, high: float, read: Callable[[float], float]
) -> float:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha lies between 0 and 1: {alpha}")
    goal = float(np.log10(alpha))
    if log10_p(low) >= goal:
        return float(read(low))
    if log10_p(high) < goal:
        return float("inf")
    return float(read(brentq(lambda at: log10_p(at) - goal, low, high, xtol=1e-6)))
