"""Printed numbers: never rounded to the side of whoever relies on them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import depose
from depose.statistics.rounding import at_least, at_most, towards_one, upwards

NEAREST = re.compile(
    r"\{(?:[a-z_]+\.|[a-z_]+\[['\"])*(?:[pq]|p_[a-z_]+|[a-z_]*floor)(?:['\"]?\])?(?:\[\w+\])?:z?[<>^]?\d*\.\d[fge]\}"
    r"|(?:[. ]p(?:_[a-z_]+)?) ?\| ?number"
)
"""A p, q or floor that is put into a text by a format, which rounds to the nearest and so below it half of the time."""
BY_FORMAT = ("lineup/diagnostics.py",)
"""Words of findings of line-ups, which bundles that were sealed earlier hold as they are."""


@given(st.floats(min_value=1e-300, max_value=1), st.integers(1, 4))
def test_a_print_is_never_below_and_hardly_above(p: float, digits: int) -> None:
    """However small p is, it reads as a number that is no smaller, by one step of the last digit at most, and not 0."""
    read = float(upwards(p, digits))
    assert p * (1 - 1e-11) <= read <= p * (1 + 1.001 * 10 ** (1 - digits))
    assert read > 0


@pytest.mark.parametrize(
    ("p", "said"), [(0.05, "0.0500"), (0.0504, "0.0504"), (1 / 31, "0.0323"), (1e-34, "1.00e-34"), (1.0, "1.00")]
)
def test_ends_of_digits(p: float, said: str) -> None:
    """What is exact stays; the floor of 30 controls is no 0.032, and the smallest p of a line-up no 0.000."""
    assert upwards(p) == said


def test_no_p_is_written_by_a_format() -> None:
    """Every print of a p goes through one function."""
    root = Path(depose.__file__).parent
    found = [
        f"{file.relative_to(root)}: {line.strip()}"
        for file in sorted(root.rglob("*.py"))
        if file.relative_to(root).as_posix() not in BY_FORMAT
        for line in file.read_text("utf-8").splitlines()
        if NEAREST.search(line)
    ]
    assert not found


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
