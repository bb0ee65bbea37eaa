"""The line-up's ranks: uniform p under the null whatever the ties and sizes, power on a shift, no effect of order."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, kstest

from depose.lineup.e_process import log10_e
from depose.lineup.power import area_of, bags_needed, power_at
from depose.lineup.rank_test import LineUps, opened, rank_sum
from depose.lineup.sensitivity import drift_at, gamma_at, least_share, log10_p_at_drift, log10_p_at_gamma

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def table(rng: np.random.Generator, bags: int, *, ties: bool = False, uneven: bool = False) -> Array:
    """Draw scores of five members a bag; rounded where ties are wanted, some members missing where sizes differ."""
    scores = rng.normal(size=(bags, 5)) + rng.normal(size=(bags, 1))
    if ties:
        scores = np.round(scores)
    if uneven:
        scores[rng.random(bags) < 0.4, 3:] = np.nan
    return scores


def keys(rng: np.random.Generator, scores: Array, *, several: bool = False) -> Mask:
    """Deliver one member of each bag at random, or one or two."""
    order = np.argsort(np.where(np.isnan(scores), 2.0, rng.random(scores.shape)), axis=1)
    delivered = np.zeros(scores.shape, dtype=bool)
    rows = np.arange(len(scores))
    delivered[rows, order[:, 0]] = True
    if several:
        more = rng.random(len(scores)) < 0.5
        delivered[rows[more], order[more, 1]] = True
    return delivered


def shifted(rng: np.random.Generator, bags: int, by: float, members: int = 5) -> LineUps:
    """Line-ups whose first member was delivered and scores higher by so many standard deviations."""
    scores = rng.normal(size=(bags, members))
    scores[:, 0] += by
    delivered = np.zeros(scores.shape, dtype=bool)
    delivered[:, 0] = True
    return opened(scores, delivered)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ties", "uneven", "several"),
    [(False, False, False), (True, False, False), (False, True, True), (True, True, True)],
)
def test_p_is_uniform_when_the_key_is_drawn_again(ties: bool, uneven: bool, several: bool) -> None:
    """One scored table, 400 random keys: p is uniform, and the e-process reaches 20 in at most 5 % of the runs."""
    rng = np.random.default_rng(11)
    scores = table(rng, 120, ties=ties, uneven=uneven)
    drawn = [opened(scores, keys(rng, scores, several=several)) for _ in range(400)]
    found = np.array([10 ** rank_sum(one).log10_p for one in drawn])
    # Randomised over the lattice, so that a discrete p can be held against the uniform distribution.
    sums = np.array([one.sums.sum() for one in drawn])
    width = np.array([np.mean(sums == one) for one in sums])
    assert kstest(found - rng.random(len(found)) * width, "uniform").pvalue > 0.01
    for alpha in (0.05, 0.01):
        assert binom.sf(np.sum(found <= alpha) - 1, len(found), alpha) > 1e-3
    reached = np.mean([log10_e(one).max() >= np.log10(20) for one in drawn])
    assert reached <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_a_shift_is_found_and_the_more_line_ups_the_surer() -> None:
    """With half a standard deviation 100 line-ups reach 1e-3, 400 more than a hundred million to one."""
    rng = np.random.default_rng(3)
    few, many = rank_sum(shifted(rng, 100, 0.5)), rank_sum(shifted(rng, 400, 0.5))
    assert few.log10_p < -3 and many.log10_p < -8
    assert many.level == pytest.approx(0.638, abs=0.03)  # Phi(.5 / sqrt 2)
    assert many.picks > many.expected_picks == pytest.approx(80)
    assert many.log10_p_picks == pytest.approx(np.log10(binom.sf(many.picks - 1, 400, 0.2)))


def test_neither_order_nor_scale_changes_anything() -> None:
    """Bags in another order, members in another order, scores through an increasing function: the same result."""
    rng = np.random.default_rng(5)
    scores = table(rng, 80, ties=True, uneven=True)
    delivered = keys(rng, scores, several=True)
    first = rank_sum(opened(scores, delivered))
    order, members = rng.permutation(80), rng.permutation(5)
    assert rank_sum(opened(scores[order], delivered[order])).log10_p == pytest.approx(first.log10_p, rel=1e-12)
    assert rank_sum(opened(scores[:, members], delivered[:, members])) == first
    assert rank_sum(opened(np.exp(scores) * 3 - 1, delivered)) == first


def test_bags_whose_members_all_score_the_same_change_nothing() -> None:
    """They carry no information: p, picks and the e-process stay as they were."""
    rng = np.random.default_rng(6)
    scores = table(rng, 50)
    delivered = keys(rng, scores)
    more = np.vstack([scores, np.zeros((30, 5))]), np.vstack([delivered, delivered[:30]])
    before, after = opened(scores, delivered), opened(*more)
    assert rank_sum(after).log10_p == pytest.approx(rank_sum(before).log10_p, rel=1e-12)
    assert (rank_sum(after).informative, rank_sum(after).picks) == (50, rank_sum(before).picks)
    assert log10_e(after)[-1] == pytest.approx(log10_e(before)[-1])


def test_gamma_of_one_and_no_drift_are_the_exact_p() -> None:
    """The sensitivity analyses begin at p, weaken it steadily, and cross alpha where they say."""
    bags = shifted(np.random.default_rng(7), 200, 0.6)
    exact = rank_sum(bags).log10_p
    assert log10_p_at_gamma(bags, 1) == pytest.approx(exact, rel=1e-9)
    assert log10_p_at_drift(bags, 0) == pytest.approx(exact, rel=1e-9)
    curve = [log10_p_at_gamma(bags, gamma) for gamma in (1, 1.2, 1.5, 2, 4, 50)]
    assert curve == sorted(curve) and curve[-1] > -0.01
    gamma, drift = gamma_at(bags, 0.05), drift_at(bags, 0.05)
    assert log10_p_at_gamma(bags, gamma) == pytest.approx(np.log10(0.05), abs=1e-3) and gamma > 1.2
    assert log10_p_at_drift(bags, drift) == pytest.approx(np.log10(0.05), abs=1e-3)
    assert 0 < drift < rank_sum(bags).level - 0.5
    assert gamma_at(shifted(np.random.default_rng(8), 50, 0.0), 0.01) == 1


def test_unequal_chances_within_gamma_never_reject_more_than_the_bound_allows() -> None:
    """Delivered with odds of up to 2 in favour of high scores: the bound at Gamma 2 keeps its level, p does not."""
    rng = np.random.default_rng(9)
    scores = rng.normal(size=(60, 4))
    odds = np.where(scores > np.median(scores, axis=1, keepdims=True), 2.0, 1.0)
    plain, bounded = [], []
    for _ in range(300):
        place = (rng.random((60, 1)) * odds.sum(axis=1, keepdims=True) > odds.cumsum(axis=1)).sum(axis=1)
        delivered = np.zeros(scores.shape, dtype=bool)
        delivered[np.arange(60), place] = True
        bags = opened(scores, delivered)
        plain.append(rank_sum(bags).log10_p <= np.log10(0.05))
        bounded.append(log10_p_at_gamma(bags, 2.0) <= np.log10(0.05))
    assert np.mean(plain) > 0.5 and binom.sf(np.sum(bounded) - 1, 300, 0.05) > 1e-3


@pytest.mark.parametrize("scores", [[1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 1.0, 2.0, 3.0, 3.0]], ids=["plain", "ties"])
def test_gamma_holds_where_several_were_delivered(scores: list[float]) -> None:
    """Whichever members a hidden cause favours, no choice of two of five is likelier than the bound says.

    Neither of sets at once, nor of one after the other, which goes further.
    """
    gamma, pairs = 3.0, list(combinations(range(5), 2))
    for given in pairs:
        delivered = np.zeros((1, 5), dtype=bool)
        delivered[0, list(given)] = True
        bags = opened(np.array([scores]), delivered)
        sums = np.array([bags.doubled[0, list(pair)].sum() for pair in pairs])
        worst = 0.0
        for favoured in product((0, 1), repeat=5):
            weights = np.array([gamma ** sum(favoured[one] for one in pair) for pair in pairs])
            odds = [gamma if one else 1.0 for one in favoured]
            turns = np.array([_in_turn(odds, *pair) + _in_turn(odds, *pair[::-1]) for pair in pairs])
            assert turns.sum() == pytest.approx(1)
            for chances in (weights, turns):
                worst = max(worst, float(chances[sums >= bags.sums[0]].sum() / chances.sum()))
        assert 10 ** log10_p_at_gamma(bags, gamma) == pytest.approx(worst, rel=1e-9)


def test_gamma_keeps_its_level_where_two_are_delivered_one_after_the_other() -> None:
    """Of five the two best are favoured by 5 in each choice: the bound at 5 was below .05 in 11 of 100 such logs."""
    rng, low = np.random.default_rng(11), 0
    for _ in range(300):
        scores = rng.normal(size=(60, 5))
        odds = np.where(scores.argsort(axis=1).argsort(axis=1) >= 3, 5.0, 1.0)
        order = np.argsort(-np.log(odds) - rng.gumbel(size=odds.shape), axis=1)  # one after the other (Yellott 1977)
        delivered = np.zeros(scores.shape, dtype=bool)
        np.put_along_axis(delivered, order[:, :2], True, axis=1)
        low += log10_p_at_gamma(opened(scores, delivered), 5.0) <= np.log10(0.05)
    assert low <= binom.ppf(0.999, 300, 0.05)


def _in_turn(odds: list[float], first: int, second: int) -> float:
    """Chance that one is chosen first, and the other of the rest."""
    return odds[first] / sum(odds) * odds[second] / (sum(odds) - odds[first])


def test_gamma_of_many_delivered_stays_a_number() -> None:
    """A large Gamma and eight delivered of twelve leave p between the exact one and 1."""
    delivered = np.zeros((30, 12), dtype=bool)
    delivered[:, :8] = True
    scores = np.tile(np.arange(12.0)[::-1], (30, 1))
    bags = opened(scores, delivered)
    assert rank_sum(bags).log10_p < log10_p_at_gamma(bags, 20) < log10_p_at_gamma(bags, 1e6) <= 0


def test_the_share_that_left_a_trace_is_bounded_from_below() -> None:
    """A third of the deliveries always picked, the rest at chance: the bound lies below a third, and near it."""
    rng = np.random.default_rng(10)
    scores = rng.normal(size=(3_000, 10))
    scores[:1_000, 0] = 9.0
    delivered = np.zeros(scores.shape, dtype=bool)
    delivered[:, 0] = True
    assert 0.3 < least_share(opened(scores, delivered)) <= 1 / 3
    assert least_share(opened(scores[1_000:], delivered[1_000:])) < 0.02


@pytest.mark.parametrize(
    ("area", "alpha", "fillers", "bags"),
    [(0.505, 0.05, 9, 34_890), (0.55, 0.001, 9, 779), (0.6, 1e-6, 9, 371), (0.75, 1e-6, 1, 146), (0.9, 0.05, 9, 6)],
)
def test_line_ups_needed(area: float, alpha: float, fillers: int, bags: int) -> None:
    """The closed form gives the published table, and the power with so many is the one asked for."""
    assert bags_needed(area, fillers, alpha) == bags
    assert power_at(area, fillers, bags, alpha) >= 0.9 - 1e-9
    assert area_of(area, 1.0) == area and area_of(area, 0.0) == 0.5


@pytest.mark.parametrize(
    ("scores", "delivered", "why"),
    [
        ([[1.0, 2.0]], [[False, False]], "line-up 1: no member was delivered"),
        ([[1.0, 2.0], [1.0, 2.0]], [[True, False], [True, True]], "line-up 2: there is no filler"),
        ([[1.0, np.nan, 2.0]], [[False, True, False]], "line-up 1: a delivered member has no score"),
        ([[1.0, np.inf]], [[True, False]], "infinite"),
        ([[1.0, 2.0]], [[True]], "same shape"),
        (np.empty((0, 2)), np.empty((0, 2), dtype=bool), "table of scores"),
    ],
)
def test_what_is_no_line_up_is_refused(scores: object, delivered: object, why: str) -> None:
    """The bag and the reason are named."""
    with pytest.raises(ValueError, match=why):
        opened(np.asarray(scores, dtype=float), np.asarray(delivered, dtype=bool))


def test_bags_kept_by_a_mask_are_tested_as_if_they_were_all() -> None:
    """A subset ranks its members as before."""
    bags = shifted(np.random.default_rng(12), 90, 0.4)
    assert rank_sum(bags[:40]) == rank_sum(bags[np.arange(90) < 40]) != rank_sum(bags)


def test_the_share_is_no_larger_where_the_traces_lie_in_the_largest_line_ups() -> None:
    """Half of the line-ups have one filler and left nothing, half have nine and all left a trace: at most a half."""
    rng = np.random.default_rng(12)
    scores, delivered = rng.normal(size=(4_000, 10)), np.zeros((4_000, 10), dtype=bool)
    delivered[:, 0] = True
    scores[:2_000, 2:] = np.nan
    scores[2_000:, 0] = 100.0
    assert 0.4 < least_share(opened(scores, delivered)) <= 0.5
