"""E4 to E7: does a group act as one? Synchrony, release pivot, balance of load, shared infrastructure, targeting.

Each asks of a group that templates put together whether something else ties it, and compares it with random sets of as
many units of the same strata and country (release pivot, E6) or volumes (E5), with itself, each unit moved within its
hours (E4), or with the same uses of templates whose classes are dealt anew (E7). p = (1 + b) / (B + 1). A unit is a
node of E3: an account, or an organisation, a named set or a standing community as a whole, for what ties the accounts
of one is known.
A group of friends passes E4 and E6 too: this is evidence of concert, not of its purpose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depose.extraction.bipartite import Ints, compiled

Array = NDArray[np.float64]
HALF = 0.5
"""Share of those who have a card or a network that are members of groups, from which on it is theirs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Together:
    """How often units are active in the same slot."""

    p: float
    times: float
    """How many times as often as in the mean of random moves: of the two nulls the smaller."""


def synchrony(
    slots: Ints, units: Ints, window: int, day: int, draws: int, rng: np.random.Generator, times: float = 1.0
) -> Together:
    """E4: return p of how often units are active in the same slot, given the `window` slots in which each was active.

    `slots` are numbered from the first day on, `day` of them in each, and `units` says whose each is. The larger p of
    two nulls, both of which leave each unit its days, its hours and how much it asked in each. One turns what a unit
    did within a window round by a random number of slots (interval jitter: Amarasingham, Harrison, Hatsopoulos and
    Geman 2012), so that office hours, a release or a deadline are no concert. The other deals what a unit did within
    its windows out anew among those of the same hour in which it did as much, so that no clock is: a job that runs at
    nine keeps running at nine.

    Of each day the two windows in which they meet most are left out (of two, one; of one, none), in what was seen as in
    each draw: what happens to all of them at one moment, such as an outage that ends, a lesson or a job, happens once a
    day, if across two windows; who deals work out does so all day.

    The hypothesis is that it is at most `times` as often as that. Where many begin at one moment, with a task that was
    set or an outage that ended, their activity rises and falls within an hour, and is a few in a hundred more often
    together: with one that is enough for a small p, and no concert.
    """
    pairs = np.unique(np.column_stack([units, slots]).astype(np.int64), axis=0)
    if not len(pairs) or pairs[0, 0] == pairs[-1, 0] or window < 2:
        return Together(p=1.0, times=1.0)
    block = pairs[:, 1] // window
    _, first, sizes = np.unique(pairs[:, 0] * (block.max() + 1) + block, return_index=True, return_counts=True)
    hour = block[first] * window % day // window
    # Windows of one unit, of one hour, in which as many slots are active stand side by side.
    order = np.lexsort((block[first], sizes, hour, pairs[first, 0]))
    first, sizes, hour = first[order], sizes[order], hour[order]
    edge = np.flatnonzero(np.diff(pairs[first, 0]) | np.diff(hour) | np.diff(sizes)) + 1
    groups = np.concatenate([[0], edge, [len(first)]]).astype(np.int64)
    seeds = rng.integers(0, 2**32, size=2 * draws)
    days = np.arange(block.max() + 1) * window // day
    shape = (pairs[:, 1] % window, first.astype(np.int64), sizes.astype(np.int64), block[first], groups, window, days)
    found = [_together(*shape, seeds[half : half + draws], half > 0) for half in (0, draws)]
    p = [(1 + (times * one[1:] >= one[0]).sum()) / len(one) for one in found]
    return Together(p=float(max(p)), times=min(float(one[0] / max(one[1:].mean(), 1e-9)) for one in found))


