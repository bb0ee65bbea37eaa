"""Model-level rank p-values: the control models are the null distribution.

    p_R = (1 + #{k: T(S, C_k) >= T(S, R)}) / (K + 1)      is R closer to S than a control is?
    p_S = (1 + #{k: T(C_k, R) >= T(S, R)}) / (K + 1)      is S closer to R than a control is?

Valid in finite samples if the named model is exchangeable with the controls under the null (conformal rank
test; Phipson and Smyth 2010 for the 1 +). Never below 1 / (K + 1), so never 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DIGITS = 10
"""Scores that differ by less than this many significant decimals tie; a tie counts against the finding."""

UNRANKED = "a rank needs finite scores and at least one control"


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelLevel:
    """The two one-sided rank p-values of a pair."""

    p_reference: float
    p_suspect: float

    @property
    def p(self) -> float:
        """The larger of the two, on which the opinion rests."""
        return max(self.p_reference, self.p_suspect)


def rank_p(value: float, controls: NDArray[np.float64]) -> float:
    """Share of scores, the pair's own among them, that are at least `value`."""
    if not np.isfinite(value) or not np.isfinite(controls).all() or not len(controls):
        raise ValueError(UNRANKED)
    return float((1 + (np.round(controls, DIGITS) >= np.round(value, DIGITS)).sum()) / (len(controls) + 1))


def formed(t: NDArray[np.float64]) -> bool:
    """Tell whether every score that is ranked could be formed: those of S and of R with all others."""
    return bool(np.isfinite(np.concatenate([t[0, 1:], t[2:, 1]])).all())


def levels(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank T(S, R) in each of several sets of scores [sets, members, members], member 0 being S and member 1 R.

    Both p-values, [sets, 2]; NaN where a score is missing.
    """
    rounded = np.round(t, DIGITS)
    pair = rounded[:, 0, 1]
    ends = np.stack([rounded[:, 0, 2:], rounded[:, 2:, 1]], axis=1)
    p: NDArray[np.float64] = (1 + (ends >= pair[:, None, None]).sum(axis=2)) / (ends.shape[2] + 1)
    p[~(np.isfinite(pair) & np.isfinite(ends).all(axis=(1, 2)))] = np.nan
    return p


def model_level(t: NDArray[np.float64]) -> ModelLevel:
    """Rank T(S, R) among the controls; member 0 of `t` [members, members] is S, member 1 is R."""
    if len(t) < 3 or not formed(t):
        raise ValueError(UNRANKED)
    reference, suspect = levels(t[None])[0].tolist()
    return ModelLevel(p_reference=reference, p_suspect=suspect)


def every_pair(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank every two members of one bag as S and R are ranked: the larger p, [members, members], NaN on the diagonal.

    `model_level` of the bag with the two in front gives the same. NaN where a score of either is missing.
    """
    members = len(t)
    rounded = np.round(t, DIGITS)
    off = ~np.eye(members, dtype=bool)
    whole: NDArray[np.bool_] = np.all(np.isfinite(t) | ~off, axis=1)
    ordered = np.sort(np.where(off, rounded, -np.inf), axis=1)
    p = np.full(t.shape, np.nan)
    for a in range(members):
        reached = members - np.searchsorted(ordered[a], rounded[a], side="left")
        p[a] = reached / (members - 1)
    p[~(whole[:, None] & off)] = np.nan
    larger: NDArray[np.float64] = np.maximum(p, p.T)
    return larger


def floor(k: int) -> float:
    """The smallest p-value that K controls allow."""
    return 1 / (k + 1)


def holm(values: list[float]) -> list[float]:
    """Adjust p-values for the number of tests (Holm 1979), in the order given."""
    adjusted = [0.0] * len(values)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        running = max(running, min(1.0, (len(values) - rank) * values[index]))
        adjusted[index] = running
    return adjusted


def controls_needed(tests: int, alpha: float) -> int:
    """K with which the smallest of `tests` p-values can still be rejected by Holm at `alpha`."""
    return int(np.ceil(round(tests / alpha - 1, 9)))
