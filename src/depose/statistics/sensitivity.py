"""The same scores with length taken out, and with refusals left out.

Length: within each prompt the similarity of every two members of the bag is regressed on the gap between
their log lengths, with one slope for all prompts, and the residual is scored instead. The regression runs
over all pairs alike, so that the residual scores are as symmetric in the bag as the scores themselves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def residual_on(values: Array, gaps: Array) -> Array:
    """Take out of `values` what is linear in `gaps`; both [prompts, members, members]."""
    members = values.shape[1]
    upper = np.triu(np.ones((members, members), dtype=bool), 1)
    usable = np.isfinite(values) & np.isfinite(gaps) & upper
    count = usable.sum(axis=(1, 2))
    x, y = np.where(usable, gaps, 0.0), np.where(usable, values, 0.0)
    safe = np.maximum(count, 1)
    mean_x = x.sum(axis=(1, 2)) / safe
    mean_y = y.sum(axis=(1, 2)) / safe
    spread = np.where(usable, gaps - mean_x[:, None, None], 0.0)
    varied = float((spread**2).sum())
    if varied == 0:
        return values
    slope = float((spread * np.where(usable, values - mean_y[:, None, None], 0.0)).sum()) / varied
    residual: Array = values - slope * (gaps - mean_x[:, None, None])
    return residual


def without(values: Array, flagged: NDArray[np.bool_]) -> Array:
    """Blank out the answers flagged in [prompts, members]."""
    gone = flagged[:, :, None] | flagged[:, None, :]
    return np.where(gone, np.nan, values)
