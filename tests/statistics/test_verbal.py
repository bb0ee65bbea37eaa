"""Verbal scales: every band edge, both directions, and intervals spanning 1."""

from __future__ import annotations

import math

import pytest

from depose.statistics.verbal import NO_WORD, SCALES, SPANS_ONE, word

EDGES = [(name, row) for name, scale in SCALES.items() for row in range(len(scale.bands))]


@pytest.mark.criterion(4)
@pytest.mark.parametrize(("name", "row"), EDGES)
def test_an_edge_takes_the_weaker_word(name: str, row: int) -> None:
    """Exactly on an edge the lower band speaks, just above it the upper; the same for H2."""
    scale = SCALES[name]
    edge, words = scale.bands[row].above, scale.bands[row].words
    above = edge * (1 + 1e-9)
    assert word(above, 1e9, scale) == f"{words} for H1 over H2"
    assert word(1e-9, 1 / above, scale) == f"{words} for H2 over H1"
    if not row:
        assert word(edge, 1e9, scale) == f"{NO_WORD}, for H1 over H2"
    else:
        weaker = scale.bands[row - 1].words
        assert word(edge, 1e9, scale) == f"{weaker} for H1 over H2"
        assert word(1e-9, 1 / edge, scale) == f"{weaker} for H2 over H1"


@pytest.mark.criterion(4)
@pytest.mark.parametrize(("low", "high"), [(0.5, 2), (1, 9), (0.1, 1), (1, 1)])
def test_an_interval_spanning_one_has_no_word(low: float, high: float) -> None:
    """Where the interval holds 1, the findings do not discriminate."""
    assert word(low, high, SCALES["enfsi-2015"]) == SPANS_ONE


@pytest.mark.criterion(4)
def test_the_conservative_end_decides() -> None:
    """A wide interval is named by the end nearer to 1."""
    assert word(2.1, 5_000, SCALES["enfsi-2015"]) == "weak support for H1 over H2"
    assert word(1e-5, 0.05, SCALES["enfsi-2015"]) == "moderate support for H2 over H1"


@pytest.mark.parametrize(("low", "high"), [(0, 2), (-1, 2), (3, 2), (math.nan, 2)])
def test_what_is_no_interval_is_refused(low: float, high: float) -> None:
    """Ratios are positive and ordered."""
    with pytest.raises(ValueError, match="not an interval"):
        word(low, high, SCALES["enfsi-2015"])
