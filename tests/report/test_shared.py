"""What the report prints of shared values and of reasoning: k of K, no opinion, and hostile text as text."""

from __future__ import annotations

import pytest
from msgspec import structs

from depose.model import (
    Counted,
    ExhibitAnswer,
    Findings,
    Prompt,
    SharedValue,
    SharedValues,
    Span,
    TraceExhibit,
    TraceMeasure,
    Traces,
)
from depose.report.render import render_html
from hostile import ANSWERS
from reports import CONTROLS, build, drop_cut, outline, words
from thinned import thinned

ASKED = Prompt(id="long_tail-01-abc", family="long_tail", cluster="long_tail/01", text="How many keys has it?")


def answers(text: str) -> tuple[ExhibitAnswer, ...]:
    """The reference's and the suspect's, the end marked."""
    return tuple(
        ExhibitAnswer(model=code, text=text, spans=(Span(start=0, end=1, controls=0),)) for code in ("R1", "S1")
    )


def found(text: str = "It has 47 keys.", *, many: int = 1, both: int = 2) -> Findings:
    """A report with values and reasoning."""
    value = SharedValue(prompt=ASKED, kind="number", value=text[:80], controls=2, of=23, answers=answers(text))
    counted = tuple(Counted(model=code, count=n % 4) for n, code in enumerate(CONTROLS))
    measure = TraceMeasure(name="self-talk", value=0.25, prompts=both, controls=((CONTROLS[0], 0.5),), reached=1)
    return structs.replace(
        build(questions=("distilled",), exhibits=1),
        shared_values=(
            SharedValues(
                suspect="S1",
                reference="R1",
                prompts=19,
                shared=7,
                alone=3,
                reference_side=counted,
                suspect_side=counted,
                values=(value,) * many,
                rule="By a rule.",
            ),
        ),
        traces=(
            Traces(
                suspect="S1",
                reference="R1",
                shown=(Counted(model="R1", count=9), *((Counted(model="S1", count=2),) if both else ())),
                prompts=both,
                measures=(measure,) if both else (),
                exhibits=(TraceExhibit(prompt=ASKED, answers=answers(text)),) if both else (),
                rule="By another rule.",
            ),
        ),
    )


def test_values_are_printed_with_k_of_all_and_without_an_opinion() -> None:
    """Count of values, k of K of each, the same count for controls, and that nothing was validated."""
    page = words(render_html(found(many=14)))
    assert "19 prompts, 7 values that both give, 3 of them given by no control" in page
    assert "Of 23 controls in the place of the reference, 5 share as many with the suspect" in page
    assert "2 of 23" in page
    assert "the first 12 of 14 in findings.json" in page
    assert page.count("it gives exhibits and no opinion") == 2


def test_reasoning_of_one_side_alone_is_held_against_nobody() -> None:
    """The page says who shows how much, and that nothing is compared."""
    page = words(render_html(found(both=0)))
    assert "S1 shows reasoning on 0 prompts, R1 on 9, both on 0" in page
    assert "Nothing is compared." in page
    assert "held against nobody" in page
    assert "At least as like" not in page
    assert "Nothing is compared." not in words(render_html(found()))


def test_a_case_without_either_has_no_such_section() -> None:
    """Nothing is said where such prompts were not asked and nobody shows reasoning."""
    page = words(render_html(build(questions=("distilled",), exhibits=1)))
    assert "where nobody knows" not in page
    assert "Reasoning, apart" not in page


@pytest.mark.parametrize("place", thinned(range(0, len(ANSWERS), 12), 3))
def test_hostile_texts_change_no_structure(place: int) -> None:
    """Answers, values and reasoning that try to break the page leave its elements as they are."""
    text = ANSWERS[place].encode("utf-8", "replace").decode()[:8_000] or "x"
    plain = outline(drop_cut(render_html(found("a" * min(len(text), 3_000)))))
    assert outline(drop_cut(render_html(found(text)))).tags == plain.tags
