"""What illustrates findings and decides nothing: exhibits, and the tree of likeness."""

from __future__ import annotations

from typing import Literal

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


class Counted(Record, frozen=True, kw_only=True):
    """A number of things for one model."""

    model: str
    count: int


class SharedValue(Record, frozen=True, kw_only=True):
    """A number, year, date, name or title that suspect and reference both give, marked in both answers."""

    prompt: Prompt
    kind: Literal["number", "year", "date", "name", "title"]
    value: str
    """In the spelling by which writings are compared."""
    controls: int
    """Controls that give it too."""
    of: int
    """Controls that answered the prompt."""
    answers: tuple[ExhibitAnswer, ...]
    """Of the reference and of the suspect."""


class SharedValues(Record, frozen=True, kw_only=True):
    """Values that a pair shares where models hardly know, or cannot know; no opinion looks at them."""

    suspect: str
    reference: str
    prompts: int
    """Prompts of these families that both answered, and some control."""
    shared: int
    """Values that both give; one answer may hold several."""
    alone: int
    """Of them, those that no control gives."""
    reference_side: tuple[Counted, ...]
    """For each control, values that it shares with the suspect and that nobody else gives, the reference included."""
    suspect_side: tuple[Counted, ...]
    """Likewise with the reference."""
    values: tuple[SharedValue, ...]
    """The values that the fewest controls give, and no more than half of them."""
    rule: str
    """By which they were chosen."""


TraceRespect = Literal["self-talk", "step marks", "order of steps"]


class TraceMeasure(Record, frozen=True, kw_only=True):
    """How alike the reasoning of two models is in one respect, from 0 to 1, and that of suspect and controls."""

    name: TraceRespect
    value: float | None
    """Mean over the prompts; none where neither side has anything of the kind."""
    prompts: int
    controls: tuple[tuple[str, float], ...]
    """The same for the suspect and each control that shows its reasoning."""
    reached: int
    """Controls whose reasoning is at least as like that of the suspect."""


class TraceExhibit(Record, frozen=True, kw_only=True):
    """The reasoning of reference and suspect on one prompt, self-talk and step marks marked."""

    prompt: Prompt
    answers: tuple[ExhibitAnswer, ...]


class Traces(Record, frozen=True, kw_only=True):
    """Reasoning of a pair, compared apart from the answers; it illustrates, and no opinion looks at it."""

    suspect: str
    reference: str
    shown: tuple[Counted, ...]
    """Prompts on which each model shows its reasoning: suspect, reference, controls."""
    prompts: int
    """Prompts on which both suspect and reference show theirs; 0: nothing is compared, which counts against nobody."""
    measures: tuple[TraceMeasure, ...]
    exhibits: tuple[TraceExhibit, ...]
    rule: str
    """By which these were chosen."""


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
