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


def test_who_cannot_be_tested_shields_nobody() -> None:
    """A rival with few answers, or with none, stays in the set and saves no other; nor is it the closest to beat."""
    scores = np.random.default_rng(4).normal([2.0, -1.0], 1.0, (40, 2))
    for rows in (0, 14):
        for value in (9.0, -9.0):
            few = np.full((40, 1), np.nan)
            few[:rows] = value
            found = closest(np.hstack([scores, few]), CLUSTERS, 0.05, np.random.default_rng(5))
            assert found == (True, False, True)


def test_names_decide_nothing() -> None:
    """Candidates in another order, and prompts asked three times, give the same set."""
    scores = np.random.default_rng(6).normal([1.0, 0.9, -0.6, 0.0], 1.0, (40, 4))
    kept = closest(scores, CLUSTERS, 0.05, np.random.default_rng(7))
    assert closest(scores[:, ::-1], CLUSTERS, 0.05, np.random.default_rng(7)) == kept[::-1]
    thrice = np.repeat(scores, 3, axis=0), np.repeat(CLUSTERS, 3).tolist()
    assert closest(*thrice, 0.05, np.random.default_rng(7)) == kept
