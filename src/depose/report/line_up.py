"""What the chapter of the line-up prints, gathered from findings; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import UnsetType

from depose.model import Findings
from depose.model.lineup_findings import LineupExhibit, LineupFindings
from depose.report import line_up_texts
from depose.report.contents import NO
from depose.report.figures.line_up import picks, strength
from depose.report.typography import drawn
from depose.report.wording import LINEUP_REASONS

SECTION = ("lineup", "The line-up of delivered answers")
NUMBER = f"{NO['results']}A"
"""Set in after the results, so that every other section has the same number in every report."""

TIERS = {
    "randomised": "drawn with the delivered answer, one of them chosen by a coin whose commitment is registered",
    "kept": "siblings of the delivered answer, kept in the log",
    "resampled": "drawn afterwards from the same state of the reference",
    "drifted": "drawn afterwards from another state of the reference",
}

STATISTICS = {
    "likelihood": "the log-likelihood that a model gives to the words of an answer",
    "text": "how alike an answer is to what the suspect itself says to the same context",
    "continuation": "how the suspect goes on from the beginning of an answer",
    "corpus": "the nearest document in the corpus that was produced",
}

EXCERPT = 420
"""Characters of a member that an exhibit shows."""


def lineup_of(findings: Findings) -> LineupFindings | None:
    """Return what the line-up found, if there was one."""
    return None if isinstance(findings.lineup, UnsetType) else findings.lineup


def sections(findings: Findings, listed: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Set the chapter in after the results, where there is a line-up."""
    if lineup_of(findings) is None:
        return listed
    place = next(number for number, (key, _) in enumerate(listed, 1) if key == "results")
    return (*listed[:place], SECTION, *listed[place:])


def disclosure(findings: Findings, listed: tuple[tuple[str, str, str], ...]) -> list[tuple[str, str, str]]:
    """Say where the items of a disclosure stand, in the chapter too where there is one."""
    found, results = lineup_of(findings), str(NO["results"])
    if found is None:
        return list(listed)
    alone = line_up_texts.alone(findings, found)
    instead = {
        "(i)": {f" {results}, ": f" {results}, {NUMBER}, "},
        "(iii)": {f"sections {results} and": f"sections {results}, {NUMBER} and"},
    }
    made = []
    for item, content, where in listed:
        for old, new in instead.get(item, {}).items():
            where = where.replace(old, new)
        made.append((item, content, f"section {NUMBER}" if alone and item == "(iii)" else where))
    return made


def shown(exhibits: Sequence[LineupExhibit]) -> list[LineupExhibit]:
    """Print the first of each part of the rule; findings.json has them all."""
    first: dict[str, LineupExhibit] = {}
    for one in exhibits:
        first.setdefault(one.chosen, one)
    return list(first.values())


def context(findings: Findings) -> dict[str, Any]:
    """Gather what the chapter prints; figures are drawn for each suspect."""
    found = lineup_of(findings)
    alpha = findings.protocol.alpha
    rows = found.findings if found else ()
    return {
        "lineup": found,
        "lineup_alone": line_up_texts.alone(findings, found),
        "lineup_said": [(line_up_texts.means(one, found.plan), line_up_texts.means_not(one)) for one in rows if found],
        "lineup_shown": [shown(one.exhibits) for one in rows],
        "lineup_reasons": LINEUP_REASONS,
        "tiers": TIERS,
        "statistics": STATISTICS,
        "lineup_excerpt": EXCERPT,
        "lineup_strengths": found.plan.strengths if found else (),
        "lineup_compared": line_up_texts.COMPARED[found.plan.statistic] if found else "",
        "lineup_asked": line_up_texts.ASKED[found.plan.statistic] if found else "",
        "lineup_rule": line_up_texts.rule(found) if found else "",
        "lineup_figures": [(drawn(picks(one)), drawn(strength(one, alpha))) for one in rows],
    }
