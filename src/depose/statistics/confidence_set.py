"""Confidence set of the closest candidate: which rivals cannot be told from the closest one on these prompts.

Start from all candidates; drop one when a paired test over prompt clusters rejects that it is at least as close to
the suspect as the closest one left, Holm over the candidates (after the model confidence set, Hansen and others 2011).
The test is a sign flip of the differences in centred similarity, one sign per cluster. A set with several members
says: the prompts do not tell them apart. It never says that the true teacher is among the candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from depose.statistics.permutation import FEWEST_CLUSTERS, prompt_level
from depose.statistics.ranks import holm

Array = NDArray[np.float64]


def closest(scores: Array, clusters: Sequence[str], alpha: float, rng: np.random.Generator) -> tuple[bool, ...]:
    """Tell for each candidate whether it is in the set; `scores` [prompts, candidates], NaN where not scored.

    One with too few clusters for a test, by itself or in common with the closest, stays in it, and saves no other.
    """
    names, there = np.asarray(clusters), np.isfinite(scores)
    able = [one for one in range(scores.shape[1]) if len(set(names[there[:, one]])) >= FEWEST_CLUSTERS]
    best = max(able, key=lambda one: scores[there[:, one], one].mean(), default=None)
    found: dict[int, float] = {}
    for one in able:
        if one != best:
            with suppress(ValueError):
                found[one] = prompt_level(scores[:, best], scores[:, [one]], clusters, rng)
    dropped = {one for one, p in zip(found, holm(list(found.values())), strict=True) if p <= alpha}
    return tuple(one not in dropped for one in range(scores.shape[1]))
