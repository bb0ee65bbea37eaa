"""Detectors: a bag of models and their features to a measure of likeness, one file per detector.

A detector is called as `detect(bag, features) -> Measured`. It must treat the members of the bag alike: the same
models in another order give the same numbers in that order. One that counts features is a declaration (declaration.py),
from which one engine scores a bag (analyze), thousands of bags (validate) and the rows of a matrix (batch); any other
is a function.
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """How often each model does a thing, prompt by prompt; profiles are compared over all prompts together."""

    detector: str
    counts: NDArray[np.float32]
    """[prompts, models, things]."""
    totals: NDArray[np.float32]
    """[prompts, models]: what the counts are rates of, at least their sum; 0 where an answer is missing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Combination:
    """Several measures whose standardised scores are averaged with equal weights."""

    detector: str
    parts: tuple[Similarity | Profile, ...]


Measured = Similarity | Profile | Combination
