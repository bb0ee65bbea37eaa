"""E4 to E7: does a group act as one? Synchrony, release pivot, balance of load, shared infrastructure, targeting.

Each asks of a group that templates put together whether something else ties it, and compares it with random sets of as
many accounts of the same strata (release pivot, E5, E6), with itself, each account shifted by whole days (E4), or with
the same uses of templates whose classes are dealt anew (E7). p = (1 + b) / (B + 1). A group of friends passes E4 and E6
too: this is evidence of concert, not of its purpose.
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
    """E5: return p of how evenly the group's load of each day falls on its members, given what each asks in all.

    `daily` [accounts, days]. Chi-squared of the table of members and days against its margins, over its degrees of
    freedom: a load that is dealt out falls more evenly than chance. Totals of members say nothing here: that resellers,
    or the largest accounts, are of one size is no sign of concert.
    """

    def spread(rows: Ints) -> float:
        chosen = daily[rows]
        days, own = chosen.sum(axis=0), chosen.sum(axis=1)
        chosen, days, own = chosen[own > 0][:, days > 0], days[days > 0], own[own > 0]
        if len(own) < 2 or len(days) < 2:
            return 0.0
        total = own.sum()
        chi2 = total * ((chosen**2 / own[:, None] / days).sum() - 1)
        return float(chi2 / ((len(own) - 1) * (len(days) - 1)))

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


def targeting(
    shared: Ints, classes: Ints, alike: Ints, kinds: int, draws: int, rng: np.random.Generator
) -> tuple[float, int]:
    """E7: return p of the capability whose share in what a group shares stands out most, and which capability.

    `shared` [templates] says how many members use each rare template, 0 where fewer than two do; `classes` are its
    capabilities, one bit each; `alike` numbers templates of about as many users. The null deals the classes out anew
    among alike templates. Templates chose the group, but not by their classes, so that the choice costs nothing; and a
    course of thirty students with twenty tasks counts as twenty, not as thirty.
    """
    inside = np.flatnonzero(shared > 0)
    if not len(inside) or not kinds:
        return 1.0, 0
    weight = shared[inside].astype(np.float64)
    weight /= weight.sum()
    dealt = np.empty((draws + 1, len(inside)), dtype=np.int64)
    dealt[0] = classes[inside]
    for stratum in np.unique(alike[inside]):
        places = np.flatnonzero(alike[inside] == stratum)
        pool = classes[alike == stratum]
        for draw in range(1, draws + 1):
            dealt[draw, places] = pool[rng.choice(len(pool), len(places), replace=False)]
    values = np.stack([((dealt >> kind) & 1) @ weight for kind in range(kinds)], axis=1)
    spread = values.std(axis=0)
    scores = np.where(spread > 1e-12, (values - values.mean(axis=0)) / np.maximum(spread, 1e-12), 0)
    most = np.round(scores.max(axis=1), 9)
    return float((most >= most[0]).mean()), int(scores[0].argmax())


def pivot(moved: Array, asked: Array, members: Ints, sets: Ints) -> float:
    """Return p of the share of a group's traffic that went to new models on the day they came out and the next.

    `moved` and `asked` [accounts]: requests to the new model, and all requests, within those days.
    """

    def share(rows: Ints) -> float:
        return float(moved[rows].sum() / max(asked[rows].sum(), 1))

    return upper(share(members), np.array([share(one) for one in sets])) if moved.any() else 1.0
