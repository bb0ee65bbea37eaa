"""Closeness in length: the confound that every other detector must beat, kept as a baseline."""

from __future__ import annotations

from statistics import median

import numpy as np
from numpy.typing import NDArray

from depose.detectors.declaration import Alone
from depose.features.extract import Bag, Features

Array = NDArray[np.float64]


def log_length(characters: float) -> float:
    """Measure a length so that twice as long is the same gap everywhere."""
    return float(np.log(characters + 1))


def nearness(logs: Array) -> Array:
    """Return minus the gap between the log lengths of each two members: [..., members] to [..., members, members]."""
    gap: Array = np.abs(logs[..., :, None] - logs[..., None, :])
    return -gap


def _logs(bag: Bag) -> Array:
    return np.array([[log_length(median(map(len, s))) if s else np.nan for s in members] for members in bag.answers])


def closeness(bag: Bag) -> Array:
    """Minus the gap between mean log lengths, [models, models]: how alike two models are in verbosity alone."""
    return nearness(np.nanmean(_logs(bag), axis=0))


def _values(bag: Bag, features: Features) -> Array:
    """Score each two models, per prompt, by minus the gap between their log median lengths (characters)."""
    return nearness(_logs(bag))


length = Alone(detector="length", values=_values)
