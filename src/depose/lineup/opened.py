"""A line-up after its key was opened: all that the test and the diagnostics may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depose.errors import AnalysisError
from depose.lineup.rank_test import LineUps, Mask, opened
from depose.model.lineup import Bag, Group, LineupKey, LineupPlan, Opened, ScoreTable

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedLineup:
    """Bags, key, and the score tables of all models, by code."""

    plan: LineupPlan
    suspects: tuple[str, ...]
    reference: str
    """Code of the archived reference."""
    bags: tuple[Bag, ...]
    key: LineupKey
    tables: Mapping[str, ScoreTable]

    @property
    def entries(self) -> tuple[Opened, ...]:
        """What the key says of each bag, in the order of the bags."""
        return self.key.entries

    def scores(self, model: str, minus: str | None = None) -> Array:
        """Scores of a model, less those of another, [bags, members]; NaN where a bag has fewer members."""
        table = _padded(self._table(model))
        return table if minus is None else np.asarray(table - _padded(self._table(minus)))

    def of_group(self, group: Group) -> Mask:
        """Whether a bag is of this group, [bags]."""
        return np.array([one.group == group for one in self.entries])

    def delivered(self) -> Mask:
        """Whether a member was delivered, [bags, members]."""
        width = max(len(one.members) for one in self.bags)
        found = np.zeros((len(self.bags), width), dtype=bool)
        for row, one in enumerate(self.entries):
            found[row, list(one.delivered)] = True
        return found

    def ranked(self, scores: Array, kept: Mask) -> LineUps | None:
        """Rank the members of the bags that are kept; None where none of them has a delivered member and a filler."""
        delivered = self.delivered()
        there = ~np.isnan(scores)
        able = kept & delivered.any(axis=1) & (there & ~delivered).any(axis=1)
        return opened(scores[able], delivered[able]) if able.any() else None

    def _table(self, model: str) -> ScoreTable:
        if model not in self.tables:
            raise AnalysisError(f"{model}: its bags were not scored", hint="depose lineup score CASE --model CODE")
        return self.tables[model]


def _padded(table: ScoreTable) -> Array:
    found = np.full((len(table.scores), max(map(len, table.scores))), np.nan)
    for row, one in enumerate(table.scores):
        found[row, : len(one)] = one
    return found
