"""Control-centring: checked against the formula of design.md written out in loops."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from depose.statistics.centring import SHRINKAGE, centre

Array = NDArray[np.float64]


def similarities(rng: np.random.Generator, prompts: int, members: int) -> Array:
    """Make random symmetric similarities with a unit diagonal."""
    half = rng.random((prompts, members, members))
    values: Array = (half + half.transpose(0, 2, 1)) / 2
    values[:, np.arange(members), np.arange(members)] = 1.0
    return values


def by_hand(s: Array, a: int, b: int) -> tuple[float, float]:
    """Centre one pair on one prompt, literally: the centred value and the control-control variance."""
    others = [m for m in range(len(s)) if m not in (a, b) and np.isfinite(s[m, m])]
    among = [s[k, m] for k in others for m in others if k < m]
    centred = s[a, b] - np.mean([s[a, k] for k in others]) - np.mean([s[k, b] for k in others]) + np.mean(among)
    return float(centred), float(np.var(among))


def test_centring_equals_the_formula() -> None:
    """Every pair's d is the formula of design.md with the shrunken standard deviation."""
    s = similarities(np.random.default_rng(1), 4, 7)
    found = centre(s)
    variances = np.array([[[by_hand(p, a, b)[1] if a != b else np.nan for b in range(7)] for a in range(7)] for p in s])
    pooled = np.nanmean(variances)
    for p in range(4):
        for a, b in ((0, 1), (2, 5), (6, 3)):
            value, variance = by_hand(s[p], a, b)
            scale = np.sqrt((1 - SHRINKAGE) * variance + SHRINKAGE * pooled)
            assert found.d[p, a, b] == pytest.approx(value / scale, rel=1e-9)
    assert found.t[0, 1] == pytest.approx(found.d[:, 0, 1].mean(), rel=1e-12)


def test_relabelling_the_bag_permutes_the_scores_exactly() -> None:
    """Scores belong to models, not to places in the bag."""
    rng = np.random.default_rng(2)
    s = similarities(rng, 6, 9)
    order = rng.permutation(9)
    shuffled = centre(s[:, order][:, :, order]).t
    np.testing.assert_allclose(shuffled, centre(s).t[np.ix_(order, order)], rtol=1e-10, atol=1e-12)


def test_a_model_that_resembles_everybody_gains_nothing() -> None:
    """Adding a constant to all similarities of one member leaves its scores where they were."""
    s = similarities(np.random.default_rng(3), 5, 8)
    generic = s.copy()
    generic[:, 0, 1:] += 0.3
    generic[:, 1:, 0] += 0.3
    plain, raised = centre(s), centre(generic)
    np.testing.assert_allclose(
        raised.d[:, 0, 1:] * raised.scale[:, 0, 1:], plain.d[:, 0, 1:] * plain.scale[:, 0, 1:], atol=1e-12
    )


def test_missing_answers_are_left_out_of_the_means() -> None:
    """A member without an answer to a prompt is no control on it, and its own pairs have no score there."""
    s = similarities(np.random.default_rng(4), 3, 8)
    s[1, 5, :] = np.nan
    s[1, :, 5] = np.nan
    found = centre(s)
    assert np.isnan(found.d[1, 0, 5])
    value, _ = by_hand(s[1], 0, 1)
    assert found.d[1, 0, 1] * found.scale[1, 0, 1] == pytest.approx(value)
    assert np.isfinite(found.t[0, 5])


def test_one_silent_prompt_does_not_decide_the_score() -> None:
    """Where no two controls agree the variance is shrunken, so that a single shared word stays small."""
    s = np.zeros((100, 12, 12)) + np.eye(12)
    rng = np.random.default_rng(5)
    s[1:] = similarities(rng, 99, 12)
    s[0, 0, 1] = s[0, 1, 0] = 0.1
    assert abs(centre(s).d[0, 0, 1]) < 5


def test_too_few_controls_give_no_score() -> None:
    """Two controls cannot say how controls differ."""
    assert np.isnan(centre(similarities(np.random.default_rng(6), 3, 4)).t[0, 1])
