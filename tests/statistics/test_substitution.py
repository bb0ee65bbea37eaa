"""The substitution test: level under any stopping, power on a known shift, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from depose.model.random_streams import stream
from depose.statistics import substitution
from depose.statistics.substitution import Substitution, conformal, examine, likeness, log10_e, looks, permuted

Array = NDArray[np.float64]
ALPHA = 0.05
PROMPTS, KEPT, ROUNDS = 6, 12, 4


def shares(rng: np.random.Generator) -> Array:
    """Draw how often each of six choices comes, for each prompt."""
    return rng.dirichlet(np.full(6, 0.7), PROMPTS)


def alike(kept: Array, new: Array, rng: np.random.Generator, count: int = KEPT) -> list[Array]:
    """Draw kept and new choices of each prompt and compare them."""
    rows = [
        np.concatenate([rng.choice(6, count, p=old), rng.choice(6, ROUNDS, p=now)])
        for old, now in zip(kept, new, strict=True)
    ]
    return [(row[:, None] == row[None]).astype(float) for row in rows]


def order() -> list[int]:
    """Ask every prompt once before any is asked again."""
    return [*range(PROMPTS)] * ROUNDS


def run(seed: int, *, swapped: bool) -> Substitution:
    """Test one day, with the same model or with another one."""
    rng = np.random.default_rng(seed)
    kept = shares(rng)
    drawn = alike(kept, shares(rng) if swapped else kept, rng)
    return examine(drawn, [KEPT] * PROMPTS, order(), ROUNDS, ALPHA, stream(seed, "watch"), draws=199)


def test_rejects_the_same_model_no_more_often_than_alpha_at_any_call() -> None:
    """Stopping at the first p of at most alpha, at whatever call, errs in at most alpha of the runs (250, 99.9 %)."""
    rejected = sum(run(seed, swapped=False).rejected_at is not None for seed in range(250))
    assert rejected <= stats.binom.ppf(0.999, 250, ALPHA)


def test_permutation_p_is_uniform_under_exchangeability() -> None:
    """The p-values of one look over 300 days without a change are uniform (Kolmogorov-Smirnov)."""
    found = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        kept = shares(rng)
        found.append(permuted(alike(kept, kept, rng), [KEPT] * PROMPTS, rng, draws=99))
    assert stats.kstest(found, "uniform").pvalue > 0.001


def test_conformal_p_values_are_uniform_and_independent() -> None:
    """Under exchangeability they are uniform, and neighbours are uncorrelated."""
    found = []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        kept = shares(rng)
        found.append(conformal(alike(kept, kept, rng), [KEPT] * PROMPTS, order(), rng))
    every = np.array(found)
    assert stats.kstest(every.ravel(), "uniform").pvalue > 0.001
    assert abs(np.corrcoef(every[:, :-1].ravel(), every[:, 1:].ravel())[0, 1]) < 4 / np.sqrt(every[:, 1:].size)


def test_finds_another_model() -> None:
    """Other shares of every choice are found on most days at 24 calls, and mostly before the end."""
    found = [run(seed, swapped=True).rejected_at for seed in range(40)]
    assert sum(one is not None for one in found) >= 22
    assert np.median([one for one in found if one is not None]) < PROMPTS * ROUNDS


def test_finds_a_model_that_became_surer_of_itself() -> None:
    """A model that always gives its favourite answer differs from itself at a warmer setting."""
    rng = np.random.default_rng(1)
    kept = np.full((PROMPTS, 6), 1 / 6)
    now = np.eye(6)[np.zeros(PROMPTS, int)]
    drawn = alike(kept, now, rng)
    assert examine(drawn, [KEPT] * PROMPTS, order(), ROUNDS, 0.01, stream(1)).rejected_at is not None


def test_the_e_process_is_a_martingale_under_uniform_p_values() -> None:
    """Its mean is 1 (3,000 draws), and it ever reaches 20 in at most a twentieth of the runs."""
    rng = np.random.default_rng(3)
    one = 10 ** np.array([log10_e(rng.random(1))[0] for _ in range(3_000)])
    assert one.mean() == pytest.approx(1, abs=5 * one.std() / np.sqrt(len(one)))
    crossed = sum(log10_e(rng.random(200)).max() >= np.log10(20) for _ in range(300))
    assert crossed <= stats.binom.ppf(0.999, 300, 1 / 20)


def test_a_further_answer_changes_nothing_that_was_found() -> None:
    """Whoever stops early has the p-value that the longer run had at that call."""
    rng = np.random.default_rng(4)
    drawn, places = alike(shares(rng), shares(rng), rng), order()
    whole = examine(drawn, [KEPT] * PROMPTS, places, ROUNDS, ALPHA, stream(9))
    calls = whole.rejected_at or len(places)
    counts = np.bincount(places[:calls], minlength=PROMPTS)
    cut = [one[: KEPT + new, : KEPT + new] for one, new in zip(drawn, counts, strict=True)]
    early = examine(cut, [KEPT] * PROMPTS, places[:calls], ROUNDS, ALPHA, stream(9))
    assert early.rejected_at == whole.rejected_at
    assert early.looks == whole.looks[: len(early.looks)]


def test_the_last_look_is_made_though_some_questions_have_no_answer() -> None:
    """Once no more will come; so it is where fewer are asked than there are prompts. The level stays."""
    kept, new = [KEPT] * PROMPTS, [*range(PROMPTS)][1:]
    two = np.zeros((2 * KEPT, 2 * KEPT))
    two[:KEPT, :KEPT] = two[KEPT:, KEPT:] = 1.0
    parts = [two[: KEPT + (place > 0), : KEPT + (place > 0)] for place in range(PROMPTS)]
    asked = [examine(parts, kept, new, 1, ALPHA, stream(3), draws=199, ended=ended) for ended in (False, True)]
    assert [len(one.looks) for one in asked] == [0, 1]
    assert asked[1].looks[0].calls == PROMPTS - 1
    assert asked[1].looks[0].p < 0.01
    rejected = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        shared = shares(rng)
        places = [place for place in order() if rng.random() < 0.8]
        drawn = [
            one[: KEPT + came, : KEPT + came]
            for one, came in zip(alike(shared, shared, rng), np.bincount(places, minlength=PROMPTS), strict=True)
        ]
        found = examine(drawn, kept, places, ROUNDS, ALPHA, stream(seed, "watch"), draws=99, ended=True)
        rejected += found.rejected_at is not None
    assert rejected <= stats.binom.ppf(0.999, 200, ALPHA)


def test_the_order_of_kept_answers_and_the_names_of_prompts_do_not_matter() -> None:
    """Likeness knows no label: kept answers in another order give the same conformal p-values."""
    rng = np.random.default_rng(5)
    drawn = alike(shares(rng), shares(rng), rng)
    mixed = [np.concatenate([rng.permutation(KEPT), np.arange(KEPT, KEPT + ROUNDS)]) for _ in drawn]
    other = [one[np.ix_(to, to)] for one, to in zip(drawn, mixed, strict=True)]
    kept = [KEPT] * PROMPTS
    np.testing.assert_allclose(
        conformal(drawn, kept, order(), stream(1)), conformal(other, kept, order(), stream(1)), atol=1e-12
    )


def test_swapping_kept_and_new_leaves_the_permutation_test_as_it_is() -> None:
    """The discrepancy of two sets of answers is symmetric: only the draws differ."""
    rng = np.random.default_rng(6)
    drawn = alike(shares(rng), shares(rng), rng, count=ROUNDS)
    turned = [one[::-1, ::-1] for one in drawn]
    there, back = (permuted(one, [ROUNDS] * PROMPTS, stream(2), draws=1_999) for one in (drawn, turned))
    assert there == pytest.approx(back, abs=0.04)


def test_p_is_never_zero_and_one_kept_answer_is_enough() -> None:
    """Two disjoint sets of answers give a p above 0; a single kept answer gives a number and no warning."""
    block: Array = np.kron(np.eye(2), np.ones((3, 3))).astype(np.float64)
    assert 0 < permuted([block] * 40, [3] * 40, stream(1), draws=99) == pytest.approx(0.01)
    found = examine([np.eye(2)] * 3, [1] * 3, [0, 1, 2], 1, ALPHA, stream(1))
    assert 0 < found.p <= 1


def test_nothing_asked_is_nothing_found() -> None:
    """Without a new answer p is 1, and no look is made."""
    found = examine([np.ones((3, 3))], [3], [], 2, ALPHA, stream(1))
    assert (found.p, found.looks, found.rejected_at, found.calls) == (1.0, (), None, 0)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1])
def test_an_alpha_that_is_none_is_refused(alpha: float) -> None:
    """Alpha lies between 0 and 1."""
    with pytest.raises(ValueError, match="alpha"):
        examine([np.ones((2, 2))], [1], [0], 1, alpha, stream(1))


def test_looks_double_and_end_with_the_last_round() -> None:
    """The permutation test is made after 1, 2, 4, ... rounds and the last."""
    assert [looks(rounds) for rounds in (1, 2, 3, 5, 8)] == [(1,), (1, 2), (1, 2, 3), (1, 2, 4, 5), (1, 2, 4, 8)]


def test_likeness_of_choices_and_of_texts() -> None:
    """A number is a number however it is put; a short answer is unlike a long one; long ones share words."""
    said = ["7", "Seven? 7!", "blue", "", "the sea is " + "blue " * 10, "the sea is " + "green " * 10]
    found = likeness(said)
    assert found[0, 1] == 0.5
    assert likeness(["Blue.", " blue"])[0, 1] == 1
    assert found[0, 2] == found[0, 4] == found[3, 0] == 0
    assert 0 < found[4, 5] < 1
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_array_equal(found.diagonal(), 1)


def test_discrepancy_is_about_nothing_for_one_model_and_large_for_two() -> None:
    """Over 200 days its mean is 0 within 4 standard errors; disjoint answers have 2; single answers have none."""
    rng = np.random.default_rng(8)
    found = []
    for _ in range(200):
        kept = shares(rng)
        found.append(substitution.discrepancy(alike(kept, kept, rng), [KEPT] * PROMPTS) or 0.0)
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(len(found))
    assert substitution.discrepancy([np.kron(np.eye(2), np.ones((3, 3))).astype(np.float64)], [3]) == pytest.approx(2)
    assert substitution.discrepancy([np.ones((2, 2))], [1]) is None


def test_half_of_alpha_belongs_to_each_statistic() -> None:
    """The shares add up to alpha: neither statistic can spend what is the other's."""
    assert 0 < substitution.SHARE < 1
    found = examine([np.ones((3, 3))], [2], [0], 1, ALPHA, stream(1))
    assert found.p == min(1.0, 10**-found.log10_e / substitution.SHARE, found.looks[0].p / (1 - substitution.SHARE))
