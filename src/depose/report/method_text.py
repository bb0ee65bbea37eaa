"""What section 7 says of texts and detectors, complete enough to compute T again; constants come from the code."""

from __future__ import annotations

from collections.abc import Sequence

from depose.detectors.first_words import VOCABULARY
from depose.detectors.phrases import HIGH, LOW
from depose.detectors.starts import FIRST
from depose.features.extract import LIMIT, SENTENCE_HEAD
from depose.features.self_names import NAMES, PERSON, PHRASES
from depose.features.words import SENTENCE_END, TOKEN
from depose.statistics.centring import RATE

SPELT = {
    "phrases": f"features are the runs of {LOW} to {HIGH} tokens in the first {LIMIT} characters; runs that stand in "
    "the prompt do not count.",
    "starts": f"every sentence and line of the whole answer gives its first one, first two and first {FIRST} tokens, "
    f"looked for in its first {SENTENCE_HEAD} characters, as three features.",
    "first_words": "the profile of the first token of every sentence and line, looked for in its first "
    f"{SENTENCE_HEAD} characters, over the {VOCABULARY:,} such tokens that the bag has most.",
    "habits": "the mean of the T of starts and the T of first_words.",
    "openings": "the first tokens of the answer, rarity-weighted.",
    "fuzzy": "edit similarity of two answers.",
    "embedding": "cosine of sentence embeddings.",
    "length": "closeness in length, which is no evidence and is shown as the confound.",
    "layout": "marks of layout, which are no wording.",
    "style": "words masked by their part of speech, rarity-weighted.",
}
"""Detector to what it counts. The deciding ones are complete; the others are in docs/reference/detectors.md."""

TEXTS = {
    "token": TOKEN.pattern,
    "sentence": SENTENCE_END.pattern,
    "person": PERSON.pattern,
    "names": ", ".join(NAMES),
    "phrases": " | ".join(PHRASES.values()),
    "rate": f"{RATE:,}",
    "vocabulary": f"{VOCABULARY:,}",
}
"""Patterns and numbers of the code, as the page prints them."""


def spelt(names: Sequence[str]) -> list[tuple[str, str]]:
    """List what the detectors of a protocol count, in its order; a plugin's is named as such."""
    return [(name, SPELT.get(name, "a detector of a plugin; its distribution is in the log.")) for name in names]
