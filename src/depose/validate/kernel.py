"""The one loop that is compiled: mean rarity-weighted cosines of a bag from bit masks (numba).

A mask says which models of the population have a feature. For each mask the members of the bag are read off bit by
bit; the weight follows from how many there are; every two of them share it. The cosines of a row are averaged at once,
after the row's own level is taken away, as `statistics.centring.average` does.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

_DE_BRUIJN = 0x03F79D71B4CB0A89


def _places() -> NDArray[np.int64]:
    """Where the only set bit of a word stands, by the top six bits of its product with a de Bruijn number."""
    table = np.zeros(64, np.int64)
    for bit in range(64):
        table[((_DE_BRUIJN << bit) & (2**64 - 1)) >> 58] = bit
    return table


PLACES = _places()


@numba.njit(cache=True, nogil=True)
def mean_cosines(
    words: NDArray[np.uint64],
    times: NDArray[np.float32],
    ends: NDArray[np.int64],
    there: NDArray[np.bool_],
    bag: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Compare every two members of `bag` over weighted rows: [subsets, members, members], NaN where never together.

    `words` [masks, words of 64 models], `times` [masks], masks of row r from ends[r] to ends[r + 1], `there`
    [rows, models], `weights` [subsets, rows].
    """
    rows, members = len(ends) - 1, len(bag)
    size = words.shape[1]
    debruijn, one = np.uint64(_DE_BRUIJN), np.uint64(1)
    select = np.zeros(size, np.uint64)
    place = np.full(size * 64, -1, np.int64)
    for m in range(members):
        select[bag[m] // 64] |= one << np.uint64(bag[m] % 64)
        place[bag[m]] = m
    subsets = len(weights)
    sums = np.zeros((subsets, members, members))
    seen = np.zeros((subsets, members, members))
    total = np.empty((members, members))
    having = np.empty(members, np.int64)
    answered = np.empty(members, np.bool_)
    inverse = np.empty(members)
    weight = np.empty(members + 1)
    known = -1
    for row in range(rows):
        present = 0
        for m in range(members):
            answered[m] = there[row, bag[m]]
            present += answered[m]
        if present != known:
            known = present
            for count in range(members + 1):
                weight[count] = np.log((present + 1) / (count + 0.5)) ** 2
        total[:] = 0.0
        for mask in range(ends[row], ends[row + 1]):
            count = 0
            for part in range(size):
                left = words[mask, part] & select[part]
                while left:
                    low = left & (~left + one)
                    having[count] = place[part * 64 + PLACES[(low * debruijn) >> np.uint64(58)]]
                    count += 1
                    left ^= low
            if count < 2:
                continue
            value = weight[count] * times[mask]
            for i in range(count):
                for j in range(i, count):
                    total[having[i], having[j]] += value
        for m in range(members):
            inverse[m] = 1 / np.sqrt(total[m, m]) if total[m, m] > 0 else 0.0
        level, pairs = 0.0, 0
        for i in range(members):
            for j in range(i + 1, members):
                value = (total[i, j] + total[j, i]) * inverse[i] * inverse[j]
                total[i, j] = value
                if answered[i] and answered[j]:
                    level += value
                    pairs += 1
        if pairs:
            level /= pairs
        for subset in range(subsets):
            counted = weights[subset, row]
            if counted == 0:
                continue
            for i in range(members):
                if answered[i]:
                    for j in range(i + 1, members):
                        if answered[j]:
                            sums[subset, i, j] += counted * (total[i, j] - level)
                            seen[subset, i, j] += counted
    out = np.full((subsets, members, members), np.nan)
    for subset in range(subsets):
        for i in range(members):
            for j in range(i + 1, members):
                if seen[subset, i, j] > 0:
                    out[subset, i, j] = out[subset, j, i] = sums[subset, i, j] / seen[subset, i, j]
    return out
