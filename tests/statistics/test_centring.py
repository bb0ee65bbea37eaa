"""Control-centring: checked against the formula of design.md written out in loops."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from depose.detectors import Combination, Measured, Profile, Similarity
from depose.statistics.centring import average, centre, per_prompt, score
from profiles import profile

Array = NDArray[np.float64]


def similarities(rng: np.random.Generator, prompts: int, members: int) -> Array:
    """Make random symmetric similarities with a unit diagonal."""
    half = rng.random((prompts, members, members))
    values: Array = (half + half.transpose(0, 2, 1)) / 2
    values[:, np.arange(members), np.arange(members)] = 1.0
    return values


def similarity(values: Array) -> Similarity:
    """Call it a measure."""
    return Similarity(detector="made", values=values)


def by_hand(s: Array, a: int, b: int) -> float:
    """Centre one pair on one matrix, literally."""
    others = [m for m in range(len(s)) if m not in (a, b)]
    among = [s[k, m] for k in others for m in others if k < m]
    centred = s[a, b] - np.mean([s[a, k] for k in others]) - np.mean([s[k, b] for k in others]) + np.mean(among)
    return float(centred)


def test_scores_equal_the_formula() -> None:
    """T is the centred mean similarity over the root mean square of all pairs of the bag."""
    s = similarities(np.random.default_rng(1), 4, 7)
    mean = s.mean(axis=0)
    d = np.array([[by_hand(mean, a, b) if a != b else np.nan for b in range(7)] for a in range(7)])
    rms = np.sqrt((d[np.triu_indices(7, 1)] ** 2).mean())
    found = score(similarity(s))
    np.testing.assert_allclose(found.t, d / rms, rtol=1e-9)
    assert found.scales == pytest.approx((rms,))


def test_scores_per_prompt_average_to_the_score() -> None:
    """With no answer missing the mean over prompts of d is T."""
    s = similarities(np.random.default_rng(2), 5, 8)
    np.testing.assert_allclose(per_prompt(similarity(s)).mean(axis=0), score(similarity(s)).t, rtol=1e-9)


@pytest.mark.parametrize("kind", ["similarity", "profile", "combination"])
def test_relabelling_the_bag_permutes_the_scores_exactly(kind: str) -> None:
    """Scores belong to models, not to places in the bag."""
    rng = np.random.default_rng(3)
    values, counted, order = similarities(rng, 6, 9), profile(rng, 6, 9), rng.permutation(9)
    moved = Profile(detector="made", counts=counted.counts[:, order], totals=counted.totals[:, order])
    before: tuple[Similarity, Profile] = (similarity(values), counted)
    after: tuple[Similarity, Profile] = (similarity(values[:, order][:, :, order]), moved)
    plain: dict[str, Measured] = dict(zip(("similarity", "profile"), before, strict=True))
    turned: dict[str, Measured] = dict(zip(("similarity", "profile"), after, strict=True))
    plain["combination"] = Combination(detector="both", parts=before)
    turned["combination"] = Combination(detector="both", parts=after)
    np.testing.assert_allclose(score(turned[kind]).t, score(plain[kind]).t[np.ix_(order, order)], rtol=1e-7, atol=1e-9)


def test_a_model_that_resembles_everybody_gains_nothing() -> None:
    """Adding a constant to all similarities of one member leaves every centred score where it was."""
    mean = similarities(np.random.default_rng(4), 1, 8)[0]
    generic = mean.copy()
    generic[0, 1:] += 0.3
    generic[1:, 0] += 0.3
    np.testing.assert_allclose(centre(generic), centre(mean), atol=1e-12)


def test_a_prompt_on_which_all_are_alike_does_not_help_who_answered_it() -> None:
    """Where answers are missing, the level of the prompts that a pair shares is taken away first."""
    rng = np.random.default_rng(5)
    s = similarities(rng, 6, 9)
    s[:3] += 0.5
    s[3:, 4, :] = np.nan
    s[3:, :, 4] = np.nan
    lifted = average(similarity(s))
    assert abs(np.nanmean(lifted[4, [m for m in range(9) if m != 4]])) < 0.15


def test_missing_answers_have_no_score_on_that_prompt() -> None:
    """A member without an answer has no score there; the others are centred on those that answered."""
    s = similarities(np.random.default_rng(6), 3, 8)
    s[1, 5, :] = np.nan
    s[1, :, 5] = np.nan
    found = per_prompt(similarity(s))
    assert np.isnan(found[1, 0, 5])
    left = [0, 1, 2, 3, 4, 6, 7]
    assert found[1, 0, 1] * score(similarity(s)).scales[0] == pytest.approx(by_hand(s[1][np.ix_(left, left)], 0, 1))
    assert np.isfinite(score(similarity(s)).t[0, 5])


def test_one_silent_prompt_does_not_decide_the_score() -> None:
    """A prompt on which no two controls agree and the pair shares one word stays small."""
    s = np.zeros((100, 12, 12)) + np.eye(12)
    s[1:] = similarities(np.random.default_rng(7), 99, 12)
    plain = score(similarity(s)).t[0, 1]
    s[0, 0, 1] = s[0, 1, 0] = 0.1
    assert abs(score(similarity(s)).t[0, 1] - plain) < 0.1


def test_weights_count_prompts_as_often() -> None:
    """A prompt of weight 2 is a prompt asked twice, for similarities and for profiles."""
    rng = np.random.default_rng(8)
    values, counted = similarities(rng, 4, 6), profile(rng, 4, 6)
    twice = np.array([1.0, 2.0, 1.0, 0.0])
    index = [0, 1, 1, 2]
    np.testing.assert_allclose(average(similarity(values), twice), average(similarity(values[index])), rtol=1e-9)
    again = Profile(detector="made", counts=counted.counts[index], totals=counted.totals[index])
    np.testing.assert_allclose(average(counted, twice), average(again), rtol=1e-5)
    assert average(counted, np.stack([twice, twice]))[1] == pytest.approx(average(again), rel=1e-5)


def test_a_combination_is_the_mean_of_its_parts() -> None:
    """Equal weights on standardised scores."""
    rng = np.random.default_rng(9)
    parts = (similarity(similarities(rng, 5, 8)), profile(rng, 5, 8))
    both = score(Combination(detector="both", parts=parts)).t
    np.testing.assert_allclose(both, (score(parts[0]).t + score(parts[1]).t) / 2, rtol=1e-9)


def test_too_few_controls_give_no_score() -> None:
    """Two controls cannot say how controls differ."""
    assert np.isnan(score(similarity(similarities(np.random.default_rng(10), 3, 4))).t[0, 1])
