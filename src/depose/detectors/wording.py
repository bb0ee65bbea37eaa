"""Wording: shared phrases, and how answers open, with equal weights.

The primary detector for `derived` and `distilled`. It was chosen among the means of up to four of `phrases`,
`openings`, `starts` and `first_words` by areas over an English and a Japanese population at once (docs/validation.md):
phrases hold on English models of 2022 to 2024, openings on heavily tuned ones of 2023 to 2025, their mean on both.
Equal weights, because fitted weights did not carry over to left-out families.
"""

from __future__ import annotations

from depose.detectors.declaration import Combined
from depose.detectors.openings import openings
from depose.detectors.phrases import phrases

wording = Combined(detector="wording", parts=(phrases, openings))
