"""Compare every two members of a bag by a function of two lists of samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Compare = Callable[[Sequence[str]], NDArray[np.float64]]
"""Turns n texts into their n x n similarities."""


def by_member(members: Sequence[Sequence[str]], compare: Compare) -> NDArray[np.float64]:
    """Average over all sample pairs of each two members: [members, members], NaN without an answer."""
    texts = [text for samples in members for text in samples]
    return averaged(members, compare(texts) if texts else np.zeros((0, 0)))


def averaged(members: Sequence[Sequence[str]], similarities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average as `by_member` does, given the n x n similarities of all samples in order."""
    out = np.full((len(members), len(members)), np.nan)
    present = [index for index, samples in enumerate(members) if samples]
    share = np.zeros((len(present), len(similarities)))
    start = 0
    for row, index in enumerate(present):
        count = len(members[index])
        share[row, start : start + count] = 1 / count
        start += count
    out[np.ix_(present, present)] = share @ similarities @ share.T
    return out
