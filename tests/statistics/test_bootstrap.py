"""The two-way bootstrap interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from depose.detectors import Combination, Measured, Similarity
from depose.statistics.bootstrap import Interval, draws_of, interval
from depose.statistics.centring import score
from null_bags import null_bag
from profiles import profile

Array = NDArray[np.float64]


def bounds(measured: Measured, clusters: Sequence[str], seed: int = 4, draws: int = 999) -> Interval:
    """Score a bag and bootstrap its first two members."""
    return interval(draws_of(measured, score(measured).scales, clusters, draws, np.random.default_rng(seed)))


def made(values: Array) -> Similarity:
    """Call it a measure."""
    return Similarity(detector="made", values=values)


def test_the_interval_holds_the_estimate() -> None:
    """On a plain bag the interval lies around T and has a width; so it does for a combination with a profile."""
    values = made(null_bag(np.random.default_rng(1), 20, 60))
    both = Combination(detector="both", parts=(values, profile(np.random.default_rng(2), 60, 22)))
    for measured in (values, both):
        found = bounds(measured, [str(i) for i in range(60)])
        assert found.low < score(measured).t[0, 1] < found.high


def test_duplicated_prompts_do_not_shrink_the_interval() -> None:
    """Asking everything three times under one cluster name gives the same interval, not a narrower one."""
    values = null_bag(np.random.default_rng(3), 20, 40)
    names = [str(i) for i in range(40)]
    once = bounds(made(values), names)
    thrice = bounds(made(np.repeat(values, 3, axis=0)), np.repeat(names, 3).tolist())
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high), rel=1e-9)


def test_more_controls_narrow_the_interval() -> None:
    """Control lineages are sampled too: with few of them the interval is wider, on the scale of the similarities."""
    values = null_bag(np.random.default_rng(5), 60, 40)

    def width(k: int) -> float:
        part = made(values[:, : k + 2, : k + 2])
        found = bounds(part, [str(i) for i in range(40)], seed=6)
        return (found.high - found.low) * score(part).scales[0]

    assert width(6) > 1.5 * width(60)


def test_coverage_of_a_known_shift() -> None:
    """Over simulated cases the 95 % interval covers the true centred shift at least nine times in ten."""
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        prompts, k = 50, 25
        noise = rng.normal(size=(prompts, k + 2, k + 2))
        place = rng.normal(size=k + 2)
        values = 0.5 * (place[:, None] + place[None, :]) + (noise + noise.transpose(0, 2, 1)) / 2
        values[:, 0, 1] += 1.0
        values[:, 1, 0] += 1.0
        measured = made(values)
        scale = score(measured).scales[0]
        found = bounds(measured, [str(i) for i in range(prompts)], draws=499)
        hits += found.low * scale <= 1.0 <= found.high * scale
    assert hits >= 54


def test_nothing_in_common_is_an_error() -> None:
    """Where no two members agree in anything there is no interval."""
    empty = made(np.zeros((2, 6, 6)))
    with pytest.raises(ValueError, match="agree"):
        draws_of(empty, score(empty).scales, ["a", "b"], 99, np.random.default_rng(0))
