"""How far the premise may fail before the line-up says nothing: unequal chances, drift; and how much was used.

Gamma   within a bag the odds of being the delivered member may differ by up to Gamma for causes that nobody recorded
        (Rosenbaum 2002, chapter 4). For each bag the distribution that is largest at every rank is taken, so that the
        bound holds exactly for any number of bags, not only in the limit. Where several were delivered each of them
        may have been favoured: at every rank sum the worst cause is one that the members ahead of some place share and
        the others lack (the same, section 4.4). It holds whether sets of so many have chances proportional to the
        product of their members' odds, or they were chosen one after the other (Plackett 1975), which goes further.
drift   fillers may rank lower than delivered answers for innocent reasons, such as a changed sampler. The null mean of
        the rank is moved to 1/2 + delta by an exponential tilt, delta being what the negative controls do not exclude.
share   deliveries that left a trace: one of them lifts the chance of its pick from 1/(M + 1) to 1 at most. The fewest
        that explain the picks are those of the largest line-ups, where it lifts them furthest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import log

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import beta

from depose.lineup.exact_null import Summand, log_tail
from depose.lineup.rank_test import LineUps, Shape

Array = NDArray[np.float64]
LARGEST_GAMMA = 1e6


def log10_p_at_gamma(bags: LineUps, gamma: float) -> float:
    """Return log10 of the largest p that unequal chances of up to `gamma` allow; gamma = 1 is the exact p."""
    if gamma < 1:
        raise ValueError(f"Gamma is at least 1: {gamma}")
    return _tail(bags, lambda shape: _lifted(shape, gamma))


def gamma_at(bags: LineUps, alpha: float) -> float:
    """Return the Gamma at which p reaches `alpha`: 1 where it is there already, infinity beyond `LARGEST_GAMMA`."""
    return _crossing(lambda at: log10_p_at_gamma(bags, float(np.exp(at))), alpha, 0.0, log(LARGEST_GAMMA), np.exp)


def log10_p_at_drift(bags: LineUps, delta: float) -> float:
    """Return log10 of p against a null whose mean rank is 1/2 + `delta` of the bag instead of 1/2."""
    if not 0 <= delta < 0.5:
        raise ValueError(f"a drift lies from 0 up to below one half: {delta}")
    return _tail(bags, lambda shape: _moved(shape.null, delta))


def drift_at(bags: LineUps, alpha: float) -> float:
    """Return the drift at which p reaches `alpha`: 0 where it is there already."""
    return _crossing(lambda at: log10_p_at_drift(bags, at), alpha, 0.0, 0.499, float)


def least_share(bags: LineUps, confidence: float = 0.95) -> float:
    """Return the lower confidence bound of the share of deliveries that left a trace, from the picks alone.

    The one-sided bound of Clopper and Pearson 1934; for picks of unequal chance it is conservative (Hoeffding 1956).
    """
    picks = int(bags.picked.sum())
    low = float(beta.ppf(1 - confidence, picks, len(bags) - picks + 1)) if picks else 0.0
    chance = bags.delivered.sum(axis=1) / (bags.doubled >= 0).sum(axis=1)
    lifts = np.sort(1 - chance)[::-1]
    reached = np.cumsum(lifts) / len(bags)
    beyond = low - float(chance.mean())
    if beyond <= 0:
        return 0.0
    whole = min(int(np.searchsorted(reached, beyond)), len(bags) - 1)
    rest = beyond - (float(reached[whole - 1]) if whole else 0.0)
    return float(min(1.0, (whole + rest * len(bags) / lifts[whole]) / len(bags)))


def _tail(bags: LineUps, change: Callable[[Shape], Summand]) -> float:
    return log_tail([change(one) for one in bags.shapes], int(bags.sums.sum())) / log(10)


def _lifted(shape: Shape, gamma: float) -> Summand:
    """Return the distribution whose upper tails are the largest that odds of up to gamma allow, one at a time."""
    null = shape.null
    values, ways = _favoured(shape.doubled, shape.delivered)
    cuts, most = len(ways), ways.shape[1] - 1
    # Divided by its largest power at each cut, so that a large gamma leaves no number too large and none without mass.
    powers = np.arange(most + 1.0) - np.minimum(most, cuts - np.arange(cuts))[:, None]
    mass = np.einsum("ck,ckv->cv", gamma ** np.minimum(powers, 0.0), ways)
    mass /= mass.sum(axis=1, keepdims=True)
    if shape.delivered > 1:
        mass = np.concatenate([mass, _in_turn(ways, gamma)])
    tails = np.minimum(np.cumsum(mass[:, ::-1], axis=1)[:, ::-1].max(axis=0), 1.0)
    tails[0] = 1.0
    mass = tails - np.append(tails[1:], 0.0)
    kept = mass > 0
    return Summand(
        values=tuple(map(int, values[kept])),
        probabilities=tuple((mass[kept] / mass[kept].sum()).tolist()),
        count=null.count,
    )


def _in_turn(ways: Array, gamma: float) -> Array:
    """Return the distributions of the sum, [cuts, sums], where one after the other is chosen with odds of gamma."""
    cuts, most = len(ways), ways.shape[1] - 1
    found = np.zeros((cuts, ways.shape[2]))
    for cut in range(cuts):
        chances = np.zeros(most + 1)
        chances[0] = 1.0
        for drawn in range(most):
            had = np.arange(most + 1)
            first = gamma * np.maximum(cuts - cut - had, 0)
            share = first / np.maximum(first + np.maximum(cut - (drawn - had), 0), 1.0)
            chances = chances * (1 - share) + np.append(0.0, (chances * share)[:-1])
        number = ways[cut].sum(axis=1)
        found[cut] = (chances / np.where(number > 0, number, 1.0)) @ ways[cut]
    return np.asarray(found / found.sum(axis=1, keepdims=True))


@lru_cache(maxsize=4_096)
def _favoured(doubled: tuple[int, ...], delivered: int) -> tuple[NDArray[np.int64], Array]:
    """Count the choices of so many members by their sum and by how many of them are favoured.

    Returns the sums, in order, and [cuts, favoured, sums]: at each cut the members from it on are favoured.
    """
    most = sum(sorted(doubled)[-delivered:]) if delivered else 0
    found = []
    for cut in range(len(doubled)):
        ways = np.zeros((delivered + 1, delivered + 1, most + 1))
        ways[0, 0, 0] = 1.0
        for place, value in enumerate(doubled):
            one = int(place >= cut)
            grown = ways.copy()
            grown[1:, one:, value:] += ways[:-1, : delivered + 1 - one, : most + 1 - value]
            ways = grown
        found.append(ways[delivered])
    table = np.stack(found)
    kept = np.flatnonzero(table[0].sum(axis=0))
    return kept, table[:, :, kept]


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
