"""Reasoning of suspect and reference: compared where both show theirs, and held against nobody where one does."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import UNSET

from depose.analysis.analyze import analyze
from depose.analysis.traces import MEASURES, read, traces
from depose.features.extract import Features
from depose.model import Dossier, Finding, Traces
from dossiers import CONTROLS, dossier, quiet, spec

SPECS = [spec("S1", "suspect"), spec("R1", "reference"), *CONTROLS]
PLAIN = dossier(SPECS, {})
WHOLE = analyze(PLAIN, Features(), quiet).findings
FINDING: Finding = WHOLE.findings[-1]
HOUSE = "Okay, the user asks this.\nFirst, I need to plan.\n1. x = 3\nWait, that is wrong.\nSo the answer is 3."
OTHER = "Step 1: restate the problem.\n- 4 = 2 + 2\n- verify it\nFinally it is done."
PLANS = "Let us see.\nHence the answer is 3.\nAlternatively 4."


def reasoned(by: dict[str, str], prompts: int = 5) -> Dossier:
    """Give models the same reasoning on the first so many prompts."""
    first = {prompt.id for prompt in PLAIN.registration.prompts[:prompts]}
    return msgspec.structs.replace(
        PLAIN,
        transcripts=tuple(
            msgspec.structs.replace(one, reasoning=by.get(one.model, "") if one.prompt in first else "")
            for one in PLAIN.transcripts
        ),
    )


def compared(given: Dossier) -> Traces:
    """Compare S1 and R1."""
    return traces(given, [FINDING])[0]


def test_the_same_habits_are_alike_and_others_are_not() -> None:
    """A suspect that reasons as the reference does has 1 on every measure, and no control reaches it."""
    found = compared(reasoned({"S1": HOUSE, "R1": HOUSE, "C1": OTHER, "C2": PLANS}))
    assert [one.name for one in found.measures] == ["self-talk", "step marks", "order of steps"]
    assert [one.value for one in found.measures] == pytest.approx([1, 1, 1])
    assert {(one.prompts, one.reached) for one in found.measures} == {(5, 0)}
    assert [code for code, _ in found.measures[0].controls] == ["C1", "C2"]
    assert found.prompts == 5
    assert {row.model: row.count for row in found.shown} == {"S1": 5, "R1": 5, "C1": 5, "C2": 5}


def test_a_control_with_the_habits_of_the_suspect_reaches_it() -> None:
    """Controls that reason likewise are counted beside."""
    found = compared(reasoned({"S1": HOUSE, "R1": OTHER, "C1": HOUSE, "C2": PLANS}))
    assert all(one.reached >= 1 for one in found.measures)
    assert all(value == pytest.approx(1) for one in found.measures for code, value in one.controls if code == "C1")


@pytest.mark.parametrize("alone", ["S1", "R1"])
def test_reasoning_on_one_side_alone_is_held_against_nobody(alone: str) -> None:
    """Nothing is compared where one side shows none."""
    found = compared(reasoned({alone: HOUSE, "C1": HOUSE}))
    assert (found.prompts, found.measures, found.exhibits) == (0, (), ())


def test_reasoning_moves_no_finding() -> None:
    """Opinions and scores are those of a case in which nobody shows reasoning, which has no comparison of any."""
    given = reasoned({"S1": HOUSE, "R1": HOUSE})
    one = analyze(given, Features(), quiet).findings
    assert WHOLE.traces is UNSET
    assert one.traces == (compared(given),)
    assert msgspec.structs.replace(one, traces=UNSET) == WHOLE


def test_without_reasoning_there_is_nothing() -> None:
    """Where neither side shows any, nothing is said of it, whatever controls show."""
    assert traces(reasoned({"C1": HOUSE}), [FINDING]) == ()


def test_the_first_prompts_are_set_out_with_what_is_marked() -> None:
    """The first two prompts of the protocol, reference first, with self-talk marked in both."""
    found = compared(reasoned({"S1": HOUSE, "R1": HOUSE}))
    assert [one.prompt.id for one in found.exhibits] == ["q0", "q1"]
    for one in found.exhibits:
        assert [a.model for a in one.answers] == ["R1", "S1"]
        assert "Wait" in [a.text[s.start : s.end] for a in one.answers for s in a.spans]


def test_order_counts_and_not_how_often() -> None:
    """The same steps the other way round are less alike; longer runs of one kind change nothing."""
    alike, lines = MEASURES["order of steps"], HOUSE.split("\n")
    assert alike(read(HOUSE), read("\n".join([*lines, lines[-1]]))) == pytest.approx(1)
    turned = alike(read(HOUSE), read("\n".join(reversed(lines))))
    assert turned is not None
    assert turned < 0.7
    assert alike(read("Nothing here."), read("Nor there.")) is None


@pytest.mark.parametrize("bad", ["<script>alert(1)</script>", "\u202e\x00", "wait " * 9_000, "1.\n" * 9_000])
def test_hostile_reasoning_is_compared_like_any(bad: str) -> None:
    """Markup, direction marks and endless loops give measures between 0 and 1, and places within the text."""
    found = compared(reasoned({"S1": bad, "R1": HOUSE, "C1": bad}, prompts=1))
    assert all(one.value is None or 0 <= one.value <= 1 for one in found.measures)
    for one in found.exhibits:
        assert all(0 <= s.start < s.end <= len(a.text) for a in one.answers for s in a.spans)
