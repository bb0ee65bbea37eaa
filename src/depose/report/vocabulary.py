"""Words that claim more than a comparison of two propositions can carry, and what is written instead.

The lint runs over everything that depose writes by itself: templates, fixed sentences, and, before a report leaves
the renderer, its text outside of quoted answers and of what others named. The appendix that lists these words is the
one place where they may stand.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import msgspec

from depose.case.annexes import Annex, literature
from depose.errors import ReportError
from depose.model import Findings, Record
from depose.report.typography import visible


class Avoided(Record, frozen=True, kw_only=True):
    """A phrase, the pattern that finds it, why it is avoided, and what is written instead."""

    phrase: str
    pattern: str
    why: str
    instead: str


class Hit(Record, frozen=True, kw_only=True):
    """A phrase found, with the words around it."""

    phrase: str
    around: str


SCORE = "the score, and the range of the controls"
NUMBERS = "the likelihood ratio, its interval and the validation"
FINDINGS = "how many times more probable the findings are under one proposition than under the other"
LEFT_OUT = "nothing: it is for the court"

AVOIDED = tuple(
    Avoided(phrase=phrase, pattern=pattern, why=why, instead=instead)
    for phrase, pattern, why, instead in (
        ("match", r"\bmatch(es|ed|ing)?\b", "categorical", SCORE),
        ("proves", r"\bprov(e|es|ed|en|ing)\b", "no comparison can", NUMBERS),
        ("certainty", r"\b(un)?certain(ty|ly)\b", "none is on offer", NUMBERS),
        ("reasonable degree of scientific certainty", r"degree of (scientific )?\w*tainty", "no defined size", NUMBERS),
        ("theft, stole", r"\b(theft|thief|stole|stolen|steal(s|ing)?)\b", "ultimate issue", LEFT_OUT),
        ("infringed, violates, cheated", r"\b(infring\w+|violat\w+|cheat\w*)\b", "ultimate issue", LEFT_OUT),
        ("admitted, guilty", r"\b(admit\w*|guilt\w*)\b", "ultimate issue", LEFT_OUT),
        ("copied", r"\b(copied|copies of the reference)\b", "speaks of an act that was not seen", FINDINGS),
        ("unique to", r"\bunique(ly|ness)?\b", "a universal that nobody tested", "not seen in any of N controls"),
        ("identical source, identical origin", r"identical (source|origin)", "categorical", FINDINGS),
        (
            "probability that it was distilled",
            r"(probab|likel|chance)\w* that .{0,60}\bdistilled\b",
            "turns the conditional round",
            FINDINGS,
        ),
        ("times more likely that", r"times (more|as) likely that", "turns the conditional round", FINDINGS),
        (
            "therefore distilled",
            r"\btherefore\b.{0,40}\bdistilled\b",
            "a conclusion on what happened",
            FINDINGS,
        ),
        (
            "zero error, cannot be wrong",
            r"\b(zero error|error[- ]free|cannot be wrong|infallible)\b",
            "no method is",
            "0 of N, and the upper bound",
        ),
        ("fingerprint, DNA of a model", r"\bfingerprint\w*|\bDNA\b", "a metaphor of identity", SCORE),
        ("high confidence", r"\b(high|full|complete) confidence\b", "no defined size", NUMBERS),
        (
            "statistically significant",
            r"statistical(ly)? significan\w+",
            "hides the size of the effect",
            "effect, interval, adjusted p",
        ),
        (
            "consistent with",
            r"\bconsistent with\b",
            "silent about the alternative",
            "what was expected under each proposition",
        ),
        ("coincidence", r"\bcoincidence\b", "p read as a probability of H2", "k of N controls reached the score"),
        (
            "certified clean, passed the test, passed the screening",
            r"\bcertified (clean|by depose)\b|\bpassed the (test|screening)\b",
            "a verdict",
            "no indication at the tested power",
        ),
        (
            "99 % accurate, 1 % chance",
            r"\d ?% (accurate|accuracy|sure|chance)",
            "a rate without its count",
            "k of n, and the exact bound",
        ),
    )
)
QUOTED = (
    r"<style>.*?</style>",
    r'<div class="exhibit[" ].*?</table>\s*</div>',
    r'<div class="vocabulary".*?</div>',
)
LEAD = 20
"""Characters by which what others wrote is found, since long texts are cut for print."""
PATTERNS = tuple((one.phrase, re.compile(one.pattern, re.IGNORECASE | re.DOTALL)) for one in AVOIDED)
BARE = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)?\s*(?:%|per ?cent\b)", re.IGNORECASE)
LEVELS = re.compile(r"95\s*%\s*(?:interval|exact|one-sided|Clopper|bound|upper)|one-sided 95\s*%", re.IGNORECASE)


def violations(text: str) -> tuple[Hit, ...]:
    """List every phrase of the list that stands in a text, white space folded."""
    folded = re.sub(r"\s+", " ", text)
    return tuple(
        Hit(phrase=phrase, around=folded[max(0, found.start() - 30) : found.end() + 30])
        for phrase, pattern in PATTERNS
        for found in pattern.finditer(folded)
    )


def bare_rates(text: str) -> tuple[str, ...]:
    """List percentages that are not the level of an interval or bound: rates without k, n and bound."""
    return tuple(found[0] for found in BARE.finditer(LEVELS.sub("", text)))


def together() -> dict[str, tuple[Avoided, ...]]:
    """Put phrases together by what is written instead."""
    found: dict[str, tuple[Avoided, ...]] = {}
    for one in AVOIDED:
        found[one.instead] = (*found.get(one.instead, ()), one)
    return found


def own_words(page: bytes) -> str:
    """The text of a report without quoted answers and without the appendix that lists the words."""
    text = page.decode()
    for quoted in QUOTED:
        text = re.sub(quoted, " ", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", text)))


def refuse(page: bytes, findings: Findings, annex: Annex) -> None:
    """Raise ReportError where a rendered report says a phrase of the list in words of its own."""
    text = own_words(page)
    if violations(text) and (hits := violations(_without(text, _foreign(findings, annex)))):
        raise ReportError(
            f"the report would say {hits[0].around!r}, which the method cannot carry: "
            + "; ".join(dict.fromkeys(hit.phrase for hit in hits)),
            hint="this is a fault of depose or of a plugin's text; appendix D lists what is written instead",
        )


def _foreign(findings: Findings, annex: Annex) -> set[str]:
    """What others wrote or named: titles, also of works, models, files, prompts, amendments, reasons, waivers."""
    given = (
        findings.title,
        findings.authority,
        findings.items,
        findings.files,
        findings.families,
        findings.amendments,
        findings.withdrawn,
        [one.model for one in findings.denominators],
        [one.reason for one in findings.unanswered],
        [one.prompt for one in findings.exhibits],
        *([] if isinstance(one, msgspec.UnsetType) else one for one in (findings.shared_values, findings.traces)),
        [one.excluded for one in findings.findings],
        findings.protocol,
        None if isinstance(findings.lineup, msgspec.UnsetType) else findings.lineup,
        annex,
        [one.cite for one in literature()],
    )
    return {" ".join(visible(one).split()) for one in _strings(msgspec.to_builtins(given))} - {""}


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _strings(one)


def _without(text: str, foreign: set[str]) -> str:
    """Take out what others wrote, as words of its own, whole or as far as it was not cut."""
    for one in sorted(foreign, key=lambda x: (-len(x), x)):
        kept, at = [], 0
        for found in re.finditer(rf"(?<!\w){re.escape(one[:LEAD])}", text):
            end = found.end()
            while end - found.start() < len(one) and text[end : end + 1] == one[end - found.start()]:
                end += 1
            inside = end - found.start() == len(one) and text[end : end + 1].isalnum()
            if found.start() >= at and not inside:
                kept.append(text[at : found.start()])
                at = end
        text = " … ".join((*kept, text[at:]))
    return text
