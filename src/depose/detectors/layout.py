"""Layout: how each model arranges lines, opens and closes an answer, over all prompts together.

Habits of format are among the most stable idiosyncrasies of a model (Sun et al. 2025, "Idiosyncrasies in large language
models"; methods survey, section 4, F9). Counted are the kinds of line, their runs of three, and the ends of an answer.
Each answer counts the same, however many lines it has. Worth: a cheap profile that is free of words and topic;
layout is also what a system prompt changes most easily.

Validation (alpaca_eval dev split, 390 prompts, clean controls by rule; AUC within reference, documented / all
negatives; 78 and 15 true pairs, 601 and 713 others; no interval): distilled .857 / .761, derived .902 / .906.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from depose.detectors import Profile
from depose.features.extract import Bag, Features

LINES = {
    "numbered": re.compile(r"\s*(?:\*\*)?\(?(?:\d{1,3}|[A-Za-z])[.):](?:\*\*)?\s"),
    "bullet": re.compile(r"\s*[-*•–+]\s"),
    "heading": re.compile(r"\s*(?:#{1,6}\s|(?:\*\*)?[A-Z][^.!?]{0,60}:(?:\*\*)?\s*$|\*\*[^*]{1,60}\*\*:?\s*$)"),
    "bold": re.compile(r"\s*(?:\*\*|__)\S"),
    "blank": re.compile(r"\s*$"),
    "plain": re.compile(r""),
}
"""Kinds of line; the first that fits counts."""
OPENINGS = {
    "assent": re.compile(r"(?:sure|certainly|of course|absolutely|yes|no|okay|ok|great|happy to)\b", re.IGNORECASE),
    "here": re.compile(r"(?:here(?:'s| is| are)|below|the following|there are)\b", re.IGNORECASE),
    "as an ai": re.compile(r"as an? (?:ai|language)", re.IGNORECASE),
    "apology": re.compile(r"(?:i'm sorry|i am sorry|sorry|i apologi[sz]e|unfortunately)\b", re.IGNORECASE),
    "i": re.compile(r"i\b", re.IGNORECASE),
    "title": re.compile(r"(?:title|subject|dear|#|\*\*)", re.IGNORECASE),
    "list": re.compile(r"(?:\d{1,3}[.)]|[-*•])\s"),
    "code": re.compile(r"```"),
    "quote": re.compile(r"[\"“']"),
    "introduction": re.compile(r"[^\n]*:[ \t]*(?:\n|$)"),
    "other": re.compile(r""),
}
CLOSINGS = {
    "offer": re.compile(
        r"let me know|feel free|(?:hope|if) (?:this|that|you) (?:helps?|have|need|would|want|like)"
        r"|would you like|happy to",
        re.IGNORECASE,
    ),
    "question": re.compile(r"\?[\"”*)]*$"),
    "summary": re.compile(r"(?:in (?:conclusion|summary|short)|overall|ultimately|remember)\b", re.IGNORECASE),
    "note": re.compile(r"(?:note|tip|disclaimer)\b", re.IGNORECASE),
    "exclamation": re.compile(r"(?:^|\w)[^\w!]*+!\W*+$"),
    "list": re.compile(r"(?:\d{1,3}[.)]|[-*•])\s"),
    "code": re.compile(r"```\s*$"),
    "full stop": re.compile(r"\.[\"”*)]*$"),
    "other": re.compile(r""),
}
"""Kinds of opening of the first line and of ending of the last; the first that is found counts.

Endings are searched for: none begins with what may be empty, or a long line of marks would be looked through once for
each of them.
"""
_KINDS = (*LINES, "edge")
THINGS = (
    *(("line", kind) for kind in LINES),
    *(("run", *run) for run in product(_KINDS, repeat=3)),
    *(("opening", kind) for kind in OPENINGS),
    *(("closing", kind) for kind in CLOSINGS),
)
_PLACE = {thing: index for index, thing in enumerate(THINGS)}
ASPECTS = 4
"""Lines, runs of three, opening, closing: in each the shares of one answer sum to 1."""


def _kind(line: str) -> str:
    return next(kind for kind, pattern in LINES.items() if pattern.match(line))


def _shares(text: str) -> dict[int, float]:
    """Say what share of an answer's lines and runs of lines each thing is, and how the answer opens and closes."""
    body = text.strip()
    kinds = [_kind(line) for line in body.split("\n")]
    padded = ["edge", *kinds, "edge"]
    found: dict[int, float] = defaultdict(float)
    for kind in kinds:
        found[_PLACE["line", kind]] += 1 / len(kinds)
    for run in zip(padded, padded[1:], padded[2:], strict=False):
        found[_PLACE["run", *run]] += 1 / len(kinds)
    last = body.rpartition("\n")[2]
    found[_PLACE["opening", next(kind for kind, pattern in OPENINGS.items() if pattern.match(body))]] += 1
    found[_PLACE["closing", next(kind for kind, pattern in CLOSINGS.items() if pattern.search(last))]] += 1
    return found


def kinds_of_line(text: str) -> NDArray[np.float64]:
    """Say what share of an answer's lines is of each kind, in the order of LINES: [kinds], summing to 1."""
    counted = Counter(map(_kind, text.strip().split("\n")))
    return np.array([counted[kind] for kind in LINES]) / counted.total()


def habit_of(texts: Sequence[str]) -> NDArray[np.float64]:
    """Average the shares of kinds of line over answers: [kinds]; zeros where there are none."""
    return np.mean([kinds_of_line(text) for text in texts], axis=0) if texts else np.zeros(len(LINES))


def nearness(habits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return minus the distance of each two habits: [..., members, kinds] to [..., members, members]."""
    apart: NDArray[np.float64] = np.linalg.norm(habits[..., :, None, :] - habits[..., None, :, :], axis=-1)
    return -apart


def closeness(bag: Bag) -> NDArray[np.float64]:
    """Say how alike two models set their lines, [models, models]: the confound that is taken out of likeness."""
    said = [[text for members in bag.answers for text in members[m]] for m in range(len(bag.models))]
    return nearness(np.array([habit_of(texts) for texts in said]))


def layout(bag: Bag, features: Features) -> Profile:
    """Count kinds of lines, runs of three of them, openings and closings, in shares of an answer."""
    counts = np.zeros((len(bag.prompts), len(bag.models), len(THINGS)), np.float32)
    totals = np.zeros(counts.shape[:2], np.float32)
    for p, members in enumerate(bag.answers):
        for m, samples in enumerate(members):
            totals[p, m] = ASPECTS * len(samples)
            for text in samples:
                for place, share in _shares(text).items():
                    counts[p, m, place] += share
    return Profile(detector="layout", counts=counts, totals=totals)
