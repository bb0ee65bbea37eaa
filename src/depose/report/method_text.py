"""What section 7 says of texts and detectors, complete enough to compute T again; constants come from the code."""

from __future__ import annotations

import re
from collections.abc import Sequence

from depose.answers import line_ends
from depose.detectors.first_words import VOCABULARY
from depose.detectors.openings import FIRST as OPENING
from depose.detectors.phrases import HIGH, LOW
from depose.detectors.starts import FIRST
from depose.features import layout_free
from depose.features.extract import LIMIT, SENTENCE_HEAD
from depose.features.self_names import LETTERS, NAMES, PERSON, PHRASES
from depose.features.words import MARKED, SENTENCE_END, SPACELESS, TOKEN
from depose.statistics.centring import RATE

SPELT = {
    "phrases": f"features are the runs of {LOW} to {HIGH} tokens in the first {LIMIT} characters; runs in as many of "
    "the prompt do not count.",
    "starts": f"every sentence and line of the whole answer gives its first one, first two and first {FIRST} tokens, "
    f"looked for in its first {SENTENCE_HEAD} characters, as three features.",
    "first_words": "the profile of the first token of every sentence and line, looked for in its first "
    f"{SENTENCE_HEAD} characters, over the {VOCABULARY:,} such tokens that the bag has most.",
    "habits": "the mean of the T of starts and the T of first_words.",
    "wording": "the mean of the T of phrases and the T of openings.",
    "openings": f"the first one to {OPENING} tokens in the first {LIMIT} characters of the answer are {OPENING} "
    "features.",
    "fuzzy": "edit similarity of two answers.",
    "embedding": "cosine of sentence embeddings.",
    "length": "closeness in length, which is no evidence and is shown as the confound.",
    "layout": "kinds of line, which say how answers are set and not how they are worded.",
    "style": "words masked by their part of speech, rarity-weighted.",
    "impostors": "how often a pair is closer than every impostor on half of the features of style.",
    "rare_items": "the rarest phrase, number or name that two answers have in common.",
    "shared_values": "numbers, dates, names and titles that two answers state, rarity-weighted.",
    "choices": "likeness of two distributions of short answers, from several samples of a prompt.",
    "refusals": "whether two models refuse the same prompts, and in the same words.",
    "identity": "how often a model names itself or a maker, which moves no opinion.",
    "teacher_classifier": "how a classifier of words and word pairs that was taught on one model takes another.",
}
"""Detector to what it counts. The deciding ones are complete; the others are in docs/reference/detectors.md."""


def _with_flags(pattern: re.Pattern[str]) -> str:
    """A pattern with its flags in front, as it can be compiled again."""
    flags = "".join(letter for letter, flag in (("i", re.IGNORECASE), ("m", re.MULTILINE)) if pattern.flags & flag)
    return f"(?{flags}){pattern.pattern}" if flags else pattern.pattern


TEXTS = {
    "token": TOKEN.pattern,
    "sentence": SENTENCE_END.pattern,
    "person": PERSON.pattern,
    "names": ", ".join(NAMES),
    "phrases": " | ".join(PHRASES.values()),
    "rate": f"{RATE:,}",
    "vocabulary": f"{VOCABULARY:,}",
    "ends": layout_free.ENDS,
    "newline": line_ends.LINE_ENDS.pattern,
    "gone": line_ends.NOTHING.pattern,
    "spaces": line_ends.SPACES.pattern,
    "written": f"[{line_ends.WRITTEN_ON}]",
    "spaceless": SPACELESS.pattern.removesuffix("+"),
    "marked": f"[{MARKED}]",
    "letters": f"[{LETTERS}]",
}
"""Patterns and numbers of the code, as the page prints them."""


EXPRESSIONS = tuple(
    (name, _with_flags(pattern))
    for name, pattern in (
        ("fence", layout_free.FENCE),
        ("tag", layout_free.TAG),
        ("break", layout_free.BREAK),
        ("cell", layout_free.CELL),
        ("rule", layout_free.RULE),
        ("emphasis", layout_free.EMPHASIS),
        ("mark", layout_free.MARK),
        ("wrapped", layout_free.WRAPPED),
    )
)
"""What is layout, in the order in which it is taken out."""


def spelt(names: Sequence[str]) -> list[tuple[str, str]]:
    """List what the detectors of a protocol count, in its order; a plugin's is named as such."""
    return [(name, SPELT.get(name, "a detector of a plugin; its distribution is in the log.")) for name in names]
