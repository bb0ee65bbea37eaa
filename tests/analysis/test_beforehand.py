"""What cannot be answered is said before it is asked, with what would open it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from depose.analysis.beforehand import outlook, warnings
from depose.model import Case, CaseHead, ModelSpec, Protocol
from dossiers import spec


def case(controls: list[ModelSpec], suspect: dict[str, Any] | None = None, **protocol: Any) -> Case:
    """Make a case of a suspect, a reference and controls."""
    pair = (spec("S1", "suspect", **(suspect or {})), spec("R1", "reference"))
    return Case(
        case=CaseHead(title="t", authority="a"),
        protocol=Protocol(prompts="x.csv", **protocol),
        models=(*pair, *controls),
    )


def many(count: int, start: int = 0, **more: Any) -> list[ModelSpec]:
    """Make controls of lineages of their own."""
    return [spec(f"C{n}", "control", **more) for n in range(start, start + count)]


def test_enough_controls_of_the_right_years_are_worth_no_word() -> None:
    """Nineteen clean lineages of the pair's own time: every question is open."""
    one = case(many(19))
    assert [ahead.open for ahead in outlook(one)] == [True] * 3
    assert list(warnings(one)) == []


def test_too_few_clean_lineages_are_counted_with_the_reasons_and_what_would_open_them() -> None:
    """Students of the reference's maker are named as left out, and what is missing is described."""
    taught = many(4, 16, trained_on=("dev-R1",))
    (said,) = list(warnings(case([*many(16), *taught], questions=("distilled",))))
    assert said.startswith("S1, R1, distilled: 16 independent clean control lineages of 19 that are needed")
    assert "C16, C17, C18, C19: documented or likely to be trained on outputs of the reference's developer" in said
    assert "3 or more models of makers other than dev-S1, dev-R1, not trained on outputs of dev-R1" in said
    assert said.endswith("released 2024-07 to 2025-07")


def test_what_is_not_stated_of_the_suspect_is_asked_for_before_other_controls() -> None:
    """On one base, a suspect without a stated one leaves no control; to state it is the way, and opens the question."""
    fields = {"weight_lineage": "", "data_lineage": "", "developer": "", "released": "unknown"}
    controls = many(20, weight_lineage="harbour-r1")
    (said,) = list(warnings(case_on_base(controls, fields)))
    assert ". S1 has no developer, weight_lineage, data_lineage, released: state it first, it may open it. What" in said
    assert list(warnings(case_on_base(controls, {"weight_lineage": "harbour-r1"}))) == []
    few = list(warnings(case(many(3), questions=("same",))))
    assert "state it first" not in few[0]


def case_on_base(controls: list[ModelSpec], suspect: dict[str, Any]) -> Case:
    """Make a case of one question whose reference stands on the base of its controls."""
    made = case(controls, suspect, questions=("distilled",))
    reference = spec("R1", "reference", weight_lineage="harbour-r1")
    return msgspec.structs.replace(made, models=(made.models[0], reference, *controls))


def test_controls_of_other_years_are_said_to_end_in_inconclusive() -> None:
    """Twenty older controls: the answer will be `inconclusive (era)`, for all questions in one sentence."""
    (said,) = list(warnings(case(many(20, released="2022-05"))))
    assert said.startswith("S1, R1, same, derived, distilled: 0 of the controls are of the years of the two, 10 are")
    assert "inconclusive (era)" in said


@pytest.mark.parametrize(
    ("suspect", "controls", "names"),
    [
        ("", "2025-01", "Not dated: S1. "),
        ("unknown", "", "Not dated: S1, C0, C1, C10, C11, C12 and 15 more. "),
        ("2025-01", "", "Not dated: C0, C1, C10, C11, C12, C13 and 14 more. "),
    ],
)
def test_models_without_a_date_are_named_with_what_to_write(suspect: str, controls: str, names: str) -> None:
    """A case without dates is read and ends `inconclusive (era)`; dates that may be all it lacks are asked for."""
    (said,) = list(warnings(case(many(20, released=controls), {"released": suspect})))
    assert "inconclusive (era)" in said and names in said
    assert 'released = "YYYY-MM"' in said


def test_dates_that_would_not_help_are_not_asked_for() -> None:
    """Nineteen of twenty are old: the date of the last one opens nothing, and other controls would."""
    (said,) = list(warnings(case([*many(19, released="2022-05"), *many(1, 19, released="")])))
    assert "Not dated" not in said and "What would open it" in said


def test_a_question_that_needs_no_controls_is_not_warned_about() -> None:
    """The line-up has a null of its own: a case that asks for it alone needs neither controls nor dates."""
    assert list(warnings(case([], {"released": ""}, questions=("exposed",)))) == []


def test_several_references_need_more() -> None:
    """Two references at alpha .05 need 39 lineages."""
    two = case([*many(25), spec("R2", "reference")])
    assert {ahead.needed for ahead in outlook(two)} == {39}


def test_one_base_and_odd_names_are_pointed_out() -> None:
    """`derived` on one base has no answer; a lineage that is nearly another is asked about."""
    models = [*many(19, weight_lineage="llama3-8b"), *many(1, 19, weight_lineage="llama3-8b", data_lineage="d-C188")]
    shared = case(models, {"weight_lineage": "Meta-Llama-3-8B"}, questions=("derived",))
    base = msg(shared)
    assert any("'Meta-Llama-3-8B' and 'llama3-8b' are counted as one" in line for line in base)


def msg(one: Case) -> list[str]:
    """List the warnings."""
    return list(warnings(one))
