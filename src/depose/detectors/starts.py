"""Sentence starts: rarity-weighted overlap of the first one, two and three tokens of every sentence and line.

How a model begins its sentences is a habit that is largely free of the topic. The whole answer counts. Features of
the prompt are not dropped: a prompt has few sentence starts, and they are not what an answer copies.
"""

from __future__ import annotations

from depose.detectors.declaration import Shared

FIRST = 3

starts = Shared(
    detector="starts",
    of=lambda features, text: features.starts(text, FIRST),
    drop_prompt=False,
)
