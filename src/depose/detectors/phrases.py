"""Shared phrases: rarity-weighted overlap of the runs of 2 to 4 tokens in two answers."""

from __future__ import annotations

from depose.detectors.declaration import Shared

LOW, HIGH = 2, 4

phrases = Shared(
    detector="phrases",
    of=lambda features, text: features.grams(text, LOW, HIGH),
    drop_prompt=True,
)
