"""Detectors: a bag of models and their features to similarities, one file per detector.

A detector is a function `detect(bag, features) -> Similarity`. It must treat the members of the bag
alike: the same models in another order give the same numbers in that order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Similarity:
    """How alike the answers of each two models are, prompt by prompt."""

    detector: str
    values: NDArray[np.float64]
    """[prompts, models, models], symmetric; higher means more alike; NaN where an answer is missing."""
