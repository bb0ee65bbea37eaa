"""Embeddings: cosine of the sentence embeddings of two answers (all-MiniLM-L6-v2).

The encoder reads the first 256 word pieces, about 1,000 characters. Any two sensible answers to one
prompt are close, so that the raw cosine means little; only its excess over the controls is used.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depose.detectors.declaration import Alone
from depose.detectors.pairwise import by_member
from depose.features.extract import Bag, Features


def _values(bag: Bag, features: Features) -> NDArray[np.float64]:
    """Score each two models, per prompt, by the cosine of their answers' embeddings (-1 to 1)."""
    features.vectors([text for members in bag.answers for samples in members for text in samples])

    def cosines(texts: Sequence[str]) -> NDArray[np.float64]:
        vectors = features.vectors(texts).astype(np.float64)
        return vectors @ vectors.T

    return np.stack([by_member(members, cosines) for members in bag.answers])


embedding = Alone(detector="embedding", values=_values)
