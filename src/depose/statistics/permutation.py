"""Prompt-level test: is the reference closer to the suspect than each single control is, on these prompts?

Conditional on the models, secondary, never a headline: prompts are not the unit of replication (design.md, rule 1).
For each control the differences d_p(S, R) - d_p(S, C_k) get random signs, one sign per cluster of prompts,
the same signs for all controls. p is the largest over the controls of (1 + b) / (1 + B) (Phipson and
Smyth 2010). Needs at least 15 clusters. All controls and all permutations are one matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FEWEST_CLUSTERS = 15
PERMUTATIONS = 9_999


def prompt_level(
    pair: Array, controls: Array, clusters: Sequence[str], rng: np.random.Generator, draws: int = PERMUTATIONS
) -> float:
    """Return the largest p over controls; `pair` [prompts], `controls` [prompts, K], NaN where not scored.

    Raises ValueError with fewer than 15 clusters that have a difference.
    """
    difference = pair[:, None] - controls
    usable = np.isfinite(difference).any(axis=1)
    names, index = np.unique(np.asarray(clusters)[usable], return_inverse=True)
    if len(names) < FEWEST_CLUSTERS:
        raise ValueError(f"the prompt-level test needs {FEWEST_CLUSTERS} clusters of prompts; there are {len(names)}")
    sums = np.zeros((len(names), difference.shape[1]))
    np.add.at(sums, index, np.nan_to_num(difference[usable]))
    observed = sums.sum(axis=0)
    reached = np.zeros(difference.shape[1])
    for start in range(0, draws, 1_000):
        signs = rng.integers(0, 2, size=(min(1_000, draws - start), len(names))) * 2.0 - 1.0
        reached += (signs @ sums >= observed - 1e-9 * np.abs(sums).sum(axis=0)).sum(axis=0)
    return float(((1 + reached) / (1 + draws)).max())
