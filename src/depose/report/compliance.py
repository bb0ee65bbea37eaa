"""The compliance summary: one of three outcomes, its decision rule with the risks, questions to the vendor; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from msgspec import UnsetType

from depose.case.annexes import Waiver
from depose.model import ErrorRate, Finding, Findings, Power, Record
from depose.model.lineup_findings import LineupFinding
from depose.report.wording import OUTCOMES

NOTHING, REVIEW, OPEN = OUTCOMES


class Applied(Record, frozen=True, kw_only=True):
    """A waiver beside the findings that it is about, and whether it held on the day of the last answer."""

    waiver: Waiver
    numbers: tuple[int, ...]
    state: str


def outcome(findings: Findings) -> str:
    """Return one of the three outcomes: review if anything indicates, nothing if all say so, else inconclusive."""
    verdicts: set[str] = {one.opinion.verdict for one in findings.findings}
    verdicts |= {one.opinion.verdict for one in lined_up(findings)}
    if verdicts & {"indication", "relation, kind not resolved"}:
        return REVIEW
    return NOTHING if verdicts == {"no indication"} else OPEN


def lined_up(findings: Findings) -> tuple[LineupFinding, ...]:
    """Return what the line-up found of each suspect; nothing where there was none."""
    return () if isinstance(findings.lineup, UnsetType) else findings.lineup.findings


def of_finding(finding: Finding | LineupFinding) -> str:
    """Return the outcome of one finding alone."""
    verdict = finding.opinion.verdict
    return {"no indication": NOTHING, "inconclusive": OPEN}.get(verdict, REVIEW)


def waived(findings: Findings, waivers: Sequence[Waiver]) -> list[Applied]:
    """Set each waiver beside the findings that it names; none of them changes an outcome."""
    day = _day(findings.last_asked or findings.registered_at)
    found = []
    for one in waivers:
        numbers = tuple(
            number
            for number, f in enumerate(findings.findings, 1)
            if (f.suspect, f.reference) == (one.suspect, one.reference) and one.question in (None, f.question)
        )
        state = "no date to compare with" if day is None else "in force" if day <= one.expires else "expired"
        found.append(Applied(waiver=one, numbers=numbers, state=state if numbers else "names no finding"))
    return found


def risks(findings: Findings, start: str) -> list[ErrorRate]:
    """List the counted risks of the rule whose name starts with `start`, for the questions that were asked."""
    rates = findings.performance.rates if findings.performance else ()
    return [one for one in rates if one.what.startswith(start) and one.question in findings.protocol.questions]


def powers(findings: Findings) -> list[tuple[str, Power]]:
    """List each question's power in this case once."""
    found = {one.question: one.power for one in findings.findings if one.power is not None}
    return list(found.items())


def _day(text: str) -> date | None:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None
