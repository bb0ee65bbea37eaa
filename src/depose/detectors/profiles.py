"""Profiles: how often each member of a bag has each of the features that the bag has most, over all prompts together.

The profile of the commonest features, as log rates, standardised over the bag and compared by the cosine
(`statistics.centring`): "cosine Delta", Smith and Aldridge 2011, after Burrows 2002, on other features than all words.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depose.features.extract import Grams

DIGITS = 12
"""Shares that agree to so many digits are equal, and the feature's own number decides: the order of a sum does not."""


def commonest(shares: NDArray[np.float64], vocabulary: Grams, most: int) -> NDArray[np.int64]:
    """Place the features with the largest shares, summed over the members of a bag: `shares` [members, features]."""
    share = np.round(shares.sum(axis=0), DIGITS)
    size = min(most, len(share))
    if not size:
        return np.zeros(0, np.int64)
    least = np.partition(share, len(share) - size)[len(share) - size]
    near = np.flatnonzero(share >= least)
    return near[np.lexsort((vocabulary[near], -share[near]))[:size]]


def counted(
    found: Sequence[Sequence[Sequence[Grams]]], members: int, most: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Count the commonest features, [prompts, members, features], and all of them, [prompts, members].

    `found[p][m]` holds the features of the samples of member m on prompt p.
    """
    prompts = len(found)
    every = [one for row in found for samples in row for one in samples]
    cell = np.repeat(
        [p * members + m for p, row in enumerate(found) for m, samples in enumerate(row) for _ in samples],
        [len(one) for one in every],
    ).astype(np.int64)
    totals = np.bincount(cell, minlength=prompts * members).reshape(prompts, members)
    vocabulary, index = np.unique(np.concatenate([np.zeros(0, np.uint64), *every]), return_inverse=True)
    shape = (members, len(vocabulary))
    said = np.bincount(cell % members * shape[1] + index, minlength=shape[0] * shape[1]).reshape(shape)
    keep = commonest(said / np.maximum(totals.sum(axis=0)[:, None], 1), vocabulary, most)
    place = np.full(len(vocabulary), -1)
    place[keep] = np.arange(len(keep))
    kept = place[index] >= 0
    counts = np.zeros((prompts * members, len(keep)), np.float32)
    np.add.at(counts, (cell[kept], place[index][kept]), 1.0)
    return counts.reshape(prompts, members, len(keep)), totals.astype(np.float32)
