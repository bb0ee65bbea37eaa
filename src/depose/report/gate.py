"""What a gate makes of findings: the exit code that was asked for, why, and which waivers do something; pure.

A gate may rest on one question alone: `distilled:indication`. A waiver changes no exit code; it is said beside. A gate
that waits for an indication which could not have come is no open gate: it ends with 5, unless that is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from depose.case.annexes import Waiver
from depose.model import Finding, Findings, Record
from depose.model.lineup_findings import LineupFinding
from depose.report import compliance

EXITS = {"indication": 4, "inconclusive": 5}
AT: dict[str, tuple[str, ...]] = {
    "indication": ("indication", "relation, kind not resolved"),
    "inconclusive": ("inconclusive",),
}
"""Opinions at which a gate closes."""
BLIND = frozenset(
    ("controls", "shared_base", "era", "quality", "refusals", "range", "decoys", "tier", "circular", "diagnostics")
)
"""Reasons for which a finding is inconclusive whatever was measured; the others say what was measured."""


class Judged(Record, frozen=True, kw_only=True):
    """One finding, as a gate sees it."""

    suspect: str
    reference: str
    question: str
    opinion: str
    reasons: tuple[str, ...]


class Applies(Record, frozen=True, kw_only=True):
    """A waiver and what became of it."""

    id: str
    state: str
    holds: bool
    """Whether it is in force and names a finding."""


class Gated(Record, frozen=True, kw_only=True):
    """What a gate makes of findings."""

    outcome: str
    exit: int
    """4 at an indication, 5 where an opinion is inconclusive, as far as that was asked for, and where a finding that
    was asked for could not have closed the gate; else 0."""
    because: tuple[str, ...]
    """The findings at which it closes, each in a line."""
    blind: tuple[str, ...]
    """Findings that the gate waits for and that could not have closed it, each in a line."""
    findings: tuple[Judged, ...]
    waivers: tuple[Applies, ...] = ()


def judged(
    findings: Findings, fail_on: Sequence[str], waivers: Sequence[Waiver] = (), *, allow_blind: bool = False
) -> Gated:
    """Judge findings by what a gate is to close at: `OPINION` or `QUESTION:OPINION`; an indication comes first."""
    rows = tuple(_rows(findings))
    code, because = 0, tuple[str, ...]()
    for opinion in EXITS:
        asked = {one.rpartition(":")[0] for one in fail_on if one.rpartition(":")[2] == opinion}
        met = tuple(_said(row) for row in rows if row.opinion in AT[opinion] and ("" in asked or row.question in asked))
        if met:
            code, because = EXITS[opinion], met
            break
    waited = {one.rpartition(":")[0] for one in fail_on}
    asked_for = [row for row in rows if "" in waited or row.question in waited]
    blind = tuple(_said(row) for row in asked_for if row.opinion == "inconclusive" and BLIND & {*row.reasons})
    if blind and not code and not allow_blind:
        code, because = 5, tuple(f"{one} could not have closed the gate; meant so: --allow-blind" for one in blind)
    return Gated(
        outcome=compliance.outcome(findings),
        exit=code,
        because=because,
        blind=blind,
        findings=rows,
        waivers=tuple(
            Applies(id=one.waiver.id, state=one.state, holds=one.state == "in force")
            for one in compliance.waived(findings, waivers)
        ),
    )


def _rows(findings: Findings) -> Iterator[Judged]:
    for one in findings.findings:
        yield _row(one, one.question)
    for lined in compliance.lined_up(findings):
        yield _row(lined, "exposed")


def _row(one: Finding | LineupFinding, question: str) -> Judged:
    return Judged(
        suspect=one.suspect,
        reference=one.reference,
        question=question,
        opinion=one.opinion.verdict,
        reasons=one.opinion.reasons,
    )


def _said(one: Judged) -> str:
    why = f" ({', '.join(one.reasons)})" if one.reasons else ""
    return f"{one.suspect}/{one.reference} {one.question}: {one.opinion}{why}"
