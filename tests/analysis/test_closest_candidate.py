"""The reference beside rivals: rank, common source, and dates."""

from __future__ import annotations

import msgspec
import pytest

from depose.analysis.analyze import analyze
from depose.analysis.closest_candidate import direction
from depose.features.extract import Features
from depose.model import Finding, ModelSpec
from dossiers import CONTROLS, dossier, quiet, spec

MODELS = [spec("S1", "suspect"), spec("R1", "reference"), *(spec(f"X{n}", "candidate") for n in (1, 2, 3)), *CONTROLS]


def found(copies: dict[str, str], models: list[ModelSpec] = MODELS) -> Finding:
    """Analyse a scripted case for `distilled`."""
    return analyze(dossier(models, copies), Features(), quiet).findings.findings[2]


def test_the_rank_counts_controls_and_rivals() -> None:
    """A copied reference is first of all; one that a rival and a control beat is not."""
    first = found({"S1": "R1"}).rank
    assert first is not None
    assert (first.among_controls, first.controls, first.among_candidates, first.candidates) == (1, 20, 1, 3)
    assert first.reason == ""
    beaten = found({"S1": "X2", "C4": "X2"}).rank
    assert beaten is not None
    assert beaten.among_controls > 1
    assert beaten.among_candidates is not None
    assert beaten.among_candidates > 1


def test_without_rivals_the_rank_says_so() -> None:
    """The controls are always there; that nobody named a rival is written down."""
    alone = found({"S1": "R1"}, [MODELS[0], MODELS[1], *CONTROLS]).rank
    assert alone is not None
    assert (alone.among_controls, alone.among_candidates, alone.reason) == (1, None, "no rival was named")


def test_a_common_teacher_is_not_told_apart_and_a_stranger_is() -> None:
    """Two students of X1: X1 cannot be told from the reference; X2, which taught nobody, is less close."""
    by = {one.model: one for one in found({"S1": "X1", "R1": "X1"}).common}
    assert by["X1"].reading == "not told apart"
    assert by["X1"].p_suspect_candidate == by["X1"].p_reference_candidate == pytest.approx(1 / 21)
    assert by["X2"].reading == "reference closer"
    assert by["X2"].p_suspect_candidate > 0.05


def test_the_true_teacher_among_the_rivals_is_closer() -> None:
    """A suspect that copied the rival, and a reference that did not: the rival is closer."""
    by = {one.model: one.reading for one in found({"S1": "X1"}).common}
    assert by["X1"] == "candidate closer"


def test_a_rival_without_answers_hides_none_that_is_closer() -> None:
    """Whoever names a rival that answered nothing, or to other prompts, still has the others ranked."""
    whole = dossier(MODELS, {"S1": "X1"})
    for kept in (0, 3):
        few = msgspec.structs.replace(
            whole,
            transcripts=tuple(
                one for one in whole.transcripts if one.model != "X3" or one.prompt in [f"q{i}" for i in range(kept)]
            ),
        )
        one = analyze(few, Features(), quiet).findings.findings[2]
        assert one.grounds is not None
        assert one.grounds.candidate_closer
        assert {"X1", "X2", "R1"} <= {rival.model for rival in one.candidates}


TAUGHT = [
    msgspec.structs.replace(one, trained_on=("dev-X3",), source="card") if one.role == "control" else one
    for one in MODELS
]
"""Controls that all learnt from the maker of the third rival, so that none is clean for it."""


def test_no_rival_is_hidden_behind_one_for_which_no_control_is_clean() -> None:
    """The true teacher is ranked, and closer, though another rival shares no control with it."""
    one = found({"S1": "X1"}, TAUGHT)
    assert {rival.model for rival in one.candidates} == {"X1", "X2", "R1"}
    assert one.grounds is not None
    assert one.grounds.candidate_closer
    assert one.grounds.rivals_left == ("X3",)


def test_a_rival_that_cannot_be_compared_is_named_in_the_grounds() -> None:
    """Neither silence, nor too few prompts for the paired test, nor the lack of clean controls passes for a win."""
    whole = dossier(MODELS, {"S1": "R1"})
    for kept in (0, 3, 14):
        few = msgspec.structs.replace(
            whole,
            transcripts=tuple(
                one for one in whole.transcripts if one.model != "X3" or one.prompt in [f"q{i}" for i in range(kept)]
            ),
        )
        grounds = analyze(few, Features(), quiet).findings.findings[2].grounds
        assert grounds is not None
        assert grounds.rivals_left == ("X3",)
    alone = found({"S1": "R1"}, [one for one in TAUGHT if one.code not in ("X1", "X2")])
    assert alone.candidates == ()
    assert alone.grounds is not None
    assert alone.grounds.rivals_left == ("X3",)
    both = found({"S1": "R1"}).grounds
    assert both is not None
    assert both.rivals_left is msgspec.UNSET


def test_a_rival_without_a_prompt_in_common_is_left_out() -> None:
    """The suspect answers one half and a rival the other: no score can be formed, and the others are ranked."""
    whole = dossier(MODELS, {"S1": "X1"})
    half = {f"q{i}" for i in range(18)}
    apart = msgspec.structs.replace(
        whole,
        transcripts=tuple(
            one
            for one in whole.transcripts
            if one.model not in ("S1", "X3") or (one.prompt in half) == (one.model == "S1")
        ),
    )
    one = analyze(apart, Features(), quiet).findings.findings[2]
    assert {rival.model for rival in one.candidates} == {"X1", "X2", "R1"}
    assert one.grounds is not None
    assert one.grounds.candidate_closer


def test_reference_and_rival_on_one_base_are_compared_all_the_same() -> None:
    """Two sizes of one maker share a base; the controls need not, and the rival is compared."""
    based = [
        msgspec.structs.replace(one, weight_lineage="w-maker", developer="maker") if one.code in ("R1", "X1") else one
        for one in MODELS
    ]
    assert {one.model for one in found({"S1": "R1"}, based).common} == {"X1", "X2", "X3"}


def test_swapping_suspect_and_reference_changes_no_likeness() -> None:
    """T and p are symmetric, which is why depose computes no direction from answers."""
    swapped = [msgspec.structs.replace(one, role=MODELS[1 - n].role) for n, one in enumerate(MODELS[:2])]
    one, two = (
        next(r for r in found({"S1": "R1"}, [*pair, *CONTROLS]).results if r.primary) for pair in (MODELS[:2], swapped)
    )
    assert (one.value, one.p_reference, one.p_suspect) == pytest.approx((two.value, two.p_suspect, two.p_reference))


@pytest.mark.parametrize(
    ("suspect", "reference", "order"),
    [
        ("2024-05", "2023", "reference first"),
        ("2023-03-01", "2023-03-02", "suspect first"),
        ("2023", "2023-11", "overlapping"),
        ("", "2023", "not stated"),
        ("", "", "not stated"),
    ],
)
def test_dates_are_compared_as_exactly_as_both_are_given(suspect: str, reference: str, order: str) -> None:
    """A year against a month of that year is no order; swapped dates are the other order."""
    dated = [spec("S1", "suspect", released=suspect), spec("R1", "reference", released=reference)]
    assert direction(*dated).order == order
    mirror = {"reference first": "suspect first", "suspect first": "reference first"}
    assert direction(*reversed(dated)).order == mirror.get(order, order)


def test_a_date_that_is_none_is_refused() -> None:
    """What is neither year, month nor day cannot be compared."""
    with pytest.raises(msgspec.ValidationError):
        spec("S1", "suspect", released="March 2023")
