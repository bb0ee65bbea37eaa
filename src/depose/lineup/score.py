"""Scoring of all bags by one model: in pieces, each on disk before the next, so that a kill costs one piece."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import UNSET

from depose.errors import CaseError
from depose.evidence.log import write_whole
from depose.lineup.scorer import Finder, Scorer, Scores
from depose.lineup.tables import read_bags
from depose.model import Fact, Record
from depose.model.canonical import UNREADABLE, sha256
from depose.model.lineup import Bag, ScoreTable, Statistic

PIECE = 64
"""Bags that are scored between two writes."""
Progress = Callable[[int, int], None]
"""Hears how many bags are scored, and of how many."""


class ScoringBegun(Record, frozen=True, kw_only=True):
    """What the pieces on disk are pieces of."""

    model: str
    statistic: Statistic
    bags: str
    facts: tuple[Fact, ...]


def score_bags(
    data: bytes, model: str, statistic: Statistic, scorer: Scorer, kept: Path, progress: Progress
) -> ScoreTable:
    """Score the members of every bag of a file; `kept` holds the pieces while this goes on, and is removed at the end.

    Pieces of another model, statistic, file of bags or scorer are thrown away. Raises CaseError for a scorer that
    gives no finite number to some member.
    """
    bags = read_bags(data, "bags")
    begun = ScoringBegun(model=model, statistic=statistic, bags=sha256(data), facts=scorer.facts())
    scores = _so_far(kept, begun) if scorer.independent else []
    progress(len(scores), len(bags))
    if len(scores) < len(bags):
        kept.parent.mkdir(parents=True, exist_ok=True)
        if not scores:
            write_whole(kept, msgspec.json.encode(begun) + b"\n")
        with kept.open("ab") as file:
            size = PIECE if scorer.independent else len(bags)
            while len(scores) < len(bags):
                piece = bags[len(scores) : len(scores) + size]
                made = scorer.score(piece)
                _fit(piece, made, model)
                file.write(b"".join(msgspec.json.encode(one) + b"\n" for one in made))
                file.flush()
                os.fsync(file.fileno())
                scores += made
                progress(len(scores), len(bags))
    return ScoreTable(
        model=model,
        statistic=statistic,
        bags=begun.bags,
        facts=begun.facts if scorer.independent else scorer.facts(),  # of a search, with what was searched
        scores=tuple(scores),
        passages=scorer.passages() if isinstance(scorer, Finder) else UNSET,
    )


def _fit(bags: tuple[Bag, ...], made: tuple[Scores, ...], model: str) -> None:
    """Refuse scores that are not one finite number for each member."""
    if [len(one) for one in made] != [len(one.members) for one in bags]:
        raise CaseError(f"{model}: its scorer gave not one score for each member", hint="the scorer is broken")
    for bag, row in zip(bags, made, strict=True):
        if not all(abs(one) < float("inf") for one in row):
            raise CaseError(
                f"{model}: bag {bag.bag}: a score is no number",
                hint="leave such contexts out when you register, for all",
            )


def _so_far(kept: Path, begun: ScoringBegun) -> list[Scores]:
    """Read the pieces of an earlier run, up to the first line that a kill left torn."""
    if not kept.is_file():
        return []
    head, *lines = kept.read_bytes().split(b"\n")
    whole = b"".join(line + b"\n" for line in (head, *lines[:-1]))
    found: list[Scores] = []
    try:
        if msgspec.json.decode(head, type=ScoringBegun) != begun:
            return []
        found = [msgspec.json.decode(line, type=tuple[float, ...]) for line in lines[:-1]]
    except UNREADABLE:
        return []
    write_whole(kept, whole)
    return found
