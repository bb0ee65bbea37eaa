"""What a counting detector says of itself; everything that scores works from this and nothing else.

Shared     which features of an answer count, prompt by prompt, weighted by their rarity in the bag (rarity.py)
Habit      which features of an answer count towards a profile over all prompts together (profiles.py)
Combined   which of these are averaged, with equal weights
Alone      no counting, but two answers are compared whatever the others said, so that it is done once for all models

A declaration is called as any detector is and measures one bag. For thousands of bags and the rows of a matrix
`depose.scoring` counts the same features once, and weighs them by the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from depose.detectors import Combination, Profile, Similarity
from depose.detectors.profiles import counted
from depose.detectors.rarity import overlap
from depose.features.extract import Bag, Features, Grams

FeaturesOf = Callable[[Features, str], Grams]
"""Gives the features of one text."""
Ahead = Callable[[Features, Sequence[str]], object]
"""Has a model read many texts at once; what it made of them is then there for each."""
NOTHING = np.zeros(0, np.uint64)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shared:
    """Likeness, per prompt, by the rare features that two answers share (0 to 1)."""

    detector: str
    of: FeaturesOf
    """Distinct features of an answer, or of a prompt."""
    drop_prompt: bool
    """Whether features that stand in the prompt are left out."""
    ahead: Ahead | None = None

    def stop(self, features: Features, prompt: str) -> Grams:
        """Return the features that do not count in answers to this prompt."""
        return self.of(features, prompt) if self.drop_prompt else NOTHING

    def sets(self, bag: Bag, features: Features) -> Iterator[list[list[Grams]]]:
        """Yield for each row the features of every sample of every member."""
        return _sets(self, bag, features)

    def __call__(self, bag: Bag, features: Features) -> Similarity:
        """Measure one bag."""
        rows = zip(bag.prompts, self.sets(bag, features), strict=True)
        values = np.stack([overlap(members, self.stop(features, prompt.text)) for prompt, members in rows])
        return Similarity(detector=self.detector, values=values)


@dataclass(frozen=True, kw_only=True, slots=True)
class Habit:
    """Likeness of two profiles: how often each model has each feature, for those that the bag has most."""

    detector: str
    of: FeaturesOf
    """Features of an answer, each as often as it stands there."""
    most: int
    """Features that a profile has at the most."""
    ahead: Ahead | None = None

    def __call__(self, bag: Bag, features: Features) -> Profile:
        """Measure one bag."""
        counts, totals = counted([*_sets(self, bag, features)], len(bag.models), self.most)
        return Profile(detector=self.detector, counts=counts, totals=totals)


Counting = Shared | Habit


def _sets(one: Counting, bag: Bag, features: Features) -> Iterator[list[list[Grams]]]:
    if one.ahead is not None:
        one.ahead(features, [text for members in bag.answers for samples in members for text in samples])
    for members in bag.answers:
        yield [[one.of(features, text) for text in samples] for samples in members]


@dataclass(frozen=True, kw_only=True, slots=True)
class Alone:
    """Likeness, per prompt, that depends on two answers and on nothing else in the bag."""

    detector: str
    values: Callable[[Bag, Features], NDArray[np.float64]]
    """[prompts, models, models], NaN where an answer is missing."""

    def __call__(self, bag: Bag, features: Features) -> Similarity:
        """Measure one bag."""
        return Similarity(detector=self.detector, values=self.values(bag, features))


Single = Counting | Alone


@dataclass(frozen=True, kw_only=True, slots=True)
class Combined:
    """The mean of the standardised scores of several detectors."""

    detector: str
    parts: tuple[Single, ...]

    def __call__(self, bag: Bag, features: Features) -> Combination:
        """Measure one bag."""
        return Combination(detector=self.detector, parts=tuple(part(bag, features) for part in self.parts))


Declared = Single | Combined


def singles(declared: Sequence[object]) -> tuple[Single, ...]:
    """List the declarations that must be computed, each once, combinations replaced by their parts."""
    listed = chain.from_iterable(one.parts if isinstance(one, Combined) else (one,) for one in declared)
    return tuple(dict.fromkeys(one for one in listed if isinstance(one, Single)))
