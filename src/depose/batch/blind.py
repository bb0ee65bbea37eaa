"""Cells of a matrix that cannot speak: counted by why, and what would open them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from depose.analysis.opinion import FEWEST_LINEAGES
from depose.batch.screen import Judged
from depose.case.population import Member
from depose.errors import few
from depose.model import Question, Record
from depose.model.natural_order import natural
from depose.statistics.era import WINDOW

_LINEAGES = re.compile(r"(\d+) independent control lineages")
_KINDS = (
    (
        "it costs",
        "the study carries no ratio for this question: leave it out of `questions`, or name other labelled pairs "
        "(screening.labelled)",
    ),
    ("shares", "ask whether the question has a sense for models of one base; weights would answer it"),
    ("bas", "pairs of known relation of that kind: screening.labelled, made by depose validate"),
    ("answered", "more answers of the two models, or other prompts"),
    ("prompts", "more answers of the two models, or other prompts"),
    (
        "pairs",
        "pairs of known relation that share no lineage with the cell: screening.labelled, made by depose validate",
    ),
)
"""Words of a reason, and what would open a cell that has it."""


class Blind(Record, frozen=True, kw_only=True):
    """Cells that cannot speak for one reason."""

    reason: str
    """The worst of them, where they differ in a number; of lineages all, from the fewest on."""
    cells: int
    questions: tuple[Question, ...]
    suspects: tuple[str, ...]
    references: tuple[str, ...]
    opens: str
    """What would open them; nothing where nobody can say."""


def blind(cells: Sequence[Judged], members: Mapping[str, Member]) -> tuple[Blind, ...]:
    """Group what is not informative by its reason, most cells first."""
    groups: dict[str, list[Judged]] = {}
    for one in cells:
        if one.outcome == "not informative":
            groups.setdefault(re.sub(r"\d+", "N", one.reason), []).append(one)
    found = [
        Blind(
            reason=_reason([one.reason for one in held]),
            cells=len(held),
            questions=tuple(dict.fromkeys(one.question for one in held)),
            suspects=_names(one.suspect for one in held),
            references=_names(one.reference for one in held),
            opens=_opens(held, members),
        )
        for held in groups.values()
    ]
    return tuple(sorted(found, key=lambda one: (-one.cells, one.reason)))


def _reason(said: Sequence[str]) -> str:
    worst = min(said, key=natural)
    counts = [int(found[1]) for one in said if (found := _LINEAGES.search(one))]
    if counts and max(counts) > min(counts):
        return worst.replace(f"{min(counts)} independent", f"{min(counts)} to {max(counts)} independent", 1)
    return worst


def _names(names: object) -> tuple[str, ...]:
    return tuple(sorted(set(names), key=natural))  # type: ignore[call-overload]


def _opens(held: Sequence[Judged], members: Mapping[str, Member]) -> str:
    reason = held[0].reason
    counts = [int(found[1]) for one in held if (found := _LINEAGES.search(one.reason))]
    if reason.startswith("era"):
        return dated_by(
            reason, sorted({members[name].released for one in held for name in (one.suspect, one.reference)})
        )
    if counts:
        makers = {members[name].developer for one in held for name in (one.suspect, one.reference)}
        return opened_by(FEWEST_LINEAGES - min(counts), makers)
    return next((said for word, said in _KINDS if word in reason), "")


def dated_by(reason: str, dates: Sequence[str]) -> str:
    """Describe the controls, or the dates, that would open a cell whose controls are of other years."""
    if "no date" in reason:
        return 'the date of each model, as documented: released = "YYYY-MM", or a column `date` of the table of models'
    known = sorted(one for one in dates if one)
    return f"controls released no more than {WINDOW} months before the earlier and after the later of the two" + (
        f", whose dates go from {known[0]} to {known[-1]}; or the dates of those that have none" if known else ""
    )


def opened_by(missing: int, makers: Collection[str]) -> str:
    """Describe the controls that would open a cell for which so many are missing, of other makers than these."""
    known = sorted({*makers} - {""})
    return (
        f"{missing} more control{'s' if missing > 1 else ''}, each of a maker and lineage of its own"
        + (f", none of {few(known, 6)}" if known else "")
        + ", not trained on outputs of the references' makers"
    )
