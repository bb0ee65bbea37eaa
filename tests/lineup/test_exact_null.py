"""Tails of sums of integers: equal to exact fractions, and right where no float holds the probability."""

from __future__ import annotations

from fractions import Fraction
from math import comb, log
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depose.lineup.exact_null import Summand, log_tail


def uniform(members: int, count: int) -> Summand:
    """Ranks 0 to members - 1, all as likely."""
    return Summand(values=tuple(range(members)), probabilities=(1 / members,) * members, count=count)


@st.composite
def summands(draw: st.DrawFn) -> list[tuple[dict[int, int], int]]:
    """Draw up to four distributions with small whole weights, and how often each is summed."""
    weights = st.dictionaries(st.integers(-5, 9), st.integers(1, 9), min_size=1, max_size=4)
    return draw(st.lists(st.tuples(weights, st.integers(1, 3)), min_size=1, max_size=4))


@settings(max_examples=60, deadline=None)
@given(summands())
def test_tails_equal_exact_fractions(drawn: list[tuple[dict[int, int], int]]) -> None:
    """At every total, from below the least to above the largest, the tail is that of the convolution in fractions."""
    whole = {0: Fraction(1)}
    for weights, count in drawn:
        for _ in range(count):
            grown: dict[int, Fraction] = {}
            for total, mass in whole.items():
                for value, weight in weights.items():
                    grown[total + value] = grown.get(total + value, Fraction(0)) + mass * Fraction(
                        weight, sum(weights.values())
                    )
            whole = grown
    given_ = [
        Summand(
            values=tuple(weights),
            probabilities=tuple(weight / sum(weights.values()) for weight in weights.values()),
            count=count,
        )
        for weights, count in drawn
    ]
    for total in range(min(whole) - 1, max(whole) + 2):
        exact = sum((mass for value, mass in whole.items() if value >= total), Fraction(0))
        found = log_tail(given_, total)
        if exact == 0:
            assert found == -np.inf
        else:
            assert found == pytest.approx(log(exact.numerator) - log(exact.denominator), abs=1e-11)


def test_a_million_summands_keep_the_digits_that_no_float_holds() -> None:
    """At the largest sums of 10^6 ranks the number of ways is known: one, a million, and so on by the binomial."""
    ways = uniform(10, 10**6)
    for missing in range(4):
        exact = log(comb(10**6 + missing - 1, missing)) - 10**6 * log(10)
        # all sums from here up
        above = sum(comb(10**6 + one - 1, one) for one in range(missing + 1))
        assert log_tail([ways], 9 * 10**6 - missing) == pytest.approx(log(above) - 10**6 * log(10), rel=1e-12)
        assert log_tail([ways], 9 * 10**6 - missing) >= exact


def test_the_floor_is_the_number_of_ways() -> None:
    """The smallest p of N line-ups with M fillers is (M + 1)^-N."""
    assert log_tail([uniform(4, 150)], 3 * 150) == pytest.approx(-150 * log(4), rel=1e-14)


def test_six_standard_deviations_are_less_than_the_normal_says() -> None:
    """200 ranks among 10: 7.4e-10, where the normal approximation says 1.0e-9."""
    total = int(np.ceil(200 * 4.5 + 6 * np.sqrt(200 * 99 / 12)))
    assert np.exp(log_tail([uniform(10, 200)], total)) == pytest.approx(7.38e-10, rel=1e-3)


def test_bags_of_a_hundred_with_ties_of_their_own_take_no_hours() -> None:
    """400 summands of about 60 values each, none like another: their tail is that of the convolution, in seconds."""
    rng, made, whole = np.random.default_rng(0), [], np.ones(1)
    for _ in range(400):
        values = np.unique(np.append(rng.integers(0, 198, size=70), 0))
        mass = rng.dirichlet(np.ones(len(values)))
        made.append(Summand(values=tuple(values.tolist()), probabilities=tuple(mass.tolist())))
        row = np.zeros(198)
        row[values] = mass
        whole = np.convolve(whole, row)
    mean = float(whole @ np.arange(len(whole)))
    start = process_time()
    for above in (300, 2_000, 4_000):
        total = int(mean) + above
        assert log_tail(made, total) == pytest.approx(np.log(whole[total:].sum()), rel=1e-9)
    assert process_time() - start < 6


@pytest.mark.parametrize(
    ("values", "probabilities", "count"),
    [((), (), 1), ((1, 2), (1.0,), 1), ((1, 2), (0.5, 0.4), 1), ((1, 2), (1.5, -0.5), 1), ((1,), (1.0,), 0)],
)
def test_what_is_no_distribution_is_refused(
    values: tuple[int, ...], probabilities: tuple[float, ...], count: int
) -> None:
    """Probabilities are positive, as many as values, and add up to one."""
    with pytest.raises(ValueError, match=r"summand|add up"):
        Summand(values=values, probabilities=probabilities, count=count)
