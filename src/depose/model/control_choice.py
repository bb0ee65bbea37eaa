"""How the controls came into a case: by whose hand, and which of them stands for a lineage of several."""

from __future__ import annotations

from typing import Literal

from depose.model.asking import PinnedPack
from depose.model.base import Record


class Represented(Record, frozen=True, kw_only=True):
    """A data lineage that several controls of the case have."""

    lineage: str
    """Its name, as the first of them writes it."""
    models: tuple[str, ...]
    """Their codes, in the order in which the seed draws them: the first that is clean represents the lineage."""


class ControlChoice(Record, frozen=True, kw_only=True):
    """Who chose the controls, and what was left to the seed."""

    by: Literal["registry", "pack", "hand"]
    """Drawn from a registry, all models of a control pack, or named one by one in the case."""
    pack: PinnedPack | None = None
    """The pack, as it was registered."""
    by_hand: tuple[str, ...] = ()
    """Codes of the controls that the case lists itself, beside a pack; those that ask one again are none."""
    lineages: tuple[Represented, ...] = ()
    """Lineages of several controls; empty where each has its own."""
