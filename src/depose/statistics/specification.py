"""The same scores under other reasonable choices: controls left out, parts of the prompts, shares per band.

A specification curve (Simonsohn, Simmons and Nelson 2020) shows the result of every combination of defensible choices,
so that a reader sees whether the registered one is a lucky pick. The analyses share their answers: their shares are
descriptions, not probabilities. A control is left out after the likeness was measured, so rarity is still counted
over the whole bag; the members that stay are treated alike, and the ranks stay valid.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depose.detectors import Measured
from depose.model import Prompt, Share, Specification, Without
from depose.statistics.centring import FEWEST, average, centre, parts_of, standardise
from depose.statistics.ranks import floor, formed, model_level
from depose.statistics.rounding import tidy
from depose.statistics.sensitivity import matched

Array = NDArray[np.float64]

FAMILIES = range(2, 9)
"""With this many families of prompts each is left out in turn."""
TENTH = 0.1
SLACK = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A part of the prompts: its name, and which rows belong to it."""

    name: str
    rows: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """T(S, R) and its model-level p."""

    value: float
    p_reference: float
    p_suspect: float

    @property
    def p(self) -> float:
        """The larger of both sides."""
        return max(self.p_reference, self.p_suspect)


def parts(prompts: Sequence[Prompt], rng: np.random.Generator) -> tuple[Part, ...]:
    """Take all prompts, two random halves of their clusters, and all but one family in turn."""
    clusters = np.array([prompt.cluster for prompt in prompts])
    found = [Part(name="all", rows=np.ones(len(prompts), bool))]
    names = np.unique(clusters)
    if len(names) >= 2:
        first = np.isin(clusters, rng.permutation(names)[: (len(names) + 1) // 2])
        found += [Part(name="half 1", rows=first), Part(name="half 2", rows=~first)]
    families = np.array([prompt.family for prompt in prompts])
    if len(set(families.tolist())) in FAMILIES:
        found += [
            Part(name=f"without {name}", rows=families != name) for name in dict.fromkeys(sorted(families.tolist()))
        ]
    return tuple(found)


def means(measured: Measured, chosen: Sequence[Part]) -> tuple[Array, ...]:
    """Average each part of a measure over each part of the prompts: [parts of prompts, members, members] each."""
    weights = np.array([one.rows for one in chosen], float)
    return tuple(average(part, weights) for part in parts_of(measured))


def scores(averages: Sequence[Array], left_out: int | None = None) -> Array:
    """Score mean similarities [..., members, members] again, without one member of the bag if one is named."""
    kept = averages if left_out is None else [_without(_without(a, left_out, -1), left_out, -2) for a in averages]
    found: Array = np.mean([standardise(centre(a)) for a in kept], axis=0)
    return found


def _without(values: Array, member: int, axis: int) -> Array:
    return np.delete(values, member, axis=axis)


def level(t: Array, closeness: Array | None = None) -> Level | None:
    """Rank the pair in scores [members, members], length taken out if `closeness` is given; None without a score."""
    if not formed(t):
        return None
    made = model_level(t) if closeness is None else matched(t, closeness)
    return Level(value=float(t[0, 1]), p_reference=made.p_reference, p_suspect=made.p_suspect)


def leave_one_out(averages: Sequence[Array], controls: Sequence[str]) -> tuple[Without, ...]:
    """Repeat a result without each control; `averages` [members, members] each. None with too few controls."""
    if len(controls) - 1 < FEWEST:
        return ()
    found = []
    for place, code in enumerate(controls):
        made = level(scores(averages, place + 2))
        if made is not None:
            found.append(
                Without(
                    model=code,
                    value=tidy(made.value),
                    p_reference=tidy(made.p_reference),
                    p_suspect=tidy(made.p_suspect),
                    p=tidy(made.p),
                )
            )
    return tuple(found)


def extremes(without: Sequence[Without]) -> tuple[str, ...]:
    """Name the controls without which p is smallest, and largest; T decides between equals, then the code."""
    if not without:
        return ()
    ordered = sorted(without, key=lambda one: (one.p, -one.value, one.model))
    return tuple(dict.fromkeys((ordered[0].model, ordered[-1].model)))


def shares(found: Sequence[Specification], k: int, alpha: float) -> tuple[Share, ...]:
    """Count the analyses in each band of p: all of them, then by each choice on each axis."""
    rows = [_share("all", "all analyses", found, k, alpha)]
    for axis in ("detector", "answers", "prompts", "controls"):
        for choice in dict.fromkeys(getattr(one, axis) for one in found):
            rows.append(_share(axis, choice, [one for one in found if getattr(one, axis) == choice], k, alpha))
    return tuple(rows)


def _share(axis: str, choice: str, found: Iterable[Specification], k: int, alpha: float) -> Share:
    used = list(found)
    p = np.array([one.p for one in used])
    low, tenth = p <= alpha + SLACK, p <= TENTH + SLACK
    return Share(
        axis=axis,
        choice=choice,
        n=len(used),
        able=sum(floor(k - (one.controls != "all")) <= alpha + SLACK for one in used),
        at_alpha=int(low.sum()),
        at_tenth=int((tenth & ~low).sum()),
        above=int((~tenth & ~low).sum()),
        median_p=tidy(float(np.median(p))) if len(used) else 1.0,
    )
