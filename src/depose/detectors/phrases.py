"""Shared phrases: rarity-weighted overlap of the runs of 2 to 4 tokens in two answers."""

from __future__ import annotations

import numpy as np

from depose.detectors import Similarity
from depose.detectors.rarity import overlap
from depose.features.extract import Bag, Features

LOW, HIGH = 2, 4


def phrases(bag: Bag, features: Features) -> Similarity:
    """Score each two models, per prompt, by the rare phrases that both use (0 to 1)."""
    values = np.stack(
        [
            overlap(
                [[features.grams(text, LOW, HIGH) for text in samples] for samples in members],
                features.grams(prompt.text, LOW, HIGH),
            )
            for prompt, members in zip(bag.prompts, bag.answers, strict=True)
        ]
    )
    return Similarity(detector="phrases", values=values)
