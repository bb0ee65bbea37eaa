"""First words: how often each model begins a sentence or line with each word, over all prompts together.

The profile of the 1,000 sentence-initial tokens that the bag uses most, as log rates, standardised over the bag and
compared by the cosine ("cosine Delta", Smith and Aldridge 2011, after Burrows 2002, on first words instead
of all words). One prompt says little here; the profile needs some thousand sentences.
"""

from __future__ import annotations

import numpy as np

from depose.detectors import Profile
from depose.features.extract import Bag, Features

VOCABULARY = 1_000


def first_words(bag: Bag, features: Features) -> Profile:
    """Count the first token of every sentence and line, for the tokens that the bag uses most."""
    shape = (len(bag.prompts), len(bag.models))
    found = [
        (p, m, features.first_words(text))
        for p, members in enumerate(bag.answers)
        for m, samples in enumerate(members)
        for text in samples
    ]
    totals = np.zeros(shape, np.float32)
    for p, m, words in found:
        totals[p, m] += len(words)
    every = [words for _, _, words in found]
    vocabulary, index = np.unique(np.concatenate(every or [np.zeros(0, np.uint64)]), return_inverse=True)
    cell = np.repeat([p * shape[1] + m for p, m, _ in found], [len(words) for words in every])
    member = cell % shape[1]
    by_member = np.zeros((shape[1], len(vocabulary)))
    np.add.at(by_member, (member, index), 1.0)
    share = (by_member / np.maximum(totals.sum(axis=0)[:, None], 1)).sum(axis=0)
    keep = np.lexsort((vocabulary, -np.round(share, 12)))[:VOCABULARY]
    place = np.full(len(vocabulary), -1)
    place[keep] = np.arange(len(keep))
    counts = np.zeros((shape[0] * shape[1], len(keep)), np.float32)
    kept = place[index] >= 0
    np.add.at(counts, (cell[kept], place[index][kept]), 1.0)
    return Profile(detector="first_words", counts=counts.reshape(*shape, len(keep)), totals=totals)
