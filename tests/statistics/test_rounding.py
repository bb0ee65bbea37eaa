"""No p-value is printed below what it is: digits are rounded up wherever one is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import depose
from depose.statistics.rounding import upwards

NEAREST = re.compile(
    r"\{(?:[a-z_]+\.)*(?:[pq]|p_[a-z_]+|[a-z_]*floor)(?:\[\w+\])?:z?\.\d[fge]\}|(?:[. ]p(?:_[a-z_]+)?) ?\| ?number"
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
