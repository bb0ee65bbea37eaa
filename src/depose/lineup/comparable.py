"""Which answers may stand beside each other in a bag, and when two of them are one random act; pure.

A delivered answer and its fillers are exchangeable if one sampler made them and one hand stored them. Whatever their
rows say to the contrary keeps them apart, and what is done to the text of one is done to that of the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from depose.answers.line_ends import evened
from depose.answers.settle import settle
from depose.answers.words import status_of
from depose.errors import CaseError
from depose.lineup.inputs import context_of, in_time, moment
from depose.model.lineup import Bag, Decoy, Delivery, Ended, Opened

SETTINGS = ("reference_snapshot", "stack_id", "temperature", "top_p", "max_tokens", "filters")
"""Fields of a row that say how the answer was made and what was done to it."""
DRIFTED = "decoys of another state or other settings than what was delivered, which are drifted"
UNSAID = "decoys with a setting that is named of them, or of what was delivered, alone"
LONG = 200
"""Characters from which on two independent draws do not come out alike, but in a sampler that has no choice."""


def answer_of(row: Delivery | Decoy) -> str:
    """Return the answer alone, in one form for both files; nothing where it was blocked, broken off or is none.

    It is what a draw takes from an endpoint: reasoning is taken off, and how it ended is judged by its own word.
    """
    return _settled(row.text, row.finish_reason or "stop")


def ended(row: Delivery | Decoy) -> Ended | None:
    """Tell whether an answer ended by itself or at the length that was allowed; None where its row does not say."""
    found = status_of(row.finish_reason)
    return found if found in ("whole", "cut_length") else None


@lru_cache(maxsize=65_536)
def _settled(text: str, finish: str) -> str:
    found = settle(text, live=True, finish=finish)
    return evened(found.text) if found.outcome == "answered" else ""


def _silent(row: Delivery | Decoy, name: str) -> bool:
    return getattr(row, name) in (None, "")


def differ(one: Delivery | Decoy, other: Delivery | Decoy) -> bool:
    """Tell whether two rows say that they were made otherwise; what one of them does not say is not held against it."""
    said = ((getattr(one, name), getattr(other, name)) for name in SETTINGS)
    return any(mine not in (None, "") and theirs not in (None, "") and mine != theirs for mine, theirs in said)


def first_received(rows: Iterable[Delivery], tally: Counter[str]) -> list[Delivery]:
    """Keep the deliveries of a named draw in the context that received it first, however many others did.

    One draw is one random act: counted in each context that a cache answered with it, it would be many. Raises
    CaseError where one name stands for two texts.
    """
    rows = list(rows)
    firsts: dict[str, Delivery] = {}
    for row in sorted((row for row in rows if row.draw_id), key=in_time):
        first = firsts.setdefault(row.draw_id, row)
        if answer_of(first) != answer_of(row):
            raise CaseError(
                f"deliveries: draw {row.draw_id!r} stands for two texts (delivery {row.delivery_id!r})",
                hint="a draw is one answer of the model; each regeneration, and each other context, has another name",
            )
    homes = {name: context_of(first) for name, first in firsts.items()}
    kept = [row for row in rows if not row.draw_id or context_of(row) == homes[row.draw_id]]
    tally["deliveries of a draw that another context received first, left out"] += len(rows) - len(kept)
    return kept


def set_alike(rows: Sequence[Delivery], tally: Counter[str]) -> tuple[Delivery, ...]:
    """Keep the deliveries of one context that were made as the first of them was."""
    kept = tuple(row for row in rows if not differ(rows[0], row))
    tally["deliveries of a context under other settings than its first one, left out"] += len(rows) - len(kept)
    return kept


def asked_first(rows: Sequence[Delivery], tally: Counter[str]) -> tuple[Delivery, ...]:
    """Keep of the named draws of one context, in order of time, those that its first request gave, however often.

    That is those delivered at one moment, as the log writes it. Whoever asks again until an answer is good receives one
    good answer and many bad ones, and no random choice of so many draws. Without a time the first by name is kept.
    """
    at = moment(rows[0].delivered_at)
    firsts = {row.draw_id for row in rows if at is not None and moment(row.delivered_at) == at} | {rows[0].draw_id}
    kept = tuple(row for row in rows if row.draw_id in firsts)
    tally["deliveries of draws of a later request for a context, left out"] += len(rows) - len(kept)
    return kept


def beside_first(
    rows: Sequence[Delivery], asked: Iterable[str], fillers: Sequence[Decoy], tally: Counter[str]
) -> list[Decoy]:
    """Keep of the fillers of a context those that lay there when its first request was answered, if others followed.

    `asked` has the times of all deliveries of the context in the log, to whomever: another account may ask because
    the first answer was good. Of a throw of a coin the fillers are those of that very throw, which has one moment. Of
    what was drawn for nobody's request as many are there whatever the first answer was: all of it is kept.
    """
    first = moment(rows[0].delivered_at)
    if first is None or all(moment(one) == first for one in asked):
        return list(fillers)
    drawn = {row.decoy_id: moment(row.drawn_at) for row in fillers}
    thrown = any(row.tier == "randomised" and drawn[row.decoy_id] == first for row in fillers)
    kept = [
        row
        for row in fillers
        if row.tier not in ("randomised", "kept")
        or (at := drawn[row.decoy_id]) is None
        or (at == first if thrown and row.tier == "randomised" else at <= first)
    ]
    tally["decoys that were kept of another request for a context, left out"] += len(fillers) - len(kept)
    return kept


def as_drawn(row: Decoy, delivered: Sequence[Delivery], tally: Counter[str]) -> Decoy:
    """Return a decoy in its true tier: one of another state, or of other settings, is of a drifted sampler."""
    tally[UNSAID] += any(_silent(row, name) != _silent(one, name) for one in delivered[:1] for name in SETTINGS)
    if row.tier == "drifted" or not any(differ(one, row) for one in delivered):
        return row
    tally[DRIFTED] += 1
    return msgspec.structs.replace(row, tier="drifted")


def shown(bags: Sequence[Bag]) -> int:
    """Count the bags one of whose members stands in the context of another, as the answer that the conversation had.

    Whoever scores reads there what was delivered: of these bags nobody was blind.
    """
    known = {bag.context.messages: bag for bag in bags}
    told = set()
    for bag in bags:
        turns = bag.context.messages
        for at, turn in enumerate(turns):
            earlier = known.get(turns[:at]) if turn.role == "assistant" else None
            if earlier is not None and _settled(turn.content, "stop") in earlier.members:
                told.add(earlier.bag)
    return len(told)


def unshared(pairs: Iterable[tuple[Bag, Opened]], tally: Counter[str]) -> list[tuple[Bag, Opened]]:
    """Keep of the bags that hold one long answer the first in the order of their names.

    A cache whose draws have no names would make one random act into many. The rule looks at all members alike.
    """
    seen: set[str] = set()
    kept = []
    for bag, entry in sorted(pairs, key=lambda pair: pair[0].bag):
        long = {text for text in bag.members if len(text) >= LONG}
        if long & seen:
            tally["bags with a long answer that another bag holds too, left out"] += 1
            continue
        seen |= long
        kept.append((bag, entry))
    return kept
