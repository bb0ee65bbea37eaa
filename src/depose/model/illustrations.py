"""What illustrates findings and decides nothing: exhibits, and the tree of likeness."""

from __future__ import annotations

from depose.model.asking import Prompt
from depose.model.base import Record, Status


class Span(Record, frozen=True, kw_only=True):
    """A shared passage: characters `start` to `end`, and how many controls said it too."""

    start: int
    end: int
    controls: int


class ExhibitAnswer(Record, frozen=True, kw_only=True):
    """One answer in an exhibit."""

    model: str
    text: str
    spans: tuple[Span, ...]
    finish: str = ""
    """Why it ended, in the provider's own word."""
    status: Status = "unknown"


class Exhibit(Record, frozen=True, kw_only=True):
    """One prompt with the answers of reference, suspect and two controls beside each other."""

    number: int
    suspect: str
    reference: str
    prompt: Prompt
    rank: int
    of: int
    chosen: str
    """The part of the rule that chose it: top, median, bottom or random."""
    value: float
    controls: int
    answers: tuple[ExhibitAnswer, ...]


class Join(Record, frozen=True, kw_only=True):
    """Two groups that become one. Places 0 to n - 1 are the n models of the tree; join i has place n + i."""

    left: int
    right: int
    t: float
    """Mean T of the pairs across the two."""
    support: int
    """Draws in which the joined models form a clade again."""


class Tree(Record, frozen=True, kw_only=True):
    """Models joined by likeness; it illustrates, and no opinion looks at it."""

    detector: str
    models: tuple[str, ...]
    left_out: tuple[str, ...]
    """Models that share no prompt with some other."""
    clusters: int
    draws: int
    joins: tuple[Join, ...]
