"""Clients for models: each provider is a function `open(spec, folder) -> Endpoint`.

`folder` is the case folder, against which relative file names of the case are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from depose.model import Ask, Fact, Reply


class Endpoint(Protocol):
    """One opened model."""

    batch: int
    """How many questions it likes to be handed at once."""

    def facts(self) -> tuple[Fact, ...]:
        """Describe what answers: digests, settings, versions; recorded once per run."""
        ...

    def ask(self, asks: Sequence[Ask]) -> tuple[Reply, ...]:
        """Answer each question in a fresh conversation, in order; a failure is a Reply with a reason."""
        ...
