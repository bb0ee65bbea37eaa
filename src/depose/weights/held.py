"""Which weights of a case are held, and the comparisons that follow from it, each once on record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from depose.endpoints.weights import PACKAGED
from depose.errors import CaseError, shell
from depose.evidence import ledger
from depose.evidence.ledger import Entries
from depose.evidence.log import Clock, Log
from depose.model import ModelSpec, WeightsHeld
from depose.weights.compare import Named, compare


class Holding(Protocol):
    """A case or a batch: its models, and its section `[weights]`."""

    @property
    def models(self) -> tuple[ModelSpec, ...]:
        """Every model."""

    @property
    def weights(self) -> WeightsHeld | None:
        """Where weights lie; None where they are not compared."""


def held_pairs(case: Holding, folder: Path) -> list[tuple[Named, Named]]:
    """Pair every suspect with every reference whose weights are both held; nothing for a file without `[weights]`.

    Raises CaseError where the section is there and no pair is held.
    """
    if case.weights is None:
        return []
    sides = [
        [found for one in case.models if one.role == role and (found := held(one, case, folder)) is not None]
        for role in ("suspect", "reference")
    ]
    pairs = [(suspect, reference) for suspect in sides[0] for reference in sides[1]]
    if not pairs:
        raise CaseError(
            f"{folder}: $.weights: no suspect and reference whose weights are both held",
            hint="name where they lie: [weights.files] S1 = ..., R1 = ...; or leave the section out",
        )
    return pairs


def compared_weights(folder: Path, entries: Entries, progress: Callable[[str], None], clock: Clock) -> Entries:
    """Record the comparisons of weights that a case asks for and its log does not have yet; return what it has then."""
    known = {(one.suspect, one.reference) for one in entries.weights}
    pairs = held_pairs(entries.registration.case, folder)
    left = [pair for pair in pairs if (pair[0].name, pair[1].name) not in known]
    if not left:
        return entries
    with Log(folder, clock) as log:
        if log.head != entries.end:
            raise CaseError(f"{folder}: the log grew while it was analyzed", hint=f"depose analyze {shell(folder)}")
        for suspect, reference in left:
            progress(f"weights of {suspect.name} and {reference.name}")
            log.append("weights", compare(suspect, reference))
    return ledger.entries(folder)


def held(spec: ModelSpec, case: Holding, folder: Path) -> Named | None:
    """Say where the weights of a model of a case lie; None where they are not held."""
    named = case.weights.files.get(spec.code) if case.weights else None
    if named is not None:
        return Named(name=spec.code, path=folder / Path(named).expanduser())
    if spec.provider != "transformers":
        return None
    adapter = folder / Path(spec.adapter).expanduser() if spec.adapter else None
    path = Path(spec.model) if spec.model in PACKAGED else folder / Path(spec.model).expanduser()
    return Named(name=spec.code, path=path, adapter=adapter)
