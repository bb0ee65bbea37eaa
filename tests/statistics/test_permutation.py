"""The conditional prompt-level test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, permutation_test

from depose.statistics.permutation import prompt_level

CLUSTERS = [str(i) for i in range(40)]


def test_uniform_under_the_null() -> None:
    """With one control and symmetric differences p is small as often as its level says."""
    rng = np.random.default_rng(1)
    found = [
        prompt_level(rng.normal(size=40), rng.normal(size=(40, 1)), CLUSTERS, np.random.default_rng(i), 199)
        for i in range(400)
    ]
    for level in (0.05, 0.2, 0.5):
        assert binomtest(sum(p <= level for p in found), 400, level).pvalue > 0.001


def test_power_on_a_known_shift() -> None:
    """A shift of one standard deviation on 40 prompts is found against every one of 20 controls."""
    rng = np.random.default_rng(2)
    assert prompt_level(rng.normal(1.5, 1, 40), rng.normal(size=(40, 20)), CLUSTERS, rng) < 0.01


def test_the_closest_control_decides() -> None:
    """One control as close as the reference is enough for a large p."""
    rng = np.random.default_rng(3)
    pair = rng.normal(2, 1, 40)
    controls = rng.normal(size=(40, 20))
    controls[:, 7] = pair + rng.normal(0, 0.1, 40)
    assert prompt_level(pair, controls, CLUSTERS, rng) > 0.05


def test_duplicated_prompts_change_nothing() -> None:
    """Prompts repeated within their clusters give the same p with the same signs."""
    rng = np.random.default_rng(4)
    pair, controls = rng.normal(0.3, 1, 40), rng.normal(size=(40, 3))
    once = prompt_level(pair, controls, CLUSTERS, np.random.default_rng(5))
    again = prompt_level(np.tile(pair, 4), np.tile(controls, (4, 1)), CLUSTERS * 4, np.random.default_rng(5))
    assert once == again


def test_order_changes_nothing() -> None:
    """Prompts and controls in another order give the same p with the same signs."""
    rng = np.random.default_rng(9)
    pair, controls = rng.normal(0.5, 1, 40), rng.normal(size=(40, 5))
    once = prompt_level(pair, controls, CLUSTERS, np.random.default_rng(5))
    order, others = rng.permutation(40), rng.permutation(5)
    moved = controls[order][:, others]
    assert prompt_level(pair[order], moved, [CLUSTERS[i] for i in order], np.random.default_rng(5)) == once


def test_a_control_with_fewer_answers_cannot_lower_p() -> None:
    """A control that answered three prompts has eight sets of signs, and so no p below an eighth."""
    rng = np.random.default_rng(10)
    controls = rng.normal(-3, 1, size=(40, 2))
    assert prompt_level(rng.normal(1, 1, 40), controls, CLUSTERS, np.random.default_rng(5)) < 0.001
    controls[3:, 1] = np.nan
    assert prompt_level(rng.normal(1, 1, 40), controls, CLUSTERS, np.random.default_rng(5)) > 0.1


def test_agrees_with_scipy() -> None:
    """With one control it is scipy's paired permutation test, up to simulation noise."""
    rng = np.random.default_rng(6)
    pair, control = rng.normal(0.3, 1, 40), rng.normal(size=40)
    ours = prompt_level(pair, control[:, None], CLUSTERS, np.random.default_rng(7))
    theirs = permutation_test(
        (pair - control,),
        np.sum,
        permutation_type="samples",
        alternative="greater",
        n_resamples=9_999,
        rng=np.random.default_rng(8),
    )
    assert ours == pytest.approx(theirs.pvalue, abs=0.02)


def test_never_zero_and_too_few_clusters_refused() -> None:
    """The smallest p is 1 / (B + 1); fewer than 15 clusters are no test."""
    assert prompt_level(np.full(40, 99.0), np.zeros((40, 2)), CLUSTERS, np.random.default_rng(9), 99) == 0.01
    with pytest.raises(ValueError, match="15 clusters"):
        prompt_level(np.ones(14), np.zeros((14, 2)), CLUSTERS[:14], np.random.default_rng(9))
