"""Log-probabilities of single tokens out of logits, made in float32 whatever those are in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

AT_ONCE = {"cpu": 1 << 20, "mps": 1 << 25, "cuda": 1 << 27}
"""Logits that are in float32 at once: on a CPU as many as its cache holds."""


def looked_up(logits: Any, rows: Sequence[int], tokens: Sequence[int], device: str) -> list[float]:
    """Return the natural log of the probability of each token under the row of logits (rows, vocabulary) named beside.

    `rows` rise and may repeat.
    """
    import torch

    step = max(1, AT_ONCE[device] // logits.shape[-1])
    found: list[float] = []
    low = 0
    while low < len(rows):
        first, high = rows[low], low
        while high < len(rows) and rows[high] < first + step:
            high += 1
        exact = torch.log_softmax(logits[first : rows[high - 1] + 1].float(), dim=-1)
        asked = torch.tensor(rows[low:high], device=exact.device) - first
        found += exact[asked, torch.tensor(tokens[low:high], device=exact.device)].cpu().double().tolist()
        low = high
    return found
