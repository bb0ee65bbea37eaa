"""Closeness in length: the confound that every other detector must beat, kept as a baseline."""

from __future__ import annotations

from statistics import median

import numpy as np
from numpy.typing import NDArray

from depose.detectors import Similarity
from depose.features.extract import Bag, Features


def _logs(bag: Bag) -> NDArray[np.float64]:
    logs: NDArray[np.float64] = np.array(
        [[np.log(median(map(len, s)) + 1) if s else np.nan for s in members] for members in bag.answers]
    )
    return logs


def closeness(bag: Bag) -> NDArray[np.float64]:
    """Minus the gap between mean log lengths, [models, models]: how alike two models are in verbosity alone."""
    mean = np.nanmean(_logs(bag), axis=0)
    gap: NDArray[np.float64] = np.abs(mean[:, None] - mean[None, :])
    return -gap


def length(bag: Bag, features: Features) -> Similarity:
    """Score each two models, per prompt, by minus the gap between their log median lengths (characters)."""
    logs = _logs(bag)
    return Similarity(detector="length", values=-np.abs(logs[:, :, None] - logs[:, None, :]))
