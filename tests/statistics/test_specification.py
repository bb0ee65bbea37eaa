"""Other reasonable analyses of one measure: valid ranks, found relations, and shares that add up."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from depose.detectors import Similarity
from depose.model import Prompt, Specification
from depose.statistics import specification
from depose.statistics.centring import score
from depose.statistics.ranks import model_level
from null_bags import null_bag

K = 20


def prompts(count: int, families: int = 1) -> list[Prompt]:
    """Make prompts of two per cluster, spread over families."""
    return [Prompt(id=f"q{n}", family=f"f{n % families}", cluster=f"c{n // 2}", text="?") for n in range(count)]


def averages(seed: int, planted: float = 0.0, members: int = K + 2) -> tuple[NDArray[np.float64], ...]:
    """Average a null bag in which the first two members are more alike by `planted`."""
    values = null_bag(np.random.default_rng(seed), members - 2, 30)
    values[:, 0, 1] += planted
    values[:, 1, 0] += planted
    rows = prompts(30)
    return specification.means(
        Similarity(detector="made", values=values), specification.parts(rows, np.random.default_rng(0))
    )


def test_all_prompts_and_all_controls_give_the_registered_score() -> None:
    """The corner of the table at which nothing is changed is the score itself."""
    values = null_bag(np.random.default_rng(4), K, 30)
    measured = Similarity(detector="made", values=values)
    t = specification.scores(specification.means(measured, specification.parts(prompts(30), np.random.default_rng(0))))
    np.testing.assert_allclose(t[0], score(measured).t, atol=1e-12)


def test_halves_part_the_clusters_and_families_are_left_out_in_turn() -> None:
    """Two halves hold every prompt once and no cluster twice; each family is left out once."""
    rows = prompts(30, families=3)
    found = {part.name: part.rows for part in specification.parts(rows, np.random.default_rng(2))}
    assert list(found) == ["all", "half 1", "half 2", "without f0", "without f1", "without f2"]
    assert (found["half 1"] ^ found["half 2"]).all()
    sides = [{row.cluster for row, kept in zip(rows, found[f"half {n}"], strict=True) if kept} for n in (1, 2)]
    assert not sides[0] & sides[1]
    assert [sum(found[f"without f{n}"]) for n in range(3)] == [20, 20, 20]


def test_ranks_stay_valid_in_parts_and_without_a_control() -> None:
    """Under a null, a fixed control left out and a half of the prompts give p at or below the floor as often as due."""
    hits = {"without": 0, "half": 0}
    for seed in range(400):
        every = averages(seed)
        left = specification.level(specification.scores(every, 7)[0])
        half = specification.level(specification.scores(every)[1])
        assert left is not None
        assert half is not None
        hits["without"] += left.p_reference <= 1 / K + 1e-9
        hits["half"] += half.p_suspect <= 1 / (K + 1) + 1e-9
    assert binomtest(hits["without"], 400, 1 / K, alternative="greater").pvalue > 0.001
    assert binomtest(hits["half"], 400, 1 / (K + 1), alternative="greater").pvalue > 0.001
    assert binomtest(hits["without"], 400, 1 / K, alternative="less").pvalue > 0.001


def test_a_planted_likeness_is_there_without_any_control() -> None:
    """A pair that is far closer than all others stays at the floor, 1 / K, whichever control is left out."""
    every = averages(1, planted=40.0)
    found = specification.leave_one_out([one[0] for one in every], [f"C{k}" for k in range(K)])
    assert len(found) == K
    assert [one.p for one in found] == pytest.approx([1 / K] * K)


def test_the_control_that_hides_a_relation_is_named() -> None:
    """Where one control is as close to the reference as a true student, its loss gives the smallest p."""
    values = null_bag(np.random.default_rng(3), K, 30)
    for a, b, more in ((0, 1, 40.0), (9, 1, 80.0)):
        values[:, a, b] += more
        values[:, b, a] += more
    every = specification.means(Similarity(detector="made", values=values), specification.parts(prompts(30), rng()))
    codes = [f"C{k}" for k in range(K)]
    found = specification.leave_one_out([one[0] for one in every], codes)
    assert specification.extremes(found)[0] == "C7"
    by = {one.model: one.p for one in found}
    assert by["C7"] == pytest.approx(1 / K)
    assert [p for code, p in by.items() if code != "C7"] == pytest.approx([2 / K] * (K - 1))


def rng() -> np.random.Generator:
    """Make a stream."""
    return np.random.default_rng(0)


def test_the_order_of_controls_changes_nothing() -> None:
    """Relabelling the controls permutes what their loss gives."""
    values = null_bag(np.random.default_rng(5), K, 30)
    turned = [0, 1, *reversed(range(2, K + 2))]
    codes = [f"C{k}" for k in range(K)]
    results = []
    for order, names in ((range(K + 2), codes), (turned, codes[::-1])):
        measured = Similarity(detector="made", values=values[:, order][:, :, order])
        every = specification.means(measured, specification.parts(prompts(30), rng())[:1])
        results.append({w.model: (w.value, w.p) for w in specification.leave_one_out([a[0] for a in every], names)})
    assert results[0].keys() == results[1].keys()
    for code, (value, p) in results[0].items():
        assert results[1][code][0] == pytest.approx(value)
        assert results[1][code][1] == p


def test_too_few_controls_cannot_lose_one() -> None:
    """With three controls none can be left out, and there are no extremes."""
    every = averages(6, members=5)
    assert specification.leave_one_out([one[0] for one in every], ["A", "B", "C"]) == ()
    assert specification.extremes(()) == ()


def test_a_member_without_an_answer_in_a_part_has_no_level() -> None:
    """A score that cannot be formed is no p-value."""
    t = np.zeros((6, 6))
    t[0, 3] = np.nan
    assert specification.level(t) is None
    assert model_level(np.zeros((6, 6))).p == 1


def test_shares_count_every_analysis_once_on_each_axis() -> None:
    """All analyses fall into three bands; every axis parts them; the edges belong to the lower band."""
    ps = (0.05, 0.0500001, 0.1, 0.1000001, 1.0)
    found = [
        Specification(detector=d, answers="whole", prompts="all", controls=c, value=1.0, p=p)
        for p, d, c in zip(ps, "aabbb", ("all", "all", "without X", "all", "without X"), strict=True)
    ]
    rows = specification.shares(found, 19, 0.05)
    first = rows[0]
    assert (first.n, first.at_alpha, first.at_tenth, first.above, first.median_p) == (5, 1, 2, 2, 0.1)
    assert first.able == 3, "with 18 controls no p reaches .05"
    for axis in ("detector", "answers", "prompts", "controls"):
        mine = [row for row in rows if row.axis == axis]
        assert sum(row.n for row in mine) == 5
        assert sum(row.at_alpha for row in mine) == 1
