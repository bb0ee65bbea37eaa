"""What a day of watching would have found: power by resampling answers that are on record.

A lower bound in two ways: the e-process alone, without its looks, and the lower end of an exact interval over the runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from depose.statistics.rates import lower_bound
from depose.statistics.rounding import tidy
from depose.statistics.substitution import SHARE, Array, conformal, likeness, log10_e
from depose.watch.days import Power

RUNS = 100
SHARES = (0.5, 0.2, 0.1)
"""Shares of calls that go to a model which answers what was never answered before."""
Answers = Sequence[Sequence[str]]
"""By prompt."""


def powers(
    kept: Answers, others: Mapping[str, Answers], rounds: int, alpha: float, rng: np.random.Generator, runs: int = RUNS
) -> tuple[Power, ...]:
    """Say with what power at least each of the others would have been found, and shares of answers never given.

    Every one of the others has an answer to every prompt.
    """
    found = []
    for name, said in others.items():
        alike = [likeness([*old, *new]) for old, new in zip(kept, said, strict=True)]
        found.append(_power(name, alike, 1.0, kept, rounds, alpha, rng, runs))
    strange = [_strange(likeness(old)) for old in kept]
    for share in SHARES:
        name = f"a model that gives answers never kept, in {share:.0%} of the calls"
        found.append(_power(name, strange, share, kept, rounds, alpha, rng, runs))
    return tuple(found)


def _strange(alike: Array) -> Array:
    """Add an answer that is like no other, nor like another of its kind."""
    return np.pad(alike, (0, 1))


def _power(
    name: str,
    alike: Sequence[Array],
    share: float,
    kept: Answers,
    rounds: int,
    alpha: float,
    rng: np.random.Generator,
    runs: int,
) -> Power:
    hits = 0
    for _ in range(runs):
        drawn = []
        for among, old in zip(alike, kept, strict=True):
            other = rng.integers(len(old), len(among), rounds)
            same = rng.integers(len(old), size=rounds)
            drawn.append(np.where(rng.random(rounds) < share, other, same))
        places = [np.concatenate([np.arange(len(old)), new]) for old, new in zip(kept, drawn, strict=True)]
        parts = [among[np.ix_(where, where)] for among, where in zip(alike, places, strict=True)]
        order = [*range(len(kept))] * rounds
        wealth = log10_e(conformal(parts, [len(old) for old in kept], order, rng))
        hits += bool(wealth.max() >= -np.log10(SHARE * alpha))
    return Power(against=name, low=tidy(lower_bound(hits, runs)), runs=runs)
