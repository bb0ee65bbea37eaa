"""A line-up after its key was opened: all that the test and the diagnostics may see."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
from msgspec import UnsetType
from numpy.typing import NDArray

from depose.errors import AnalysisError
from depose.lineup.inputs import moment
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
    minus: str | None = None
    """Code of the model whose log-likelihood is taken off."""
    coin: bool = False
    """Whether bags and key follow from the log of a coin that was registered."""
    released: Mapping[str, str] = field(default_factory=dict)
    """When a model was first offered, by code, as far as the case says."""
    answers: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """What a model itself said to the context of a bag, by code and bag, where it was asked."""

    @property
    def entries(self) -> tuple[Opened, ...]:
        """What the key says of each bag, in the order of the bags."""
        return self.key.entries

    def scores(self, model: str, minus: str | None = None) -> Array:
        """Scores of a model, less those of another, [bags, draws]; NaN where a bag has fewer draws.

        Draws that came out as one text have one score: ties, which the null counts as they are.
        """
        table = self._table(model).scores
        other = table if minus is None else self._table(minus).scores
        less = 0.0 if minus is None else 1.0
        found = np.full((len(self.bags), self._width()), np.nan)
        for row, (entry, one, two) in enumerate(zip(self.entries, table, other, strict=True)):
            drawn = np.repeat(np.subtract(one, np.multiply(less, two)), entry.copies)
            found[row, : len(drawn)] = drawn
        return found

    def texts(self) -> tuple[tuple[str, ...], ...]:
        """Text of each draw, in the places that `scores` and `delivered` have: [bags][draws]."""
        return tuple(
            tuple(text for text, copies in zip(bag.members, entry.copies, strict=True) for _ in range(copies))
            for bag, entry in zip(self.bags, self.entries, strict=True)
        )

    def ended(self) -> tuple[tuple[str, ...], ...]:
        """How each draw ended, in the places of `texts`; nothing where the rows do not say, or say the same of all."""
        return tuple(
            ("",) * sum(entry.copies)
            if isinstance(entry.ended, UnsetType)
            else tuple(one for said in entry.ended for one in said)
            for entry in self.entries
        )

    def of_group(self, group: Group) -> Mask:
        """Whether a bag is of this group, [bags]."""
        return np.array([one.group == group for one in self.entries])

    def of_accounts(self, accounts: Collection[str]) -> OpenedLineup | None:
        """Keep of the bags of the accounts in question those that went to these and to no other, and all controls.

        A bag of accounts of two groups is of neither: its key does not say which of its draws went to whom. None where
        no bag in question is left.
        """
        kept = [
            place
            for place, one in enumerate(self.entries)
            if one.group != "accused" or (one.accounts and set(one.accounts) <= set(accounts))
        ]
        if all(self.entries[place].group != "accused" for place in kept):
            return None

        def rows(table: ScoreTable) -> ScoreTable:
            passages = table.passages
            if not isinstance(passages, UnsetType):
                passages = tuple(passages[place] for place in kept)
            scores = tuple(table.scores[place] for place in kept)
            return msgspec.structs.replace(table, scores=scores, passages=passages)

        return replace(
            self,
            bags=tuple(self.bags[place] for place in kept),
            key=msgspec.structs.replace(self.key, entries=tuple(self.entries[place] for place in kept)),
            tables={code: rows(table) for code, table in self.tables.items()},
        )

    def delivered(self) -> Mask:
        """Whether a draw was delivered, [bags, draws]; of equal draws the first ones, which changes no statistic."""
        found = np.zeros((len(self.bags), self._width()), dtype=bool)
        for row, entry in enumerate(self.entries):
            for start, received in zip(np.cumsum((0, *entry.copies)), entry.received, strict=False):
                found[row, start : start + received] = True
        return found

    def ranked(self, scores: Array, kept: Mask) -> LineUps | None:
        """Rank the draws of the bags that are kept; None where none of them has a delivered draw and a filler."""
        able, delivered = self.able(scores, kept), self.delivered()
        return opened(scores[able], delivered[able]) if able.any() else None

    def able(self, scores: Array, kept: Mask) -> Mask:
        """Tell which of the bags that are kept have a delivered draw and a filler, [bags]."""
        delivered = self.delivered()
        return np.asarray(kept & delivered.any(axis=1) & (~np.isnan(scores) & ~delivered).any(axis=1))

    def older(self) -> tuple[str, ...]:
        """List the scored controls that may stand for models older than the deliveries, each model once.

        One that the case itself dates after the first delivery is none, and neither is one under a second code, be it
        that of a suspect or of the reference: by its scores, or by the digests of its weights, whose scores differ in
        their last digits where another device made them.
        """
        first = self._first_day()
        apart: list[str] = []
        known = {one for code in (*self.suspects, self.reference) for one in self._marks(code)}
        for code in self.plan.controls:
            day, table = self.released.get(code, ""), self.tables.get(code)
            if table is None or (day[:1].isdigit() and first and day > first[: len(day)]):
                continue
            marks = self._marks(code)
            if not marks & known:
                apart.append(code)
            known |= marks
        return tuple(apart)

    def taken_off_undated(self) -> bool:
        """Tell whether a model other than the reference is taken off that the case does not date before the deliveries.

        Such a one may have learnt the fillers, and then any suspect of its kind seems to prefer what was delivered.
        """
        if self.minus in (None, self.reference):
            return False
        day, first = self.released.get(self.minus or "", ""), self._first_day()
        return not (day[:1].isdigit() and first and day <= first[: len(day)])

    def _first_day(self) -> str:
        """The day of the first delivery; empty where none is known."""
        days = [found.date().isoformat() for one in self.entries if (found := moment(one.delivered_at))]
        return min(days, default="")

    def _marks(self, code: str) -> frozenset[object]:
        """What tells a scored model from all others: of a corpus the files searched, else weights and scores."""
        table = self.tables.get(code)
        if table is None:
            return frozenset()
        if self.plan.statistic == "corpus":
            return frozenset([table.facts or code])
        weights = tuple(one for one in table.facts if one.name.startswith(("weights ", "adapter ")))
        flat = all(len(set(row)) < 2 for row in table.scores)  # a model that tells nothing apart is like any other such
        return frozenset([*([] if flat else [table.scores]), *([weights] if weights else [])])

    def _width(self) -> int:
        return max(sum(one.copies) for one in self.entries)

    def _table(self, model: str) -> ScoreTable:
        if model not in self.tables:
            raise AnalysisError(f"{model}: its bags were not scored", hint="depose lineup score CASE --model CODE")
        return self.tables[model]
