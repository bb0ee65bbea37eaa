"""What the answers of a population have, counted once for every bag that is drawn from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from depose import plugins
from depose.case.population import Population
from depose.detectors.declaration import Counting, Habit, Shared, Single, singles
from depose.features.compared import WORDS, View, compared, question
from depose.features.extract import Bag, Features
from depose.model import Prompt
from depose.scoring import index, tally
from depose.scoring.index import Index
from depose.scoring.tally import Said


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """What was counted, by detector."""

    shared: dict[str, Index]
    said: dict[str, Said]

    def beside(self, other: Counted) -> Counted:
        """Add what was counted for other detectors on the same rows."""
        return Counted(shared=self.shared | other.shared, said=self.said | other.said)


def declared(detectors: Sequence[str]) -> tuple[Single, ...]:
    """List the declarations behind some detectors, combinations replaced by their parts; functions have none."""
    return singles([plugins.load("detectors", name) for name in detectors])


def seen(texts: Sequence[str | None], view: View = WORDS) -> tuple[str | None, ...]:
    """Give of answers what an analysis gives a detector with this view."""
    return tuple(None if text is None else compared(text, view) for text in texts)


def count(
    population: Population, detectors: Sequence[str], *, lean: bool = False, features: Features | None = None
) -> Counted:
    """Count what detectors count, row by row; `lean` where no model will be added later.

    Without `features` tokens are made once per row, and detectors that have a model read the answers are left out; with
    `features`, which hold the model, only these are counted.
    """
    counting = [one for one in declared(detectors) if isinstance(one, Counting)]
    parts = [one for one in counting if (one.ahead is not None) == (features is not None)]
    if not parts:
        return Counted(shared={}, said={})
    given = [seen(row) for row in population.answers]
    shared: dict[str, list[Index]] = {one.detector: [] for one in parts if isinstance(one, Shared)}
    said: dict[str, list[Said]] = {one.detector: [] for one in parts if isinstance(one, Habit)}
    for one in parts:
        if one.ahead is not None and features is not None:
            one.ahead(features, [text for texts in given for text in texts if text is not None])
    for texts, prompt in zip(given, map(question, population.prompts), strict=True):
        row = features or Features()
        for one in parts:
            if isinstance(one, Shared):
                shared[one.detector].append(index.index_of(one, texts, prompt, row, lean=lean))
            else:
                said[one.detector].append(tally.said(one, texts, row))
    return Counted(
        shared={name: index.joined(rows) for name, rows in shared.items()},
        said={name: tally.joined(rows) for name, rows in said.items()},
    )


def joined(parts: Sequence[Counted]) -> Counted:
    """Put the rows of several counts one after the other."""
    return Counted(
        shared={name: index.joined([one.shared[name] for one in parts]) for name in parts[0].shared},
        said={name: tally.joined([one.said[name] for one in parts]) for name in parts[0].said},
    )


def whole_bag(population: Population, view: View) -> Bag:
    """Put the whole population into one bag, as detectors with this view see it."""
    prompts = tuple(
        Prompt(id=f"{key[0]}/{key[1]}", family="", cluster=key[0], text=question(text, view))
        for key, text in zip(population.rows, population.prompts, strict=True)
    )
    answers = tuple(tuple(() if text is None else (text,) for text in seen(row, view)) for row in population.answers)
    return Bag(models=tuple(one.name for one in population.members), prompts=prompts, answers=answers)
