"""Printed numbers: never rounded to the side of whoever relies on them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depose.statistics.rounding import at_least, at_most, towards_one, upwards


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (upwards(1 / 26), "0.0385"),
        (at_most(0.00316), "0.004"),
        (at_most(0.2384), "0.239"),
        (at_least(0.6070), "0.60"),
        (at_least(0.0, 3), "0.000"),
        (at_most(1.0), "1.000"),
    ],
)
def test_p_and_upper_bounds_go_up_and_lower_bounds_down(printed: str, shown: str) -> None:
    """What a proponent relies on, such as a lower bound of power, is never printed as more than it is."""
    assert printed == shown


@given(st.floats(min_value=1e-8, max_value=1e8))
def test_a_ratio_is_rounded_towards_one(ratio: float) -> None:
    """A printed ratio is no stronger than the ratio, on either side of 1, and less than a hundredth from it."""
    shown = towards_one(ratio)
    noise = 1 + 1e-9
    assert 1 / noise <= shown <= ratio * noise if ratio > 1 else ratio / noise <= shown <= noise
    assert abs(shown / ratio - 1) < 0.01 + 1e-9


def test_noise_of_floating_point_costs_no_digit() -> None:
    """A value that is 8 but for its last bit is printed as 8."""
    assert towards_one(7.999999999999999) == 8
    assert at_least(0.7999999999999999) == "0.80"
    assert at_most(0.05000000000000001) == "0.050"
