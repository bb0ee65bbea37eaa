"""Choices: how alike two models' distributions of short answers are (pick a number, a name, a letter).

Methods survey, 3.3: an answer of at most 40 characters becomes a category (its first number, a lone letter, a refusal,
or its first word); the samples of a prompt are pooled over its rows, and the score is 1 minus the Jensen-Shannon
divergence (base 2; Lin 1991) of the two distributions. Where half of the answers or more are longer, the prompt is no
forced choice and has no score (NaN for all); a longer answer to a forced choice is a category of its own. Worth: the
most information per token about whether two are the same model, given 20 samples or so.

Validation: four true pairs of the laboratory, which is little: area .76 and .90 (forced choices, ties) for 96 tokens of
answers, .88 for 384 (docs/laboratory.md). No true pair of alpaca_eval has a score, because its answers are long.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import numpy as np
from numpy.typing import NDArray

from depose.detectors import Similarity
from depose.features.extract import Bag, Features, is_refusal

LONGEST = 40
"""Characters of an answer that can be a choice."""
NUMBER = re.compile(r"\d+")
LETTER = re.compile(r"\W*([A-Za-z])\W*(?:$|[.):]\s)")
WORD = re.compile(r"\w+")


def category(text: str) -> str:
    """Reduce an answer to what it chooses."""
    body = text.strip()
    if is_refusal(body):
        return "refusal"
    if len(body) > LONGEST:
        return "long"
    if number := NUMBER.search(body):
        return f"number {int(number.group())}"
    if letter := LETTER.match(body):
        return f"letter {letter.group(1).upper()}"
    word = WORD.search(body)
    return f"word {word.group().lower()}" if word else "nothing"


def _likeness(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 minus the Jensen-Shannon divergence of every two rows of shares."""
    mixed = (shares[:, None] + shares[None]) / 2

    def bits(part: NDArray[np.float64]) -> NDArray[np.float64]:
        sums: NDArray[np.float64] = (part * np.log2(np.where(part > 0, part, 1.0))).sum(axis=-1)
        return sums

    own = bits(shares)
    likeness: NDArray[np.float64] = 1 + bits(mixed) - (own[:, None] + own[None]) / 2
    return likeness


def choices(bag: Bag, features: Features) -> Similarity:
    """Score each two models, per prompt, by how alike they choose (0 to 1); NaN where answers are long."""
    rows: dict[str, list[int]] = defaultdict(list)
    for index, prompt in enumerate(bag.prompts):
        rows[prompt.id].append(index)
    there = np.array([[bool(samples) for samples in members] for members in bag.answers])
    values = np.full((*there.shape, there.shape[1]), np.nan)
    for same in rows.values():
        texts = [[text for p in same for text in bag.answers[p][m]] for m in range(len(bag.models))]
        every = [text for said in texts for text in said]
        if 2 * sum(len(text.strip()) > LONGEST for text in every) >= len(every):
            continue
        found = [Counter(map(category, said)) for said in texts]
        names = sorted(set().union(*found))
        counts = np.array([[one[name] for name in names] for one in found], float)
        likeness = _likeness(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
        for p in same:
            values[p] = np.where(there[p][:, None] & there[p][None], likeness, np.nan)
    return Similarity(detector="choices", values=values)
