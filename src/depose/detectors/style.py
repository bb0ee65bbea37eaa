"""Style: rarity-weighted overlap of the runs of 2 to 4 tokens of two content-masked answers.

Function words and marks stay, content words are their part-of-speech tags (tagging.py; POSNoise: Halvani and Graner
2021). Worth: what two answers share here cannot be put down to the topic, which meets the usual objection.
Runs of the prompt are not dropped: they are grammar, not copied content.

Validation (alpaca_eval dev split, 390 prompts, clean controls by rule; AUC within reference, documented / all
negatives; 78 and 15 true pairs, 601 and 713 others; no interval): distilled .935 / .831, derived .948 / .957.
"""

from __future__ import annotations

from depose.detectors.declaration import Shared

LOW, HIGH = 2, 4

style = Shared(
    detector="style",
    of=lambda features, text: features.masked([text], LOW, HIGH)[0],
    drop_prompt=False,
    ahead=lambda features, texts: features.masked(texts, LOW, HIGH),
)