@compiled
def _together(offsets, first, sizes, blocks, groups, window, days, seeds, dealt):  # type: ignore[no-untyped-def]
    """Return how many units are in one slot together, summed over slots: as they were, then in random ones.

    A window of a unit has the offsets from `first` on, `sizes` of them, in `blocks`; windows between two of `groups`
    are alike. They are dealt out anew, or each turned round. Of the blocks of each of `days` the two with the
    largest sums are left out, but no more than half of them.
    """
    found = np.zeros(len(seeds) + 1, dtype=np.int64)
    count = np.zeros(len(days) * window, dtype=np.int64)
    sums = np.zeros(len(days), dtype=np.int64)
    most = np.zeros((days[-1] + 1, 2), dtype=np.int64)
    several = np.zeros(days[-1] + 1, dtype=np.int64)
    for block in range(len(days)):
        several[days[block]] += 1
    source = np.arange(len(first))
    for draw in range(len(found)):
        if draw > 0:
            np.random.seed(seeds[draw - 1])
        if draw > 0 and dealt:
            for group in range(len(groups) - 1):
                for last in range(groups[group + 1] - 1, groups[group], -1):
                    other = np.random.randint(groups[group], last + 1)
                    source[last], source[other] = source[other], source[last]
        count[:] = 0
        sums[:] = 0
        most[:] = 0
        for at in range(len(first)):
            turn = np.random.randint(0, window) if draw > 0 and not dealt else 0
            for step in range(sizes[at]):
                place = blocks[at] * window + (offsets[first[source[at]] + step] + turn) % window
                sums[blocks[at]] += count[place]
                count[place] += 1
        for block in range(len(days)):
            day = days[block]
            most[day, 1] = max(most[day, 1], min(most[day, 0], sums[block]))
            most[day, 0] = max(most[day, 0], sums[block])
        total = sums.sum()
        for day in range(len(most)):
            total -= most[day, : min(2, several[day] // 2)].sum()
        found[draw] = total
    return found


def random_sets(strata: Ints, members: Ints, draws: int, rng: np.random.Generator) -> Ints:
    """Return sets of units [draws, members] with as many of each stratum as the members, drawn from all units."""
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


def balance(daily: Array, members: Ints, sets: Ints, rng: np.random.Generator) -> float:
    """E5: return p of how evenly the load of the days of a week falls on a group, given what each asks in that week.

    `daily` [units, days], whole numbers. Statistic: chi-squared of the table of members and days of each week, over its
    degrees of freedom; a load that is dealt out falls more evenly than chance. Totals of members say nothing here,
    those of a week as little: that all of a course hand in four tasks a week is no sign of concert. The larger p of two
    nulls: random sets of the same volumes, for there are machines that ask ten a day; and random tables with the same
    margins (Patefield 1981), for beside sets that differ in their weekends any few of one habit are even.
    """
    weeks = -(-daily.shape[1] // 7)
    padded = np.zeros((len(daily), weeks * 7))
    padded[:, : daily.shape[1]] = daily
    by_week = padded.reshape(len(daily), weeks, 7)
    chosen = by_week[members]
    among = upper(-spread(chosen), -np.array([spread(by_week[one]) for one in sets]))
    return max(among, upper(-spread(chosen), -_redealt(chosen.astype(np.int64), len(sets), rng)))


def spread(table: Array) -> float:
    """Return chi-squared over its degrees of freedom, given the margins of each week of a table [members, weeks, days].

    It is 1 in the mean where each request falls on a day by chance.
    """
    days, own = table.sum(axis=0), table.sum(axis=2)
    total = own.sum(axis=0)
    margins = own[:, :, None] * days[None]
    fit = np.divide(table**2, margins, out=np.zeros(table.shape), where=margins > 0).sum(axis=(0, 2))
    chi2 = np.maximum(total - 1, 0) * (fit - 1)  # by (total - 1) / total, so that its mean is the degrees of freedom
    freedom = np.maximum((own > 0).sum(axis=0) - 1, 0) * np.maximum((days > 0).sum(axis=1) - 1, 0)
    usable = freedom > 0
    return float(chi2[usable].sum() / freedom[usable].sum()) if usable.any() else 0.0


def _redealt(table: Ints, draws: int, rng: np.random.Generator) -> Array:
    """Return the spread of random tables [members, weeks, days] with the margins of each week."""
    from scipy.stats import random_table

    weeks = [random_table(one.sum(axis=1), one.sum(axis=0)) for one in table.swapaxes(0, 1) if one.any()]
    if not weeks:
        return np.zeros(draws)
    return np.array([spread(np.stack([one.rvs(random_state=rng) for one in weeks], axis=1)) for _ in range(draws)])


def infrastructure(
    unit: Ints, value: Ints, count: int, members: Ints, sets: Ints, found: Ints | None = None
) -> tuple[float, int]:
    """E6: return p of how many pairs of members share a card or a network (or a client), and how many do.

    `unit` and `value` list who has what, each once; values that many have were left out before. Where the units of
    all groups are given as `found`, the pairs of a value count only if half of those who have it, or more, are among
    these: what belongs to a host, a house or a carrier belongs to others too, of whom most do not ask what they ask.
    Random sets count with all that they share, so that p is never smaller for it.
    """
    if not len(unit):
        return 1.0, 0
    holders = np.bincount(value)

    def held(rows: Ints) -> Ints:
        inside = np.zeros(count, dtype=bool)
        inside[rows] = True
        return np.bincount(value[inside[unit]], minlength=len(holders)).astype(np.int64)

    def pairs(rows: Ints) -> Ints:
        mine = held(rows)
        return mine * (mine - 1) // 2

    theirs = slice(None) if found is None else held(found) >= HALF * holders
    observed = int(pairs(members)[theirs].sum())
    return upper(float(observed), np.array([float(pairs(one).sum()) for one in sets])), observed


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

    `moved` and `asked` [units]: requests to the new model, and all requests, within those days.
    """

    def share(rows: Ints) -> float:
        return float(moved[rows].sum() / max(asked[rows].sum(), 1))

    return upper(share(members), np.array([share(one) for one in sets])) if moved.any() else 1.0
