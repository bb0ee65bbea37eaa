"""Which weights of a case are held, and the comparisons that follow from it, each once on record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from depose.endpoints.weights import PACKAGED
from depose.errors import AnalysisError, CaseError, shell
from depose.evidence import ledger
from depose.evidence.ledger import Entries
from depose.evidence.log import Clock, Log
from depose.model import ModelSpec, WeightsHeld
from depose.model.weights import NOT_COMPARED, WeightFinding, WeightMap
from depose.weights.compare import ALPHA, Named, compare
from depose.weights.stores import open_weights


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
            log.append("weights", examined(suspect, reference))
    return ledger.entries(folder)


def examined(suspect: Named, reference: Named) -> WeightFinding:
    """Compare two models of a case; where their weights are read and no test can be made of them, the finding says why.

    So a model of another kind than those known, or one that is packed, leaves the others of a case or batch answered.
    """
    try:
        return compare(suspect, reference)
    except AnalysisError as error:
        reason = error.message
    files = []
    for one in (suspect, reference):
        with open_weights(one.path, one.adapter) as store:
            files.append(dict(sorted(store.digests.items())))
            reason = reason.replace(str(store.path), one.name)
    return WeightFinding(
        suspect=suspect.name,
        reference=reference.name,
        suspect_files=files[0],
        reference_files=files[1],
        reading="not testable",
        log10_p=0.0,
        alpha=ALPHA,
        tests=(),
        layers=(),
        map=WeightMap(suspect=(), reference=(), margins=(), order_log10_p=()),
        alignment="not at all",
        support={},
        cautions=(f"{NOT_COMPARED}{reason}",),
    )


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
