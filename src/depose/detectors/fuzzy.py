"""Fuzzy matching: the normalised indel ratio of two answers (rapidfuzz), on their first 800 characters.

Long free answers share function words and little else, so that this ratio carries less than the rare
phrases do; it is kept because near-verbatim copies show in it at once and anybody can check it by eye.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Indel

from depose.detectors import Similarity
from depose.detectors.pairwise import by_member
from depose.features import LIMIT, Bag, Features


def _ratios(texts: Sequence[str]) -> NDArray[np.float64]:
    cut = [text[:LIMIT].lower() for text in texts]
    scores: NDArray[np.float64] = process.cdist(
        cut, cut, scorer=Indel.normalized_similarity, dtype=np.float64, workers=-1
    )
    return scores


def fuzzy(bag: Bag, features: Features) -> Similarity:
    """Score each two models, per prompt, by how few insertions and deletions part their answers (0 to 1)."""
    values = np.stack([by_member(members, _ratios) for members in bag.answers])
    return Similarity(detector="fuzzy", values=values)
