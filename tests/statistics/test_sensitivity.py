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
