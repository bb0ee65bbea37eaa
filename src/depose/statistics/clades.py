"""How many independent lineages the controls are, by their likeness and not by their names.

The p-value ranks T(S, R) among the scores of S and of R with the controls. It stands at its floor where T(S, R) is
above all of them. Two controls whose T is above all of them would stand at that floor too: they are closer to each
other than any control is to the pair, as relatives are, whatever their lineages are called. Groups are joined by
average linkage (Sokal and Michener 1958) as long as the mean T across the two is above that bound; what is joined
counts as one.

Strict on purpose: of K independent controls a few pairs pass the bound by chance. `make controls-study` prints what
that costs honest sets, and what the count does to false alarms where few lineages were given many names.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depose.model.exchangeability import Clade
from depose.statistics.ranks import DIGITS
from depose.statistics.rounding import tidy

Array = NDArray[np.float64]


def clades(t: Array, models: Sequence[str]) -> tuple[Clade, ...]:
    """Join controls that are closer than any is to the pair.

    `t` [members, members] is that of a bag, member 0 being S and member 1 R; `models` names its members. Groups of two
    or more are returned, the largest first. A pair of controls without a score is as unlike as any.
    """
    from scipy.cluster.hierarchy import linkage

    ends = np.round(np.concatenate([t[0, 2:], t[2:, 1]]), DIGITS)
    names = list(models[2:])
    if len(names) < 2 or not np.isfinite(ends).all():
        return ()
    among = np.round(t[2:, 2:][np.triu_indices(len(names), 1)], DIGITS)
    if not np.isfinite(among).any():
        return ()
    among = np.where(np.isfinite(among), among, np.nanmin(among))
    joined = linkage(among.max() - among, "average")
    groups: list[tuple[list[str], float]] = [([name], np.inf) for name in names]
    standing = set(range(len(names)))
    for left, right, height in joined[:, :3]:
        mean = float(among.max() - height)
        members = groups[int(left)][0] + groups[int(right)][0]
        groups.append((members, mean))
        if np.round(mean, DIGITS) > ends.max():
            standing -= {int(left), int(right)}
            standing.add(len(groups) - 1)
    found = [
        Clade(models=tuple(sorted(members)), t=tidy(mean))
        for place, (members, mean) in enumerate(groups)
        if place in standing and len(members) > 1
    ]
    return tuple(sorted(found, key=lambda one: (-len(one.models), one.models)))


def independent(k: int, found: Sequence[Clade]) -> int:
    """Count controls as one for each clade: K by likeness."""
    return k - sum(len(one.models) - 1 for one in found)
