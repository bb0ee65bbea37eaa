"""What several tests share: null bags."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def null_bag(rng: np.random.Generator, k: int, prompts: int) -> NDArray[np.float64]:
    """Draw K + 2 exchangeable models: each has a place in a space of styles, and a gift for resembling others."""
    place = rng.normal(size=(k + 2, 6))
    generic = rng.normal(size=k + 2)
    noise = rng.normal(size=(prompts, k + 2, k + 2))
    values: NDArray[np.float64] = (
        (place @ place.T)[None] + generic[None, :, None] + generic[None, None, :] + (noise + noise.transpose(0, 2, 1))
    )
    return values
