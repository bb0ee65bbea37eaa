"""A small p that rests on a template of hosts gives no opinion; one that stands without it does."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from depose.analysis import bare_result
from depose.analysis.analyze import analyze
from depose.analysis.scored_bags import Bench
from depose.features.extract import Features
from depose.features.words import words
from depose.model import Dossier, Result, Transcript
from dossiers import CONTROLS, dossier, quiet, spec

BAG = ("S1", "R1", *(one.code for one in CONTROLS))
ALPHA = 0.05


def dressed(copies: dict[str, str], dress: Callable[[str], str]) -> Dossier:
    """Script a case whose suspect and reference stand behind one template."""
    plain = dossier([spec("S1", "suspect"), spec("R1", "reference"), *CONTROLS], copies)
    worn = len(words(dress("")))

    def said(one: Transcript) -> str:
        """Say as many words as those in disguise: length is no matter here."""
        mine = " ".join(f"{one.model.lower()}{chr(97 + n)}" for n in range(worn))
        return dress(one.text) if one.model in BAG[:2] else f"{mine} {one.text}"

    answers = tuple(msgspec.structs.replace(one, text=said(one)) for one in plain.transcripts)
    return msgspec.structs.replace(plain, transcripts=answers)


@pytest.mark.parametrize(
    "dress",
    [
        lambda text: f"Certainly! I would be happy to help with that today. {text}",
        lambda text: f"Step 1, for a customer: {text}",
        lambda text: f"<answer><body>{text}</body></answer>",
        lambda text: f"Ahoy matey! {text} Fair winds, the Acme crew",
    ],
)
def test_strangers_behind_one_template_get_no_opinion(dress: Callable[[str], str]) -> None:
    """Their p is at the floor; the row says that it is not there without the template, and the opinion says range."""
    case = dressed({}, dress)
    found = Bench(case, Features(), quiet).result(BAG, "phrases", "same")
    assert isinstance(found, Result)
    assert found.p <= ALPHA
    finding = analyze(case, Features(), quiet).findings.findings[0]
    assert (finding.opinion.verdict, finding.opinion.reasons) == ("inconclusive", ("range",))
    row = next(one for one in finding.conditions if one.name == bare_result.NAME)
    assert not row.inside
    assert row.case.startswith("with these p 0.0477; without, p ")


def test_a_copy_behind_the_same_template_is_inside() -> None:
    """Its likeness is in what it says besides."""
    bench = Bench(dressed({"S1": "R1"}, lambda text: f"Certainly! {text}"), Features(), quiet)
    found = bench.result(BAG, "phrases", "same")
    assert isinstance(found, Result)
    (row,) = bare_result.row(bench, BAG, found, ALPHA)
    assert row.inside


def test_a_large_p_is_not_asked_again() -> None:
    """Nothing hangs on it, and no null result can be lost by it."""
    bench = Bench(dressed({}, str), Features(), quiet)
    found = bench.result(BAG, "phrases", "same")
    assert isinstance(found, Result)
    assert found.p > ALPHA
    assert bare_result.row(bench, BAG, found, ALPHA) == ()


def test_what_a_model_must_measure_again_is_not_met() -> None:
    """A detector that runs a model of its own is not run again: not evaluated is not met."""
    case = dressed({}, lambda text: f"Certainly! I would be happy to help with that today. {text}")
    bench = Bench(case, Features(), quiet)
    found = bench.result(BAG, "phrases", "same")
    assert isinstance(found, Result)
    (row,) = bare_result.row(bench, BAG, msgspec.structs.replace(found, detector="embedding"), ALPHA)
    assert not row.inside
    assert "not computed" in row.case
