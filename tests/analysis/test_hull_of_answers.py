"""Strangers cut short, or made to speak another language, share what no control has: no opinion rests on it."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence

import msgspec
import pytest

from depose.analysis.analyze import analyze
from depose.analysis.hull_of_answers import LENGTH, VOCABULARY, rows
from depose.analysis.scored_bags import Bench
from depose.features.extract import Features
from depose.model import Condition, Dossier, Result
from dossiers import CONTROLS, dossier, quiet, spec

BAG = ("S1", "R1", *(one.code for one in CONTROLS))
ALPHA = 0.05
Dress = Callable[[str], str]


def cut(text: str) -> str:
    """Leave six words."""
    return " ".join(text.split()[:6])


def foreign(text: str) -> str:
    """Say it in words that nobody else uses."""
    return codecs.encode(text, "rot13")


def case(dress: Dress, dressed: Sequence[str], copies: dict[str, str]) -> Dossier:
    """Script a case in which some answer otherwise."""
    plain = dossier([spec("S1", "suspect"), spec("R1", "reference"), *CONTROLS], copies)
    answers = tuple(
        msgspec.structs.replace(one, text=dress(one.text)) if one.model in dressed else one for one in plain.transcripts
    )
    return msgspec.structs.replace(plain, transcripts=answers)


def found(dress: Dress, dressed: Sequence[str], p: float = 0.04) -> dict[str, Condition]:
    """Set answers beside those of the controls, for a result with such a p."""
    bench = Bench(case(dress, dressed, {"S1": "R1"}), Features(), quiet)
    result = bench.result(BAG, "phrases", "same")
    assert isinstance(result, Result)
    return {one.name: one for one in rows(bench, BAG, msgspec.structs.replace(result, p_holm=p), ALPHA)}


@pytest.mark.parametrize(("dress", "name"), [(cut, LENGTH), (foreign, VOCABULARY)])
def test_both_beyond_every_control_are_outside(dress: Dress, name: str) -> None:
    """One of the two inside is enough, as a control that is like them is; and nobody is outside as he is."""
    both = found(dress, BAG[:2])
    assert [key for key, one in both.items() if not one.inside] == [name]
    for dressed in (BAG[:1], BAG[1:2], BAG[:3], BAG[2:3], BAG, ()):
        assert all(one.inside for one in found(dress, dressed).values()), dressed


def test_longer_than_every_control_is_outside_too() -> None:
    """The range of the controls has two ends."""
    assert not found(lambda text: f"{text} {text}", BAG[:2])[LENGTH].inside


def test_nothing_is_asked_of_a_result_that_does_not_reach_alpha() -> None:
    """A large p needs no defence against what makes it small."""
    assert found(cut, BAG[:2], p=0.06) == {}


def test_strangers_that_speak_another_language_get_no_opinion() -> None:
    """Their p is at the floor also without bare words: only their words tell."""
    finding = analyze(case(foreign, BAG[:2], {}), Features(), quiet).findings.findings[0]
    assert [result.p <= ALPHA for result in finding.results if result.primary] == [True]
    outside = {one.name for one in finding.conditions if not one.inside}
    assert VOCABULARY in outside
    assert finding.opinion.verdict == "inconclusive"
