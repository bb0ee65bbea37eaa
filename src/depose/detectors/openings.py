"""Openings: rarity-weighted agreement on the first one, two, three and four tokens of two answers.

How an answer begins is a habit rather than content, and a habit that tuning on another model's answers
hands down. Two answers agree on their first n tokens or not; each agreement counts by its rarity in the bag.
"""

from __future__ import annotations

from depose.detectors.declaration import Shared

FIRST = 4

openings = Shared(
    detector="openings",
    of=lambda features, text: features.prefixes(text, FIRST),
    drop_prompt=False,
)
