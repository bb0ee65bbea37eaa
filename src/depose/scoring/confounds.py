"""How long and how laid out the answers of each model are, on each set of rows: what is taken out of likeness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depose.case.population import Population
from depose.detectors import layout
from depose.detectors.length import log_length, nearness

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Confounds:
    """Means over the answers of each model."""

    lengths: Array
    """[sets, models]: mean log length (characters)."""
    layouts: Array
    """[sets, models, kinds]: shares of kinds of line."""

    def near(self, bag: Sequence[int]) -> tuple[Array, Array]:
        """Closeness of each two members in length and in layout: [sets, members, members] each."""
        return nearness(self.lengths[:, bag]), layout.nearness(self.layouts[:, bag])


def confounds(population: Population, weights: Array) -> Confounds:
    """Average lengths and layouts over sets of rows; `weights` are [sets, rows]."""
    none = np.zeros(len(layout.LINES))
    logs = [[log_length(len(text)) if text is not None else 0.0 for text in row] for row in population.answers]
    kinds = np.array(
        [[none if text is None else layout.kinds_of_line(text) for text in row] for row in population.answers]
    )
    there = np.array([[text is not None for text in row] for row in population.answers])
    counts = np.maximum(weights @ there.astype(float), 1)
    return Confounds(
        lengths=(weights @ np.array(logs)) / counts,
        layouts=np.einsum("sr,rmk->smk", weights, kinds, optimize=True) / counts[:, :, None],
    )
