"""Rarity-weighted overlap, shared by the detectors that count shared features.

A feature that everybody uses says nothing; one that few use says much. Weight of feature g on prompt p,
counted over the whole bag B of K + 2 members (design.md, "The measurement"):

    idf_p(g) = log((K + 3) / (df_p(g) + 0.5))

A feature of one member alone is dropped, and so is one that stands in the prompt. The similarity of two
answers is the cosine of their weighted features, 0 to 1. Counting rarity on the controls alone makes the
test fire far too often (design.md); counting it over B keeps the score symmetric in the bag.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depose.detectors.holders import who_has
from depose.features.extract import Grams

FEWEST = 2
"""Members that a feature must be of, to count."""


def rarity(present: int | NDArray[np.int64], having: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weigh features that `having` of `present` members have."""
    weight: NDArray[np.float64] = np.log((present + 1) / (having + 0.5))
    return weight


def weigh(members: Sequence[Sequence[Grams]], stop: Grams) -> tuple[list[int], Grams, NDArray[np.float64]]:
    """Weigh the features of one prompt: members that answered, features, and weights [those members, features].

    `members[m]` holds the feature sets of the samples of member m; with several samples a feature counts
    by the share of samples that have it. `stop` holds the features of the prompt.
    """
    present = [index for index, samples in enumerate(members) if samples]
    sets = [one for index in present for one in members[index]]
    if not sets:
        return [], np.zeros(0, np.uint64), np.zeros((0, 0))
    samples = np.array([len(members[index]) for index in present])
    found = who_has(sets, range(len(sets)), len(sets), stop)
    table = found.table(len(sets))
    many = len(sets) > len(present)
    share = np.add.reduceat(table, np.cumsum(samples) - samples, axis=0) / samples[:, None] if many else table
    count = (share > 0).sum(axis=0)
    keep = count >= FEWEST
    return present, found.features[keep], share[:, keep] * rarity(len(present), count[keep])


def overlap(members: Sequence[Sequence[Grams]], stop: Grams) -> NDArray[np.float64]:
    """Compare every two members on one prompt: [members, members], NaN for one without an answer.

    Arguments as for `weigh`.
    """
    out = np.full((len(members), len(members)), np.nan)
    present, _, weighted = weigh(members, stop)
    norm = np.sqrt((weighted**2).sum(axis=1))
    product = weighted @ weighted.T
    scale = np.outer(norm, norm)
    cosine = np.divide(product, scale, out=np.zeros_like(product), where=scale > 0)
    out[np.ix_(present, present)] = cosine
    return out
