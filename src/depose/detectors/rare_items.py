"""Rare items: the rarest phrase, number or name that two answers to one prompt have in common.

Methods survey, 3.4 ("shared rare items"). An item is a run of 3 to 8 tokens, a number of two or more digits, or a
capitalised name inside a sentence, that does not stand in the prompt. With n members that answered and x others
that have the item, f = (1 + x) / n, and the evidence is -log f; of each prompt only the rarest item counts, because
items of one answer are not independent. Worth: each score is one passage that can be shown to a court with its count.

Validation (alpaca_eval dev split, 390 prompts, clean controls by rule; AUC within reference, documented / all
negatives; 78 and 15 true pairs, 601 and 713 others; no interval): distilled .896 / .801, derived .966 / .972.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depose.detectors import Similarity
from depose.detectors.rarity import weigh
from depose.features.extract import LIMIT, Bag, Features, Grams

LOW, HIGH = 3, 8
NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
NAME = re.compile(r"(?<=[a-z0-9,;:)] )[A-Z][\w’'-]{2,}(?: [A-Z][\w’'-]{2,})*")
"""Capitalised words that do not begin a sentence."""


def _things(text: str, prompt: str) -> list[str]:
    numbers = [f"number {found}" for found in NUMBER.findall(text) if len(found) > 1 and found not in prompt]
    names = [f"name {found}" for found in NAME.findall(text) if found.lower() not in prompt.lower()]
    return numbers + names


def _evidence(members: Sequence[Sequence[Grams]], stop: Grams) -> NDArray[np.float64]:
    out = np.full((len(members), len(members)), np.nan)
    present, _, weighted = weigh(members, stop)
    has = (weighted > 0).astype(np.float32)
    count = has.sum(axis=0, dtype=np.float64)
    found = np.zeros((len(present), len(present)))
    for many in np.unique(count)[::-1]:  # from the commonest down, so that the rarest is what remains
        some = has[:, count == many]
        found[(some @ some.T) > 0] = np.log(len(present) / (many - 1))
    out[np.ix_(present, present)] = found
    return out


def rare_items(bag: Bag, features: Features) -> Similarity:
    """Score each two models, per prompt, by minus the log frequency of the rarest item that both have (from 0)."""

    def items(text: str, prompt: str) -> Grams:
        return np.union1d(features.grams(text, LOW, HIGH), features.numbers(_things(text[:LIMIT], prompt)))

    values = np.stack(
        [
            _evidence(
                [[items(text, prompt.text) for text in samples] for samples in members],
                features.grams(prompt.text, LOW, HIGH),
            )
            for prompt, members in zip(bag.prompts, bag.answers, strict=True)
        ]
    )
    return Similarity(detector="rare_items", values=values)
