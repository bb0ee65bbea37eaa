"""The same scores with a confound taken out, length or layout, and with refusals left out.

On each side of the test the scores of the pair and of the K controls that stand in for one of its members are
regressed on how close the two models are in length, or in layout, and the residuals are ranked. All K + 1 pairs of a
side are treated alike, so that the ranks stay valid. It is the same adjustment that the validation study makes within
each reference.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depose.detectors import Combination, Measured, Profile, Similarity
from depose.statistics.ranks import ModelLevel, rank_p

Array = NDArray[np.float64]


def matched(t: Array, closeness: Array) -> ModelLevel:
    """Rank the pair on both sides after taking out a confound.

    `t` [members, members] are scores; `closeness` [members, members] is higher where two members are closer in it.
    """
    ends = [residual(t[0, 1:], closeness[0, 1:]), residual(_column(t), _column(closeness))]
    return ModelLevel(p_reference=rank_p(ends[0][0], ends[0][1:]), p_suspect=rank_p(ends[1][0], ends[1][1:]))


def _column(matrix: Array) -> Array:
    """Return the pair and then the controls in the place of the suspect."""
    return np.concatenate([matrix[:1, 1], matrix[2:, 1]])


def residual(y: Array, x: Array) -> Array:
    """Take out of `y` what is linear in `x`, by least squares."""
    centred = x - x.mean()
    varied = float((centred**2).sum())
    slope = float((centred * (y - y.mean())).sum()) / varied if varied > 1e-12 else 0.0
    left: Array = y - slope * centred
    return left


def without(measured: Measured, flagged: NDArray[np.bool_]) -> Measured:
    """Leave out the answers flagged in [prompts, members]."""
    if isinstance(measured, Combination):
        parts = tuple(_part_without(part, flagged) for part in measured.parts)
        return Combination(detector=measured.detector, parts=parts)
    return _part_without(measured, flagged)


def _part_without(part: Similarity | Profile, flagged: NDArray[np.bool_]) -> Similarity | Profile:
    if isinstance(part, Profile):
        counts = np.where(flagged[:, :, None], 0, part.counts).astype(np.float32)
        totals = np.where(flagged, 0, part.totals).astype(np.float32)
        return Profile(detector=part.detector, counts=counts, totals=totals)
    gone = flagged[:, :, None] | flagged[:, None, :]
    return Similarity(detector=part.detector, values=np.where(gone, np.nan, part.values))
