"""E4 to E7: does a group act as one? Synchrony, release pivot, balance of load, shared infrastructure, targeting.

Each asks of a group that templates put together whether something else ties it, and compares it with random sets of as
many accounts of the same strata (release pivot, E5, E6, E7), or with itself, each account shifted by whole days (E4).
p = (1 + b) / (B + 1). A group of friends passes E4 and E6 too: this is evidence of concert, not of its purpose.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depose.extraction.bipartite import Ints, compiled

Array = NDArray[np.float64]


def synchrony(
    slots: Ints, starts: Ints, days: int, slots_a_day: int, shift: int, draws: int, rng: np.random.Generator
) -> float:
    """E4: return p of how often members are active in the same slot, each shifted by random multiples of `shift` days.

    `slots` are the numbers of each member's active slots from the first day, those of member i from starts[i] on. The
    shifts keep every account's hours, and with 7 days its weekends.
    """
    turns = days // shift
    if turns < 2 or len(starts) < 3:
        return 1.0
    length = turns * shift * slots_a_day
    moves = rng.integers(0, turns, size=(draws + 1, len(starts) - 1)) * (shift * slots_a_day)
    moves[0] = 0
    together: Ints = _together(slots, starts, moves, length)
    return float((together >= together[0]).mean())


@compiled
def _together(slots, starts, moves, length):  # type: ignore[no-untyped-def]
    """Return for each set of shifts how many pairs of members are in one slot, summed over slots."""
    found = np.zeros(len(moves), dtype=np.int64)
    count = np.zeros(length, dtype=np.int64)
    for draw in range(len(moves)):
        count[:] = 0
        total = 0
        for member in range(len(starts) - 1):
            for at in range(starts[member], starts[member + 1]):
                slot = slots[at]
                if slot < length:
                    slot = (slot + moves[draw, member]) % length
                    total += count[slot]
                    count[slot] += 1
        found[draw] = total
    return found


def random_sets(strata: Ints, members: Ints, draws: int, rng: np.random.Generator) -> Ints:
    """Return sets of accounts [draws, members] with as many of each stratum as the members, drawn from all accounts."""
    parts = []
    for stratum in np.unique(strata[members]):
        pool = np.flatnonzero(strata == stratum)
        count = int((strata[members] == stratum).sum())
        keys = rng.random((draws, len(pool)))
        parts.append(pool[np.argpartition(keys, count - 1, axis=1)[:, :count]])
    return np.concatenate(parts, axis=1) if parts else np.zeros((draws, 0), dtype=np.int64)


def upper(observed: float, drawn: Array) -> float:
    """P of a value that is large under the alternative."""
    return float((1 + (np.round(drawn, 9) >= round(observed, 9)).sum()) / (len(drawn) + 1))


def balance(daily: Array, members: Ints, sets: Ints) -> float:
    """E5: return p of how equal the daily volumes of members are: variance over mean, averaged over days.

    `daily` [accounts, days]. Members whose load is dealt out are more equal than accounts that ask when they need to.
    """

    def spread(rows: Ints) -> float:
        chosen = daily[rows]
        mean = chosen.mean(axis=0)
        there = mean > 0
        return float((chosen.var(axis=0)[there] / mean[there]).mean()) if there.any() else 0.0

    return upper(-spread(members), -np.array([spread(one) for one in sets]))


def infrastructure(account: Ints, value: Ints, count: int, members: Ints, sets: Ints) -> tuple[float, int]:
    """E6: return p of how many pairs of members share a card, a network or a client, and how many do.

    `account` and `value` list who has what; values that many have were left out before.
    """
    if not len(account):
        return 1.0, 0

    def shared(rows: Ints) -> int:
        inside = np.zeros(count, dtype=bool)
        inside[rows] = True
        held = np.bincount(value[inside[account]])
        return int((held * (held - 1) // 2).sum())

    observed = shared(members)
    return upper(float(observed), np.array([float(shared(one)) for one in sets])), observed


def targeting(shares: Array, members: Ints, sets: Ints) -> tuple[float, int]:
    """E7: return p of the largest departure of a capability's share from that of random sets, and which capability.

    `shares` [accounts, classes]. Templates choose the group, and templates are of classes: read it beside E3, not
    apart.
    """
    drawn = shares[sets].mean(axis=1)
    centre, scale = drawn.mean(axis=0), drawn.std(axis=0) + 1e-9
    scores = (shares[members].mean(axis=0) - centre) / scale
    return upper(float(scores.max()), ((drawn - centre) / scale).max(axis=1)), int(scores.argmax())


def pivot(moved: Array, asked: Array, members: Ints, sets: Ints) -> float:
    """Return p of the share of a group's traffic that went to new models on the day they came out and the next.

    `moved` and `asked` [accounts]: requests to the new model, and all requests, within those days.
    """

    def share(rows: Ints) -> float:
        return float(moved[rows].sum() / max(asked[rows].sum(), 1))

    return upper(share(members), np.array([share(one) for one in sets])) if moved.any() else 1.0
