"""What the opinion says of pairs of known relation, by a calibration that never saw their lineages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from depose.case.population import Pair
from depose.model import Calibration
from depose.validate.calibrate import calibration as fit_calibration
from depose.validate.left_out import LeftOut
from depose.validate.opinions import TRUE, Judge, kind, opinion_lines, opinion_rates
from depose.validate.scoring import PairScores, Scored
from depose.validate.study import PRIMARY, Study
from scored_studies import FAMILIES, QUESTION, scored, study


@pytest.fixture(scope="module")
def full() -> Calibration:
    """Fit as `validate` does, once."""
    return fit_calibration(study(), ("open_howto",), (), ())


@pytest.mark.slow
@pytest.mark.criterion(36)
def test_a_pair_decides_nothing_of_the_calibration_that_judges_it(full: Calibration) -> None:
    """Whatever its own score, a pair is judged by the same line, refits, ranges and power."""
    made, others = [], []
    for shift in (0.0, 40.0):
        one = study(shift)
        left = LeftOut(one, full, QUESTION)
        made.append(left.without(one.lineages(one.scored.pairs[0]), 0, ratios=True))
        others.append(left.without(one.lineages(one.scored.pairs[-1]), 0, ratios=True))
    assert made[0] == made[1]
    assert others[0] != others[1]
    mine = next(c for c in made[0].calibrators if c.against == "unrelated")
    assert mine.n_pos == FAMILIES - 1
    assert len(made[0].true_pairs) == FAMILIES - 1


def test_without_ratios_only_power_is_left(full: Calibration) -> None:
    """For pairs whose p is large no line is fitted."""
    one = study()
    left = LeftOut(one, full, QUESTION).without(one.lineages(one.scored.pairs[0]), 0, ratios=False)
    assert left.calibrators == ()
    assert len(left.true_pairs) == FAMILIES - 1


@pytest.mark.slow
def test_opinions_are_counted_by_kind_with_exact_bounds(full: Calibration) -> None:
    """True pairs are called, others are not; the order of pairs changes no count."""
    one = study()
    rates = [rate for rate in opinion_rates(one, full) if rate.question == QUESTION]
    true, other = rates
    assert (true.kind, true.true, true.n, true.at_alpha) == (TRUE, True, FAMILIES, FAMILIES)
    assert FAMILIES - 2 <= true.indications + true.relations <= FAMILIES  # the closest may lie above all others
    assert (other.kind, other.true, other.n) == ("one base, another teacher", False, FAMILIES * (FAMILIES - 1))
    assert other.indications == other.relations == other.at_alpha == 0
    assert other.upper95 == pytest.approx(1 - 0.05 ** (1 / other.n), abs=1e-4)
    turned = Study(one.population, replace(one.scored, pairs=one.scored.pairs[::-1]), 7)
    assert [rate for rate in opinion_rates(turned, full) if rate.question == QUESTION] == rates
    *lines, aside = opinion_lines(rates)
    assert all("indication" in line for line in lines)
    assert "counted without bare words" in aside
    assert list(opinion_lines(())) == []


def test_a_small_p_that_does_not_stand_without_bare_words_is_no_opinion(full: Calibration) -> None:
    """As in a case: p without bare words above alpha makes an opinion inconclusive, and at alpha changes none."""
    one, judge = study(), Judge(study(), full, elsewhere=False)
    before = [judge.opinion(QUESTION, pair, 0) for pair in one.scored.pairs]
    assert set(before) > {"inconclusive"}
    assert [judge.opinion(QUESTION, pair, 0, p_bare=0.05) for pair in one.scored.pairs] == before
    after = [judge.opinion(QUESTION, pair, 0, p_bare=0.0501) for pair in one.scored.pairs]
    assert not set(after) & {"indication", "relation, kind not resolved"}


def test_too_few_controls_or_another_layout_call_nobody(full: Calibration) -> None:
    """A small p alone is no opinion: with 18 lineages, or alike in layout, a true pair is inconclusive."""
    one = study()
    changes: tuple[dict[str, object], ...] = (
        {"k": 18, "k_eff": 18},
        {"p_matched": {name: np.array([[0.04, 0.2]]) for name in PRIMARY.values()}},
    )
    for change in changes:
        pairs = tuple(replaced(pair, change) for pair in one.scored.pairs)
        few = Study(
            one.population, Scored(detectors=one.scored.detectors, sizes=(50,), pairs=pairs, unscored=(), ranked=()), 7
        )
        true = next(r for r in opinion_rates(few, full) if r.question == QUESTION)
        assert (true.indications, true.relations, true.at_alpha) == (0, 0, FAMILIES)


def replaced(pair: PairScores, change: dict[str, object]) -> PairScores:
    """A pair with other numbers."""
    return replace(pair, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "relation", "label", "hard", "documented", "said"),
    [
        ("same", "same_model", 1, "", True, TRUE),
        ("derived", "same_model", 1, "", True, ""),
        ("same", "fine_tune_of", 1, "", True, "fine-tune and base"),
        ("derived", "fine_tune_of", 1, "", True, TRUE),
        ("distilled", "fine_tune_of", 1, "", True, ""),
        ("same", "distilled_from", 1, "", True, "student and teacher"),
        ("distilled", "unrelated", 0, "same_era", True, "strangers of the same years"),
        ("distilled", "unrelated", 0, "", True, "strangers"),
        ("distilled", "unrelated", 0, "", False, "no documented link"),
        ("distilled", "shared_teacher", 0, "shared_teacher", False, "students of one teacher"),
        ("distilled", "unrelated", 0, "same_base_other_teacher", False, "one base, another teacher"),
        ("same", "version_sibling", None, "", True, "another version or size"),
        ("distilled", "likely_distilled_from", None, "", False, ""),
    ],
)
def test_kinds(question: str, relation: str, label: int | None, hard: str, documented: bool, said: str) -> None:
    """What two models are to each other follows from the documents; where H1 may be true nothing is counted."""
    one = scored(
        Pair(
            suspect="a",
            reference="b",
            relation=relation,
            label=label,
            hard=hard,
            matched=False,
            documented=documented,
            suspect_family="f",
            reference_family="g",
        ),
        0.0,
        0.5,
    )
    assert kind(question, one) == said  # type: ignore[arg-type]
