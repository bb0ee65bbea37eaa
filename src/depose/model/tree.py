"""Models joined by likeness."""

from __future__ import annotations

from depose.model.base import Record


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
