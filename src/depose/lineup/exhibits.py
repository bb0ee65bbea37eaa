"""Line-ups that a reader may look at, chosen by a rule that is printed; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from depose.lineup.continuation import own_words
from depose.lineup.opened import OpenedLineup
from depose.model.lineup import Passage
from depose.model.lineup_findings import LineupExhibit, LineupMember

RULE = (
    "Line-ups are sorted by margin: the score of the best delivered member less that of the best filler. Shown are the "
    "two with the largest margin, the two in the middle, and the two with the smallest; ties by name."
)
OWN = 3
"""Answers of the suspect that an exhibit shows."""


def exhibits(
    opened: OpenedLineup, suspect: str, scores: NDArray[np.float64], kept: NDArray[np.bool_]
) -> tuple[LineupExhibit, ...]:
    """Set out line-ups of one suspect by the rule."""
    delivered = opened.delivered()
    there = np.where(np.isnan(scores), -np.inf, scores)
    best = np.where(delivered, there, -np.inf).max(axis=1)
    filler = np.where(delivered, -np.inf, there).max(axis=1)
    able = np.flatnonzero(kept & np.isfinite(best) & np.isfinite(filler))
    order = sorted(able.tolist(), key=lambda row: (filler[row] - best[row], opened.bags[row].bag))
    middle = max(0, len(order) // 2 - 1)
    chosen: dict[int, str] = {}
    for label, rows in (("top", order[:2]), ("median", order[middle : middle + 2]), ("bottom", order[-2:])):
        for row in rows:
            chosen.setdefault(row, label)
    own, places = opened.answers.get(suspect, {}), opened.tables[suspect].passages
    return tuple(
        _exhibit(
            opened,
            row,
            label,
            number,
            float(best[row] - filler[row]),
            scores[row],
            own,
            () if isinstance(places, UnsetType) else places[row],
        )
        for number, (row, label) in enumerate(chosen.items(), 1)
    )


def _exhibit(
    opened: OpenedLineup,
    row: int,
    label: str,
    number: int,
    margin: float,
    scores: NDArray[np.float64],
    own: Mapping[str, tuple[str, ...]],
    places: Sequence[Passage | None],
) -> LineupExhibit:
    bag, entry = opened.bags[row], opened.entries[row]
    starts = np.cumsum((0, *entry.copies))
    found = places or (None,) * len(bag.members)
    columns = zip(bag.members, starts, entry.copies, entry.received, found, strict=False)
    members = [
        LineupMember(
            text=text,
            score=float(f"{scores[start]:.6g}"),
            copies=copies,
            delivered=received > 0,
            passage=passage or UNSET,
        )
        for text, start, copies, received, passage in columns
    ]
    members.sort(key=lambda one: (-one.score, one.text))
    asked = [turn.content for turn in bag.context.messages if turn.role == "user"]
    return LineupExhibit(
        number=number,
        bag=bag.bag,
        prompt=asked[-1] if asked else bag.context.messages[-1].content,
        chosen=label,
        margin=float(f"{margin:.6g}"),
        members=tuple(members),
        own=own_words(bag, own, [one.text for one in members])[:OWN],
    )
