"""The rule on dates: half of the controls near the pair in time, or no opinion."""

from __future__ import annotations

import pytest

from depose.statistics.era import era, month, near


def dates(*released: str) -> dict[str, str]:
    """Name controls."""
    return {f"C{n}": one for n, one in enumerate(released)}


@pytest.mark.parametrize(
    ("suspect", "reference", "control", "is_near"),
    [
        ("2025-03", "2025-06", "2025-04", True),
        ("2025-03", "2025-06", "2024-09", True),
        ("2025-03", "2025-06", "2024-08", False),
        ("2025-03", "2025-06", "2025-12", True),
        ("2025-03", "2025-06", "2026-01-31", False),
        ("2022-01", "2025-06", "2023-08", True),
        ("2025", "2025", "2025", True),
        ("2025-03", "2025-06", "unknown", False),
        ("unknown", "2025-06", "2025-06", False),
        ("2025-03", "", "2025-06", False),
    ],
)
def test_a_control_is_near_between_the_two_and_half_a_year_around(
    suspect: str, reference: str, control: str, is_near: bool
) -> None:
    """Order of the pair does not matter, and an unknown date is near nobody."""
    assert near(suspect, reference, control) is is_near
    assert near(reference, suspect, control) is is_near


def test_half_of_the_controls_must_be_near() -> None:
    """One less than half of them is too few; without a date of the pair no set is good enough."""
    new, old = ["2025-05"] * 10, ["2023-05"] * 10
    held = era("2025-03", "2025-06", dates(*new, *old))
    assert (held.near, held.needed, held.inside) == (10, 10, True)
    assert (held.oldest, held.newest) == ("2023-05", "2025-05")
    assert not era("2025-03", "2025-06", dates(*new[1:], *old, "2023-06")).inside
    assert not era("unknown", "2025-06", dates(*new)).inside
    assert era("2025-03", "2025-06", dates(*new[:3], "unknown")).undated == ("C3",)


def test_two_strangers_of_an_old_time_need_old_controls_too() -> None:
    """The rule has two sides: newer controls alone are as wrong as older ones."""
    assert not era("2023-03", "2023-05", dates(*["2025-01"] * 25)).inside


def test_a_year_alone_counts_as_its_middle() -> None:
    """2025 is July 2025, and a month is itself."""
    assert month("2025") == month("2025-07") == month("2025-07-31")
    assert month("unknown") is None
