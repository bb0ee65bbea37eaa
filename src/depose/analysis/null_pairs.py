"""What a case says of pairs without a relation: every two of its controls, scored in the same bag as the tested pair.

A non-contributor test, as forensic laboratories run beside a likelihood ratio (Gill and Haned 2013): the tool is asked
of pairs for which H1 is false, under the conditions of the case, and all its answers are printed. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from depose.model import NullPair, NullPairs
from depose.statistics.ranks import DIGITS, every_pair
from depose.statistics.rounding import tidy

Array = NDArray[np.float64]

KEPT = 2_000
"""Pairs that are listed, the closest first; of more only counts are kept."""

RatioOf = Callable[[float, int], float | None]
"""Gives the capped ratio of a score that so many controls reach; None where none was fitted."""


def null_pairs(
    t: Array, members: Sequence[str], alpha: float, tested_ratio: float | None, ratio_of: RatioOf
) -> NullPairs | None:
    """Score every two controls; `t` [members, members] with suspect and reference first. None for fewer than two.

    Each pair is ranked among all other members of the bag, suspect and reference among them.
    """
    k = len(members) - 2
    p = every_pair(t)
    left, right = np.triu_indices(k, 1)
    left, right = left + 2, right + 2
    values, ps = t[left, right], p[left, right]
    there = np.isfinite(values) & np.isfinite(ps)
    left, right, values, ps = left[there], right[there], values[there], ps[there]
    if not len(values):
        return None
    reached = np.rint(ps * (k + 1)).astype(int) - 1
    ratios = [ratio_of(float(value), int(count)) for value, count in zip(values, reached, strict=True)]
    rated = np.array([one for one in ratios if one is not None])
    order = np.lexsort((right, left, -values))
    return NullPairs(
        n=len(values),
        at_alpha=int((ps <= alpha + 1e-12).sum()),
        as_close=int((np.round(values, DIGITS) >= np.round(t[0, 1], DIGITS)).sum()),
        largest=tidy(float(values.max())),
        rated=len(rated),
        mean_ratio=tidy(float(rated.mean())) if len(rated) else None,
        as_large=int((rated >= tested_ratio * (1 - 1e-9)).sum()) if tested_ratio is not None else 0,
        pairs=tuple(
            NullPair(
                left=members[left[i]],
                right=members[right[i]],
                value=tidy(float(values[i])),
                p=tidy(float(ps[i])),
                ratio=ratios[i],
            )
            for i in order[:KEPT].tolist()
        ),
    )
