"""What several tests share: profiles."""

from __future__ import annotations

import numpy as np

from depose.detectors import Profile


def profile(rng: np.random.Generator, prompts: int, members: int, things: int = 30) -> Profile:
    """Make counts that differ between members."""
    rates = rng.gamma(1.0, 1.0, (members, things))
    counts = rng.poisson(rates, (prompts, members, things)).astype(np.float32)
    return Profile(detector="made", counts=counts, totals=counts.sum(axis=2))
