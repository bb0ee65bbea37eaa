"""Match hidden units of two models by their weights, and test what the matching cannot know under the null.

A unit is matched by what it reads (the rows of gate, or of the values), never by its number. If the two models were
initialised independently, the numbers of either model's units carry nothing of the other: initialisation draws them
alike, and training treats them alike, so that any order of them was as likely (Zhu et al., "Independence tests for
language models", ICML 2025). So the numbers of the matched units are in random order, exactly, whatever both models
learnt and whatever one of them was made into. Likewise a gated unit computes the same when what it multiplies (up) and
what it writes (down) both change their sign, and so does a value dimension: given the rest, each sign is a fair coin.

Where their order was lost, signs remain; where a model's own space was permuted or rotated, both remain.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depose.weights import exact_tails

Array = NDArray[np.float32]
Places = NDArray[np.intp]


class Match(NamedTuple):
    """The surest matches of some units of one model among those of another, the surest first."""

    mine: Places
    """Rows of the units asked for."""
    theirs: Places
    margins: Array
    """How much closer each is than the second closest."""
    cosines: Array
    margin: float
    """Mean over all units asked for, matched or not: it is the same for any order of either model's units."""


def unit_rows(matrix: Array) -> Array:
    """Scale each row to length 1, however large or small its numbers; rows of nothing stay."""
    most = np.maximum(matrix.max(axis=1, initial=0.0), -matrix.min(axis=1, initial=0.0))
    rows = matrix / np.where(most > 0, most, 1)[:, None]
    sizes = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return np.asarray(rows / np.where(sizes > 0, sizes, 1)[:, None], dtype=np.float32)


def centred_rows(matrix: Array) -> Array:
    """Take away the mean direction, which all units share and which makes all of them alike; rows of length 1.

    Every row weighs the same in the mean: a unit without gate can be made as large as one likes, and what it writes as
    much smaller, without changing what a model computes.
    """
    rows = unit_rows(matrix)
    return unit_rows(rows - rows.mean(axis=0, dtype=np.float64).astype(np.float32)) if len(rows) else rows


def sign_rows(matrix: Array) -> Array:
    """Leave of each number its sign, less the mean sign of its column; rows of length 1, and zeros stay.

    How large numbers are is told by what a tool may give to any model: a mask, a table of scales. Their signs are what
    a model has of itself, but for what all units have in common, and that is taken away where a number is one.
    """
    signs = np.sign(matrix, dtype=np.float32)
    there = np.abs(signs).sum(axis=0)
    means = signs.sum(axis=0) / np.where(there > 0, there, 1)
    return unit_rows(signs - means * np.abs(signs))


def spread(count: int, most: int) -> Places:
    """Return at most so many places, evenly spread over `count` of them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.intp)) if count else np.empty(0, np.intp)


def match(likeness: Array, most: int = exact_tails.MOST) -> Match:
    """Match rows with columns that are each other's best, and keep the surer half, at most `most` of them.

    The choice depends on likeness alone: permuting rows or columns permutes what is returned, so that the order of the
    numbers, given the units chosen, stays what it was under the null.
    """
    rows = np.arange(len(likeness))
    theirs = likeness.argmax(axis=1)
    best = likeness[rows, theirs]
    others = likeness.copy()
    others[rows, theirs] = -np.inf
    second = others.max(axis=1) if likeness.shape[1] > 1 else np.zeros_like(best)
    margins = best - second
    # One of several that are equally close is no match: which of them comes first is told by their numbers alone.
    mutual = np.flatnonzero((likeness[:, theirs].argmax(axis=0) == rows) & (margins > 0))
    kept = mutual[np.argsort(-margins[mutual], kind="stable")][: min(most, max(len(mutual) // 2, exact_tails.FEWEST))]
    return Match(kept, theirs[kept], margins[kept], best[kept], float(margins.mean()))


def order_test(found: Match) -> float:
    """Return log10 p of the order of the matched units' numbers; exact where either model's units are exchangeable."""
    return exact_tails.order(found.theirs[np.argsort(found.mine, kind="stable")])


def neighbour_test(found: Match) -> float:
    """Return log10 p of the order of neighbours among the matched units; exact as `order_test`."""
    return exact_tails.neighbours(found.theirs[np.argsort(found.mine, kind="stable")])


def second_look(mine: Array, theirs: Array, *, signed: bool = True) -> float:
    """Return log10 p of the order of rows that are matched by signs alone, as neighbours tell it; exact too.

    It fails otherwise than the first look: a mask or a table of scales that both took is none of the signs, and what
    was sorted by a measure agrees from afar, and hardly among neighbours. `signed` is whether opposite rows are apart.
    """
    rows, others = sign_rows(mine), sign_rows(theirs)
    likeness = rows @ others.T
    return neighbour_test(distinct(match(likeness if signed else np.abs(likeness)), rows, others))


COPIES = 0.5
"""Cosine of two units of one layer from which they are called copies."""


def distinct(found: Match, mine: Array, theirs: Array) -> Match:
    """Leave out matches with copies of a surer one in either model, as of a layer that was made wider; rows as given.

    Copies have one sign and numbers that belong together: two of them are one test made twice.
    """
    alike = np.zeros((len(found.mine), len(found.mine)), dtype=bool)
    for rows in (mine[found.mine], theirs[found.theirs]):
        alike |= rows @ rows.T > COPIES
    kept: list[int] = []
    for place in range(len(found.mine)):
        if not alike[place, kept].any():
            kept.append(place)
    return Match(found.mine[kept], found.theirs[kept], found.margins[kept], found.cosines[kept], found.margin)


class Agreement(NamedTuple):
    """How many pairs of matched units stand in the same order in both models."""

    near: int
    """Of units that are next to each other in the one."""
    near_of: int
    far: int
    """Of all."""
    far_of: int


def agreement(found: Match) -> Agreement:
    """Count in how many pairs two orders agree, among neighbours and among all.

    Where some units are the same, one by one, and the others match by chance, both shares are alike. Where both models
    were sorted by one measure, far units agree and neighbours hardly do.
    """
    places = found.theirs[np.argsort(found.mine, kind="stable")]
    n = len(places)
    far = int((places[:, None] < places[None, :])[np.triu_indices(n, 1)].sum())
    return Agreement(int((np.diff(places) > 0).sum()), max(n - 1, 0), far, n * (n - 1) // 2)


def opposite_order(likeness: Array, numbers: Places) -> float:
    """Return log10 p of the order of the units that are most opposite; `numbers` are those of the rows.

    Of kin, whose units have their own opposites among themselves, a pair may come twice, as (i, j) and as (j, i); the
    surer of the two is kept.
    """
    found = match(-likeness)
    mine = numbers[found.mine]
    pairs = list(zip(mine.tolist(), found.theirs.tolist(), strict=True))
    surer = {pair: place for place, pair in enumerate(pairs)}
    kept = [place for place, (a, b) in enumerate(pairs) if surer.get((b, a), place) >= place]
    order = np.argsort(mine[kept], kind="stable")
    return exact_tails.order(found.theirs[kept][order])


def sign_test(mine: tuple[Array, Array], theirs: tuple[Array, Array]) -> float:
    """Return log10 p of the signs of matched units, by the two rows of each whose signs change together.

    Rows have length 1. What is ranked is the sum of both cosines, whose sign is a fair coin given its size.
    """
    agreement = sum(np.einsum("ij,ij->i", a, b, dtype=np.float64) for a, b in zip(mine, theirs, strict=True))
    return exact_tails.signs(agreement)
