"""Fuzzy matching: the normalised indel ratio of two answers (rapidfuzz), on their first 800 characters.

Long free answers share function words and little else, so that this ratio carries less than the rare
phrases do; it is kept because near-verbatim copies show in it at once and anybody can check it by eye.
Where `features.match` is given, as on a GPU (fuzzy_matching.py), it makes the ratios instead, with the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Indel

from depose.detectors.declaration import Alone
from depose.detectors.pairwise import averaged
from depose.features.extract import LIMIT, Bag, Features


def ratios(groups: Sequence[Sequence[str]]) -> list[NDArray[np.float64]]:
    """Give each group of n texts its n x n ratios, by rapidfuzz on the CPU."""
    return [
        process.cdist(texts, texts, scorer=Indel.normalized_similarity, dtype=np.float64, workers=-1)
        for texts in groups
    ]


def _values(bag: Bag, features: Features) -> NDArray[np.float64]:
    """Score each two models, per prompt, by how few insertions and deletions part their answers (0 to 1)."""
    groups = [
        [" ".join(text.split())[:LIMIT].lower() for samples in members for text in samples] for members in bag.answers
    ]
    found = (features.match or ratios)(groups)
    return np.stack([averaged(members, one) for members, one in zip(bag.answers, found, strict=True)])


fuzzy = Alone(detector="fuzzy", values=_values)
