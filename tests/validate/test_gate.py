"""The gate: no ratio of a question is given that costs too much on what took no part in its fit."""

from __future__ import annotations

import numpy as np
import pytest

from depose.statistics.likelihood import cllr
from depose.validate.gate import interval


def logs(shift: float, families: int = 8, each: int = 6) -> tuple[np.ndarray, np.ndarray, list[str], list[str]]:
    """Make log ratios of true pairs and of others, so many families of each."""
    rng = np.random.default_rng(3)
    named = [f"f{n}" for n in range(families) for _ in range(each)]
    return rng.normal(shift, 1, len(named)), rng.normal(-shift, 1, len(named)), named, named


@pytest.mark.parametrize(("shift", "passes"), [(2.0, True), (0.0, False), (-1.0, False)])
def test_what_informs_passes_and_what_misleads_does_not(shift: float, passes: bool) -> None:
    """The interval holds the cost, and lies below 1 only for ratios that tell true pairs from others."""
    h1, h2, first, second = logs(shift)
    low, high = interval(h1, h2, first, second, np.random.default_rng(1))
    assert low <= cllr(h1, h2) <= high
    assert (high < 1) is passes


def test_the_interval_is_of_families() -> None:
    """The order of pairs changes nothing but rounding, and pairs given twice do not make it narrower."""
    h1, h2, first, second = logs(1.0)
    once = interval(h1, h2, first, second, np.random.default_rng(1))
    order = np.random.default_rng(2).permutation(len(h1))
    moved = interval(h1[order], h2, [first[n] for n in order], second, np.random.default_rng(1))
    twice = interval(np.tile(h1, 2), np.tile(h2, 2), first * 2, second * 2, np.random.default_rng(1))
    assert moved == pytest.approx(once)
    assert twice == pytest.approx(once)
