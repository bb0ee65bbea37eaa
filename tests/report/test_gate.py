"""A gate closes at what it was told, of the question it was told, and says where."""

from __future__ import annotations

import msgspec
import pytest
from click.exceptions import BadParameter

from depose.case.annexes import Waiver
from depose.cli.options import Gate
from depose.model import Findings, Opinion, Verdict
from depose.report.gate import judged
from reports import build


def found(**verdicts: Verdict) -> Findings:
    """Findings of known opinions, one for each question."""
    base = build()
    one = base.findings[0]
    made = tuple(
        msgspec.structs.replace(one, question=question, opinion=Opinion(verdict=verdict, reasons=()))
        for question, verdict in verdicts.items()
    )
    return msgspec.structs.replace(base, findings=made)


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [
        ((), 0),
        (("indication",), 4),
        (("same:indication",), 0),
        (("derived:indication",), 4),
        (("distilled:indication",), 0),
        (("inconclusive",), 5),
        (("same:inconclusive",), 0),
        (("distilled:inconclusive", "same:indication"), 5),
        (("distilled:inconclusive", "derived:indication"), 4),
    ],
)
def test_a_gate_may_rest_on_one_question(fail_on: tuple[str, ...], code: int) -> None:
    """A relation counts as an indication; what is told of another question does not close it."""
    findings = found(same="no indication", derived="relation, kind not resolved", distilled="inconclusive")
    made = judged(findings, fail_on)
    assert made.exit == code
    assert bool(made.because) == bool(code)
    if code == 4:
        assert made.because[0].endswith("derived: relation, kind not resolved")


@pytest.mark.parametrize(
    ("reason", "fail_on", "code"),
    [
        ("era", ("distilled:indication",), 5),
        ("controls", ("indication",), 5),
        ("range", ("indication", "same:inconclusive"), 5),
        ("era", ("same:indication",), 0),
        ("power", ("distilled:indication",), 0),
        ("length", ("indication",), 0),
        ("era", (), 0),
    ],
)
def test_a_gate_that_could_not_close_is_not_open(reason: str, fail_on: tuple[str, ...], code: int) -> None:
    """Where a finding that is waited for cannot speak the gate ends with 5; what was measured and is weak, does not."""
    findings = found(same="no indication", distilled="inconclusive")
    blind = msgspec.structs.replace(
        findings.findings[1], opinion=Opinion(verdict="inconclusive", reasons=("power", reason))
    )
    findings = msgspec.structs.replace(findings, findings=(findings.findings[0], blind))
    made = judged(findings, fail_on)
    assert (made.exit, bool(made.blind), bool(made.because)) == (code, bool(code), bool(code))
    assert all("could not have closed the gate" in one for one in made.because)
    meant = judged(findings, fail_on, allow_blind=True)
    assert (meant.exit, meant.because, meant.blind) == (0, (), made.blind)


@pytest.mark.parametrize("value", ["", "yes", "same:", ":indication", "other:indication", "same:no", "same:same:x"])
def test_what_no_gate_can_be_told_is_refused(value: str) -> None:
    """A misspelt gate must never be an open one."""
    with pytest.raises(BadParameter, match="indication or inconclusive"):
        Gate().convert(value, None, None)


def test_a_waiver_that_does_nothing_is_said() -> None:
    """Expired, or about no finding: neither is silent, and neither changes the exit code."""
    findings = found(same="indication")
    one = findings.findings[0]

    def waiver(name: str, suspect: str, year: int) -> Waiver:
        told = {"reason": "r", "owner": "o", "approver": "a", "expires": f"{year}-01-01"}
        return msgspec.convert({"id": name, "suspect": suspect, "reference": one.reference, **told}, Waiver)

    waivers = (waiver("W1", one.suspect, 2999), waiver("W2", one.suspect, 1999), waiver("W3", "Nobody", 2999))
    made = judged(findings, ("indication",), waivers)
    assert made.exit == 4
    assert [(said.id, said.state, said.holds) for said in made.waivers] == [
        ("W1", "in force", True),
        ("W2", "expired", False),
        ("W3", "names no finding", False),
    ]
