"""The compliance summary: one of three outcomes, its decision rule with the risks, questions to the vendor; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from msgspec import UnsetType

from depose.case.annexes import Waiver
from depose.model import Finding, Findings, Power, Record
from depose.model.lineup_findings import LineupFinding
from depose.report.study_counts import of_opinions
from depose.report.wording import OUTCOMES
from depose.statistics.rates import upper_bound

NOTHING, REVIEW, OPEN = OUTCOMES
KIN = frozenset(
    (
        "student and teacher",
        "fine-tune and base",
        "students of one teacher",
        "another version or size",
        "another tune of one base",
        "another model of one maker",
        "student of another version of the reference",
        "the reference was made from the suspect",
    )
)
"""Kinds of pairs, as `depose.validate.opinions` names them, of which another relation than the one asked is known."""


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


class Risk(Record, frozen=True, kw_only=True):
    """How often the rule erred on pairs of the study, for one question."""

    question: str
    what: str
    k: int
    n: int
    upper95: float


ALARM, ALARM_KIN, MISS = (
    "false alarm: a review of strangers, on one base or not",
    "false alarm: a review of relatives of another kind than asked",
    "miss: no review of a true pair",
)
"""What is counted: opinions, each by a calibration that had not seen the lineages of its pair."""


def risks(findings: Findings, what: str) -> list[Risk]:
    """Count one of these for the questions asked, from the opinions that the court report counts by kind of pair.

    Where a study counted no opinions, its p-values at alpha stand for them, with their own words.
    """
    study, asked = findings.performance, findings.protocol.questions
    if study is None:
        return []
    if not study.opinions:
        start = what.partition(":")[0]
        rows = [one for one in study.rates if one.what.startswith(start) and one.question in asked]
        return [
            Risk(question=one.question, what=one.what, k=one.k, n=one.n, upper95=one.upper95)
            for one in rows
            if what != ALARM_KIN
        ]
    found = []
    for question, rates in of_opinions(study.opinions, asked):
        mine = [one for one in rates if one.true is (what == MISS) and (one.kind in KIN) is (what == ALARM_KIN)]
        n, reviews = sum(one.n for one in mine), sum(one.indications + one.relations for one in mine)
        k = n - reviews if what == MISS else reviews
        found.append(Risk(question=question, what=what, k=k, n=n, upper95=upper_bound(k, n)))
    return found


def powers(findings: Findings) -> list[tuple[str, Power]]:
    """List each question's power in this case once."""
    found = {one.question: one.power for one in findings.findings if one.power is not None}
    return list(found.items())


def _day(text: str) -> date | None:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None
