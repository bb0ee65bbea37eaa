"""Ratios of a study, held to the bounds of a case, and what is said of them."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from depose.analysis.reported_ratios import reported, used
from depose.model import HeldOut, Performance, Question
from depose.statistics.held_out import bounded, study_of
from depose.statistics.likelihood_ratio_cap import lineage_cap
from depose.statistics.rates import upper_bound
from reports import ratio


def held(prompts: int, **changes: object) -> HeldOut:
    """Held-out ratios of six families, on so many prompts."""
    made = HeldOut(
        question="distilled",
        against="unrelated",
        detector="habits",
        prompts=prompts,
        families_true=6,
        families_other=6,
        true=(-0.4, 0.5, 0.8, 1.2, 2.0, 3.0),
        other=(-4.0, -2.0, -1.0, -0.5, -0.2, 0.6),
        cllr=0.4,
        cllr_min=0.3,
        true_families=(0, 1, 2, 3, 4, 5),
        other_families=(0, 1, 2, 3, 4, 5),
    )
    return msgspec.structs.replace(made, **changes)


def study(*rows: HeldOut) -> Performance:
    """A study with these held-out ratios."""
    return Performance(
        format="depose performance 1", source="made", calibration="0" * 64, command="", rates=(), held_out=rows
    )


def rng() -> np.random.Generator:
    """A fixed stream."""
    return np.random.default_rng(3)


def test_the_nearest_number_of_prompts_below_is_taken() -> None:
    """A case with 60 prompts is judged by pairs on 50, one with 8 by the fewest there are."""
    made = study(held(100), held(50), held(10))
    assert [study_of(made, "distilled", "unrelated", n).prompts for n in (8, 10, 60, 400)] == [10, 10, 50, 100]  # type: ignore[union-attr]
    assert study_of(made, "same", "unrelated", 60) is None
    asked: tuple[Question, ...] = ("distilled",)
    kept = used(study(held(100), held(50), held(50, question="same")), asked, 60).held_out
    assert [(one.question, one.prompts) for one in kept] == [("distilled", 50)]


def test_ratios_are_judged_as_the_case_would_report_them() -> None:
    """Nothing lies beyond what 19 lineages, six families and the study's own bounds allow; the costs are of these."""
    given = msgspec.structs.replace(ratio(value=5.1), elub_low=0.05, elub_high=30.0)
    true, other = bounded(held(50), given)
    assert max(true) == pytest.approx(math.log(lineage_cap(0, 19)))
    assert min(other) == pytest.approx(math.log(upper_bound(0, 6)))
    [found] = reported(study(held(50)), "distilled", (given,), 60, rng())
    assert found.mean_other == pytest.approx(float(np.exp(other).mean()), rel=1e-9)
    assert found.cllr == pytest.approx(
        float((np.log1p(np.exp(-true)).mean() + np.log1p(np.exp(other)).mean()) / (2 * math.log(2))), rel=1e-9
    )
    assert found.cllr_low is not None
    assert found.cllr_high is not None
    assert found.cllr_low < found.cllr < found.cllr_high
    assert (found.n_true, found.n_other, found.as_large, found.prompts) == (6, 6, 0, 50)


@pytest.mark.parametrize(("bound", "as_large"), [(upper_bound(0, 6), 6), (lineage_cap(0, 19), 1)])
def test_a_ratio_held_to_the_bound_of_the_case_is_as_large_as_it(bound: float, as_large: int) -> None:
    """A case's ratio has eight digits, rounded up here: those of the study that stand at the same bound still count."""
    rounded = float(f"{bound:.8g}")
    given = msgspec.structs.replace(ratio(value=rounded + 10.0 ** (np.floor(np.log10(rounded)) - 7)), elub_low=0.05)
    [found] = reported(study(held(50, other=(-4.0, -2.0, -1.0, -0.5, -0.2, 1.6))), "distilled", (given,), 60, rng())
    assert found.as_large == as_large


def test_an_alternative_without_a_ratio_is_not_judged() -> None:
    """A study that does not know the families of its pairs gives no interval; a ratio that is none gives no row."""
    plain = held(50, true_families=(), other_families=())
    [found] = reported(study(plain), "distilled", (ratio(), ratio("common teacher", None)), 60, rng())
    assert (found.against, found.cllr_low, found.cllr_high) == ("unrelated", None, None)
    assert reported(None, "distilled", (ratio(),), 60, rng()) == ()
