"""How often each model has each feature of a profile, over all prompts or some of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from depose.detectors.declaration import Habit
from depose.detectors.profiles import commonest
from depose.features.extract import Features, Grams
from depose.statistics.centring import cosines, log_rates

Array = NDArray[np.float64]
Counts = NDArray[np.float64] | NDArray[np.int32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """Every feature of every answer, one after the other."""

    rows: int
    """How many rows of answers there are."""
    row: NDArray[np.int32]
    model: NDArray[np.int32]
    word: Grams

    def tables(self, models: int, weights: Array) -> tuple[Grams, Iterator[Array]]:
        """Name the features, and count them for each weighting [subsets, rows] of the rows: [models, features]."""
        vocabulary, place = np.unique(self.word, return_inverse=True)
        cell = self.model.astype(np.int64) * len(vocabulary) + place
        shape = (models, len(vocabulary))

        def counted(weight: Array) -> Array:
            return np.bincount(cell, weight[self.row], shape[0] * shape[1]).astype(np.float64).reshape(shape)

        return vocabulary, map(counted, weights)

    def tally(self, models: int) -> Tally:
        """Count them on all rows."""
        vocabulary, tables = self.tables(models, np.ones((1, self.rows)))
        return Tally(vocabulary=vocabulary, counts=next(tables).astype(np.int32))


def said(declared: Habit, texts: Sequence[str | None], features: Features) -> Said:
    """List the features of one row of answers."""
    found = {model: declared.of(features, text) for model, text in enumerate(texts) if text is not None}
    sizes = [len(words) for words in found.values()]
    return Said(
        rows=1,
        row=np.zeros(sum(sizes), np.int32),
        model=np.repeat(np.array([*found], np.int32), sizes),
        word=np.concatenate([np.zeros(0, np.uint64), *found.values()]),
    )


def joined(parts: Sequence[Said]) -> Said:
    """Put the rows of several lists one after the other."""
    before = np.cumsum([0, *(one.rows for one in parts)])
    return Said(
        rows=int(before[-1]),
        row=np.concatenate([one.row + start for one, start in zip(parts, before[:-1].astype(np.int32), strict=True)]),
        model=np.concatenate([one.model for one in parts]),
        word=np.concatenate([one.word for one in parts]),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """Features counted, to which a model can be added."""

    vocabulary: Grams
    """Sorted."""
    counts: NDArray[np.int32]
    """[models, features]."""

    def extended(self, declared: Habit, texts: Sequence[str | None], features: Features) -> Tally:
        """Add the answers of one more model."""
        mine = [declared.of(features, text) for text in texts if text is not None]
        words = np.concatenate([np.zeros(0, np.uint64), *mine])
        vocabulary = np.union1d(self.vocabulary, words)
        counts = np.zeros((len(self.counts) + 1, len(vocabulary)), np.int32)
        counts[:-1, np.searchsorted(vocabulary, self.vocabulary)] = self.counts
        counts[-1] = np.bincount(np.searchsorted(vocabulary, words), minlength=len(vocabulary))
        return Tally(vocabulary=vocabulary, counts=counts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """The profiles of a population on several subsets of rows."""

    vocabulary: Grams
    most: int
    """Features that are compared."""
    shares: Array
    """[models, features]: share of each feature among all of a model, on the first subset."""
    rates: NDArray[np.float32]
    """[subsets, models, features]: log rates."""
    silent: NDArray[np.bool_]
    """[subsets, models]: who has nothing to compare."""

    def first(self) -> Rates:
        """Keep the first subset."""
        return replace(self, rates=self.rates[:1], silent=self.silent[:1])

    def means(self, bag: NDArray[np.int64]) -> Array:
        """Compare the profiles of every two members of a bag on each subset: [subsets, members, members]."""
        keep = commonest(self.shares[bag], self.vocabulary, self.most)
        return cosines(self.rates[:, bag[:, None], keep[None, :]], self.silent[:, bag])


def rates(declared: Habit, vocabulary: Grams, tables: Iterable[Counts], *, shape: tuple[int, int]) -> Rates:
    """Turn counts on each subset, [models, features], into profiles; `shape` is [subsets, models]."""
    made = np.zeros((*shape, len(vocabulary)), np.float32)
    silent = np.zeros(shape, bool)
    shares = np.zeros((shape[1], len(vocabulary)))
    for subset, counts in enumerate(tables):
        totals = counts.sum(axis=1)
        silent[subset] = totals <= 0
        made[subset] = log_rates(counts.astype(np.float32), totals.astype(np.float32))
        if subset == 0:
            shares = counts / np.maximum(totals, 1)[:, None]
    return Rates(vocabulary=vocabulary, most=declared.most, shares=shares, rates=made, silent=silent)
