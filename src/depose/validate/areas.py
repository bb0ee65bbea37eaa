"""Areas under the curve that do not flatter, with intervals over families.

Within a reference: true suspects of R against other suspects of the same R, pooled by comparisons. A pooled area
rewards a reference that resembles everybody; this one does not. Comparisons are counted by the families of the two
suspects, so that resampling families is two small matrix products. Families of true suspects and families of the
others are resampled apart, as the two strata that they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depose.statistics.rates import wins
from depose.statistics.sensitivity import residual
from depose.validate.scoring import PairScores

Array = NDArray[np.float64]

DRAWS = 999
FEWEST_FAMILIES = 5
Group = Callable[[PairScores], str]


def by_reference(one: PairScores) -> str:
    """Group pairs by their reference."""
    return one.pair.reference


def by_suspect(one: PairScores) -> str:
    """Group pairs by their suspect."""
    return one.pair.suspect


def together(one: PairScores) -> str:
    """Put all pairs into one group."""
    return ""


def absent(reason: str) -> dict[str, Any]:
    """Write a figure that cannot be given."""
    return {"value": None, "lo": None, "hi": None, "reason": reason}


class Comparisons:
    """Wins and comparisons of true against other pairs, by family: [positive families, negative families]."""

    def __init__(
        self,
        positives: Sequence[PairScores],
        negatives: Sequence[PairScores],
        score: dict[int, float],
        group: Group,
    ) -> None:
        families = sorted({one.pair.suspect_family for one in (*positives, *negatives)})
        self.place = {name: index for index, name in enumerate(families)}
        self.won = np.zeros((len(families), len(families)))
        self.made = np.zeros((len(families), len(families)))
        self.used_positives: set[str] = set()
        self.used_negatives: set[str] = set()
        self.n_neg = 0
        true, other = _by(positives, group), _by(negatives, group)
        for name in sorted(true):
            self._add(true[name], other.get(name, []), score)

    def _add(self, positives: Sequence[PairScores], negatives: Sequence[PairScores], score: dict[int, float]) -> None:
        if not negatives:
            return
        self.n_neg += len(negatives)
        for mine, p in _by_family(positives, score).items():
            for theirs, n in _by_family(negatives, score).items():
                spot = self.place[mine], self.place[theirs]
                self.won[spot] += wins(p, n)
                self.made[spot] += len(p) * len(n)
                self.used_positives.add(mine)
                self.used_negatives.add(theirs)

    def area(self) -> float:
        """Pool all comparisons."""
        return float(self.won.sum() / self.made.sum())

    def areas(self, draws: tuple[Array, Array]) -> Array:
        """Pool with each family counted as often as drawn; NaN where nothing is compared."""
        true, other = draws
        won = np.einsum("df,fg,dg->d", true, self.won, other)
        made = np.einsum("df,fg,dg->d", true, self.made, other)
        pooled: Array = np.divide(won, made, out=np.full(len(true), np.nan), where=made > 0)
        return pooled

    def macro(self, draws: tuple[Array, Array]) -> Array:
        """Average over the families of true suspects, each family one area."""
        true, other = draws
        won, made = other @ self.won.T, other @ self.made.T
        each = np.divide(won, made, out=np.full(won.shape, np.nan), where=made > 0)
        counted = np.where(np.isfinite(each), true, 0.0)
        total, size = (np.nan_to_num(each) * counted).sum(axis=1), counted.sum(axis=1)
        mean: Array = np.divide(total, size, out=np.full(len(true), np.nan), where=size > 0)
        return mean

    def everything(self) -> tuple[Array, Array]:
        """Count every family once."""
        return np.ones((1, len(self.place))), np.ones((1, len(self.place)))

    def draws(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Resample families of true suspects and of others: how often each is counted, [DRAWS, families] both."""
        drawn = []
        for used in (self.used_positives, self.used_negatives):
            weights = np.zeros((DRAWS, len(self.place)))
            places = [self.place[name] for name in sorted(used)]
            weights[:, places] = rng.multinomial(len(places), np.full(len(places), 1 / len(places)), size=DRAWS)
            drawn.append(weights)
        return drawn[0], drawn[1]

    def short(self) -> str:
        """Say why an area cannot be given, or nothing."""
        for kind, used in (("positive", self.used_positives), ("negative", self.used_negatives)):
            if len(used) < FEWEST_FAMILIES:
                return f"{len(used)} {kind} families with a comparison; {FEWEST_FAMILIES} are needed"
        return ""


def _by(pairs: Sequence[PairScores], group: Group) -> dict[str, list[PairScores]]:
    found: dict[str, list[PairScores]] = {}
    for one in pairs:
        found.setdefault(group(one), []).append(one)
    return found


def _by_family(pairs: Sequence[PairScores], score: dict[int, float]) -> dict[str, Array]:
    found: dict[str, list[float]] = {}
    for one in pairs:
        found.setdefault(one.pair.suspect_family, []).append(score[id(one)])
    return {name: np.array(values) for name, values in found.items()}


def _interval(draws: Array) -> tuple[float, float]:
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return round(float(low), 4), round(float(high), 4)


def area(
    positives: Sequence[PairScores],
    negatives: Sequence[PairScores],
    score: dict[int, float],
    group: Group,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Give an area with its family-bootstrap interval, or the reason why there is none."""
    made = Comparisons(positives, negatives, score, group)
    counts = {"n_neg": made.n_neg, "n_neg_families": len(made.used_negatives)}
    if made.short():
        return {**absent(made.short()), **counts}
    low, high = _interval(made.areas(made.draws(rng)))
    return {"value": round(made.area(), 4), "lo": low, "hi": high, **counts}


def macro_area(
    positives: Sequence[PairScores],
    negatives: Sequence[PairScores],
    score: dict[int, float],
    baseline: dict[int, float],
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Give the mean over suspect families of the area within a reference, and its paired difference to a baseline."""
    made = Comparisons(positives, negatives, score, by_reference)
    other = Comparisons(positives, negatives, baseline, by_reference)
    if made.short():
        return {**absent(made.short()), "minus_length": absent(made.short())}
    draws = made.draws(rng)
    every = made.everything()
    value, base = float(made.macro(every)[0]), float(other.macro(every)[0])
    low, high = _interval(made.macro(draws))
    less, more = _interval(made.macro(draws) - other.macro(draws))
    return {
        "value": round(value, 4),
        "lo": low,
        "hi": high,
        "minus_length": {"value": round(value - base, 4), "lo": less, "hi": more},
    }


def length_matched(pairs: Sequence[PairScores], score: dict[int, float]) -> dict[int, float]:
    """Take out of the scores what closeness in length explains inside each reference."""
    left = dict(score)
    for mine in _by(pairs, by_reference).values():
        if len(mine) >= 3:
            y = np.array([score[id(one)] for one in mine])
            kept = residual(y, np.array([one.closeness for one in mine]))
            left.update({id(one): float(value) for one, value in zip(mine, kept, strict=True)})
    return left
