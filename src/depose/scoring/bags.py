"""Which models of a population a pair is compared with: its bag, by the rule of design.md."""

from __future__ import annotations

from collections.abc import Sequence

from depose.case.population import Population
from depose.model import Question
from depose.statistics import lineage


def one_base(population: Population) -> bool:
    """Tell whether all models carry the weights of one base, as in a laboratory."""
    return len({one.weight_lineage for one in population.members}) == 1


class Bags:
    """Chooses the controls of pairs; equal choices are made once."""

    def __init__(self, population: Population, pool: Sequence[str] | None = None) -> None:
        """Choose from all models, or from those named, in that order."""
        self._specs = {one.name: one.spec() for one in population.members}
        self._pool = [self._specs[name] for name in (self._specs if pool is None else pool)]
        self._question: Question = "distilled" if one_base(population) else "derived"
        self.index = {name: place for place, name in enumerate(self._specs)}
        self._made: dict[tuple[str, ...], lineage.Controls] = {}

    def controls(self, suspect: str, reference: str) -> lineage.Controls:
        """Choose controls as for `derived`, whose bag serves all questions (statistics/lineage.py).

        Where everybody shares one base, so must the controls. Neither of the two is clean for itself.
        """
        s, r = self._specs[suspect], self._specs[reference]
        key = (s.developer, s.weight_lineage, s.data_lineage, r.developer, r.weight_lineage, r.data_lineage)
        if key not in self._made:
            self._made[key] = lineage.choose(s, r, self._pool, self._question)
        return self._made[key]
