"""The first page: what was found of each question in a plain sentence, what that means and what it does not; pure.

Nothing is computed here but counts of scores that the findings hold; every figure stands again in the sections behind.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from depose.model import Finding, Findings, Item, Question, Record, Result
from depose.report.arrange import natural, primary
from depose.report.typography import clip, number
from depose.report.wording import H1_SHORT, MEANS_NOT, REASONS_SHORT
from depose.statistics.ranks import DIGITS

ROWS = 6
"""Findings that the first page has room for; the summary has them all."""
WORDS_OF_VERDICTS = {
    "indication": "Indication",
    "relation, kind not resolved": "Relation, kind not resolved",
    "no indication": "No indication",
    "inconclusive": "Inconclusive",
}


class Answer(Record, frozen=True, kw_only=True):
    """One question of the first page."""

    number: int
    question: Question
    suspect: str
    reference: str
    verdict: str
    seen: str
    means: str
    means_not: str


class Named(Record, frozen=True, kw_only=True):
    """A code with the name of what stands behind it."""

    code: str
    role: str
    name: str


def answers(findings: Findings) -> list[Answer]:
    """Say of each finding, up to ROWS of them, what was seen and what it means."""
    return [
        Answer(
            number=place,
            question=one.question,
            suspect=one.suspect,
            reference=one.reference,
            verdict=WORDS_OF_VERDICTS[one.opinion.verdict],
            seen=seen(one),
            means=means(one),
            means_not=_means_not(one),
        )
        for place, one in enumerate(findings.findings[:ROWS], 1)
    ]


def seen(finding: Finding) -> str:
    """Say in a sentence how close suspect and reference are among the controls."""
    result = primary(finding)
    if result is None:
        return "Nothing was scored."
    k = len(result.reference_side)
    if not k:
        return "There was no control to compare with."
    here, there = reached(result)
    base = " on the same base" if finding.condition else ""
    models = f"{k} model{'s' if k != 1 else ''}{base} without a known relation"
    s, r = finding.suspect, finding.reference
    if here == there == 0:
        return f"Of {models} none was as close to {r} as {s} is, and none as close to {s} as {r} is."
    return f"Of {models} {_some(there, k)} at least as close to {r}, and {_some(here, k)} at least as close to {s}."


def reached(result: Result) -> tuple[int, int]:
    """Count the controls at or above the score in the place of the reference, and in that of the suspect."""
    value = np.round(result.value, DIGITS)
    here, there = (
        int(sum(np.round(one.value, DIGITS) >= value for one in side))
        for side in (result.reference_side, result.suspect_side)
    )
    return here, there


def _some(count: int, of: int) -> str:
    if count == of > 1:
        return "all were"
    return "none was" if not count else "1 was" if count == 1 else f"{count} were"


def means(finding: Finding) -> str:
    """Say what the opinion means."""
    verdict, reasons = finding.opinion.verdict, finding.opinion.reasons
    because = "; ".join(REASONS_SHORT.get(code, code) for code in reasons)
    if verdict == "indication":
        if "files_equal" in reasons:
            return f"{because[:1].upper()}{because[1:]}."
        return (
            f"By the rule fixed beforehand the answers speak for this: {H1_SHORT[finding.question]}. "
            "How strongly, the likelihood ratios say, each against one alternative."
        )
    if verdict == "relation, kind not resolved":
        return f"The two are closer than models without a known relation. What relation is open: {because}."
    if verdict == "no indication":
        power = finding.power
        if power is None:
            return "The test did not find anything; how much it would have found is not recorded."
        dose = f", {power.dose}" if power.dose else ""
        return (
            f"The test did not find anything, where it finds {power.k} of {power.n} known pairs{dose}; by the lower "
            f"bound at least {number(power.lower95)} of such pairs."
        )
    return f"No answer either way: {because}."


def _means_not(finding: Finding) -> str:
    if finding.opinion.verdict in ("no indication", "inconclusive"):
        return MEANS_NOT["nothing found"]
    return MEANS_NOT[finding.question]


def people(items: Sequence[Item]) -> list[Named]:
    """Name suspects and references; where several share a name, by what tells them apart."""
    shown = [item for item in items if item.role in ("suspect", "reference")]
    return [
        Named(code=item.code, role=item.role, name=called(item, items))
        for item in sorted(shown, key=lambda one: (one.role != "suspect", natural(one.code)))
    ]


def called(item: Item, items: Sequence[Item]) -> str:
    """The name of a model with its developer and, where others have the same name, the fact that differs."""
    name = clip(item.name, 60) or "no name recorded"
    parts = [f"“{name}”"]
    twins = [one for one in items if one.name == item.name and one.code != item.code]
    others = [{(fact.name, fact.value) for fact in one.facts} for one in twins]
    own = [fact for fact in item.facts if others and all((fact.name, fact.value) not in other for other in others)]
    if own:
        fact = next((one for one in own if one.name.endswith(".safetensors")), own[0])
        value = fact.value[:8] + "…" if len(fact.value) == 64 else clip(fact.value, 24)
        parts.append(f"told from others of that name by its {clip(fact.name.split(' ')[0], 40)} {value}")
    if item.developer:
        parts.append(f"maker as given: {clip(item.developer, 40)}")
    return ", ".join(parts)
