"""Refusals: whether two models refuse the same prompts, and whether they refuse in the same words.

Methods survey, section 4, F8: what is refused, and how it is worded, follows the tuning data. Agreement weighs by its
rarity in the bag, log((n + 1) / (x + 0.5)) for x of n members that do alike; to it is added the rarity-weighted overlap
(rarity.py) of the refusing sentences. Worth: little on prompts that nobody refuses, where all pairs are 0 or nearly so;
more is to be expected of borderline prompts, which were not measured. Wording of `refusal_words`.

Validation (alpaca_eval dev split, 390 prompts, clean controls by rule; AUC within reference, documented / all
negatives; 78 and 15 true pairs, 601 and 713 others; no interval): distilled .756 / .635, derived .836 / .827; for
`distilled` that is below `length` (.794 / .757 in the pilot).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depose.detectors import Similarity
from depose.detectors.rarity import overlap
from depose.features.extract import Bag, Features, Grams
from depose.features.refusal_words import is_refusal, refusing
from depose.features.words import sentences

LOW, HIGH = 1, 4
NOTHING = np.zeros(0, np.uint64)


def _wording(text: str, features: Features) -> Grams:
    """Return the runs of tokens of the refusing sentences; none of an answer that does not refuse."""
    if not is_refusal(text):
        return NOTHING
    return features.grams("\n\n".join(one for one in sentences(text) if refusing(one)), LOW, HIGH)


def _agreement(members: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Weigh doing alike by how few do so: [members, members], NaN for one without an answer."""
    share = np.array([np.mean([is_refusal(text) for text in samples]) if samples else np.nan for samples in members])
    n, refusing = np.isfinite(share).sum(), np.nansum(share)
    out = np.zeros((len(members), len(members)))
    for does, many in ((share, refusing), (1 - share, n - refusing)):
        out += np.minimum.outer(does, does) * np.log((n + 1) / (many + 0.5))
    return out


def refusals(bag: Bag, features: Features) -> Similarity:
    """Score each two models, per prompt, by rare agreement in refusing or not, and by shared wording (from 0)."""
    values = np.stack(
        [
            _agreement(members)
            + overlap([[_wording(text, features) for text in samples] for samples in members], NOTHING)
            for members in bag.answers
        ]
    )
    return Similarity(detector="refusals", values=values)
