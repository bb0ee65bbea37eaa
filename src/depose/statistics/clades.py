"""How many independent lineages the controls are, by their likeness and not by their names.

A p-value at its floor says that suspect and reference are closer to each other than any control is to either. Controls
that are closer still to each other, as relatives are, are no independent witnesses of that, whatever their lineages are
called: they count as one. So do controls that are closer than chance takes independent ones: above all scores of the
pair with the controls, and FAR standard deviations above their mean. The pair itself stands among the controls of these
scores and of those among controls, and the closer it is, the lower are the first and the higher the second. That is
taken out, or the controls of a copy would all be one clade.

Groups are joined by average linkage (Sokal and Michener 1958) as long as the mean T across the two is above the bound.
`make controls-study` prints what the count costs honest sets, and what it does to false alarms where few lineages were
given many names.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depose.model.exchangeability import Clade
from depose.statistics.ranks import DIGITS
from depose.statistics.rounding import tidy

Array = NDArray[np.float64]

FAR = 4.0
"""Standard deviations; of 300 pairs of 25 independent controls hardly one lies there."""
BELOW = 0.1587
"""Share of a normal distribution that is more than a standard deviation below its median."""


def clades(t: Array, models: Sequence[str]) -> tuple[Clade, ...]:
    """Join controls that are closer to each other than the pair at the floor of p, or than chance makes them.

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
    bound = _bound(float(np.round(t[0, 1], DIGITS)), ends, among)
    joined = linkage(among.max() - among, "average")
    groups: list[tuple[list[str], float]] = [([name], np.inf) for name in names]
    standing = set(range(len(names)))
    for left, right, height in joined[:, :3]:
        mean = float(among.max() - height)
        members = groups[int(left)][0] + groups[int(right)][0]
        groups.append((members, mean))
        if np.round(mean, DIGITS) > bound:
            standing -= {int(left), int(right)}
            standing.add(len(groups) - 1)
    found = [
        Clade(models=tuple(sorted(members)), t=tidy(mean))
        for place, (members, mean) in enumerate(groups)
        if place in standing and len(members) > 1
    ]
    return tuple(sorted(found, key=lambda one: (-len(one.models), one.models)))


def _bound(pair: float, ends: Array, among: Array) -> float:
    """Return the T above which controls are joined.

    Of K controls of a swapped bag, the pair lowers the scores of S and R with controls by T/K, and raises those among
    controls by 2T/(K(K-1)): one of the K scores of a row, and one of the K(K-1)/2 among all. Their spread is that of
    the ends, or where that is wider of the lower half of the scores among controls, in which relatives have no part.
    """
    k = len(ends) // 2
    shift = pair * (k + 1) / (k * (k - 1))
    spread = max(float(ends.std()), float(np.median(among) - np.quantile(among, BELOW)))
    chance = max(float(ends.max()), float(ends.mean()) + FAR * spread) + shift
    return min(chance, pair) if pair > ends.max() else chance


def independent(controls: Sequence[str], found: Sequence[Clade], mute: Sequence[str] = ()) -> int:
    """Count controls as one for each clade, and those that witness nothing not at all: K by likeness."""
    clade = {model: place for place, one in enumerate(found) for model in one.models}
    return len({clade.get(code, code) for code in controls if code not in mute})


def rank_in_lineages(reached: Sequence[Sequence[str]], found: Sequence[Clade], k_eff: int) -> float:
    """Count p in lineages: (1 + those that reach the score) / (K_eff + 1), on the side where they are more.

    `reached` names the controls of each side that reach it; those of one clade count once.
    """
    clade = {model: place for place, one in enumerate(found) for model in one.models}
    most = max(len({clade.get(code, code) for code in side}) for side in reached)
    return float((1 + min(most, k_eff)) / (k_eff + 1))
