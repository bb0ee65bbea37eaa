"""E1, E2 and E4 to E7: uniform where nothing ties accounts, power where something does, the same for any order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binomtest, kstest

from depose.extraction import accounts, layers, pairs
from depose.extraction.bipartite import Ints, table_of
from depose.statistics import evalues

ACCOUNTS, MEMBERS, DAYS, SLOTS, TEMPLATES = 120, 12, 28, 24, 300


def world(seed: int, *, tied: bool) -> dict[str, float]:
    """Every layer of a random group, or of one that acts as one."""
    rng = np.random.default_rng(seed)
    strata = rng.integers(0, 3, ACCOUNTS)
    members = rng.choice(ACCOUNTS, MEMBERS, replace=False)
    sets = layers.random_sets(strata, members, 99, rng)
    daily = rng.poisson(rng.gamma(2.0, 2.0, (ACCOUNTS, DAYS))).astype(float)
    card = rng.integers(0, 60, ACCOUNTS)
    classes, alike = rng.integers(0, 32, TEMPLATES), rng.integers(1, 4, TEMPLATES)
    shared = np.where(rng.random(TEMPLATES) < 0.1, rng.integers(2, MEMBERS, TEMPLATES), 0)
    asked = rng.poisson(9, ACCOUNTS).astype(float) + 1
    moved = rng.binomial(asked.astype(int), 0.3).astype(float)
    active = [np.unique(rng.integers(0, DAYS * SLOTS, 40)) for _ in members]
    if tied:
        daily[members] = rng.poisson(4.0, (MEMBERS, 1)) + 3 + np.arange(DAYS) % 7
        card[members] = card[members[0]]
        classes[shared > 0] |= 4
        moved[members] = asked[members]
        bursts = rng.choice(DAYS * SLOTS, 60, replace=False)
        active = [np.unique(rng.choice(bursts, 30)) for _ in members]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in active])]).astype(np.int64)
    return {
        "synchrony": layers.synchrony(np.concatenate(active), starts, DAYS, SLOTS, 7, 99, rng),
        "balance": layers.balance(daily, members, sets),
        "infrastructure": layers.infrastructure(np.arange(ACCOUNTS), card, ACCOUNTS, members, sets)[0],
        "targeting": layers.targeting(shared, classes, alike, 5, 99, rng)[0],
        "pivot": layers.pivot(moved, asked, members, sets),
    }


@pytest.mark.slow
def test_layers_are_uniform_for_random_groups_and_at_the_floor_for_tied_ones() -> None:
    """Of 150 random groups about 1 in 20 falls below .05 in each layer; a group that acts as one is at the floor."""
    found = [world(seed, tied=False) for seed in range(150)]
    for name in found[0]:
        p = np.array([one[name] for one in found])
        assert binomtest(int((p <= 0.05).sum()), len(p), 0.05, alternative="greater").pvalue > 0.005, name
        assert p.min() >= 0.01
        if name != "infrastructure":  # which has few values
            assert kstest(p, "uniform").pvalue > 0.001, name
    assert set(world(1, tied=True).values()) == {0.01}


def test_shifts_keep_weekends_and_hours() -> None:
    """Accounts that work the same office hours are not synchronous; those that keep to the same bursts are."""
    rng = np.random.default_rng(2)
    office = [day * SLOTS + hour for day in range(DAYS) for hour in range(9, 17) if day % 7 < 5]
    active = [np.sort(rng.choice(office, 60, replace=False)) for _ in range(20)]
    starts = np.arange(21, dtype=np.int64) * 60
    assert layers.synchrony(np.concatenate(active), starts, DAYS, SLOTS, 7, 199, rng) > 0.05


def test_the_order_of_members_does_not_matter() -> None:
    """Balance, infrastructure and pivot are functions of the set."""
    rng = np.random.default_rng(3)
    members: Ints = np.array([3, 9, 40, 41])
    sets = layers.random_sets(np.zeros(50, dtype=np.int64), members, 50, rng)
    daily, card = rng.random((50, 7)), rng.integers(0, 9, 50)
    every: list[Callable[[Ints], object]] = [
        lambda one: layers.balance(daily, one, sets),
        lambda one: layers.infrastructure(np.arange(50), card, 50, one, sets),
        lambda one: layers.pivot(daily[:, 0], daily[:, 0] + daily[:, 1], one, sets),
    ]
    for test in every:
        assert test(members) == test(members[::-1])


def test_a_few_templates_of_many_members_are_a_few() -> None:
    """A course of 30 with 6 tasks, 2 of a class that one template in 11 has, is no targeting; 6 of 6 are."""
    classes, alike = np.where(np.arange(600) % 11 == 0, 8, 0), np.full(600, 3)
    shared = np.where(np.arange(600) < 6, 30, 0)
    p = {}
    for many in (2, 6):
        dealt = classes.copy()
        dealt[:6] = np.where(np.arange(6) < many, 8, 0)
        p[many] = layers.targeting(shared, dealt, alike, 5, 999, np.random.default_rng(1))
    assert p[2][0] > 0.05
    assert p[6] == (0.001, 3)
    none = np.zeros(600, dtype=np.int64)
    assert layers.targeting(none, classes, alike, 5, 99, np.random.default_rng(1))[0] == 1


def test_accounts_of_one_size_are_not_dealt_a_load() -> None:
    """Resellers with equal totals whose days are their own are as uneven as anybody; a load by turns is not."""
    rng = np.random.default_rng(9)
    daily = rng.poisson(5.0, (60, 28)).astype(float)
    members = np.arange(8)
    sets = layers.random_sets(np.zeros(60, dtype=np.int64), members, 199, rng)
    daily[members] = rng.multinomial(280, np.full(28, 1 / 28), size=8)
    assert layers.balance(daily, members, sets) > 0.05
    daily[members] = 10.0
    assert layers.balance(daily, members, sets) == 1 / 200
    daily[members] = 0.0
    assert 0 < layers.balance(daily, members, sets) <= 1


def test_random_sets_have_the_strata_of_the_members() -> None:
    """As many of each stratum, nobody twice."""
    rng = np.random.default_rng(4)
    strata, members = rng.integers(0, 4, 80), rng.choice(80, 15, replace=False)
    for one in layers.random_sets(strata, members, 40, rng):
        assert len(set(one.tolist())) == 15
        assert (np.sort(strata[one]) == np.sort(strata[members])).all()


def test_conformal_accounts_are_uniform_and_find_the_strange() -> None:
    """P of ordinary accounts is uniform in every stratum; accounts far off stand at the floor of their controls."""
    rng = np.random.default_rng(5)
    ordinary, clean = rng.normal(size=(400, 6)), rng.normal(size=(900, 6))
    strata, strata_clean = rng.integers(0, 2, (400, 1)), rng.integers(0, 2, (900, 1))
    found = accounts.conformal(ordinary, clean, strata, strata_clean, 100, 1)
    assert kstest(found.p, "uniform").pvalue > 0.001
    far = accounts.conformal(ordinary + 6, clean, strata, strata_clean, 100, 1)
    assert (far.p == 1 / (far.controls + 1)).all()
    order = rng.permutation(400)
    again = accounts.conformal(ordinary[order], clean, strata[order], strata_clean, 100, 1)
    assert (again.p == found.p[order]).all()


def test_too_few_controls_is_no_p() -> None:
    """A stratum without enough gives way to the wider one, and where that has not enough there is no p."""
    rng = np.random.default_rng(6)
    one = accounts.conformal(
        rng.normal(size=(5, 3)),
        rng.normal(size=(30, 3)),
        np.zeros((5, 1), np.int64),
        np.zeros((30, 1), np.int64),
        99,
        1,
    )
    assert np.isnan(one.p).all()
    strata = np.array([[1]] * 5)
    wide = accounts.conformal(
        rng.normal(size=(5, 3)), rng.normal(size=(300, 3)), strata, np.zeros((300, 1), np.int64), 99, 1
    )
    assert not np.isnan(wide.p).any()
    assert wide.merged == 1


def test_pairs_that_share_by_chance_are_not_called_and_a_team_is() -> None:
    """Popular templates alone call nobody; six rows with a set of their own are called."""
    rng = np.random.default_rng(7)
    called = 0
    for _ in range(20):
        who = np.repeat(np.arange(100), np.minimum((rng.pareto(1.1, 100) + 1) * 5, 80).astype(int))
        popular = (rng.pareto(1.0, len(who)) * 20).astype(np.int64) % 800
        called += int(pairs.validated(table_of(who, popular, 100, 800), 20, 0.01).kept.sum() > 0)
    assert called <= 2
    mine = np.repeat(np.arange(6), 10)
    other = rng.integers(0, 3_000, len(who))
    team = table_of(np.concatenate([who, mine]), np.concatenate([other, 3_000 + rng.integers(0, 14, 60)]), 100, 3_014)
    found = pairs.validated(team, 20, 0.01)
    named = {*found.left[found.kept].tolist(), *found.right[found.kept].tolist()}
    assert len(named) >= 4
    assert named <= set(range(6))
    assert found.tests == 100 * 99 // 2


def test_stepping_counts_the_pairs_that_share_nothing() -> None:
    """One small p among a hundred thousand tests is not kept; among ten it is."""
    assert not pairs.stepped(np.array([1e-4]), 0.01, 100_000).any()
    assert pairs.stepped(np.array([1e-4]), 0.01, 10).all()


def test_the_calibrator_has_mean_one_and_the_average_stays_an_e_value() -> None:
    """Its integral over p is 1; of dependent p-values the average exceeds 20 in at most 1 of 20."""
    edges = np.concatenate([np.geomspace(1e-12, 1e-3, 4_000), np.linspace(1e-3, 1, 8_000)[1:]])
    values = np.array([evalues.calibrated(float(p)) for p in edges])
    assert np.trapezoid(values, edges) == pytest.approx(1.0, abs=0.05)
    assert evalues.calibrated(1.0) == 0.5
    assert evalues.calibrated(0.9985) == pytest.approx(evalues.calibrated(0.9991), abs=1e-3)
    rng = np.random.default_rng(8)
    large = sum(evalues.averaged([float(p)] * 3) >= 20 for p in rng.random(2_000))
    assert large <= 100
    for wrong in (0.0, -1.0, 1.5):
        with pytest.raises(ValueError, match="p-value"):
            evalues.calibrated(wrong)
