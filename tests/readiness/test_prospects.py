"""What opens a finding is said as it is: a study that ships where one covers it, else one of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from depose.case import calibration
from depose.model import Case, CaseHead, ModelSpec, Prompt, Protocol, Question, Registration
from depose.readiness.prospects import OTHER, STUDY, Prospect, ahead

PROMPTS = tuple(Prompt(id=f"p{n}", family="listed", cluster=f"p{n}", text=f"prompt {n}") for n in range(120))


def told(
    suspect: str, question: Question, count: int = 120, words: dict[str, list[int]] | None = None, **protocol: Any
) -> Prospect:
    """Look ahead for a case of 22 clean controls whose prompts are listed."""
    models = [
        ModelSpec(
            code=code,
            role=role,  # type: ignore[arg-type]
            provider="recorded",
            model=name,
            file="x.csv",
            developer=f"maker of {code}",
            weight_lineage=f"weights of {code}",
            data_lineage=f"data of {code}",
            released="2024-06",
        )
        for code, role, name in (
            ("S1", "suspect", suspect),
            ("R1", "reference", "the reference"),
            *((f"C{n}", "control", f"control {n}") for n in range(22)),
        )
    ]
    case = Case(
        case=CaseHead(title="t", authority="a"),
        protocol=Protocol(prompts="x.csv", questions=(question,), **protocol),
        models=tuple(models),
    )
    (found,) = ahead(case, Registration(case=case, prompts=PROMPTS[:count], files=(), software=()), Path(), words)
    return found


@pytest.fixture(scope="module")
def known() -> str:
    """A suspect of the English study that took no part in the other."""
    studies = [calibration.load(name, Path()) for name in ("alpaca_eval", "shaberi_w")]
    first, second = (set(one.calibration.suspects) if one else set() for one in studies)
    return min(first - second)


def test_listed_prompts_can_speak_where_kinds_left_out_held() -> None:
    """`same` and `derived` from 64 prompts on by the English study; `distilled` has no ratio, and says what it cost."""
    assert told("somebody new", "same").can_indicate
    assert told("somebody new", "derived").can_indicate
    few = told("somebody new", "derived", 63)
    assert (few.can_speak, few.why[1]) == (False, "number of prompts: 63 (the study: 64 or more, listed)")
    closed = told("somebody new", "distilled")
    assert not closed.can_speak
    assert closed.why[1].startswith("no likelihood ratio: on shaberi_w, population left out, it costs (Cllr) 0.82")
    assert closed.why[-1] == STUDY


def test_a_study_that_covers_the_finding_is_named(known: str) -> None:
    """A suspect of the English study is covered by the other for `same`, and by none for `derived`."""
    same, derived = (told(known, question) for question in ("same", "derived"))
    assert not same.can_speak
    assert same.why[1:] == (
        "the suspect is one of the models that the study was made of",
        OTHER.format("shaberi_w"),
    )
    assert derived.why[-1] == STUDY
    assert told(known, "same", calibration="shaberi_w").can_indicate
    other = told(known, "derived", calibration="shaberi_w")
    assert other.why[1].startswith(
        "prompts of the case's own: no kind of prompts is known for them, and the study holds"
    )


def test_answers_that_are_there_already_tell_their_length() -> None:
    """Shorter ones than the study examined are foreseen, by those in the bag alone, if all of it have some."""
    codes = ("S1", "R1", *(f"C{n}" for n in range(22)))
    short, fair = ({code: [n, n + 1, 400] for code in codes} for n in (40, 150))
    assert told("somebody new", "same", words=fair).can_indicate
    assert told("somebody new", "same", words={**fair, "another": [1] * 999}).can_indicate
    found = told("somebody new", "same", words=short)
    assert not found.can_speak
    assert found.why[1] == (
        "length of answers: median of 41 words (the study: 125 to 279 words, the medians of those kinds)"
    )
    assert told("somebody new", "same", words={**short, "C3": []}).can_indicate
