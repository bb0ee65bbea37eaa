"""Sentence starts: rarity-weighted overlap of the first one, two and three tokens of every sentence and line.

How a model begins its sentences is a habit that is largely free of the topic. The whole answer counts. Features of
the prompt are not dropped: a prompt has few sentence starts, and they are not what an answer copies.
"""

from __future__ import annotations

import numpy as np

from depose.detectors import Similarity
from depose.detectors.rarity import overlap
from depose.features.extract import Bag, Features

FIRST = 3
NOTHING = np.zeros(0, np.uint64)


def starts(bag: Bag, features: Features) -> Similarity:
    """Score each two models, per prompt, by the rare sentence starts that both use (0 to 1)."""
    values = np.stack(
        [
            overlap([[features.starts(text, FIRST) for text in samples] for samples in members], NOTHING)
            for members in bag.answers
        ]
    )
    return Similarity(detector="starts", values=values)
