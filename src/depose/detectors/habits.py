"""Habits: sentence starts prompt by prompt, and the profile of first words over all prompts, with equal weights.

The primary detector for `distilled`: how a model begins its sentences passes from a teacher to its student, is
little bound to the topic, and is not a matter of length. Equal weights, because fitted weights did not carry over to
left-out families (docs/validation.md).
"""

from __future__ import annotations

from depose.detectors import Combination
from depose.detectors.first_words import first_words
from depose.detectors.starts import starts
from depose.features.extract import Bag, Features


def habits(bag: Bag, features: Features) -> Combination:
    """Score each two models by the mean of their standardised scores in `starts` and `first_words`."""
    return Combination(detector="habits", parts=(starts(bag, features), first_words(bag, features)))
