"""Values that suspect and reference share where nobody knows: k of K, the same count for controls, hostile answers."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec import UNSET

from depose.analysis.analyze import analyze
from depose.analysis.scored_bags import Bench
from depose.analysis.shared_values import shared_values
from depose.features.extract import Features
from depose.model import Dossier, Finding, Prompt, SharedValues, Transcript
from dossiers import CONTROLS, dossier, quiet, spec

SPECS = [spec("S1", "suspect"), spec("R1", "reference"), *CONTROLS]
ASKED = tuple(
    Prompt(
        id=f"v{i}", family="long_tail" if i % 2 else "false_premise", cluster=f"v/{i}", text=f"Who found Velmar {i}?"
    )
    for i in range(4)
)


def asked(said: Any, base: Dossier | None = None) -> Dossier:
    """Ask the four prompts too; `said(code, i)` gives an answer, or None."""
    base = base or dossier(SPECS, {})
    more = tuple(
        Transcript(model=one.code, prompt=prompt.id, sample=0, replicate=0, text=text)
        for one in SPECS
        for i, prompt in enumerate(ASKED)
        if (text := said(one.code, i)) is not None
    )
    prompts = (*base.registration.prompts, *ASKED)
    registration = msgspec.structs.replace(base.registration, prompts=prompts)
    return msgspec.structs.replace(base, registration=registration, transcripts=(*base.transcripts, *more))


def compared(given: Dossier, *, controls: int = len(CONTROLS)) -> SharedValues:
    """Compare S1 and R1 beside some controls, without the rest of an analysis."""
    codes = tuple(one.code for one in CONTROLS[:controls])
    pair = msgspec.structs.replace(FINDING, controls=codes)
    return shared_values(Bench(given, Features(), quiet), [pair])[0]


FINDING: Finding = analyze(dossier(SPECS, {}), Features(), quiet).findings.findings[-1]


def planted(code: str, i: int) -> str:
    """S1 and R1 share two values alone, one with a third of the controls, and one with everybody."""
    if code in ("S1", "R1"):
        said = (
            "It was Anders Quill in the end.",
            "That was in 1871, I think.",
            "About 4,711 of them.",
            "In Ulm, 1900.",
        )
    else:
        n = int(code[1:])
        few = "About 4711 of them." if n % 3 == 0 else f"About {5000 + n} of them."
        said = (f"It was Bo Name{n}xa in the end.", f"That was in {1700 + n}, I think.", few, "It was in Ulm, in 1900.")
    return said[i]


def test_values_are_shown_with_k_of_all_controls() -> None:
    """Two values that no control gives come first, then one of a third; what everybody gives is counted, not shown."""
    found = compared(asked(planted))
    assert [(v.kind, v.value, v.controls, v.of) for v in found.values] == [
        ("name", "anders quill", 0, 20),
        ("year", "1871", 0, 20),
        ("number", "4711", 7, 20),
    ]
    assert (found.prompts, found.shared, found.alone) == (4, 5, 2)
    assert {row.count for row in (*found.reference_side, *found.suspect_side)} == {0}
    for one in found.values:
        assert [a.model for a in one.answers] == ["R1", "S1"]
        marked = [a.text[s.start : s.end] for a in one.answers for s in a.spans]
        assert len(marked) == 2
        assert len({"".join(filter(str.isalnum, text)) for text in marked}) == 1


def test_a_control_in_the_place_of_the_reference_is_counted_by_the_same_rule() -> None:
    """Relabelling reference and a control swaps their counts: nothing but the labels decides."""
    names = ("S1", "R1", *(one.code for one in CONTROLS))

    def said(code: str, i: int) -> str:
        rng = np.random.default_rng([i, names.index(code)])
        return f"They say it was {rng.integers(100, 112)} or {rng.integers(200, 212)} and so on for all of them."

    def swapped(code: str, i: int) -> str:
        return said({"R1": "C4", "C4": "R1"}.get(code, code), i)

    first, second = compared(asked(said)), compared(asked(swapped))
    by = {row.model: row.count for row in first.reference_side}
    other = {row.model: row.count for row in second.reference_side}
    assert (second.alone, other.pop("C4")) == (by.pop("C4"), first.alone)
    assert other == by
    assert sum(by.values()) + first.alone > 0


def test_what_stands_in_the_prompt_is_no_value_and_a_gap_is_no_answer() -> None:
    """Words and numbers of the question do not count; K counts the controls that answered."""

    def said(code: str, i: int) -> str | None:
        if code in ("S1", "R1"):
            return f"Velmar {i} was found by Ida Quist, as I was told by everybody who has been there."
        return "Nobody knows." if code in ("C1", "C2") else None

    found = compared(asked(said))
    assert {v.value for v in found.values} == {"ida quist"}
    assert {(v.controls, v.of) for v in found.values} == {(0, 2)}


def test_names_that_models_give_themselves_do_not_count() -> None:
    """A sentence in which a model names its maker gives no value."""
    text = "I was trained by OpenAI and know it well enough. It was Ida Quist who found it."
    found = compared(asked(lambda code, i: text if code in ("S1", "R1") else "Nobody knows."))
    assert {v.value for v in found.values} == {"ida quist"}


@pytest.mark.parametrize(
    "bad", ["</table><script>alert(1)</script> Ida Quist 4711", "\u202e\x00 4711", "9" * 9_000, "", " "]
)
def test_hostile_answers_give_values_that_stand_in_them(bad: str) -> None:
    """Markup, direction marks and endless numbers are read like any text."""
    found = compared(asked(lambda code, i: bad if code in ("S1", "R1") else "Nobody."))
    for one in found.values:
        assert len(one.value) <= 80
        assert all(0 <= s.start < s.end <= len(a.text) for a in one.answers for s in a.spans)


def test_an_analysis_has_them_only_where_such_prompts_were_asked() -> None:
    """Other cases keep the findings that they had; with such prompts values are set out, whatever the order."""
    plain = dossier(SPECS, {})
    without = analyze(plain, Features(), quiet).findings
    assert without.shared_values is UNSET
    given = asked(planted, plain)
    whole = analyze(given, Features(), quiet).findings
    assert whole.shared_values is not UNSET
    assert whole.shared_values == (compared(given),)
    turned = msgspec.structs.replace(given, transcripts=given.transcripts[::-1])
    assert shared_values(Bench(turned, Features(), quiet), [FINDING]) == whole.shared_values


OTHERWISE = {
    "a title without its marks": ("It was “Grey Harbour Bells” by then.", "It was Grey Harbour Bells by then."),
    "a year as a number": ("In 1871 of them, I think.", "In 1,871 of them, I think."),
}


@pytest.mark.parametrize("kind", OTHERWISE)
def test_a_control_that_writes_a_value_otherwise_gives_it_too(kind: str) -> None:
    """A title without its marks is the same title: no exhibit says that no control gives what two of them give."""
    both, control = OTHERWISE[kind]

    def said(code: str, i: int) -> str:
        return both if code in ("S1", "R1") else control if code in ("C1", "C2") else f"That was in {1700 + i}."

    found = compared(asked(said))
    assert {(one.controls, one.of) for one in found.values if one.value in ("grey harbour bells", "1871")} == {(2, 20)}
    assert found.alone == 0


@pytest.mark.parametrize(
    ("suspect", "reference"),
    [
        ("There were 5.2 million.", "There were 5.2 billion."),
        ("There were 10^3 of them.", "There were 10^6 of them."),
        ("It was -40 there.", "It was 40 there."),
    ],
)
def test_the_same_digits_of_different_numbers_are_no_exhibit(suspect: str, reference: str) -> None:
    """What stands before and behind digits belongs to a number."""

    def said(code: str, i: int) -> str:
        return {"S1": suspect, "R1": reference}.get(code, f"That was in {1700 + i}.")

    found = compared(asked(said))
    assert (found.shared, found.alone, found.values) == (0, 0, ())
