"""A laboratory's answers, scored on random sets of prompts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depose.analysis.opinion import FEWEST_LINEAGES
from depose.case.population import Population
from depose.errors import AnalysisError
from depose.features.extract import Features
from depose.lab.export import AGAIN
from depose.model import Primary
from depose.model.random_streams import stream
from depose.scoring import counting
from depose.scoring.bags import Bags
from depose.scoring.confounds import confounds
from depose.scoring.engine import material, score_bag
from depose.statistics.ranks import model_level
from depose.statistics.sensitivity import matched
from depose.validate.scoring import SIZES

Array = NDArray[np.float64]

DRAWS = 20
"""Random sets of prompts for each size."""
PRIMARY, BATCH = Primary().distilled, Primary().same
"""The detector of the question `distilled`, and that of the checks by batch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """One set of rows: how many prompts, how many samples of each."""

    prompts: int
    samples: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """One pair on every drawn set of rows."""

    k: int
    p: Array
    """[draws]: the larger of the two model-level p."""
    p_length: Array
    p_layout: Array
    t: Array
    reached: NDArray[np.int64]
    """[draws]: most controls on one side that reach T."""


class Material:
    """One population of the laboratory, ready to be scored on its drawn sets of rows."""

    def __init__(self, population: Population, samples: Sequence[int], seed: int, detectors: Sequence[str]) -> None:
        self.bags = Bags(population)
        self.settings: list[Setting] = []
        weights = np.array([np.ones(len(population.rows)), *self._weights(population, samples, seed)])
        counted = counting.count(population, detectors, lean=True)
        self.material = material(population, detectors, counted, weights, Features())
        self._confounds = confounds(population, weights)

    def _weights(self, population: Population, samples: Sequence[int], seed: int) -> Iterable[Array]:
        prompts = sorted({prompt for prompt, _ in population.rows})
        for size in SIZES:
            for count in samples if size <= len(prompts) else ():
                for draw in range(DRAWS):
                    rng = stream(seed, "study", str(size), str(draw))
                    kept = set(rng.choice(prompts, size, replace=False).tolist())
                    self.settings.append(Setting(prompts=size, samples=count))
                    yield np.array([float(prompt in kept and sample < count) for prompt, sample in population.rows])

    def has(self, *names: str) -> bool:
        """Tell whether all these models answered here."""
        return all(name in self.bags.index for name in names)

    def drawn(
        self, suspect: str, reference: str, detector: str = PRIMARY, without: Sequence[str] = ()
    ) -> dict[Setting, Drawn]:
        """Score a pair on every drawn set of rows, with all clean controls but those named."""
        clean = [spec.code for spec in self.bags.controls(suspect, reference).used]
        used = [code for code in clean if not code.endswith(AGAIN) and code not in without]
        bag = [self.bags.index[name] for name in (suspect, reference, *used)]
        if len(used) < FEWEST_LINEAGES:
            raise AnalysisError(
                f"lab: {len(used)} clean lineages for {suspect} and {reference}; {FEWEST_LINEAGES} are needed",
                hint="a recipe with more lineages",
            )
        t = score_bag(self.material, bag)[detector][1:]
        level = [model_level(one).p for one in t]
        lengths, layouts = (
            [matched(one, close).p for one, close in zip(t, near[1:], strict=True)]
            for near in self._confounds.near(bag)
        )
        reached = np.maximum((t[:, 0, 2:] >= t[:, 0, 1:2]).sum(axis=1), (t[:, 2:, 1] >= t[:, 0, 1:2]).sum(axis=1))
        found = {}
        for setting in dict.fromkeys(self.settings):
            mine = [place for place, one in enumerate(self.settings) if one == setting]
            found[setting] = Drawn(
                k=len(used),
                p=np.array(level)[mine],
                p_length=np.array(lengths)[mine],
                p_layout=np.array(layouts)[mine],
                t=t[mine, 0, 1],
                reached=reached[mine],
            )
        return found
