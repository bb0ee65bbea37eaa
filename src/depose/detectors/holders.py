"""Who has which feature: the sets of several texts turned round, as bit masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depose.features.extract import Grams

WORD = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Holders:
    """Distinct features, and who has each."""

    features: Grams
    """Sorted."""
    words: NDArray[np.uint64]
    """[features, words of 64 holders], with a bit to spare for one more holder."""

    def count(self) -> NDArray[np.int64]:
        """Count the holders of each feature."""
        found: NDArray[np.int64] = np.bitwise_count(self.words).sum(axis=1, dtype=np.int64)
        return found

    def kept(self, which: NDArray[np.bool_]) -> Holders:
        """Keep some of the features."""
        return Holders(features=self.features[which], words=self.words[which])

    def table(self, holders: int) -> NDArray[np.float64]:
        """Unpack to [holders, features] of 0 and 1."""
        octets = self.words.astype("<u8").view(np.uint8)
        bits = np.unpackbits(octets, axis=1, count=holders, bitorder="little")
        return np.ascontiguousarray(bits.T, dtype=np.float64)


def who_has(sets: Sequence[Grams], owners: Sequence[int], holders: int, stop: Grams) -> Holders:
    """Turn sets of features round: set i is that of holder owners[i], of so many holders; `stop` is left out."""
    size = holders // WORD + 1
    flat = np.concatenate([np.zeros(0, np.uint64), *sets])
    owner = np.repeat(np.asarray(owners, np.int64), [len(one) for one in sets])
    order = np.argsort(flat)
    flat, owner = flat[order], owner[order]
    first = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]])) if len(flat) else np.zeros(0, np.int64)
    bits = np.zeros((len(flat), size), np.uint64)
    bits[np.arange(len(flat)), owner // WORD] = np.uint64(1) << (owner % WORD).astype(np.uint64)
    words = np.bitwise_or.reduceat(bits, first, axis=0) if len(flat) else bits
    found = Holders(features=flat[first], words=words)
    return found.kept(~np.isin(found.features, stop)) if len(stop) else found
