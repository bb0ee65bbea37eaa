"""The one loop that is compiled: rarity-weighted cosines of a bag from bit masks (numba).

A mask says which models of the population have a feature. For each mask the members of the bag are read off bit by
bit; the weight follows from how many there are; every two of them share it.
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
def cosines(
    words: NDArray[np.uint64],
    times: NDArray[np.float32],
    ends: NDArray[np.int64],
    there: NDArray[np.bool_],
    bag: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Compare every two members of `bag`, row by row: [rows, members, members], 0 where one has nothing.

    `words` [masks, words of 64 models], `times` [masks], masks of row r from ends[r] to ends[r + 1], `there`
    [rows, models].
    """
    rows, members = len(ends) - 1, len(bag)
    size = words.shape[1]
    debruijn, one = np.uint64(_DE_BRUIJN), np.uint64(1)
    select = np.zeros(size, np.uint64)
    place = np.full(size * 64, -1, np.int64)
    for m in range(members):
        select[bag[m] // 64] |= one << np.uint64(bag[m] % 64)
        place[bag[m]] = m
    out = np.zeros((rows, members, members), np.float32)
    having = np.empty(members, np.int64)
    weight = np.empty(members + 1, np.float64)
    for row in range(rows):
        present = 0
        for m in range(members):
            present += there[row, bag[m]]
        for count in range(members + 1):
            weight[count] = np.log((present + 1) / (count + 0.5)) ** 2
        total = np.zeros((members, members), np.float64)
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
        for i in range(members):
            for j in range(i + 1, members):
                scale = np.sqrt(total[i, i] * total[j, j])
                if scale > 0:
                    value = (total[i, j] + total[j, i]) / scale
                    out[row, i, j] = value
                    out[row, j, i] = value
    return out
