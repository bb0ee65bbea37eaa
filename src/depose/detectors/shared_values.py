"""Shared values: rarity-weighted overlap of the numbers, dates, names and titles that two answers state.

Worth: two models that give the same value where nobody knows are a passage that anybody can read, with its count; the
report sets such values out (analysis/shared_values.py). Nothing for an opinion: on open questions it is worse than
`wording` about distillation, was never chosen beside it in families left out, and on prompts that ask for what is
hardly known no population with known lineage has answers; so `casefile` refuses it as a primary detector.

Validation (`make values-study`; area within reference, documented / all negatives): distilled .846 / .748 on
alpaca_eval (9 families, the least .601) and .812 / .712 on shaberi_w (8, .425), where `wording` has .941 / .806 and
.911 / .824; derived .969 / .977 and .870 / .888. p <= .05 for 41 of 2,065 and 38 of 1,819 documented unrelated pairs.
"""

from __future__ import annotations

from depose.detectors.declaration import Shared
from depose.features.extract import LIMIT
from depose.features.stated_values import keys

shared_values = Shared(
    detector="shared_values",
    of=lambda features, text: features.numbers(keys(text[:LIMIT])),
    drop_prompt=True,
)
