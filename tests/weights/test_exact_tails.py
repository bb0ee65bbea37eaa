"""Tails of the null distributions: equal to enumeration and to scipy, and right where no float holds them."""

from __future__ import annotations

from itertools import permutations, product
from math import factorial, log10

import numpy as np
import pytest
from scipy import stats

from depose.weights import exact_tails


def test_every_order_of_six_has_the_p_value_of_enumeration() -> None:
    """The p-value of an order is the share of all orders with as few inversions, for all 720 orders of six."""
    every = [np.array(one) for one in permutations(range(6))]
    inversions = np.array([sum(a[i] > a[j] for i in range(6) for j in range(i + 1, 6)) for a in every])
    for places, count in zip(every, inversions, strict=True):
        assert exact_tails.order(places) == pytest.approx(log10((inversions <= count).mean()), abs=1e-12)


def test_neighbours_of_every_order_of_six_have_the_p_value_of_enumeration() -> None:
    """The p-value of neighbours is the share of all orders in which as few of them fall, for all 720 orders of six."""
    every = [np.array(one) for one in permutations(range(6))]
    falls = np.array([(np.diff(one) < 0).sum() for one in every])
    for places, count in zip(every, falls, strict=True):
        assert exact_tails.neighbours(places) == pytest.approx(log10((falls <= count).mean()), abs=1e-12)


def test_neighbours_know_nothing_of_what_is_far() -> None:
    """Two halves that were put in order, each in an order of its own, are nothing to neighbours, and much to pairs."""
    draw = np.random.default_rng(4)
    found = np.array([
        [exact_tails.order(places), exact_tails.neighbours(places)]
        for places in (np.concatenate([draw.permutation(64), 64 + draw.permutation(64)]) for _ in range(400))
    ])  # fmt: skip
    assert found[:, 0].max() < -10
    assert (10 ** found[:, 1] < 0.05).mean() < 0.1
    assert found[:, 1].min() > -5


def test_neighbours_have_uniform_p_values_and_see_a_few_that_are_kin() -> None:
    """Over 2,000 random orders p is never too small; of 128 units half of which are in order it is small."""
    draw = np.random.default_rng(7)
    found = [10 ** exact_tails.neighbours(draw.permutation(128)) for _ in range(2_000)]
    assert stats.kstest(found, "uniform", alternative="greater").pvalue > 0.01
    assert np.quantile(found, 0.05) < 0.08, "and not much too large either"
    half = np.arange(128)
    chosen = draw.choice(128, 64, replace=False)
    half[chosen] = draw.permutation(half[chosen])
    assert exact_tails.neighbours(half) < -3


def test_every_choice_of_signs_has_the_p_value_of_enumeration() -> None:
    """The p-value of signs is the share of all signs with as large a sum of signed ranks, for all 64 of six."""
    sizes = np.array([0.3, -2.0, 1.1, 0.7, -0.2, 5.0])
    every = np.array(list(product((-1, 1), repeat=6))) * np.abs(sizes)
    ranks = np.argsort(np.argsort(np.abs(sizes))) + 1
    sums = (np.sign(every) * ranks).sum(axis=1)
    for values, total in zip(every, sums, strict=True):
        assert exact_tails.signs(values) == pytest.approx(log10((sums >= total).mean()), abs=1e-12)


def test_tails_are_those_of_scipy_where_scipy_counts() -> None:
    """Kendall's tau of 100 and signed ranks of 40 agree with scipy's exact distributions."""
    draw = np.random.default_rng(5)
    places = draw.permutation(100)
    whole = stats.kendalltau(np.arange(100), places, alternative="greater", method="exact").pvalue
    assert exact_tails.order(places) == pytest.approx(log10(whole), abs=1e-9)
    values = draw.normal(0.3, 1, 40)
    assert exact_tails.signs(values) == pytest.approx(
        log10(stats.wilcoxon(values, alternative="greater", method="exact").pvalue), abs=1e-9
    )


def test_the_least_p_values_are_one_order_and_one_choice_of_signs() -> None:
    """128 places in rising order have 1 / 128!, which a float still holds; 128 positive values have 2^-128."""
    assert exact_tails.order(np.arange(128)) == pytest.approx(-log10(factorial(128)), abs=1e-9)
    assert exact_tails.signs(np.arange(1, 129)) == pytest.approx(-128 * log10(2), abs=1e-9)
    assert exact_tails.neighbours(np.arange(128)) == pytest.approx(-log10(factorial(128)), abs=1e-9)
    assert exact_tails.order(np.arange(128)[::-1]) == exact_tails.neighbours(np.arange(128)[::-1]) == 0
    assert exact_tails.order([1, 2, 3, 4]) == exact_tails.neighbours([1, 2, 3, 4]) == 0, "four places decide nothing"
    assert exact_tails.signs(np.zeros(20)) == 0


@pytest.mark.parametrize("test", [exact_tails.order, exact_tails.neighbours, exact_tails.signs])
def test_more_than_are_counted_are_refused(test: object) -> None:
    """129 places are an error, not an approximation."""
    with pytest.raises(ValueError, match="more than 128"):
        test(np.arange(1, 130))  # type: ignore[operator]


def test_fisher_is_that_of_scipy_and_goes_on_where_no_float_is_left() -> None:
    """Three p-values combine as in scipy, fifty of 1e-400 to the chi-squared tail in logarithms."""
    assert exact_tails.fisher([-1, -2, -3]) == pytest.approx(
        log10(stats.combine_pvalues([0.1, 0.01, 0.001]).pvalue), abs=1e-12
    )
    assert exact_tails.fisher([-400.0] * 50) == pytest.approx(-19834.284, abs=1e-3)
    assert exact_tails.fisher([-2.5]) == pytest.approx(-2.5)
    assert exact_tails.fisher([]) == exact_tails.fisher([0.0, 0.0]) == 0


def test_p_values_are_uniform_under_the_null() -> None:
    """5,000 random orders, and as many random signs, have p-values that nothing tells from uniform ones."""
    draw = np.random.default_rng(6)
    orders = [10 ** exact_tails.order(draw.permutation(40)) for _ in range(5_000)]
    signs = [10 ** exact_tails.signs(draw.normal(size=40)) for _ in range(5_000)]
    for found in (orders, signs):
        assert stats.kstest(found, "uniform").pvalue > 0.01
