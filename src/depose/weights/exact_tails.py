"""Exact tails of four null distributions, counted in whole numbers: nothing is simulated and nothing approximated.

- Order: inversions of a random permutation of n. Their generating function is the product of 1 + x + ... + x^(j-1)
  (Rodrigues 1839), the null of Kendall's tau (Biometrika 30, 1938).
- Neighbours: ascents of a random permutation of n, which Euler's numbers count (Institutiones calculi differentialis,
  1755; as a test of order, David and Barton, Combinatorial Chance, 1962).
- Signs: the signed-rank statistic (Wilcoxon, Biometrics Bulletin 1, 1945); the null holds given the sizes, when each
  sign is a fair coin that is independent of the others.
- Combination: Fisher's method (Statistical Methods for Research Workers, 1932) for independent p-values. Valid, and on
  the safe side, when some are discrete or too large.

Logarithms are to base 10 and at most 0: a p-value of 1e-400 has no float of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from math import exp, factorial, lgamma, log, log10

import numpy as np
from numpy.typing import ArrayLike

MOST = 128
"""Units that one test looks at: 1 / 128! is 3e-216, and the whole distribution is counted in a tenth of a second."""
FEWEST = 5
"""Units below which an order or signs say nothing: 1 / 5! is .008."""


def order(places: ArrayLike) -> float:
    """Return log10 of the chance that a random order has as few inversions as this one; 0 for fewer than 5 places.

    `places` are distinct numbers, at most 128 of them; in rising order they have no inversions and the least p, 1 / n!.
    """
    found = np.asarray(places)
    n = len(found)
    if not _enough(n):
        return 0.0
    inversions = int((found[:, None] > found[None, :])[np.triu_indices(n, 1)].sum())
    return _ratio(_orders(n)[inversions], factorial(n))


def neighbours(places: ArrayLike) -> float:
    """Return log10 of the chance that a random order has as many neighbours that rise as this one; 0 for fewer than 5.

    `places` are distinct numbers, at most 128 of them. What far places do counts for nothing: an order that holds only
    roughly has hardly more neighbours that rise than a random one.
    """
    found = np.asarray(places)
    n = len(found)
    if not _enough(n):
        return 0.0
    return _ratio(_falls(n)[int((np.diff(found) < 0).sum())], factorial(n))


def signs(values: ArrayLike) -> float:
    """Return log10 of the chance that values of these sizes with random signs have as large a sum of signed ranks.

    One-sided: positive values count for agreement. Zeros are left out; of equal sizes the earlier has the lower rank.
    At most 128 values; 0 for fewer than 5.
    """
    found = np.asarray(values, dtype=np.float64)
    found = found[found != 0]
    n = len(found)
    if not _enough(n):
        return 0.0
    ranks = np.empty(n, dtype=np.int64)
    ranks[np.argsort(np.abs(found), kind="stable")] = np.arange(1, n + 1)
    against = int(ranks[found < 0].sum())
    return _ratio(_rank_sums(n)[against], 2**n)


def _enough(count: int) -> bool:
    """Tell whether so many units say anything; raise ValueError for more than are counted."""
    if count > MOST:
        raise ValueError(f"{count} units, more than {MOST}")
    return count >= FEWEST


def fisher(logs: Sequence[float]) -> float:
    """Combine log10 p-values of independent tests into one: log10 P(gamma of shape n >= -sum of natural logs)."""
    n = len(logs)
    total = -sum(logs) * log(10)
    if not n or total <= 0:
        return 0.0
    terms = [place * log(total) - lgamma(place + 1) for place in range(n)]
    most = max(terms)
    return min(0.0, (most + log(sum(exp(one - most) for one in terms)) - total) / log(10))


@lru_cache(maxsize=256)
def _orders(n: int) -> list[int]:
    """Count the permutations of n with at most k inversions, for each k; each table follows from the one before."""
    if n < 2:
        return [1]
    fewer = _orders(n - 1)
    top = len(fewer) - 1
    counts = (fewer[min(k, top)] - (fewer[k - n] if k >= n else 0) for k in range(len(fewer) + n - 1))
    return list(accumulate(counts))


@lru_cache(maxsize=256)
def _falls(n: int) -> list[int]:
    """Count the permutations of n with at most k neighbours that fall, for each k."""
    counts = [1]
    for size in range(2, n + 1):  # Euler's numbers, by their recurrence
        before, after = [*counts, 0], [0, *counts]
        counts = [(k + 1) * before[k] + (size - k) * after[k] for k in range(size)]
    return list(accumulate(counts))


@lru_cache(maxsize=256)
def _rank_sums(n: int) -> list[int]:
    """Count the sets of ranks 1 to n that add up to at most k, for each k."""
    counts = [1]
    for rank in range(1, n + 1):
        longer = counts + [0] * rank
        for place, count in enumerate(counts):
            longer[place + rank] += count
        counts = longer
    return list(accumulate(counts))


def _ratio(count: int, of: int) -> float:
    """log10 of a share of large whole numbers."""
    return min(0.0, _log10(count) - _log10(of))


def _log10(number: int) -> float:
    shift = max(number.bit_length() - 64, 0)
    return log10(number >> shift) + shift * log10(2)
