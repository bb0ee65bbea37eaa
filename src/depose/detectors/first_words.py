"""First words: how often each model begins a sentence or line with each word, over all prompts together.

The profile (profiles.py) of the 1,000 sentence-initial tokens that the bag uses most. One prompt says little here; the
profile needs some thousand sentences.
"""

from __future__ import annotations

from depose.detectors.declaration import Habit

VOCABULARY = 1_000

first_words = Habit(
    detector="first_words",
    of=lambda features, text: features.first_words(text),
    most=VOCABULARY,
)
