"""Shared values: rarity-weighted overlap of the numbers, dates, names and titles that two answers state."""

from __future__ import annotations

from depose.detectors.declaration import Shared
from depose.features.extract import LIMIT
from depose.features.stated_values import keys

shared_values = Shared(
    detector="shared_values",
    of=lambda features, text: features.numbers(keys(text[:LIMIT])),
    drop_prompt=True,
)
