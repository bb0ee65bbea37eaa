"""E1, E2 and E4 to E7: uniform where nothing ties accounts, power where something does, the same for any order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binomtest, kstest

from depose.extraction import accounts, concert, layers, pairs
from depose.extraction.bipartite import Ints, table_of
from depose.extraction.findings import Layer
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
    units = np.repeat(np.arange(MEMBERS), [len(one) for one in active])
    return {
        "synchrony": layers.synchrony(np.concatenate(active), units, 6, 144, 99, rng).p,
        "balance": layers.balance(daily, members, sets, rng),
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
        if name in ("balance", "synchrony"):  # the larger of two p-values
            assert p.mean() > 0.5
        elif name != "infrastructure":  # which has few values
            assert kstest(p, "uniform").pvalue > 0.001, name
    assert set(world(1, tied=True).values()) == {0.01}


def in_slots(rng: np.random.Generator, hours: list[int], *, burst: bool) -> tuple[Ints, Ints]:
    """Twenty units active in these hours, in one slot of each hour: of their own choice, or the same."""
    chosen = rng.integers(0, 6, len(hours)) if burst else rng.integers(0, 6, (20, len(hours)))
    slots = np.broadcast_to(6 * np.array(hours) + chosen, (20, len(hours)))
    return slots.ravel().astype(np.int64), np.repeat(np.arange(20), len(hours))


def test_an_hour_in_common_is_no_synchrony_and_ten_minutes_again_and_again_are() -> None:
    """Office hours, a launch on which all are there, and the clock are given; bursts are not; order does not matter."""
    rng = np.random.default_rng(2)
    launch = [24 * day + hour for day in range(9, 19) for hour in (8, 11, 14, 17)]
    slots, units = in_slots(rng, launch, burst=False)
    assert layers.synchrony(slots, units, 6, 144, 199, np.random.default_rng(1)).p > 0.05
    slots, units = in_slots(rng, launch, burst=True)
    assert layers.synchrony(slots, units, 6, 144, 199, np.random.default_rng(1)).p == 1 / 200
    order = rng.permutation(len(slots))
    assert layers.synchrony(slots[order], units[order] + 7, 6, 144, 199, np.random.default_rng(1)).p == 1 / 200
    clock = np.tile(6 * np.arange(0, 24 * 28, 3), 20).astype(np.int64)  # machines that ask on the hour
    assert layers.synchrony(clock, np.repeat(np.arange(20), 224), 6, 144, 199, np.random.default_rng(1)).p == 1
    together = in_slots(rng, launch, burst=True)[0]
    assert layers.synchrony(together, np.repeat([0, 1], 400), 6, 144, 199, np.random.default_rng(1)).p < 0.05
    assert layers.synchrony(together, np.zeros(800, dtype=np.int64), 6, 144, 199, np.random.default_rng(1)).p == 1


def test_what_happens_to_all_once_or_twice_a_day_is_no_synchrony_and_what_goes_on_all_day_is() -> None:
    """Outages that end, lessons and jobs bring all together in a window or two of a day, bursts in more of them."""
    rng = np.random.default_rng(4)
    own, whose = np.array(rng.integers(0, 28 * 144, 20 * 120)), np.repeat(np.arange(20), 120)
    for each, at_most in ((1, False), (2, False), (6, True)):
        hours = [24 * day + hour for day in range(28) for hour in rng.choice(24, each, replace=False)]
        slots, units = in_slots(rng, hours, burst=True)
        both = np.concatenate([own, slots]), np.concatenate([whose, units])
        found = layers.synchrony(*both, 6, 144, 199, np.random.default_rng(1), 1.25)
        assert (found.p == 1 / 200) == at_most
        assert (found.p > 0.5) != at_most


def test_a_clock_that_is_kept_at_one_hour_is_no_synchrony_beside_whatever_else_was_asked() -> None:
    """A job at 0, 6, 12 and 18 sharp stays there in the null, though its accounts ask at other hours too."""
    rng = np.random.default_rng(5)
    jobs = np.tile(36 * np.arange(4 * 28), 20)
    other = 144 * rng.integers(0, 28, 20 * 100) + 48 + rng.integers(0, 18, 20 * 100)
    units = np.concatenate([np.repeat(np.arange(20), 4 * 28), np.repeat(np.arange(20), 100)])
    slots = np.concatenate([jobs, other])
    assert layers.synchrony(slots, units, 6, 144, 199, np.random.default_rng(1), 1.25).p > 0.5


def test_what_others_have_too_is_not_theirs_and_p_is_never_smaller_for_it() -> None:
    """Half of those who have a network are members, or its pairs do not count; random sets count with all pairs."""
    unit, value = np.arange(50), np.repeat(np.arange(10), 5)
    sets = layers.random_sets(np.zeros(50, dtype=np.int64), np.arange(6), 199, np.random.default_rng(3))
    for members, count in (([0, 1, 2, 3], 6), ([0, 1, 5, 6], 0), ([0, 1, 2, 5, 6], 3), ([0, 1], 0)):
        chosen: Ints = np.array(members)
        p, pairs = layers.infrastructure(unit, value, 50, chosen, sets, chosen)
        assert pairs == count
        assert layers.infrastructure(unit, value, 50, chosen, sets, np.arange(50))[1] >= pairs  # others found, too
        assert p >= layers.infrastructure(unit, value, 50, chosen, sets)[0]
        assert (p == 1.0) == (count == 0)


def test_the_order_of_members_does_not_matter() -> None:
    """Balance, infrastructure and pivot are functions of the set."""
    rng = np.random.default_rng(3)
    members: Ints = np.array([3, 9, 40, 41])
    sets = layers.random_sets(np.zeros(50, dtype=np.int64), members, 50, rng)
    daily, card = rng.random((50, 7)), rng.integers(0, 9, 50)
    every: list[Callable[[Ints], object]] = [
        lambda one: round(layers.spread(daily[one][:, None]), 9),
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
    """Equal totals of all, or of each week as of a course, on days of one's own, are no balance; a load by turns is.

    A load by turns that all machines of the population show is none either.
    """
    rng = np.random.default_rng(9)
    members = np.arange(8)
    sets = layers.random_sets(np.zeros(60, dtype=np.int64), members, 199, rng)
    daily = rng.poisson(rng.gamma(3.0, 2.0, (60, 1, 7)) * np.ones((1, 4, 1))).reshape(60, 28).astype(float)
    for totals in (rng.multinomial(280, np.full(28, 1 / 28), size=8), rng.multinomial(28, np.full(7, 1 / 7), (8, 4))):
        daily[members] = totals.reshape(8, 28)
        assert layers.balance(daily, members, sets, rng) > 0.05
    daily[members] = 10.0
    assert layers.balance(daily, members, sets, rng) == 1 / 200
    daily[:] = 10.0
    assert layers.balance(daily, members, sets, rng) == 1
    daily[members] = 0.0
    assert 0 < layers.balance(daily, members, sets, rng) <= 1


def test_spread_is_one_in_the_mean_where_requests_fall_by_chance() -> None:
    """Given the margins of each week; 0 where each week is dealt out, and where there is nothing."""
    rng = np.random.default_rng(11)
    each = [layers.spread(rng.multinomial(9, np.full(7, 1 / 7), (5, 3)).astype(float)) for _ in range(2_000)]
    assert abs(np.mean(each) - 1) < 0.02
    assert layers.spread(np.full((4, 2, 7), 3.0)) == pytest.approx(0)
    assert layers.spread(np.zeros((4, 2, 7))) == 0


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


def test_concert_takes_what_chance_would_not_do_twice() -> None:
    """Holm over the layers that can show it; a release that all waited for, and an even load, show none."""

    def found(**p: float) -> tuple[str, ...]:
        return concert.tied_by([Layer(name=name, p=one, floor=0.001, e=1.0, note="") for name, one in p.items()], 0.05)

    assert found(synchrony=0.02, infrastructure=0.5) == ("synchrony",)
    assert found(synchrony=0.03, infrastructure=0.5) == ()
    assert found(synchrony=0.03, infrastructure=0.02) == ("synchrony", "infrastructure")
    assert found(pivot=0.001, balance=0.001, targeting=0.001, groups=0.001) == ()
