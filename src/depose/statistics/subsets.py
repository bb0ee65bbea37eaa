"""What another choice of controls would have given: the result with random subsets of them, and who stands far off.

A party that picks controls after seeing answers picks the set in which the pair looks closest. The registered result
stands beside random subsets of its own controls, so that a result that hangs on a few of them is seen.

The rank test holds if the suspect, or the reference, could be one more control. A model with a strong style of its own
has larger scores with everybody, of either sign; if both are so, the test fires too often (simulated: both twice as
peculiar, 13 % at a nominal 5). So both are placed among the controls by the root mean square of their T with them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depose.model.exchangeability import Peculiar, Subsets
from depose.statistics.ranks import DIGITS, levels
from depose.statistics.rounding import tidy
from depose.statistics.specification import scores

Array = NDArray[np.float64]

CHUNK = 200
SLACK = 1e-9


def subsets(averages: Sequence[Array], size: int, draws: int, alpha: float, rng: np.random.Generator) -> Subsets | None:
    """Repeat a result with random subsets of so many controls; None where there are no more than that.

    `averages` [members, members] each: mean similarities of the parts of a measure, members 0 and 1 being S and R.
    Rarity stays that of the whole bag, as where one control is left out.
    """
    controls = len(averages[0]) - 2
    if controls <= size:
        return None
    p: list[float] = []
    for start in range(0, draws, CHUNK):
        count = min(CHUNK, draws - start)
        chosen = 2 + np.argsort(rng.random((count, controls)), axis=1)[:, :size]
        bags = np.concatenate([np.tile([0, 1], (count, 1)), np.sort(chosen, axis=1)], axis=1)
        t = scores([one[bags[:, :, None], bags[:, None, :]] for one in averages])
        p += levels(t).max(axis=1).tolist()
    if not np.isfinite(p).all():
        return None
    return Subsets(
        size=size,
        draws=draws,
        at_alpha=int((np.array(p) <= alpha + SLACK).sum()),
        p_low=tidy(min(p)),
        p_median=tidy(float(np.median(p))),
        p_high=tidy(max(p)),
    )


def peculiar(t: Array, models: Sequence[str]) -> tuple[Peculiar, ...]:
    """Place the first two members of a bag among its controls by how large their T with the controls are.

    `t` [members, members]. The pair's own T is left out, which a true relation makes large. Empty without scores.
    """
    size = len(t)
    off = ~np.eye(size, dtype=bool)
    among = np.where(off, t, 0.0)[:, 2:] ** 2
    if size < 4 or not np.isfinite(among).all():
        return ()
    others = off[:, 2:].sum(axis=1)
    values = np.round(np.sqrt(among.sum(axis=1) / others), DIGITS)
    return tuple(
        Peculiar(
            model=models[place],
            value=tidy(float(values[place])),
            rank=1 + int((values[2:] >= values[place]).sum()),
            of=size - 1,
        )
        for place in (0, 1)
    )
