"""Words that claim more than a comparison of two propositions can carry, and what is written instead.

The lint runs over everything that depose writes by itself: templates, fixed sentences, and the text of rendered
reports outside of quoted answers. The appendix that lists these words is the one place where they may stand.
"""

from __future__ import annotations

import re

from depose.model import Record


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
            "was distilled from, therefore",
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
            "consistent with, alone",
            r"\bconsistent with\b",
            "silent about the alternative",
            "what was expected under each proposition",
        ),
        ("coincidence", r"\bcoincidence\b", "p read as a probability of H2", "k of N controls reached the score"),
        (
            "certified clean, passed",
            r"\bcertified (clean|by depose)\b|\bpassed the (test|screening)\b",
            "a verdict",
            "no indication at the tested power",
        ),
        (
            "% accurate",
            r"\d ?% (accurate|accuracy|sure|chance)",
            "a rate without its count",
            "k of n, and the exact bound",
        ),
    )
)
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
