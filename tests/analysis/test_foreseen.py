"""What lies outside of the study is foreseen, and is what the analysis says when everything was answered."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from depose.analysis.beforehand import outlook
from depose.analysis.foreseen import OF_THE_STUDY, in_words, outside, ratio_of
from depose.analysis.likelihood_ratios import conditions, foreseen
from depose.model import Case, CaseHead, Condition, Primary, Prompt, Protocol
from dossiers import spec
from studies import CASE, result, study

PROMPTS = tuple(Prompt(id=f"p{n}", family="a", cluster=f"p{n}", text=f"prompt {n}") for n in range(120))


def case(count: int = 23, suspect: dict[str, Any] | None = None, **more: Any) -> Case:
    """Make a case of one question that the made-up study covers."""
    models = [spec("S1", "suspect", **(suspect or {})), spec("R1", "reference")]
    models += [spec(f"C{n}", "control", **more) for n in range(count)]
    primary = Primary(same="phrases", derived="phrases", distilled="phrases")
    protocol = Protocol(prompts="x.csv", questions=("same",), primary=primary)
    return Case(case=CaseHead(title="t", authority="a"), protocol=protocol, models=tuple(models))


def names(one: Case, prompts: tuple[Prompt, ...] = PROMPTS, found: Any = None) -> list[str]:
    """Name the conditions that a case leaves."""
    (ahead,) = outlook(one)
    return [row.name for row in outside(ahead, one, prompts, found or study())]


def test_a_case_that_the_study_covers_leaves_nothing() -> None:
    """Twenty-three clean controls, prompts of its kind: no condition is named, and there is a ratio."""
    assert names(case()) == []
    assert ratio_of(outlook(case())[0], len(PROMPTS), study()) == ""


@pytest.mark.parametrize(
    ("one", "prompts", "said"),
    [
        (case(), tuple(msgspec.structs.replace(p, family="listed") for p in PROMPTS), ["kind of prompts"]),
        (case(suspect={"model": "known"}), PROMPTS, ["suspect"]),
        (case(suspect={"temperature": 1.9}), PROMPTS, ["sampling settings"]),
        (case(suspect={"provider": "openai"}), PROMPTS, ["route"]),
        (case(released="2020-01"), PROMPTS, []),
        (case(12), PROMPTS, []),
    ],
)
def test_each_condition_is_foreseen_but_what_is_said_already(
    one: Case, prompts: tuple[Prompt, ...], said: list[str]
) -> None:
    """Years and numbers of controls come with what would open them, and are not said twice."""
    assert names(one, prompts) == said


def test_a_question_without_a_study_is_said_so() -> None:
    """No study, or one that does not know the question: nothing will be read as an indication."""
    (ahead,) = outlook(case())
    assert (outside(ahead, case(), PROMPTS, None), ratio_of(ahead, 120, None)) == ((), "no study is named")
    lone = msgspec.structs.replace(study(), calibrators=())
    assert names(case(), found=lone) == ["question"]
    assert ratio_of(ahead, 120, lone) != ""


def test_what_is_foreseen_is_what_is_found() -> None:
    """The rows are those of the analysis, in its order; only the score is missing."""
    one = result()
    ahead = foreseen(study(), one.detector, one.prompts, CASE)
    found = conditions(study(), one, CASE)
    assert ahead == tuple(row for row in found if row.name != "score T")
    assert len(found) == len(ahead) + 1


def test_only_what_the_study_covers_is_said_to_be_of_the_study() -> None:
    """Every range that it sets is in the list; a row that a rule of the case sets says what is needed."""
    said = {one.name for one in conditions(study(), result(), CASE) if one.decides} - {"question", "suspect"}
    assert said <= {*OF_THE_STUDY}
    row = Condition(name="score T", validated="1 to 2", case="3", inside=False)
    assert in_words(row, "same") == "score T: 3 (the study: 1 to 2)"
    assert in_words(msgspec.structs.replace(row, name="bare words"), "same") == "bare words: 3 (needed: 1 to 2)"
