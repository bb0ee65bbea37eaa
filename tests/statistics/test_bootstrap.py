"""The two-way bootstrap interval: centred on what it estimates, unmoved by duplicates, covering what it should."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from depose.detectors import Combination, Measured, Similarity
from depose.statistics.bootstrap import Interval, Resampled, resampled
from depose.statistics.centring import score
from null_bags import null_bag
from profiles import profile

Array = NDArray[np.float64]


def bounds(measured: Measured, clusters: Sequence[str], seed: int = 4, draws: int = 999) -> Interval:
    """Score a bag and bootstrap its first two members."""
    return resampled(measured, clusters, draws, np.random.default_rng(seed)).interval()


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

    assert width(6) > 1.3 * width(60)


def test_the_estimate_is_the_score_itself() -> None:
    """With weights of one a draw is `centring.score`, with missing answers and for a combination too."""
    values = null_bag(np.random.default_rng(7), 12, 30)
    values[4, :, 5] = values[4, 5, :] = np.nan
    both = Combination(detector="both", parts=(made(values), profile(np.random.default_rng(8), 30, 14)))
    for measured in (made(values), *both.parts, both):
        found = resampled(measured, [str(i) for i in range(30)], 99, np.random.default_rng(0))
        assert found.estimate == pytest.approx(score(measured).t[0, 1], rel=1e-12)


def test_a_biased_draw_is_moved_back() -> None:
    """Draws that lie too high give an interval that lies lower, and the corrected draws have its ends as quantiles."""
    draws = np.random.default_rng(9).normal(1.0, 1.0, 4_000)
    found = Resampled(estimate=0.5, draws=draws, acceleration=0.0, bias=0.0, below=0.5)
    ends = found.interval()
    # z0 is -1/2: both ends move by twice that.
    assert (ends.low, ends.high) == pytest.approx((-1.96, 1.96), abs=0.25)
    assert np.quantile(found.corrected, [0.025, 0.975]) == pytest.approx((ends.low, ends.high), abs=0.05)
    assert (np.argsort(found.corrected, kind="stable") == np.argsort(draws, kind="stable")).all()


def test_draws_are_brought_back_and_how_far_is_kept() -> None:
    """A resampled world lifts the cosines of a profile: raw draws lie off, those used have the estimate as mean."""
    both = profile(np.random.default_rng(12), 40, 22)
    found = resampled(both, [str(i) for i in range(40)], 499, np.random.default_rng(13))
    assert found.draws.mean() == pytest.approx(found.estimate, abs=0.15 * found.draws.std())
    assert abs(found.bias) < 3 * found.draws.std() and 0 <= found.below <= 1
    noise = made(null_bag(np.random.default_rng(14), 20, 40))
    lifted = resampled(noise, [str(i) for i in range(40)], 499, np.random.default_rng(15))
    # The divisor of a bag of noise grows by about the square root of two, so that raw draws shrink towards 0.
    assert lifted.bias == pytest.approx(-0.3 * lifted.estimate, abs=0.25 * abs(lifted.estimate) + 0.1)


def test_no_level_turns_back() -> None:
    """Whatever the bias and the skewness, a higher level of confidence never gives a lower end."""
    draws = np.sort(np.random.default_rng(10).normal(size=999))
    for estimate in (-9.0, -1.5, 0.0, 1.5, 9.0):
        for acceleration in (-0.2, 0.0, 0.2):
            found = Resampled(estimate=estimate, draws=draws, acceleration=acceleration, bias=0.0, below=0.5).corrected
            assert (np.diff(found) >= 0).all()


def test_order_and_swapped_ends_change_nothing() -> None:
    """Prompts in another order, and suspect and reference swapped, give the same interval; controls, but for chance."""
    values, names = null_bag(np.random.default_rng(16), 12, 30), [f"{i:02}" for i in range(30)]
    once = bounds(made(values), names)
    order = np.random.default_rng(17).permutation(30)
    turned = values[order][:, [1, 0, *range(2, 14)]][:, :, [1, 0, *range(2, 14)]]
    other = bounds(made(turned), [names[i] for i in order])
    assert (once.low, once.high) == pytest.approx((other.low, other.high), rel=1e-9)
    mixed = np.concatenate([[0, 1], 2 + np.random.default_rng(18).permutation(12)])
    third = bounds(made(values[:, mixed][:, :, mixed]), names)
    assert (once.low, once.high) == pytest.approx((third.low, third.high), abs=0.25 * (once.high - once.low))


@pytest.mark.parametrize("k", [3, 4])
@pytest.mark.parametrize("prompts", [1, 2])
def test_the_smallest_bags_have_an_interval(k: int, prompts: int) -> None:
    """One prompt, or three controls: draws that leave no pair of controls are left out, and the rest holds T."""
    values = null_bag(np.random.default_rng(19), k, prompts)
    found = resampled(made(values), [str(i) for i in range(prompts)], 199, np.random.default_rng(20))
    assert np.isfinite(found.draws).all()
    ends = found.interval()
    assert ends.low <= found.estimate <= ends.high
    assert ends.low < ends.high


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_draws_all_on_one_side_give_an_end_of_them(side: float) -> None:
    """Where no draw reaches the estimate the interval is the nearest draws, in order, and no quantile is undefined."""
    draws = np.random.default_rng(21).uniform(1.0, 2.0, 999) * side
    ends = Resampled(estimate=0.0, draws=draws, acceleration=0.1, bias=0.0, below=0.0).interval()
    assert 1.0 <= side * ends.low <= 2.0
    assert 1.0 <= side * ends.high <= 2.0
    assert ends.low <= ends.high
    assert abs(ends.low - side) < 0.2
    assert abs(ends.high - side) < 0.2


def test_coverage_of_a_known_shift() -> None:
    """Over simulated cases the 95 % interval covers the true score at least nine times in ten (`make coverage`)."""
    hits = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        prompts, k = 40, 25
        noise = rng.normal(size=(prompts, k + 2, k + 2))
        place = rng.normal(size=k + 2)
        values = 0.5 * (place[:, None] + place[None, :]) + (noise + noise.transpose(0, 2, 1)) / 2
        values[:, 0, 1] += 1.0
        values[:, 1, 0] += 1.0
        measured = made(values)
        scale = score(measured).scales[0]
        found = bounds(measured, [str(i) for i in range(prompts)], draws=299)
        hits += found.low * scale <= 1.0 <= found.high * scale
    assert hits >= 36


def test_nothing_in_common_is_an_error() -> None:
    """Where no two members agree in anything there is no interval."""
    empty = made(np.zeros((2, 6, 6)))
    with pytest.raises(ValueError, match="agree"):
        resampled(empty, ["a", "b"], 99, np.random.default_rng(0))
