"""The loops that are compiled: mean rarity-weighted cosines of a bag from bit masks (numba).

A mask says which models of the population have a feature. For each mask the members of the bag are read off bit by
bit; the weight follows from how many there are; every two of them share it. The cosines of a row are averaged at once,
after the row's own level is taken away, as `statistics.centring.average` does.

Many bags have the same controls. What controls share among themselves is summed once for all of them (`among`); a bag
then visits only the masks that its first two members have, and corrects the weights of the controls in those.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from depose.detectors.rarity import FEWEST, rarity

_DE_BRUIJN = 0x03F79D71B4CB0A89


def _places() -> NDArray[np.int64]:
    """Where the only set bit of a word stands, by the top six bits of its product with a de Bruijn number."""
    table = np.zeros(64, np.int64)
    for bit in range(64):
        table[((_DE_BRUIJN << bit) & (2**64 - 1)) >> 58] = bit
    return table


PLACES = _places()
NOTHING = np.zeros((0, 0, 0))
"""Instead of sums among the controls: every mask is visited."""


@numba.njit(cache=True, nogil=True)
def holders(
    words: NDArray[np.uint64], ends: NDArray[np.int64], models: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """List the masks of every row that each model is in: starts [rows, models + 1] and mask numbers, in order."""
    rows = len(ends) - 1
    starts = np.zeros((rows, models + 1), np.int64)
    one = np.uint64(1)
    filled = 0
    for row in range(rows):
        for model in range(models):
            starts[row, model] = filled
            part, bit = model // 64, one << np.uint64(model % 64)
            for mask in range(ends[row], ends[row + 1]):
                if words[mask, part] & bit:
                    filled += 1
        starts[row, models] = filled
    masks = np.empty(filled, np.int32)
    filled = 0
    for row in range(rows):
        for model in range(models):
            part, bit = model // 64, one << np.uint64(model % 64)
            for mask in range(ends[row], ends[row + 1]):
                if words[mask, part] & bit:
                    masks[filled] = mask
                    filled += 1
    return starts, masks


@numba.njit(cache=True, nogil=True)
def _select(controls: NDArray[np.int64], size: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Mark the controls in words of bits, and note the place of each among them; they ascend."""
    select = np.zeros(size, np.uint64)
    place = np.zeros(size * 64, np.uint64)
    for k in range(len(controls)):
        select[controls[k] // 64] |= np.uint64(1) << np.uint64(controls[k] % 64)
        place[controls[k]] = k
    return select, place


@numba.njit(cache=True, nogil=True, inline="always")
def _read(words, mask, select, place, having):  # type: ignore[no-untyped-def]
    """Write the places of the controls in a mask into `having`, ascending, and count them."""
    count = 0
    one = np.uint64(1)
    for part in range(len(select)):
        left = words[mask, part] & select[part]
        while left:
            low = left & (~left + one)
            having[count] = place[np.uint64(part * 64 + PLACES[(low * np.uint64(_DE_BRUIJN)) >> np.uint64(58)])]
            count += 1
            left ^= low
    return count


@numba.njit(cache=True, nogil=True, inline="always")
def _share(total, having, count, value):  # type: ignore[no-untyped-def]
    """Let every two controls that have a feature share its weight; `total` [K, K], upper triangle."""
    for i in range(count):
        row = total[having[i]]
        for j in range(i, count):
            row[having[j]] += value


def squares(members: int) -> NDArray[np.float64]:
    """Square the rarity of features by the members present and the members that have them, [present, having]."""
    count = np.arange(members + 1)
    return np.where(count >= FEWEST, rarity(count[:, None], count) ** 2, 0.0)


@numba.njit(cache=True, nogil=True)
def among(
    words: NDArray[np.uint64],
    times: NDArray[np.float32],
    ends: NDArray[np.int64],
    there: NDArray[np.bool_],
    controls: NDArray[np.int64],
    squared: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Sum what every two controls share, row by row: [rows, K, K], upper triangle; `controls` ascend.

    Rarity (`squared`, of K + 2 members) counts two more members as present, who have none of it.
    """
    rows, k = len(ends) - 1, len(controls)
    select, place = _select(controls, words.shape[1])
    sums = np.zeros((rows, k, k))
    having = np.empty(k, np.uint64)
    for row in range(rows):
        present = 2
        for m in range(k):
            present += there[row, controls[m]]
        weight = squared[present]
        for mask in range(ends[row], ends[row + 1]):
            count = _read(words, mask, select, place, having)
            if count > 1:
                _share(sums[row], having, count, weight[count] * times[mask])
    return sums


@numba.njit(cache=True, nogil=True)
def mean_cosines(
    words: NDArray[np.uint64],
    times: NDArray[np.float32],
    ends: NDArray[np.int64],
    there: NDArray[np.bool_],
    bag: NDArray[np.int64],
    weights: NDArray[np.float64],
    squared: NDArray[np.float64],
    starts: NDArray[np.int64],
    masks: NDArray[np.int32],
    known: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Compare every two members of `bag` over weighted rows: [subsets, members, members], NaN where never together.

    `words` [masks, words of 64 models], `times` [masks], masks of row r from ends[r] to ends[r + 1], `there`
    [rows, models], `weights` [subsets, rows], `squared` from `squares`, `starts` and `masks` from `holders`, `known`
    from `among` for the controls of the bag in ascending order, or NOTHING.
    """
    rows, members, size = len(ends) - 1, len(bag), words.shape[1]
    order = np.concatenate((np.arange(2), np.argsort(bag[2:]) + 2))
    inside = bag[order]
    select, place = _select(inside[2:], size)
    first, second = inside[0], inside[1]
    first_bit, second_bit = np.uint64(1) << np.uint64(first % 64), np.uint64(1) << np.uint64(second % 64)
    subsets = len(weights)
    sums = np.zeros((subsets, members, members))
    seen = np.zeros((subsets, members, members))
    total = np.empty((members, members))
    controls = total[2:, 2:]
    having = np.empty(members, np.uint64)
    answered = np.empty(members, np.bool_)
    inverse = np.empty(members)
    for row in range(rows):
        present = 0
        for m in range(members):
            answered[m] = there[row, inside[m]]
            present += answered[m]
        weight = squared[present]
        total[:] = 0.0
        short = len(known) > 0 and answered[0] and answered[1]
        if short:
            controls[:] = known[row]
        a, a_end = starts[row, first], starts[row, first + 1]
        b, b_end = starts[row, second], starts[row, second + 1]
        every = ends[row]
        while True:
            if short:
                # The next mask that either of the two is in.
                if a < a_end and (b >= b_end or masks[a] <= masks[b]):
                    mask = np.int64(masks[a])
                    b += b < b_end and masks[b] == masks[a]
                    a += 1
                elif b < b_end:
                    mask = np.int64(masks[b])
                    b += 1
                else:
                    break
            elif every < ends[row + 1]:
                mask = every
                every += 1
            else:
                break
            count = _read(words, mask, select, place, having)
            one = (words[mask, first // 64] & first_bit) != 0
            two = (words[mask, second // 64] & second_bit) != 0
            value = weight[count + one + two] * times[mask]
            if value == 0:
                continue
            if one:
                total[0, 0] += value
                for i in range(count):
                    total[0, having[i] + np.uint64(2)] += value
            if two:
                total[1, 1] += value
                for i in range(count):
                    total[1, having[i] + np.uint64(2)] += value
            if one and two:
                total[0, 1] += value
            _share(controls, having, count, value - weight[count] * times[mask] if short else value)
        for m in range(members):
            inverse[m] = 1 / np.sqrt(total[m, m]) if total[m, m] > 0 else 0.0
        level, pairs = 0.0, 0
        for i in range(members):
            if not answered[i]:
                continue
            for j in range(i + 1, members):
                if answered[j]:
                    total[i, j] *= inverse[i] * inverse[j]
                    level += total[i, j]
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
                    value = sums[subset, i, j] / seen[subset, i, j]
                    out[subset, order[i], order[j]] = out[subset, order[j], order[i]] = value
    return out
