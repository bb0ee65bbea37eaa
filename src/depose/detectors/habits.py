"""Habits: sentence starts prompt by prompt, and the profile of first words over all prompts, with equal weights.

The primary detector for `distilled` in depose 0.1: how a model begins its sentences passes from a teacher to its
student, is little bound to the topic, and is not a matter of length. On families never seen its area was .77, and part
of what it had on the others was layout (docs/validation.md).
"""

from __future__ import annotations

from depose.detectors.declaration import Combined
from depose.detectors.first_words import first_words
from depose.detectors.starts import starts

habits = Combined(detector="habits", parts=(starts, first_words))
