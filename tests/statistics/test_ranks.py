"""Model-level p-values: uniform under the null, never 0, and as strong as the controls allow."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest, false_discovery_control

from depose.detectors import Similarity
from depose.statistics.centring import score
from depose.statistics.ranks import controls_needed, every_pair, floor, holm, model_level, rank_p
from null_bags import null_bag


def scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Score a bag of made similarities."""
    return score(Similarity(detector="made", values=values)).t


@pytest.mark.parametrize("k", [19, 40])
def test_p_is_valid_under_the_null(k: int) -> None:
    """With exchangeable models neither p-value is small more often than its level says."""
    rng = np.random.default_rng(k)
    found = [model_level(scores(null_bag(rng, k, 30))) for _ in range(400)]
    for level in (0.05, 0.1, 0.25, 0.5):
        for ps in ([one.p_reference for one in found], [one.p_suspect for one in found]):
            hits = sum(p <= level + 1e-12 for p in ps)
            assert binomtest(hits, len(ps), level, alternative="greater").pvalue > 0.001
    mean = np.mean([one.p_reference for one in found])
    assert mean == pytest.approx((k + 2) / (2 * (k + 1)), abs=0.06)


@pytest.mark.parametrize("k", [19, 40])
def test_a_planted_relation_is_found(k: int) -> None:
    """A suspect moved towards the reference reaches the floor."""
    rng = np.random.default_rng(k + 1)
    hits = 0
    for _ in range(50):
        bag = null_bag(rng, k, 30)
        bag[:, 0, 1] += 25.0
        bag[:, 1, 0] += 25.0
        hits += model_level(scores(bag)).p == pytest.approx(floor(k))
    assert hits >= 45


def test_p_is_never_zero_and_ties_count_against() -> None:
    """The best possible score still has p = 1 / (K + 1); a tie with every control has p = 1."""
    assert rank_p(9.0, np.zeros(19)) == pytest.approx(0.05)
    assert rank_p(0.0, np.zeros(19)) == 1.0
    assert rank_p(1 + 1e-14, np.ones(19)) == 1.0


def test_no_rank_without_controls() -> None:
    """A rank among no controls, or among missing scores, is refused."""
    for controls in (np.zeros(0), np.array([np.nan])):
        with pytest.raises(ValueError, match="finite"):
            rank_p(1.0, controls)


def test_holm_is_what_the_definition_says() -> None:
    """Adjusted values: worked by hand; and never below Benjamini-Hochberg of the same values."""
    values = [0.01, 0.04, 0.03, 0.005]
    assert holm(values) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert all(h >= b - 1e-12 for h, b in zip(holm(values), false_discovery_control(values), strict=True))


def test_controls_needed_for_several_tests() -> None:
    """Two tested references at alpha .05 need 39 controls, one needs 19."""
    assert [controls_needed(m, 0.05) for m in (1, 2, 3)] == [19, 39, 59]


def test_every_pair_is_ranked_as_the_pair_that_is_tested() -> None:
    """For any two members the larger p of the bag with them in front; NaN where a score is missing."""
    rng = np.random.default_rng(11)
    t = np.round(rng.normal(size=(9, 9)), 1)
    t = (t + t.T) / 2
    np.fill_diagonal(t, np.nan)
    p = every_pair(t)
    for a, b in ((0, 1), (3, 7), (8, 2)):
        order = [a, b, *(m for m in range(9) if m not in (a, b))]
        assert p[a, b] == pytest.approx(model_level(t[np.ix_(order, order)]).p)
    t[4, 5] = t[5, 4] = np.nan
    missing = every_pair(t)
    assert np.isnan(missing[4]).all()
    assert np.isfinite(missing[0, 1])
