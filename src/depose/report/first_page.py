"""The first page: what was found of each question in a plain sentence, what that means and what it does not; pure.

Nothing is computed here but counts of scores that the findings hold; every figure stands again in the sections behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from depose.model import Document, Finding, Findings, Item, Question, Ratio, Record, Result
from depose.model.opinion import FEWEST_LINEAGES
from depose.report.arrange import likelihood, natural, primary
from depose.report.grounds import unmet
from depose.report.typography import clip, pvalue
from depose.report.wording import AGAINST_SHORT, H1_SHORT, MEANS_NOT, REASONS_SHORT
from depose.statistics.ranks import DIGITS
from depose.statistics.rounding import at_least

ROWS = 6
"""Findings that the first page has room for; the summary has them all."""
WORDS_OF_VERDICTS = {
    "indication": "Indication",
    "relation, kind not resolved": "Relation, kind not resolved",
    "no indication": "No indication",
    "inconclusive": "Inconclusive",
}


STRENGTH = {verdict: place for place, verdict in enumerate(WORDS_OF_VERDICTS)}
"""Which findings stand on the first page where it has no room for all."""


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
    """Say of up to ROWS findings what was seen and what it means: those that say most, pair by pair."""
    scored = sum(primary(one) is not None for one in findings.findings)
    tested = Counter((one.question, one.suspect) for one in findings.findings)
    numbered = list(enumerate(findings.findings, 1))
    pairs = list(dict.fromkeys((one.suspect, one.reference) for _, one in numbered))
    chosen = sorted(numbered, key=lambda row: (STRENGTH[row[1].opinion.verdict], row[0]))[:ROWS]
    return [
        Answer(
            number=place,
            question=one.question,
            suspect=one.suspect,
            reference=one.reference,
            verdict=WORDS_OF_VERDICTS[one.opinion.verdict],
            seen=" ".join(
                filter(None, (_decided(one), seen(one), by_chance(one, scored, tested[one.question, one.suspect])))
            ),
            means=means(one, findings.documents),
            means_not=_means_not(one),
        )
        for place, one in sorted(chosen, key=lambda row: (pairs.index((row[1].suspect, row[1].reference)), row[0]))
    ]


def _decided(finding: Finding) -> str:
    """Say what decides where scores do not."""
    return "Digests of files decide, and no score." if "files_equal" in finding.opinion.reasons else ""


def left_out(findings: Findings) -> str:
    """Say what the findings read that the first page has no room for; nothing where it has all."""
    shown = {one.number for one in answers(findings)}
    rest = Counter(one.opinion.verdict for place, one in enumerate(findings.findings, 1) if place not in shown)
    listed = ", ".join(f"{count} {verdict}" for verdict, count in rest.items())
    return f"Not on this page: {sum(rest.values())} more findings ({listed})" if rest else ""


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


def means(finding: Finding, documents: Sequence[Document] = ()) -> str:
    """Say what the opinion means."""
    verdict, reasons = finding.opinion.verdict, finding.opinion.reasons
    because = "; ".join(REASONS_SHORT.get(code, code) + _short_of(finding, code) for code in reasons)
    if verdict == "indication":
        if "files_equal" in reasons:
            return f"{because[:1].upper()}{because[1:]}."
        said = f"By the rule fixed beforehand the answers speak for this: {H1_SHORT[finding.question]}."
        return " ".join(filter(None, (said, how_strongly(finding), _assuming(finding, documents))))
    if verdict == "relation, kind not resolved":
        said = f"The two are closer than models without a known relation. What relation is open: {because}."
        return " ".join(filter(None, (said, how_strongly(finding))))
    if verdict == "no indication":
        power = finding.power
        if power is None:
            return "The test did not find anything; how much it would have found is not recorded."
        dose = f", {power.dose}" if power.dose else ""
        return (
            f"The test did not find anything, where it finds {power.k} of {power.n} known pairs{dose}; by the lower "
            f"bound at least {at_least(power.lower95)} of such pairs."
        )
    further = unmet(finding)
    either = f" Not met either: {'; '.join(REASONS_SHORT.get(code, code) for code in further)}." if further else ""
    return f"No answer either way: {because}.{either}"


def _short_of(finding: Finding, code: str) -> str:
    """Count the independent controls beside those needed, where a finding fails on that."""
    needed = max(FEWEST_LINEAGES, finding.k_needed)
    return f" ({finding.k_eff}, needed {needed})" if code == "controls" and finding.k_eff < needed else ""


def by_chance(finding: Finding, scored: int, references: int = 1) -> str:
    """Give p of the primary result, whether it is at its floor, over how many references, and over all findings."""
    result = primary(finding)
    if result is None or not finding.k:
        return ""
    p = pvalue(result.p_holm, finding.floor)
    least = f", the least that {finding.k} controls allow" if result.p_holm <= finding.floor * (1 + 1e-9) else ""
    if references > 1:
        least = f", adjusted over {references} references"
    family = finding.p_family
    others = (
        f"; over all {scored} findings {pvalue(family, finding.floor)}" if family and family > result.p_holm else ""
    )
    return f"p\N{NO-BREAK SPACE}{p}{least}{others}."


def how_strongly(finding: Finding) -> str:
    """Say every likelihood ratio with the one alternative that it is against; nothing where there is none.

    No word of a scale: some part of H2 is never evaluated, so that none stands for the question as a whole. Each ratio
    has its word in the section on likelihood ratios.
    """
    rows = [one for one in finding.ratios if one.value is not None and one.low is not None and one.high is not None]
    if not rows:
        return ""
    groups: dict[str, list[str]] = {}
    for one in rows:
        size = f"{likelihood(one.value or 0)}{_bounds(one)}"
        groups.setdefault(size, []).append(f"than for {AGAINST_SHORT.get(one.against, one.against)}")
    said = [f"{size} times more probable {' or '.join(causes)}" for size, causes in groups.items()]
    open_ = [AGAINST_SHORT.get(one.against, one.against) for one in finding.ratios if one.value is None]
    return (
        f"How strongly: if it is so, what was seen is {'; '.join(said)} (likelihood ratios; 1 tells nothing). "
        f"No ratio against all causes: {'; '.join(open_) if open_ else 'others'} "
        f"{'is' if len(open_) == 1 else 'are'} not evaluated."
    )


def _bounds(ratio: Ratio) -> str:
    if ratio.low == ratio.high:
        return " (held to a bound)"
    return f" ({likelihood(ratio.low or 0)} to {likelihood(ratio.high or 0)})"


def _assuming(finding: Finding, documents: Sequence[Document]) -> str:
    """Name the documents on which an opinion rests, and what it would be without them."""
    without = finding.opinion_without
    if not finding.opinion.assumption or without is None:
        return ""
    named = [f"exhibit {one.exhibit}" for one in documents if one.model == finding.reference]
    said = f"what {' and '.join(named)} says of {finding.reference}" if named else clip(finding.opinion.assumption, 120)
    return f"Assumed: {said}; without it the opinion is: {without.verdict}."


def _means_not(finding: Finding) -> str:
    if finding.opinion.verdict in ("no indication", "inconclusive"):
        return MEANS_NOT["nothing found"]
    if "files_equal" in finding.opinion.reasons:
        return MEANS_NOT["files_equal"]
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
        parts[0] += f" with the {clip(fact.name.split(' ')[0], 40)} {value}"
    if item.developer:
        parts.append(f"maker as given {clip(item.developer, 40)}")
    return ", ".join(parts)
