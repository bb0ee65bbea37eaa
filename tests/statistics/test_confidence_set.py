"""The confidence set of the closest candidate."""

from __future__ import annotations

import numpy as np

from depose.statistics.confidence_set import closest

CLUSTERS = [str(i) for i in range(40)]


def test_the_clearly_less_close_are_dropped_and_ties_stay() -> None:
    """Two candidates of the same closeness stay, one far behind is dropped."""
    rng = np.random.default_rng(1)
    scores = rng.normal([1.0, 1.0, -1.0], 1.0, (40, 3))
    assert closest(scores, CLUSTERS, 0.05, np.random.default_rng(2)) == (True, True, False)


def test_the_true_closest_is_kept_as_often_as_promised() -> None:
    """Over simulated cases with equal candidates the first one is dropped in at most about 5 %."""
    kept = 0
    for seed in range(150):
        scores = np.random.default_rng(seed).normal(size=(40, 3))
        kept += closest(scores, CLUSTERS, 0.05, np.random.default_rng(seed + 1_000))[0]
    assert kept >= 134


def test_too_few_clusters_keep_everybody() -> None:
    """Where no test is possible nobody is dropped."""
    scores = np.array([[9.0, 0.0]] * 5)
    assert closest(scores, ["a"] * 5, 0.05, np.random.default_rng(3)) == (True, True)
