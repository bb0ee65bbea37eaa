"""Match the heads of two attention layers by their value dimensions, and test the order and signs within each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from depose.model.weights import WeightLayer
from depose.weights import copies, exact_tails, matching
from depose.weights.parts import Attention
from depose.weights.stores import Array


class Values(NamedTuple):
    """The value dimensions of one attention layer: [heads x size, width], rows of length 1, in the suspect's space."""

    value: Array
    """What they read."""
    output: Array
    """What they write."""


class Heads(NamedTuple):
    """One layer of attention, compared."""

    layer: WeightLayer
    agreed: matching.Agreement
    opposite: float
    """log10 p of the order of the dimensions that are most opposite: their signs undo each other's."""


def laid(raw: Values, turn: Array | None) -> Values:
    """Scale rows to length 1, turned into the suspect's space."""
    return Values(*(matching.unit_rows(rows if turn is None else rows @ turn) for rows in raw))


def compare_heads(mine: Attention, of_mine: Values, theirs: Attention, of_theirs: Values) -> Heads:
    """Match each head of the suspect with the closest of the reference, and test the dimensions within."""
    by_value = of_theirs.value @ of_mine.value.T
    shape = (theirs.heads, theirs.size, mine.heads, mine.size)
    likeness = np.abs(by_value).reshape(shape)
    towards = np.sign(by_value * (of_theirs.output @ of_mine.output.T)).reshape(shape) * likeness
    best: list[tuple[int, matching.Match]] = []
    for head in range(mine.heads):
        each = [matching.match(likeness[other, :, head]) for other in range(theirs.heads)]
        other = int(np.argmax([one.margin for one in each]))
        best.append((other, each[other]))
    known = [
        copies.families(list(of.reshape(heads, size, -1)[:, matching.spread(size, copies.ROWS)]))
        for of, heads, size in ((of_mine.value, mine.heads, mine.size), (of_theirs.value, theirs.heads, theirs.size))
    ]
    counted = copies.once([one.margin for _, one in best], known[0], [known[1][other] for other, _ in best])
    taken = [(head, *one) for head, (one, counts) in enumerate(zip(best, counted, strict=True)) if counts]
    orders, again, signs, opposite, agreed, cosines = [], [], [], [], [], []
    by_sign = np.abs(matching.sign_rows(of_theirs.value) @ matching.sign_rows(of_mine.value).T).reshape(shape)
    for head, other, match in taken:
        mine_at, theirs_at = head * mine.size + match.theirs, other * theirs.size + match.mine
        orders.append(matching.order_test(match))
        again.append(matching.neighbour_test(matching.match(by_sign[other, :, head])))
        agreed.append(matching.agreement(match))
        opposite.append(matching.opposite_order(towards[other, :, head], np.arange(theirs.size)))
        signs.append(
            matching.sign_test(
                (of_theirs.value[theirs_at], of_theirs.output[theirs_at]),
                (of_mine.value[mine_at], of_mine.output[mine_at]),
            )
        )
        cosines += list(match.cosines)
    layer = WeightLayer(
        kind="attention",
        label=mine.label,
        closest=theirs.label,
        units=mine.heads * mine.size,
        matched=len(cosines),
        cosine=round(float(np.median(cosines)), 4) if cosines else 0.0,
        margin=round(float(np.mean([match.margin for _, _, match in taken])), 4),
        order_log10_p=round(exact_tails.fisher(orders), 3),
        again_log10_p=round(exact_tails.fisher(again), 3),
        signs_log10_p=round(exact_tails.fisher(signs), 3),
        counted=True,
    )
    counts = matching.Agreement(*(sum(each) for each in zip(*agreed, strict=True)))
    return Heads(layer, counts, exact_tails.fisher(opposite))
