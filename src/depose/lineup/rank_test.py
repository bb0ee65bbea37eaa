"""The exact test of the line-up: ranks of delivered answers among their fillers.

Given the unordered members of a bag and the scores that the suspect gives them, each member was equally likely to be
the delivered one if the suspect never learnt from the deliveries (randomisation inference, Fisher 1935). The statistic
is the sum over bags of the delivered member's mid-rank, doubled so that it is an integer; its null distribution is that
of a member drawn at random from each bag, or of so many members without replacement where several were delivered. Ties
and bags of unequal size need no correction: the null is the bag's own set of mid-ranks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb, log

import numpy as np
from numpy.typing import NDArray

from depose.lineup.exact_null import Summand, log_tail

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Counts = NDArray[np.int32]

AT_ONCE = 65_536
"""Bags ranked at once, which bounds memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What the null distribution of a bag depends on, and how many bags have it."""

    doubled: tuple[int, ...]
    """Twice the mid-ranks of its members, in order."""
    delivered: int
    count: int

    @property
    def null(self) -> Summand:
        """The distribution of the doubled rank sum of so many members drawn without replacement."""
        values, probabilities = _drawn(self.doubled, self.delivered)
        return Summand(values=values, probabilities=probabilities, count=self.count)

    @property
    def chance(self) -> float:
        """Probability that the leader of the bag was delivered: 0 where there is no single leader."""
        alone = len(self.doubled) < 2 or self.doubled[-1] > self.doubled[-2]
        return self.delivered / len(self.doubled) if alone else 0.0


@lru_cache(maxsize=4_096)
def _drawn(doubled: tuple[int, ...], delivered: int) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return the sums of so many of these numbers, in order, and how probable each is."""
    ways: dict[tuple[int, int], int] = {(0, 0): 1}
    for value in doubled:
        grown = dict(ways)
        for (taken, total), number in ways.items():
            if taken < delivered:
                key = (taken + 1, total + value)
                grown[key] = grown.get(key, 0) + number
        ways = grown
    found = sorted((total, number) for (taken, total), number in ways.items() if taken == delivered)
    whole = comb(len(doubled), delivered)
    return tuple(total for total, _ in found), tuple(number / whole for _, number in found)


@dataclass(frozen=True, kw_only=True, slots=True)
class LineUps:
    """Line-ups after the key was opened, ranked; make them with `opened`."""

    doubled: Counts
    """[bags, members]: twice the mid-rank, from 0: how many members lie below, a tie counting half; -1: no member."""
    delivered: Mask
    """[bags, members]."""
    shapes: tuple[Shape, ...]
    shape: NDArray[np.intp]
    """[bags]: place of each bag's shape in `shapes`."""

    def __len__(self) -> int:
        """Count the bags."""
        return len(self.doubled)

    @property
    def sums(self) -> NDArray[np.int64]:
        """Twice the sum of the mid-ranks of the delivered members, [bags]."""
        return np.asarray(np.where(self.delivered, self.doubled, 0).sum(axis=1, dtype=np.int64))

    @property
    def levels(self) -> Array:
        """Share of delivered-filler pairs in which the delivered one is ahead, [bags]; a tie counts half."""
        chosen = self.delivered.sum(axis=1)
        fillers = (self.doubled >= 0).sum(axis=1) - chosen
        return np.asarray((self.sums - chosen * (chosen - 1)) / (2 * chosen * fillers))

    @property
    def picked(self) -> Mask:
        """Whether the one member ahead of all others was delivered, [bags]; nobody is picked where several lead."""
        leads = self.doubled == self.doubled.max(axis=1, keepdims=True)
        return np.asarray((leads.sum(axis=1) == 1) & (leads & self.delivered).any(axis=1))

    def __getitem__(self, kept: slice | NDArray[np.intp] | Mask) -> LineUps:
        """Keep some of the bags, or some of them several times."""
        return _shaped(self.doubled[kept], self.delivered[kept])


