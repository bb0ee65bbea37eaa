"""Openings: rarity-weighted agreement on the first one, two, three and four tokens of two answers.

How an answer begins is a habit rather than content, and a habit that tuning on another model's answers
hands down. Two answers agree on their first n tokens or not; each agreement counts by its rarity in the bag.
"""

from __future__ import annotations

import numpy as np

from depose.detectors import Similarity
from depose.detectors.rarity import overlap
from depose.features.extract import Bag, Features

FIRST = 4
NOTHING = np.zeros(0, np.uint64)


def openings(bag: Bag, features: Features) -> Similarity:
    """Score each two models, per prompt, by how far their first tokens agree (0 to 1)."""
    values = np.stack(
        [
            overlap([[features.prefixes(text, FIRST) for text in samples] for samples in members], NOTHING)
            for members in bag.answers
        ]
    )
    return Similarity(detector="openings", values=values)
