"""What degrades a line-up, each with the words that say so: findings, flags, and the wording of the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UnsetType

import line_ups
from depose.case import casefile
from depose.errors import CaseError
from depose.evidence import ledger
from depose.evidence.log import read_blob
from depose.lineup.answer_likeness import WEIGHTS
from depose.lineup.diagnostics import TITLES
from depose.lineup.opinion import holds, laxer
from depose.lineup.reading import ASSUMPTIONS, lineup_findings
from depose.model.lineup import DiagnosticResult
from depose.model.lineup_findings import LineupFindings
from depose.model.lineup_plan import ASSUMED, DIAGNOSTICS, PARTS, LineupLimits
from depose.readiness.line_up import prepared
from depose.report.wording import LINEUP_REASONS
from fakes import depose


def found(root: Path, **more: Any) -> LineupFindings:
    """Take a line-up of 30 bags to its findings."""
    folder = line_ups.opened(root, count=30, **more)
    made = lineup_findings(ledger.entries(folder), lambda name: read_blob(folder, name), str(folder))
    assert not isinstance(made, UnsetType)
    return made


@pytest.mark.parametrize(
    ("change", "reason", "standing", "flag", "word"),
    [
        ({}, "few", "indicative", "", "line-ups"),
        (
            {"limits": "bags = 20", "decoy": {"reference_snapshot": ""}},
            "tier",
            "indicative",
            "In 60 line-ups the state of the reference is not known, or not the same for all members.",
            "state",
        ),
        (
            {"limits": "bags = 20", "decoy": {"drawn_at": "2026-05-03T00:00:00Z"}},
            "decoys",
            "indicative",
            "In 60 line-ups a decoy was drawn after the suspect was first asked: resampled at best.",
            "drawn",
        ),
        (
            {"limits": "bags = 20", "decoy": {"drawn_at": "2026-04-30T20:00:00-09:00"}},
            "decoys",
            "indicative",
            "In 60 line-ups a decoy was drawn after the suspect was first asked: resampled at best.",
            "drawn",
        ),
        (
            {"limits": "bags = 20", "more": 'chosen_with = "suspect"'},
            "circular",
            "indicative",
            "The accounts were chosen by answers of the suspect: the test is circular.",
            "accounts",
        ),
    ],
    ids=["few", "no snapshot", "late decoys", "late in another zone", "circular"],
)
def test_what_degrades_is_said(
    tmp_path: Path, change: dict[str, Any], reason: Any, standing: str, flag: str, word: str
) -> None:
    """However small p is, the opinion is inconclusive with the reason, the flag counts, and the report has words."""
    made = found(tmp_path, **change)
    (one,) = made.findings
    assert one.log10_p < -3
    assert one.opinion.verdict == "inconclusive"
    assert reason in one.opinion.reasons
    assert one.standing == standing
    assert not flag or flag in made.flags
    assert word in LINEUP_REASONS[reason]


def test_nothing_degrades_what_is_in_order(tmp_path: Path) -> None:
    """The same line-up with as many bags as its limit asks has an indication and no such flag."""
    made = found(tmp_path, limits="bags = 20")
    assert made.findings[0].opinion.verdict == "indication"
    assert all("no time-stamp" in flag or "No coin was registered" in flag for flag in made.flags)


def test_a_decoy_of_another_zone_is_late_by_the_clock_alone(tmp_path: Path) -> None:
    """A decoy that was drawn before the suspect was asked is not late because its zone writes a later hour."""
    made = found(tmp_path, limits="bags = 20", decoy={"drawn_at": "2026-05-01T05:00:00+09:00"})
    assert made.findings[0].opinion.verdict == "indication"
    assert not any("was drawn after" in flag for flag in made.flags)


def test_what_was_kept_without_a_date_counts_as_resampled(tmp_path: Path) -> None:
    """That a sibling lay in the log before the suspect was asked is not known then: a lower tier, cap and a flag."""
    made = found(tmp_path, limits="bags = 20", decoy={"drawn_at": ""})
    assert (made.findings[0].tier, made.findings[0].cap) == ("resampled", 100)
    assert "In 60 line-ups it is not said when a decoy was drawn: resampled at best." in made.flags
    assert found(tmp_path / "dated", limits="bags = 20").findings[0].tier == "kept"


def test_what_a_case_waives_leaves_it_indicative(tmp_path: Path) -> None:
    """A case may rest on fewer checks than its tier asks for; confirmatory it is not then."""
    (one,) = found(tmp_path, limits="bags = 20").findings
    assert one.opinion.verdict == "indication" and one.standing == "indicative"
    made = tuple(DiagnosticResult(name=f"D{n}", title="", limit="", seen="", passed=True) for n in (1, 2, 3))
    assert holds("kept", made) and not holds("kept", made[:2]) and not holds("resampled", made)
    assert not holds("kept", (*made[:2], msgspec.structs.replace(made[2], passed=False)))
    assert holds("randomised", ()) and not holds("drifted", made)


def test_few_says_of_how_many(tmp_path: Path) -> None:
    """With a tiny p and `few` in one line the terminal says which number was too small."""
    folder = line_ups.opened(tmp_path, count=30)
    done = depose("lineup", "test", folder)
    assert "S1 few: its scores differ in 30 of 30 line-ups, 100 are registered; power" in done.out + done.err


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("diagnostic_alpha = 1e-12", "diagnostic_alpha 1e-12 for 0.01"),
        ("classifier = 0.4", "classifier 0.4 for 0.05"),
        ("unmatched = 0.9", "unmatched 0.9 for 0.01"),
        ("controls = 1", "controls 1 for 3"),
    ],
)
def test_lax_limits_leave_it_indicative(tmp_path: Path, limit: str, said: str) -> None:
    """A case may register when its checks fail; where hardly anything would, the report says so."""
    made = found(tmp_path, limits=f"bags = 20\n{limit}")
    assert made.findings[0].standing == "indicative"
    assert f"Limits of the checks are laxer than where a case registers none: {said}." in made.flags
    assert laxer(LineupLimits()) == laxer(LineupLimits(diagnostic_alpha=0.05, classifier=0.01, controls=9)) == ()


@pytest.mark.parametrize(("date", "told"), [("", True), ("2026-04", True), ("unknown", True), ("2026-02", False)])
def test_what_is_taken_off_is_older_than_the_deliveries(tmp_path: Path, date: str, told: bool) -> None:
    """Of a model that may have learnt the fillers report and `check` say so; the reference needs no date."""
    dated = f'\nreleased = "{date}"' if date else ""
    text = line_ups.CASE.replace('code = "C1"', f'code = "C1"{dated}')
    made = found(tmp_path, limits="bags = 20", more='minus = "C1"', text=text)
    assert any("C1, which is taken off, is not dated before the deliveries" in flag for flag in made.flags) is told
    case = casefile.read(tmp_path / "case")
    assert any("C1, which is taken off, has no date" in one.said for one in prepared(case)) is (date in ("", "unknown"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('controls = ["C1"]', 'controls = ["R1"]', "'R1' is a reference"),
        ('controls = ["C1"]', 'controls = ["S1"]', "'S1' is a suspect"),
        ('controls = ["C1"]', 'controls = ["Z"]', "no model has the code 'Z'"),
        ('matched = ["B1"]', 'matched = ["A1"]', "'A1' is one of"),
        ('controls = ["C1"]', 'controls = ["C1"]\nsnapshots = ["S1"]', "'S1' is a suspect"),
        ('matched = ["B1"]', 'attested = {{ logs = "the analyst" }}', "lineup.attested: no 'logs' is known"),
        ("required = []", 'required = ["d2"]', "lineup.limits.required: no 'd2' is known"),
        ('matched = ["B1"]', 'statistic = "text"\nweights = {{ fuzy = 1 }}', "lineup.weights: no 'fuzy' is known"),
        ('matched = ["B1"]', 'statistic = "text"\nweights = {{ fuzzy = 0 }}', "lineup.weights: all are zero"),
        ('matched = ["B1"]', "weights = {{ fuzzy = 1 }}", "lineup.weights: go with text or continuation"),
    ],
)
def test_what_a_plan_may_not_name(tmp_path: Path, old: str, new: str, said: str) -> None:
    """A reference or a suspect is no control, a strange code is none, an account is in question or it is not."""
    text = line_ups.CASE.replace(old, new)
    folder = line_ups.case(tmp_path / "case", text=text)
    with pytest.raises(CaseError, match=said):
        casefile.read(folder)


def test_names_in_a_plan_are_those_that_are_read() -> None:
    """What a case may attest and weigh is what the report lists and the scorer knows, and no more."""
    assert [key for key, _, _ in ASSUMPTIONS] == list(ASSUMED)
    assert list(WEIGHTS) == list(PARTS)
    assert list(TITLES) == list(DIAGNOSTICS)
