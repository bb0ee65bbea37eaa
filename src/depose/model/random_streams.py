"""Random streams by seed and name, so that one more draw in one place changes none in another."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *names: str) -> np.random.Generator:
    """Make the random stream that belongs to these names and to no others."""
    key = hashlib.sha256("\x1f".join((str(seed), *names)).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(key[:16], "big")))
