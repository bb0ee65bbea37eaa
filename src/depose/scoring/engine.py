"""Scores bags of a population from what was counted once, to the numbers that a detector gives of the bag itself.

Shared features are bit masks (index.py): a bag counts the bits that it shares with each mask. Profiles are counted once
for the population (tally.py). What looks at two answers alone is computed once for all models and cut out. Any other
detector runs on each bag as it does in a case, which is slow. `tests/scoring/test_engine.py` compares them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose import plugins
from depose.case.population import Population
from depose.detectors import Measured, Similarity, layout, length
from depose.detectors.declaration import Alone, Combined, Declared, Habit, Shared
from depose.features.compared import View, view_of
from depose.features.extract import Bag, Features
from depose.scoring.counting import Counted, declared, whole_bag
from depose.scoring.index import Index
from depose.scoring.kernel import NOTHING, among, holders, mean_cosines, squares
from depose.scoring.tally import Rates, rates
from depose.statistics.centring import average, centre, parts_of, standardise

Array = NDArray[np.float64]

CONFOUND = "length"
"""Not scored like a detector: it is closeness in length itself (`Material.closeness`), not centred."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """Masks of holders, and a list of those that each model is in."""

    index: Index
    starts: NDArray[np.int64]
    """[rows, models + 1]: those of model m in row r stand from starts[r, m] to starts[r, m + 1]."""
    numbers: NDArray[np.int32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """All that scoring a bag needs."""

    there: NDArray[np.bool_]
    """[rows, models]: who answered."""
    closeness: Array
    """[models, models]: closeness in verbosity alone (`detectors.length.closeness`)."""
    layouts: Array
    """[models, models]: closeness in layout alone (`detectors.layout.closeness`)."""
    weights: Array
    """[subsets, rows]: subsets of rows on which scores are wanted; the first is all of them."""
    held: dict[str, Held]
    profiles: dict[str, Rates]
    fixed: dict[str, NDArray[Any]]
    """Similarities [rows, models, models] that do not depend on the bag."""
    direct: dict[str, Bag]
    """For detectors that run on each bag: the population as they are given it."""
    combined: dict[str, tuple[str, ...]]
    """Detectors that are the mean of others."""
    features: Features

    def only(self, detector: str) -> Material:
        """Keep one detector, on the first subset."""
        kept = {detector, *self.combined.get(detector, ())}
        profiles = {name: one.first() for name, one in self.profiles.items() if name in kept}
        return replace(
            self,
            weights=self.weights[:1],
            held={name: one for name, one in self.held.items() if name in kept},
            profiles=profiles,
            fixed={name: one for name, one in self.fixed.items() if name in kept},
            direct={name: one for name, one in self.direct.items() if name in kept},
            combined={name: one for name, one in self.combined.items() if name == detector},
        )


def held(index: Index, models: int) -> Held:
    """List the masks that each model is in."""
    starts, numbers = holders(index.words, index.ends, models)
    return Held(index=index, starts=starts, numbers=numbers)


def combined(detectors: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Name the parts of those detectors that combine others."""
    loaded = {name: plugins.load("detectors", name) for name in detectors}
    return {
        name: tuple(part.detector for part in one.parts) for name, one in loaded.items() if isinstance(one, Combined)
    }


def material(
    population: Population, detectors: Sequence[str], counted: Counted, weights: Array, features: Features
) -> Material:
    """Put together what `score_bag` needs; what is not counted is computed from the population now."""
    models = len(population.members)
    parts = [one for one in declared(detectors) if one.detector != CONFOUND]
    alone = [one for one in parts if isinstance(one, Alone)]
    direct = [name for name in detectors if not isinstance(plugins.load("detectors", name), Declared)]
    whole = View(names=True, layout=True)
    views = {whole, *map(view_of, (*direct, *(one.detector for one in alone)))}
    bags = {view: whole_bag(population, view) for view in views}
    return Material(
        there=np.array([[text is not None for text in texts] for texts in population.answers]),
        closeness=length.closeness(bags[whole]),
        layouts=layout.closeness(bags[whole]),
        weights=weights,
        held={one.detector: held(counted.shared[one.detector], models) for one in parts if isinstance(one, Shared)},
        profiles={
            one.detector: rates(one, *counted.said[one.detector].tables(models, weights), shape=(len(weights), models))
            for one in parts
            if isinstance(one, Habit)
        },
        fixed={one.detector: one.values(bags[view_of(one.detector)], features).astype(np.float32) for one in alone},
        direct={name: bags[view_of(name)] for name in direct},
        combined=combined(detectors),
        features=features,
    )


def shared_among(found: Material, controls: Sequence[int]) -> dict[str, Array]:
    """Sum once what the controls of several bags share among themselves, by detector: [rows, K, K] each."""
    places = np.sort(np.asarray(controls, np.int64))
    squared = squares(len(places) + 2)
    return {
        name: among(one.index.words, one.index.times, one.index.ends, found.there, places, squared)
        for name, one in found.held.items()
    }


def score_bag(found: Material, bag: Sequence[int], known: Mapping[str, Array] | None = None) -> dict[str, Array]:
    """Score one bag with every detector on every subset of rows: [subsets, members, members] each.

    `known` is what `shared_among` gives for the controls of the bag, all members but the first two.
    """
    members = np.asarray(bag, np.int64)
    squared = squares(len(members))
    means = {
        name: mean_cosines(
            one.index.words,
            one.index.times,
            one.index.ends,
            found.there,
            members,
            found.weights,
            squared,
            one.starts,
            one.numbers,
            (known or {}).get(name, NOTHING),
        )
        for name, one in found.held.items()
    }
    means |= {name: one.means(members) for name, one in found.profiles.items()}
    for name, values in found.fixed.items():
        cut = Similarity(detector=name, values=values[:, members][:, :, members])
        means[name] = average(cut, found.weights)
    scores = {name: standardise(centre(mean)) for name, mean in means.items()}
    scores |= {name: _direct(found, name, every, bag) for name, every in found.direct.items()}
    scores |= {name: np.mean([scores[part] for part in parts], axis=0) for name, parts in found.combined.items()}
    return scores


def _direct(found: Material, name: str, every: Bag, bag: Sequence[int]) -> Array:
    """Run a detector on one bag as a case would, and average it over each subset of rows."""
    one = msgspec.structs.replace(
        every,
        models=tuple(every.models[m] for m in bag),
        answers=tuple(tuple(row[m] for m in bag) for row in every.answers),
    )
    measured: Measured = plugins.load("detectors", name)(one, found.features)
    scores = [standardise(centre(average(part, found.weights))) for part in parts_of(measured)]
    mean: Array = np.mean(scores, axis=0)
    return mean