def opened(scores: Array, delivered: Mask) -> LineUps:
    """Rank the members of each bag by score; higher means more like what the suspect learnt.

    `scores` [bags, members] has NaN where a bag has fewer members. Raises ValueError for a bag without a delivered
    member or without a filler, and for a score that is infinite.
    """
    scores = np.asarray(scores, dtype=float)
    delivered = np.asarray(delivered, dtype=bool)
    if scores.ndim != 2 or scores.shape != delivered.shape or not len(scores):
        raise ValueError("line-ups need a table of scores and one of the same shape that says which were delivered")
    there = ~np.isnan(scores)
    if np.isinf(scores).any():
        raise ValueError("a score of a line-up is infinite")
    for wrong, why in (
        (delivered & ~there, "a delivered member has no score"),
        (~delivered.any(axis=1), "no member was delivered"),
        (~(there & ~delivered).any(axis=1), "there is no filler"),
    ):
        if wrong.any():
            raise ValueError(f"line-up {int(np.argmax(wrong.reshape(len(scores), -1).any(axis=1))) + 1}: {why}")
    doubled = np.full(scores.shape, -1, dtype=np.int32)
    for start in range(0, len(scores), AT_ONCE):
        rows = scores[start : start + AT_ONCE]
        with np.errstate(invalid="ignore"):
            below = (rows[:, None, :] < rows[:, :, None]).sum(axis=2)
            equal = (rows[:, None, :] == rows[:, :, None]).sum(axis=2)
        doubled[start : start + AT_ONCE] = np.where(there[start : start + AT_ONCE], 2 * below + equal - 1, -1)
    return _shaped(doubled, delivered)


def _shaped(doubled: Counts, delivered: Mask) -> LineUps:
    ordered = np.sort(doubled, axis=1)
    rows = np.column_stack([ordered, delivered.sum(axis=1, dtype=np.int32)])
    # Bags without ties are told apart by two numbers; only the others need their ranks compared.
    sizes = (doubled >= 0).sum(axis=1)
    plain = (np.diff(ordered, axis=1) != 0).sum(axis=1) >= np.minimum(sizes, doubled.shape[1] - 1)
    key = np.where(plain, sizes * (doubled.shape[1] + 1) + rows[:, -1], -1)
    place = np.empty(len(doubled), dtype=np.intp)
    shapes: list[Shape] = []
    for rest, names in ((plain, key[plain]), (~plain, rows[~plain])):
        if not len(names):
            continue
        _, first, back, counts = np.unique(names, axis=0, return_index=True, return_inverse=True, return_counts=True)
        place[rest] = back.reshape(-1) + len(shapes)
        for one, count in zip(rows[rest][first], counts, strict=True):
            ranks = tuple(int(value) for value in one[:-1] if value >= 0)
            shapes.append(Shape(doubled=ranks, delivered=int(one[-1]), count=int(count)))
    return LineUps(doubled=doubled, delivered=delivered, shapes=tuple(shapes), shape=place)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tested:
    """What the ranks say."""

    bags: int
    informative: int
    """Bags in which not all members have the same score."""
    log10_p: float
    """Of a sum of ranks at least as large, under delivery at random; exact, and never minus infinity."""
    level: float
    """Mean over bags of the share of fillers that lie behind the delivered member: the area under the curve."""
    picks: int
    expected_picks: float
    log10_p_picks: float
    """Of so many picks or more."""


def rank_sum(bags: LineUps) -> Tested:
    """Test whether delivered members rank higher than a random member of their bag would."""
    return Tested(
        bags=len(bags),
        informative=sum(one.count for one in bags.shapes if len(set(one.doubled)) > 1),
        log10_p=log_tail([one.null for one in bags.shapes], int(bags.sums.sum())) / log(10),
        level=float(bags.levels.mean()),
        picks=(picks := int(bags.picked.sum())),
        expected_picks=float(sum(one.chance * one.count for one in bags.shapes)),
        log10_p_picks=_picks_tail(bags.shapes, picks) / log(10),
    )


def _picks_tail(shapes: Sequence[Shape], picks: int) -> float:
    rows = [one for one in shapes if one.chance]
    return log_tail(
        [Summand(values=(0, 1), probabilities=(1 - one.chance, one.chance), count=one.count) for one in rows], picks
    )
