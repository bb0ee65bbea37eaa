"""Scores with length taken out, and without refusals."""

from __future__ import annotations

import numpy as np

from depose.statistics.centring import centre
from depose.statistics.ranks import model_level
from depose.statistics.sensitivity import residual_on, without


def test_a_likeness_that_is_length_alone_disappears() -> None:
    """Where similarity is nothing but closeness in length, the length-matched residual is zero."""
    rng = np.random.default_rng(1)
    logs = rng.normal(size=(30, 22))
    gaps = np.abs(logs[:, :, None] - logs[:, None, :])
    np.testing.assert_allclose(residual_on(0.7 - 0.2 * gaps, gaps)[:, 0, 1:], (0.7 - 0.2 * gaps.mean()), atol=0.3)
    values = 0.7 - 0.2 * gaps
    spread = residual_on(values, gaps)
    upper = np.triu_indices(22, 1)
    assert max(np.ptp(one[upper]) for one in spread) < 1e-12


def test_a_likeness_beyond_length_stays() -> None:
    """A planted excess of the pair survives the regression on length."""
    rng = np.random.default_rng(2)
    logs = rng.normal(size=(60, 22))
    gaps = np.abs(logs[:, :, None] - logs[:, None, :])
    noise = rng.normal(scale=0.05, size=gaps.shape)
    values = 0.7 - 0.2 * gaps + (noise + noise.transpose(0, 2, 1)) / 2
    values[:, 0, 1] += 0.2
    values[:, 1, 0] += 0.2
    assert model_level(centre(residual_on(values, gaps)).t).p == 1 / 21


def test_relabelling_permutes_the_residuals() -> None:
    """The regression treats all pairs of the bag alike."""
    rng = np.random.default_rng(3)
    values, gaps = (m + m.transpose(0, 2, 1) for m in rng.random((2, 8, 9, 9)))
    order = rng.permutation(9)
    moved = residual_on(values[:, order][:, :, order], gaps[:, order][:, :, order])
    np.testing.assert_allclose(moved, residual_on(values, gaps)[:, order][:, :, order], rtol=1e-9)


def test_flagged_answers_are_blanked() -> None:
    """A flagged answer takes all its pairs on that prompt with it, and no others."""
    values = np.ones((2, 4, 4))
    flags = np.zeros((2, 4), dtype=bool)
    flags[1, 2] = True
    left = without(values, flags)
    assert np.isnan(left[1, 2]).all()
    assert np.isnan(left[1, :, 2]).all()
    assert np.isfinite(left).sum() == 32 - 7
