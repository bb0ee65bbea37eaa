"""What a scorer of line-ups is: it gives each member of each bag one number, and never learns which were delivered.

Higher means more like what the model has learnt. Any function that treats the members of a bag alike is valid; a bad
one only costs power.

Two kinds. A `Scorer` holds a model (weights, or an endpoint that gives log-probabilities or takes a beginning) or a
corpus; its table is evidence that others cannot compute again without it. An `AnswerScorer` is a pure function of the
bags and of answers that stand in the log, so that `verify` computes it again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from depose.model import Fact
from depose.model.lineup import Bag, Passage

Scores = tuple[float, ...]
"""One finite number for each member of a bag."""


class Scorer(Protocol):
    """A model or a corpus that says of each member how well it knows it."""

    independent: bool
    """Whether a bag's scores depend on that bag alone, so that bags may be scored in pieces and a run resumed."""

    def facts(self) -> tuple[Fact, ...]:
        """Describe what scores: digests of weight files, device, precision."""

    def score(self, bags: Sequence[Bag]) -> tuple[Scores, ...]:
        """Score the members of each bag, in order; higher is more like what was learnt."""


@runtime_checkable
class Finder(Protocol):
    """A scorer that can say where it found what it scored."""

    def passages(self) -> tuple[tuple[Passage | None, ...], ...]:
        """Name the text that each score of the last call is of, [bags][members]."""


AnswerScorer = Callable[[Sequence[Bag], Sequence[Sequence[str]]], tuple[Scores, ...]]
"""Scores bags by the suspect's own answers to each context: [bags] and [bags][samples] to [bags][members]."""
