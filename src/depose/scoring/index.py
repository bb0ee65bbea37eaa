"""Who has which feature of each prompt, as bit masks.

Features with the same holders weigh the same in every bag, so that each mask of holders stands once, with the number
of its features. A model that joins later is added by moving the features that it shares from the mask of those who
have them to that mask with its bit set; for that the features themselves are kept too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depose.detectors.declaration import NOTHING, Shared
from depose.detectors.holders import WORD, who_has
from depose.detectors.rarity import FEWEST
from depose.features.extract import Features, Grams


@dataclass(frozen=True, kw_only=True, slots=True)
class Index:
    """The features of every prompt under one detector, by who has them."""

    hashes: Grams
    """Sorted within each prompt; those of prompt p stand from starts[p] to starts[p + 1]."""
    mask_of: NDArray[np.int32]
    """The mask of each feature, counted within its prompt."""
    starts: NDArray[np.int64]
    words: NDArray[np.uint64]
    """[masks, words of 64 models], with a bit to spare for one more."""
    times: NDArray[np.float32]
    """[masks]: how many features have exactly these models."""
    ends: NDArray[np.int64]
    """Masks of prompt p stand from ends[p] to ends[p + 1]."""

    def lean(self) -> Index:
        """Keep what scores: masks of several models, and no features."""
        kept = (np.bitwise_count(self.words).sum(axis=1) >= FEWEST) & (self.times > 0)
        return Index(
            hashes=NOTHING,
            mask_of=np.zeros(0, np.int32),
            starts=np.zeros_like(self.starts),
            words=self.words[kept],
            times=self.times[kept],
            ends=_ends(kept)[self.ends],
        )


def _ends(sizes: Sequence[int] | NDArray[np.int64] | NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.asarray(sizes, np.int64))])


def index_of(
    declared: Shared, texts: Sequence[str | None], prompt: str, features: Features, *, lean: bool = False
) -> Index:
    """Index one prompt: `texts` are the answers of each model, None for none; `lean` as `Index.lean`."""
    owners = [place for place, text in enumerate(texts) if text is not None]
    sets = [declared.of(features, text) for text in texts if text is not None]
    found = who_has(sets, owners, len(texts), declared.stop(features, prompt))
    if lean:
        found = found.kept(found.count() >= FEWEST)
    order = np.lexsort(found.words.T)
    ranked = found.words[order]
    new = np.concatenate([[True], (ranked[1:] != ranked[:-1]).any(axis=1)])[: len(ranked)]
    mask_of = np.empty(len(ranked), np.int32)
    mask_of[order] = np.cumsum(new) - 1
    times = np.bincount(mask_of).astype(np.float32)
    made = Index(
        hashes=found.features,
        mask_of=mask_of,
        starts=_ends([len(mask_of)]),
        words=ranked[new],
        times=times,
        ends=_ends([len(times)]),
    )
    return made.lean() if lean else made


def joined(parts: Sequence[Index]) -> Index:
    """Put the prompts of several indexes one after the other."""
    return Index(
        hashes=np.concatenate([one.hashes for one in parts]),
        mask_of=np.concatenate([one.mask_of for one in parts]),
        starts=_ends(np.concatenate([np.diff(one.starts) for one in parts])),
        words=np.concatenate([one.words for one in parts]),
        times=np.concatenate([one.times for one in parts]),
        ends=_ends(np.concatenate([np.diff(one.ends) for one in parts])),
    )


def extended(index: Index, declared: Shared, texts: Sequence[str | None], place: int, features: Features) -> Index:
    """Add the answers of one more model to each prompt, as number `place`; the result can score, and no more be added.

    What it alone has is left out, and with it what stands in the prompt, which no mask holds.
    """
    words, times, sizes = [], [], []
    bit = np.uint64(1) << np.uint64(place % WORD)
    for row, text in enumerate(texts):
        start, end = index.ends[row], index.ends[row + 1]
        known = index.hashes[index.starts[row] : index.starts[row + 1]]
        mine = declared.of(features, text) if text is not None else NOTHING
        spot = np.searchsorted(known, mine)
        inside = spot < len(known)
        spot = spot[inside][known[spot[inside]] == mine[inside]]
        masks, shared = np.unique(index.mask_of[index.starts[row] + spot], return_counts=True)
        left = index.times[start:end].copy()
        left[masks] -= shared.astype(np.float32)
        added = index.words[start:end][masks]
        added[:, place // WORD] |= bit
        words += [index.words[start:end], added]
        times += [left, shared.astype(np.float32)]
        sizes.append(int(end - start) + len(masks))
    return Index(
        hashes=NOTHING,
        mask_of=np.zeros(0, np.int32),
        starts=np.zeros_like(index.starts),
        words=np.concatenate(words),
        times=np.concatenate(times),
        ends=_ends(sizes),
    ).lean()
