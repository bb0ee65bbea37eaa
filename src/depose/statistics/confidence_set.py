"""Confidence set of the closest candidate: which rivals cannot be told from the closest one on these prompts.

Start from all candidates; drop one when a paired test over prompt clusters rejects that it is at least as close to
the suspect as the closest one left, Holm over the candidates (after the model confidence set, Hansen and others 2011).
The test is a sign flip of the differences in centred similarity, one sign per cluster. A set with several members
says: the prompts do not tell them apart. It never says that the true teacher is among the candidates.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depose.statistics.permutation import prompt_level
from depose.statistics.ranks import holm

Array = NDArray[np.float64]


def closest(scores: Array, clusters: Sequence[str], alpha: float, rng: np.random.Generator) -> tuple[bool, ...]:
    """Tell for each candidate whether it is in the set; `scores` [prompts, candidates], NaN where not scored.

    All are in it where there are too few clusters for a test.
    """
    mean = np.nanmean(scores, axis=0)
    best = int(np.argmax(mean))
    others = [index for index in range(scores.shape[1]) if index != best]
    try:
        found = [prompt_level(scores[:, best], scores[:, [index]], clusters, rng) for index in others]
    except ValueError:
        return tuple(True for _ in range(scores.shape[1]))
    kept = {index for index, p in zip(others, holm(found), strict=True) if p > alpha}
    return tuple(index == best or index in kept for index in range(scores.shape[1]))
