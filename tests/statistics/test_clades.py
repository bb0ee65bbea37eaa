"""K_eff by likeness: names make no lineages, and independent controls keep most of their number."""

from __future__ import annotations

import numpy as np
import pytest

from depose.model import Clade
from depose.statistics.centring import centre, standardise
from depose.statistics.clades import clades, independent, rank_in_lineages
from depose.statistics.ranks import model_level


def bag(rng: np.random.Generator, controls: int, lineages: int, alike: float) -> np.ndarray:
    """Score a bag: traits in 30 dimensions, `controls` names on `lineages` lineages, and models that resemble all."""
    traits = rng.normal(size=(lineages, 30))
    of = np.concatenate([np.arange(lineages), rng.integers(0, lineages, controls - lineages)])
    own = np.sqrt(alike) * traits[of] + np.sqrt(1 - alike) * rng.normal(size=(controls, 30))
    each = np.vstack([rng.normal(size=(2, 30)), own])
    hub = rng.normal(size=len(each))
    return standardise(centre(each @ each.T / 30 + hub[:, None] + hub))


def names(controls: int) -> list[str]:
    """Name a bag."""
    return ["S", "R", *(f"C{n}" for n in range(controls))]


def counted(t: np.ndarray) -> int:
    """Count the controls of a bag by likeness."""
    return independent(names(len(t) - 2)[2:], clades(t, names(len(t) - 2)))


def test_independent_controls_keep_the_number_that_an_opinion_needs() -> None:
    """Of 25 controls that have nothing to do with each other 19 or more are left nearly always."""
    rng = np.random.default_rng(1)
    left = [counted(bag(rng, 25, 25, 0.0)) for _ in range(100)]
    assert np.mean(np.array(left) >= 19) >= 0.95
    assert np.mean(left) >= 24


def test_a_copy_of_the_reference_costs_its_controls_no_lineage() -> None:
    """The closer the pair, the lower its scores with controls: that alone must not join controls that share nothing."""
    rng = np.random.default_rng(2)
    for strength in (0.5, 2.0, 8.0):
        left = []
        for _ in range(40):
            each = rng.normal(size=(27, 300))
            shared = rng.normal(size=300) * strength
            each[:2] += shared
            likeness = each @ each.T / 300
            likeness[:2, 2:] *= 0.2  # the more the two have of their own, the less chance brings them near others
            likeness[2:, :2] *= 0.2
            left.append(counted(standardise(centre(likeness))))
        assert np.mean(np.array(left) >= 19) >= 0.95


@pytest.mark.parametrize("lineages", [3, 5, 8, 12])
def test_many_names_on_few_lineages_count_as_few(lineages: int) -> None:
    """25 names on few lineages fire far too often by p alone, and hardly ever with 19 lineages by likeness."""
    rng = np.random.default_rng(lineages)
    bags = [bag(rng, 25, lineages, 0.9) for _ in range(120)]
    enough = np.array([counted(t) >= 19 for t in bags])
    fires = np.array([model_level(t).p <= 0.05 for t in bags])
    assert (fires & enough).mean() <= (0.08 if lineages == 3 else 0.03)
    if lineages <= 5:
        assert fires.mean() > 0.1


def test_the_clades_are_the_relatives_and_do_not_depend_on_order() -> None:
    """Three copies of one control form one clade, whatever the order of the members."""
    rng = np.random.default_rng(4)
    each = rng.normal(size=(27, 30))
    each[[10, 11]] = each[9] + rng.normal(size=(2, 30)) * 0.1
    t = standardise(centre(each @ each.T))
    found = clades(t, names(25))
    assert found[0].models == ("C7", "C8", "C9")
    order = np.concatenate([[0, 1], 2 + rng.permutation(25)])
    again = clades(t[np.ix_(order, order)], [names(25)[place] for place in order])
    assert again == found
    assert clades(t[:, [1, 0, *range(2, 27)]][[1, 0, *range(2, 27)]], names(25)) == found


def test_nothing_is_joined_where_a_score_is_missing_or_nobody_is_there() -> None:
    """Without scores of the pair nothing can be said, and one control is one lineage."""
    t = np.full((5, 5), np.nan)
    assert clades(t, names(3)) == ()
    assert clades(np.zeros((3, 3)), names(1)) == ()


def in_lineages(t: np.ndarray) -> float:
    """Count p of a bag in lineages."""
    listed = names(len(t) - 2)
    found = clades(t, listed)
    sides = [[listed[2 + k] for k in np.flatnonzero(side >= t[0, 1])] for side in (t[0, 2:], t[2:, 1])]
    return rank_in_lineages(sides, found, independent(names(len(t) - 2)[2:], found))


def test_p_in_lineages_holds_its_level() -> None:
    """Of 120 bags of strangers, 40 names on 24 lineages, no more are at or below .05 and .1 than those levels allow."""
    rng = np.random.default_rng(11)
    p = np.array([in_lineages(bag(rng, 40, 24, 0.8)) for _ in range(120)])
    for level in (0.05, 0.1, 0.25):
        assert (p <= level).mean() <= level + 3 * np.sqrt(level * (1 - level) / 120)
    assert p.min() > 0


def test_p_in_lineages_finds_a_pair_that_no_control_reaches() -> None:
    """A pair above all controls is at the floor that the lineages allow."""
    found = (Clade(models=("C1", "C2"), t=5.0),)
    assert rank_in_lineages(([], []), found, 19) == pytest.approx(0.05)


def test_p_in_lineages_counts_a_clade_once_and_knows_no_order() -> None:
    """Two names of one clade are one lineage, in whatever order; of two sides the worse counts."""
    found = (Clade(models=("C1", "C2"), t=5.0),)
    assert rank_in_lineages((["C1", "C2"], []), found, 19) == rank_in_lineages(([], ["C2"]), found, 19) == 0.1
    assert (
        rank_in_lineages((["C3", "C1"], ["C1"]), found, 19)
        == rank_in_lineages((["C1"], ["C1", "C3"]), found, 19)
        == 0.15
    )
    assert rank_in_lineages(([f"C{n}" for n in range(40)], []), found, 19) == 1.0
