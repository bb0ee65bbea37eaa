"""Identity: how often each model names a maker or model as itself, or speaks as an AI language model.

Methods survey, section 4, F10 and F11. Names count only in sentences in the first person, and not where the prompt has
them. Worth: nothing for an opinion, in which it has weight zero: the name that a model gives itself is learnt from its
tuning data and from a web full of other models' answers, and a system prompt changes it; so it is reported,
and `casefile` refuses it as a primary detector.

Validation (alpaca_eval dev split, 390 prompts, clean controls by rule; AUC within reference, documented / all
negatives; 78 and 15 true pairs, 601 and 713 others; no interval): distilled .561 / .536, derived .764 / .766:
about the teacher a name is hardly better than a guess.
"""

from __future__ import annotations

import numpy as np

from depose.detectors import Profile
from depose.features.extract import Bag, Features
from depose.features.self_names import PATTERNS, THINGS, names_itself
from depose.features.words import sentences


def _found(text: str, prompt: str) -> list[int]:
    """Say which things an answer says of itself."""
    said = " ".join(one for one in sentences(text) if names_itself(one))
    return [place for place, one in enumerate(PATTERNS) if said and one.search(said) and not one.search(prompt)]


def identity(bag: Bag, features: Features) -> Profile:
    """Count the answers in which a model names each maker, model or phrase of self-identification as its own."""
    counts = np.zeros((len(bag.prompts), len(bag.models), len(THINGS)), np.float32)
    totals = np.zeros(counts.shape[:2], np.float32)
    for p, (prompt, members) in enumerate(zip(bag.prompts, bag.answers, strict=True)):
        for m, samples in enumerate(members):
            totals[p, m] = len(THINGS) * len(samples)
            for text in samples:
                counts[p, m, _found(text, prompt.text)] += 1
    return Profile(detector="identity", counts=counts, totals=totals)
