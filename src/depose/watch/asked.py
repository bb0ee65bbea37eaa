"""One model on one day: which answers have come, and whether they suffice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from depose.evidence.records import Key
from depose.model import Ask, Exchange, Protocol
from depose.model.random_streams import stream
from depose.statistics.substitution import (
    SHARE,
    Array,
    Substitution,
    conformal,
    discrepancy,
    examine,
    likeness,
    log10_e,
    looks,
)
from depose.watch.days import Paired
from depose.watch.plan import Texts, answer_of


class Asked:
    """Takes the answers of a day as they come, and compares those that are whole from the beginning of its order."""

    def __init__(self, pair: Paired, kept: Texts, asks: Sequence[Ask], protocol: Protocol, alpha: float, seed: int):
        self.pair, self.asks = pair, asks
        self._protocol, self._alpha, self._seed = protocol, alpha, seed
        self._place = {prompt: number for number, prompt in enumerate(pair.prompts)}
        self._kept = [kept[prompt] for prompt in pair.prompts]
        self._came: dict[Key, str | None] = {}
        self._known = 0
        self.exchanges: list[Exchange] = []
        self.different = False

    def take(self, one: Exchange) -> None:
        """Note what came of a question."""
        self.exchanges.append(one)
        self._came[_key(one)] = answer_of(one, self._protocol)

    def enough(self) -> bool:
        """Tell whether the answers so far differ, so that nothing more need be asked."""
        known = self._prefix()
        if self.different or known == self._known:
            return self.different
        self._known = known
        texts, order = self._new(self.asks[:known])
        if not order:
            return False
        alike = self._alike(texts)
        wealth = log10_e(conformal(alike, self._counts(), order, self._stream()))
        look = known == len(self.asks) or len(order) in {rounds * len(self._kept) for rounds in looks(self.pair.rounds)}
        if wealth.max() >= -np.log10(SHARE * self._alpha):
            self.different = True
        elif look:
            self.different = self._examined(alike, order, known == len(self.asks)).rejected_at is not None
        return self.different

    def tested(self) -> Substitution:
        """Test all that has come, questions that have no answer left out; of what came too late nothing counts."""
        asks = self.asks[: self._known] if self.different else self.asks
        texts, order = self._new(asks)
        return self._examined(self._alike(texts), order, len(asks) == len(self.asks))

    def discrepancy(self) -> float | None:
        """Return how far the answers of the day are from the kept ones."""
        texts, _ = self._new(self.asks)
        return discrepancy(self._alike(texts), self._counts())

    def all_days(self, earlier: Sequence[Sequence[Exchange]]) -> float:
        """Return the p-value of this and all earlier days together, by the e-process alone."""
        texts: list[list[str]] = [[] for _ in self._kept]
        order: list[int] = []
        for day in (*earlier, self.exchanges):
            for one in sorted(day, key=lambda one: (one.sample, one.prompt)):  # when it came may hang on what it says
                place, text = self._place.get(one.prompt), answer_of(one, self._protocol)
                if place is not None and text is not None:
                    texts[place].append(text)
                    order.append(place)
        if not order:
            return 1.0
        wealth = log10_e(conformal(self._alike(texts), self._counts(), order, stream(0, "all days", self.pair.model)))
        return float(min(1.0, 10.0 ** -wealth.max()))

    @property
    def compared(self) -> int:
        """Count the answers that are compared."""
        return sum(text is not None for text in self._came.values())

    def _prefix(self) -> int:
        """Count the questions from the beginning of the order of which is known what came of them."""
        waiting = (place for place, ask in enumerate(self.asks) if _key(ask) not in self._came)
        return next(waiting, len(self.asks))

    def _new(self, asks: Sequence[Ask]) -> tuple[list[list[str]], list[int]]:
        texts: list[list[str]] = [[] for _ in self._kept]
        order = []
        for ask in asks:
            text = self._came.get(_key(ask))
            if text is not None:
                place = self._place[ask.prompt]
                texts[place].append(text)
                order.append(place)
        return texts, order

    def _alike(self, texts: Sequence[Sequence[str]]) -> list[Array]:
        return [likeness([*old, *new]) for old, new in zip(self._kept, texts, strict=True)]

    def _counts(self) -> list[int]:
        return list(map(len, self._kept))

    def _stream(self) -> np.random.Generator:
        return stream(self._seed, "watch", self.pair.model)

    def _examined(self, alike: Sequence[Array], order: Sequence[int], ended: bool) -> Substitution:
        stream = self._stream()
        return examine(alike, self._counts(), order, self.pair.rounds, self._alpha, stream, ended=ended)


def _key(one: Ask | Exchange) -> Key:
    return one.model, one.prompt, one.sample, one.replicate
