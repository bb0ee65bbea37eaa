"""Random subsets of controls, and how peculiar suspect and reference are."""

from __future__ import annotations

import numpy as np
import pytest

from depose.statistics.centring import centre, standardise
from depose.statistics.subsets import peculiar, subsets


def means(rng: np.random.Generator, controls: int, shared: float = 0.0, strong: float = 1.0) -> np.ndarray:
    """Mean similarities of models with traits; `shared` of the reference's stand in the suspect, both `strong`."""
    traits = rng.normal(size=(controls + 2, 30))
    traits[0] = np.sqrt(1 - shared) * traits[0] + np.sqrt(shared) * traits[1]
    traits[:2] *= strong
    return np.asarray(traits @ traits.T / 30)


def test_a_clear_relation_does_not_hang_on_the_choice_of_controls() -> None:
    """A student is found with every subset of 19, a stranger with few, and the draws are those of the stream."""
    rng = np.random.default_rng(1)
    student = subsets([means(rng, 30, shared=0.8)], 19, 300, 0.05, np.random.default_rng(2))
    assert student is not None
    assert (student.at_alpha, student.p_low, student.p_high) == (300, 0.05, 0.05)
    stranger = means(rng, 30)
    one = subsets([stranger], 19, 300, 0.05, np.random.default_rng(2))
    assert one is not None
    assert one.at_alpha < 100
    assert one.p_low <= one.p_median <= one.p_high
    assert subsets([stranger], 19, 300, 0.05, np.random.default_rng(2)) == one


def test_p_in_subsets_is_uniform_enough_under_the_null() -> None:
    """Over strangers, a subset reaches alpha no more often than the whole test may."""
    rng = np.random.default_rng(3)
    hits = [subsets([means(rng, 25)], 19, 40, 0.05, rng) for _ in range(60)]
    assert sum(one.at_alpha for one in hits if one) / (60 * 40) <= 0.06


def test_no_subsets_where_there_are_no_more_controls_than_one_has() -> None:
    """19 of 19 is no choice, and a missing score is no result."""
    rng = np.random.default_rng(4)
    assert subsets([means(rng, 19)], 19, 10, 0.05, rng) is None
    gap = means(rng, 25)
    gap[0, 7] = gap[7, 0] = np.nan
    assert subsets([gap], 19, 50, 0.05, rng) is None


@pytest.mark.parametrize(("strong", "ranks"), [(3.0, (1, 1)), (0.2, (26, 26))])
def test_a_strong_style_has_the_first_rank_and_a_faint_one_the_last(strong: float, ranks: tuple[int, int]) -> None:
    """Rank 1 is more peculiar than all 25 controls; swapping the two swaps their rows."""
    t = standardise(centre(means(np.random.default_rng(5), 25, strong=strong)))
    names = ["S", "R", *(f"C{n}" for n in range(25))]
    found = peculiar(t, names)
    assert [(one.model, one.of) for one in found] == [("S", 26), ("R", 26)]
    assert tuple(one.rank for one in found) == ranks
    order = [1, 0, *range(2, 27)]
    assert peculiar(t[np.ix_(order, order)], [names[place] for place in order]) == found[::-1]


def test_ranks_of_strangers_are_spread_evenly() -> None:
    """A model like the controls is in the upper half half of the time."""
    rng = np.random.default_rng(6)
    names = [str(n) for n in range(27)]
    ranks = [one.rank for _ in range(150) for one in peculiar(standardise(centre(means(rng, 25))), names)]
    assert 0.4 <= np.mean(np.array(ranks) <= 13) <= 0.6
    assert peculiar(np.full((4, 4), np.nan), names[:4]) == ()
