"""Exact bounds and areas under the curve."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from depose.statistics.rates import auc, lower_bound, rate, upper_bound


@pytest.mark.parametrize(("k", "n"), [(0, 20), (1, 20), (9, 500), (20, 20), (19, 20)])
def test_bounds_equal_scipy(k: int, n: int) -> None:
    """One-sided 95 % bounds are the ends of scipy's two-sided exact 90 % interval."""
    exact = binomtest(k, n).proportion_ci(0.90, "exact")
    assert upper_bound(k, n) == pytest.approx(exact.high)
    assert lower_bound(k, n) == pytest.approx(exact.low)


def test_nothing_tried_says_nothing() -> None:
    """Without trials the rate may be anything."""
    assert (rate(0, 0).lower95, rate(0, 0).upper95) == (0.0, 1.0)


def test_auc_equals_sklearn_with_ties() -> None:
    """Ties count one half, as in sklearn."""
    rng = np.random.default_rng(1)
    positives, negatives = rng.integers(0, 6, 40).astype(float), rng.integers(0, 5, 90).astype(float)
    labels = np.concatenate([np.ones(40), np.zeros(90)])
    assert auc(positives, negatives) == pytest.approx(roc_auc_score(labels, np.concatenate([positives, negatives])))


def test_no_area_without_both_sides() -> None:
    """An area of nothing is refused."""
    with pytest.raises(ValueError, match="positives and negatives"):
        auc(np.zeros(0), np.ones(2))
