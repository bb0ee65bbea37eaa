"""Scores to likelihood ratios: fit, left-out prediction, caps and intervals."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from calibrators import calibrator
from depose.model import Line
from depose.statistics.calibration import bottom_of, fit, left_out, likelihood_ratio, log_lr, transformed
from depose.statistics.likelihood import cllr, cllr_min
from depose.statistics.likelihood_ratio_cap import lineage_cap

Array = NDArray[np.float64]


def made(seed: int, n1: int = 60, n2: int = 400) -> tuple[Array, Array]:
    """Draw scores of true and of other pairs."""
    rng = np.random.default_rng(seed)
    return rng.normal(2.5, 1.2, n1), rng.normal(0, 1, n2)


def test_the_fit_is_class_balanced_logistic_regression() -> None:
    """Intercept and slope equal sklearn's with the same ridge and balanced weights."""
    h1, h2 = made(1)
    weight = np.concatenate([np.full(60, 230 / 60), np.full(400, 230 / 400)])
    x = transformed(np.concatenate([h1, h2]))[:, None]
    model = LogisticRegression(C=1.0, tol=1e-10).fit(x, np.concatenate([np.ones(60), np.zeros(400)]), weight)
    line = fit(h1, h2)
    assert (line.intercept, line.slope) == pytest.approx((model.intercept_[0], model.coef_[0, 0]), rel=1e-4)


def test_weights_count_pairs_as_often() -> None:
    """A pair of weight 2 is a pair that stands twice."""
    h1, h2 = made(2, 8, 20)
    twice = fit(np.concatenate([h1, h1[:1]]), h2)
    weighted = fit(h1, h2, np.array([2.0, *np.ones(7)]), np.ones(20))
    assert weighted.slope == pytest.approx(twice.slope, rel=2e-2)


def test_ratios_are_calibrated_on_fresh_data() -> None:
    """On new draws from the same source the cost is within a tenth of the least possible."""
    line = fit(*made(3))
    h1, h2 = made(4, 4_000, 4_000)
    cost = cllr(log_lr(line, h1), log_lr(line, h2))
    assert cost - cllr_min(h1, h2) < 0.1
    assert cost < 0.7


def test_a_lineage_never_sees_itself() -> None:
    """A lineage of true pairs that alone scores low is predicted from the others: its own scores do not help it."""
    h1 = np.concatenate([np.full(10, 3.0), np.full(10, -3.0)]) + np.random.default_rng(5).normal(0, 0.1, 20)
    h2 = np.random.default_rng(6).normal(0, 1, 100)
    groups = [frozenset({"a" if i < 10 else "b"}) for i in range(20)]
    others = [frozenset({f"n{i % 10}"}) for i in range(100)]
    first, _ = left_out(h1, h2, groups, others)
    assert (first[10:] < log_lr(fit(h1, h2), h1[10:])).all()
    line = fit(h1[:10], h2)
    np.testing.assert_allclose(first[10:], log_lr(line, h1[10:]))


def test_a_pair_of_two_lineages_is_left_out_with_both() -> None:
    """Held-out prediction for a pair uses no pair that shares either of its lineages."""
    h1, h2 = made(7, 6, 6)
    first = [frozenset({"a", "x"}), frozenset({"b", "x"}), *[frozenset({f"c{i}"}) for i in range(4)]]
    second = [frozenset({"a"}), *[frozenset({f"d{i}"}) for i in range(5)]]
    predicted, _ = left_out(h1, h2, first, second)
    line = fit(h1[2:], h2[1:])
    assert predicted[0] == pytest.approx(float(log_lr(line, h1[:1])[0]))


@pytest.mark.criterion(6)
def test_no_ratio_exceeds_the_cap_of_the_lineages() -> None:
    """A huge score with none of 23 lineages reaching it gives exactly 1 / (1 - 0.05^(1/23)), also at the upper end."""
    found = likelihood_ratio(calibrator(Line(intercept=0, slope=9)), 8.0, np.full(99, 8.0), 0, 23)
    assert found.value == found.high == pytest.approx(lineage_cap(0, 23))
    assert found.uncapped > 1e9
    assert found.lineages == 23


def test_the_smaller_number_of_lineages_caps() -> None:
    """A study with fewer lineages than the case caps lower, and exceedances lower the cap further."""
    few = likelihood_ratio(calibrator(Line(intercept=0, slope=9), 10), 8.0, np.full(9, 8.0), 0, 23)
    assert few.cap == pytest.approx(lineage_cap(0, 10))
    reached = likelihood_ratio(calibrator(Line(intercept=0, slope=9)), 8.0, np.full(9, 8.0), 3, 23)
    assert reached.cap == pytest.approx(lineage_cap(3, 23))


def test_small_ratios_have_a_bottom() -> None:
    """Nine families of true pairs, none as low: the ratio cannot be below U(0, 9) = 0.283."""
    found = likelihood_ratio(calibrator(Line(intercept=-50, slope=1)), 0.0, np.zeros(9), 5, 23)
    assert found.value == pytest.approx(1 - 0.05 ** (1 / 9))
    assert bottom_of(calibrator(Line(intercept=0, slope=1)), 9.0) == 1.0


def test_the_interval_holds_the_value() -> None:
    """Draws of T widen the interval around the value; the ends never cross it."""
    rng = np.random.default_rng(8)
    found = likelihood_ratio(calibrator(Line(intercept=-1, slope=1)), 1.0, rng.normal(1, 0.5, 999), 1, 40)
    assert found.low <= found.value <= found.high
    assert found.low < found.high


def test_no_ratio_leaves_the_bounds_of_the_study() -> None:
    """With 400 lineages the cap would be 134; the study's own bound of 10 holds, and so does its least of a tenth."""
    for intercept, end in ((8.0, 10.0), (-8.0, 0.1)):
        wide = msgspec.structs.replace(
            calibrator(Line(intercept=intercept, slope=1), 400), positives=tuple(float(i) for i in range(1, 90))
        )
        found = likelihood_ratio(wide, 0.5, np.full(99, 0.5), 0, 400)
        assert found.value == found.low == found.high == pytest.approx(end)
        assert found.bounded_by == "study"
        assert found.model_low == found.model_high == pytest.approx(found.uncapped)
    free = likelihood_ratio(calibrator(Line(intercept=0, slope=1)), 0.5, np.full(99, 0.5), 0, 23)
    assert free.bounded_by == ""


def test_ratios_move_smoothly_between_two_numbers_of_prompts() -> None:
    """At the ends of a stretch the blend is the calibrator there; between them it never leaves what they say."""
    one = calibrator(Line(intercept=0.2, slope=0.5))
    two = msgspec.structs.replace(calibrator(Line(intercept=0.1, slope=1.0)), elub_high=0.9)
    draws = np.random.default_rng(2).normal(1.0, 0.3, 999)
    at = [likelihood_ratio(one, 1.0, draws, 0, 40, two, share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    for found, alone in ((at[0], one), (at[-1], two)):
        assert found.value == pytest.approx(likelihood_ratio(alone, 1.0, draws, 0, 40).value)
    values = [found.value for found in at]
    assert values == sorted(values)
    assert [found.high for found in at] == sorted(found.high for found in at)
    assert [found.cap for found in at] == sorted((found.cap for found in at), reverse=True)


def test_one_kind_is_refused() -> None:
    """A fit needs both kinds of pairs."""
    with pytest.raises(ValueError, match="both kinds"):
        fit(np.zeros(0), np.zeros(3))
