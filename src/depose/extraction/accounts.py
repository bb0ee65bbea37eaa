"""E1: which accounts are unusual for their stratum? Conformal p-values, and Benjamini and Hochberg over all.

A score of strangeness (isolation forest: Liu, Ting and Zhou 2008) is fitted on one half of the controls; the other half
are the ranks: p = (1 + #{controls of the stratum at or above}) / (n + 1). The p-values are positively dependent in the
way that Benjamini and Hochberg allow (Bates, Candes, Lei, Romano and Sesia 2023). Controls are the accounts of the
clean period where there is one, else half of the accounts themselves, which makes a campaign among them hide itself.

An account found here is unusual for its stratum. It is not thereby a collector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depose.model.random_streams import stream

Array = NDArray[np.float64]
TREES = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Accounts:
    """p of each tested account, NaN where no stratum has enough controls, and the ranks behind it."""

    p: Array
    controls: NDArray[np.int64]
    """Controls that each was ranked among."""
    merged: int
    """Columns of the strata that had to be given up for some account."""


def conformal(
    tested: Array,
    controls: Array,
    strata: NDArray[np.int64],
    strata_controls: NDArray[np.int64],
    fewest: int,
    seed: int,
) -> Accounts:
    """Rank tested accounts [accounts, features] among controls of their stratum.

    `strata` [accounts, levels] numbers the stratum by its first column, by its first two, and so on; a stratum with too
    few controls gives way to the wider one, last of all to everybody.
    """
    from sklearn.ensemble import IsolationForest

    nothing = np.zeros(len(tested), dtype=np.int64)
    if len(controls) < 2 * 19:
        return Accounts(p=np.full(len(tested), np.nan), controls=nothing, merged=0)
    place = stream(seed, "conformal").permutation(len(controls))
    fitted, ranked = place[: len(place) // 3], place[len(place) // 3 :]
    forest = IsolationForest(n_estimators=TREES, random_state=int(stream(seed, "forest").integers(2**31)))
    forest.fit(controls[fitted])
    score, against = -forest.score_samples(tested), -forest.score_samples(controls[ranked])
    p, count, merged = np.full(len(tested), np.nan), nothing.copy(), 0
    levels = strata.shape[1]
    for level in range(levels, -1, -1):
        of_tested = strata[:, level - 1] if level else nothing
        of_controls = strata_controls[ranked, level - 1] if level else np.zeros(len(ranked), dtype=np.int64)
        for stratum in np.unique(of_tested[np.isnan(p)]):
            among = np.sort(against[of_controls == stratum])
            if len(among) < (fewest if level else min(fewest, 19)):
                continue
            mine = np.flatnonzero(np.isnan(p) & (of_tested == stratum))
            above = len(among) - np.searchsorted(among, score[mine], side="left")
            p[mine], count[mine] = (1 + above) / (len(among) + 1), len(among)
            merged = max(merged, levels - level)
    return Accounts(p=p, controls=count, merged=merged)


def strata_of(columns: Sequence[Sequence[str]], count: int) -> NDArray[np.int64]:
    """Number strata by the first column, the first two, and so on: [accounts, columns]. Equal words, equal numbers."""
    import hashlib

    found = np.zeros((count, len(columns)), dtype=np.int64)
    for level in range(len(columns)):
        for row in range(count):
            words = "\x1f".join(str(column[row]) for column in columns[: level + 1])
            found[row, level] = int.from_bytes(hashlib.sha256(words.encode()).digest()[:7], "big")
    return found
