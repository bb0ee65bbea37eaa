"""Scores with length taken out, and without refusals."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from depose.detectors import Combination, Profile, Similarity
from depose.statistics.ranks import floor
from depose.statistics.sensitivity import matched, residual, without

Array = NDArray[np.float64]


def bag(rng: np.random.Generator, k: int, by_length: float, planted: float) -> tuple[Array, Array]:
    """Make scores that grow with closeness in length, and by `planted` for the first two members."""
    logs = rng.normal(size=k + 2)
    closeness = -np.abs(logs[:, None] - logs[None, :])
    noise = rng.normal(scale=0.3, size=closeness.shape)
    t = by_length * closeness + (noise + noise.T) / 2
    t[0, 1] += planted
    t[1, 0] += planted
    return t, closeness


def test_a_likeness_that_is_length_alone_disappears() -> None:
    """Where scores are nothing but closeness in length, the pair that is closest in length is not special."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(200):
        t, closeness = bag(rng, 19, 2.0, 0.0)
        found.append(matched(t, closeness).p_reference)
    assert binomtest(sum(p <= 0.05 for p in found), 200, 0.05, alternative="greater").pvalue > 0.001


def test_a_likeness_beyond_length_stays() -> None:
    """A planted excess of the pair survives the adjustment."""
    rng = np.random.default_rng(2)
    hits = sum(matched(*bag(rng, 19, 2.0, 3.0)).p == pytest.approx(floor(19)) for _ in range(50))
    assert hits >= 45


@pytest.mark.parametrize("by_length", [0.0, 2.0])
def test_p_is_uniform_under_the_null_on_both_sides(by_length: float) -> None:
    """Whether or not length decides the scores, each side is small as often as its level says, and no oftener."""
    rng = np.random.default_rng(6)
    found = [matched(*bag(rng, 19, by_length, 0.0)) for _ in range(600)]
    for side in ("p_reference", "p_suspect"):
        for level in (0.05, 0.2, 0.5):
            assert binomtest(sum(getattr(one, side) <= level for one in found), 600, level).pvalue > 0.001
    assert binomtest(sum(one.p <= 0.05 for one in found), 600, 0.05, alternative="greater").pvalue > 0.001


def test_suspect_and_reference_swapped_swap_the_sides() -> None:
    """The two sides are one function with the labels swapped, to the last digit."""
    t, closeness = bag(np.random.default_rng(7), 12, 1.0, 0.0)
    turned = [1, 0, *range(2, 14)]
    other = matched(t[np.ix_(turned, turned)], closeness[np.ix_(turned, turned)])
    one = matched(t, closeness)
    assert (one.p_reference, one.p_suspect) == (other.p_suspect, other.p_reference)
    assert one.p_reference != one.p_suspect


def test_the_residual_is_least_squares() -> None:
    """What is left is uncorrelated with length; with constant length nothing is taken away."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 30))
    assert np.corrcoef(residual(y, x), x)[0, 1] == pytest.approx(0, abs=1e-12)
    np.testing.assert_array_equal(residual(y, np.ones(30)), y)


def test_the_order_of_controls_changes_nothing() -> None:
    """Controls in another order give the same two p-values."""
    t, closeness = bag(np.random.default_rng(4), 12, 1.0, 1.0)
    order = np.concatenate([[0, 1], 2 + np.random.default_rng(5).permutation(12)])
    moved = matched(t[np.ix_(order, order)], closeness[np.ix_(order, order)])
    assert moved == matched(t, closeness)


def test_flagged_answers_are_left_out() -> None:
    """A flagged answer takes all its pairs on that prompt with it, and its counts, and no others."""
    values = np.ones((2, 4, 4))
    counts = np.ones((2, 4, 3), np.float32)
    flags = np.zeros((2, 4), dtype=bool)
    flags[1, 2] = True
    parts = (
        Similarity(detector="s", values=values),
        Profile(detector="p", counts=counts, totals=counts.sum(axis=2)),
    )
    left = without(Combination(detector="both", parts=parts), flags)
    assert isinstance(left, Combination)
    similar, counted = left.parts
    assert isinstance(similar, Similarity)
    assert isinstance(counted, Profile)
    assert np.isnan(similar.values[1, 2]).all()
    assert np.isfinite(similar.values).sum() == 32 - 7
    assert counted.totals[1].tolist() == [3, 3, 0, 3]
    assert counted.counts.sum() == 21
