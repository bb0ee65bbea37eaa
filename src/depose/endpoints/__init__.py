"""Clients for models: each provider is a function `open(spec, folder) -> Endpoint`.

`folder` is the case folder, against which relative file names of the case are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from depose.evidence.log import Clock
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


@runtime_checkable
class Live(Endpoint, Protocol):
    """An endpoint that answers one question per request and several requests at once; whoever asks sees to retries."""

    def attempt(self, ask: Ask, number: int, clock: Clock) -> Reply:
        """Ask one question once; a failure says in `again` whether it is worth another attempt."""
        ...
