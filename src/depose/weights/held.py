"""Which weights of a case are held, and the comparisons that follow from it."""

from __future__ import annotations

from pathlib import Path

from depose.endpoints.weights import PACKAGED
from depose.errors import CaseError
from depose.model import Case, ModelSpec
from depose.weights.compare import Named


def held_pairs(case: Case, folder: Path) -> list[tuple[Named, Named]]:
    """Pair every suspect with every reference whose weights are both held; nothing for a case without `[weights]`.

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


def held(spec: ModelSpec, case: Case, folder: Path) -> Named | None:
    """Say where the weights of a model of a case lie; None where they are not held."""
    named = case.weights.files.get(spec.code) if case.weights else None
    if named is not None:
        return Named(name=spec.code, path=folder / Path(named).expanduser())
    if spec.provider != "transformers":
        return None
    adapter = folder / Path(spec.adapter).expanduser() if spec.adapter else None
    path = Path(spec.model) if spec.model in PACKAGED else folder / Path(spec.model).expanduser()
    return Named(name=spec.code, path=path, adapter=adapter)
