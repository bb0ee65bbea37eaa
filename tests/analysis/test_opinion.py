"""The opinion is a lookup: every row of its table, and every reason code."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from depose.analysis.opinion import decide
from depose.model import Grounds
from grounds import GOOD


def changed(**changes: Any) -> Grounds:
    """Return good grounds with something else."""
    return msgspec.structs.replace(GOOD, **changes)


def test_all_conditions_met_is_an_indication() -> None:
    """The full set of conditions gives `indication` and no reason codes."""
    assert decide(GOOD).verdict == "indication"
    assert decide(GOOD).reasons == ()


@pytest.mark.parametrize(
    ("changes", "verdict", "reasons"),
    [
        ({"k_eff": 18}, "inconclusive", ("controls",)),
        ({"k_needed": 39}, "inconclusive", ("controls",)),
        ({"p": None}, "inconclusive", ("controls",)),
        ({"p": 0.049, "p_lineages": 0.051}, "inconclusive", ("controls",)),
        ({"p": 0.049, "p_lineages": 0.05}, "indication", ()),
        ({"p": 0.051, "p_lineages": 0.09}, "no indication", ()),
        ({"era": False}, "inconclusive", ("era",)),
        ({"era": False, "k_eff": 18}, "inconclusive", ("controls", "era")),
        ({"quality": False}, "inconclusive", ("quality",)),
        ({"refusals": 0.21}, "inconclusive", ("refusals",)),
        ({"question": "derived", "shared_base": True}, "inconclusive", ("shared_base",)),
        ({"question": "derived", "shared_base": True, "k_eff": 0}, "inconclusive", ("shared_base",)),
        ({"p_length_matched": 0.06}, "inconclusive", ("length",)),
        ({"p_length_matched": None}, "inconclusive", ("length",)),
        ({"p_layout_matched": 0.06}, "inconclusive", ("layout",)),
        ({"p_layout_matched": None}, "inconclusive", ("layout",)),
        ({"in_range": False}, "inconclusive", ("range",)),
        ({"lr_unrelated_low": None}, "inconclusive", ("range",)),
        ({"lr_unrelated_low": 1.0}, "inconclusive", ("lr_spans_one",)),
        ({"candidate_closer": True}, "relation, kind not resolved", ("kind",)),
        ({"rivals_left": ("X1",)}, "relation, kind not resolved", ("kind",)),
        ({"lr_alternative_low": None}, "relation, kind not resolved", ("kind",)),
        ({"lr_alternative_low": 0.9}, "relation, kind not resolved", ("kind",)),
        ({"p": 0.051}, "no indication", ()),
        ({"p": 0.051, "power": 0.79}, "inconclusive", ("power",)),
        ({"p": 0.051, "power": None}, "inconclusive", ("power",)),
        ({"k_eff": 3, "quality": False, "refusals": 0.5}, "inconclusive", ("controls", "quality", "refusals")),
    ],
)
def test_each_missing_condition_has_its_verdict(
    changes: dict[str, Any], verdict: str, reasons: tuple[str, ...]
) -> None:
    """One condition changed, one verdict and its reason codes."""
    opinion = decide(changed(**changes))
    assert (opinion.verdict, opinion.reasons) == (verdict, reasons)


def test_the_edges_belong_to_the_side_that_the_table_says() -> None:
    """An adjusted p of alpha still counts as small; 20 % refusals and 80 % power still pass."""
    assert decide(changed(p=0.05, p_length_matched=0.05, p_layout_matched=0.05)).verdict == "indication"
    assert decide(changed(refusals=0.20)).verdict == "indication"
    assert decide(changed(p=0.2, power=0.8)).verdict == "no indication"


def test_a_shared_base_does_not_close_the_question_of_distillation() -> None:
    """`shared_base` bars `derived` alone."""
    assert decide(changed(shared_base=True)).verdict == "indication"


def test_equal_files_answer_same_before_any_statistic() -> None:
    """One set of files is one model, though no control is clean and no score was made; other questions stay open."""
    known = changed(question="same", files="equal", p=None, k_eff=0, in_range=False)
    assert (decide(known).verdict, decide(known).reasons) == ("indication", ("files_equal",))
    assert decide(msgspec.structs.replace(known, question="distilled")).verdict == "inconclusive"


def test_files_known_to_differ_leave_the_kind_of_a_relation_open() -> None:
    """However close the answers, files that differ are no indication of one set of weights; other questions go on."""
    found = decide(changed(question="same", files="different"))
    assert (found.verdict, found.reasons) == ("relation, kind not resolved", ("kind", "files_differ"))
    assert decide(changed(question="distilled", files="different")).verdict == "indication"


@pytest.mark.parametrize("question", ["derived", "distilled"])
def test_a_suspect_that_was_there_first_did_not_learn_from_the_reference(question: Any) -> None:
    """By documented dates the suspect came first: a relation at most, whatever the likelihood ratio."""
    found = decide(changed(question=question, suspect_first=True))
    assert (found.verdict, found.reasons) == ("relation, kind not resolved", ("kind", "direction"))
    assert decide(changed(question="same", suspect_first=True)).verdict == "indication"


@pytest.mark.parametrize("p", [0.02, 0.05, 0.051, 0.6])
@pytest.mark.parametrize("lower", [None, 0.9, 2.0])
@pytest.mark.parametrize("power", [None, 0.9])
@pytest.mark.parametrize("first", [False, True])
def test_a_condition_not_met_can_only_take_an_opinion_away(
    p: float, lower: float | None, power: float | None, first: bool
) -> None:
    """What was counted without a condition is at least what cases say; above alpha nothing hangs on it."""
    changes = {"p": p, "lr_alternative_low": lower, "power": power, "suspect_first": first, "question": "distilled"}
    inside, outside = (decide(changed(**changes, in_range=held)).verdict for held in (True, False))
    assert outside == ("inconclusive" if p <= 0.05 else inside)
