"""Controls chosen by rule: every clean lineage of a registry, each represented by a model that is drawn.

Pure. A model of the registry is eligible if it is clean for every suspect, reference and question of the case, by the
rules of `statistics.lineage`. Of each data lineage one of the eligible models is drawn: the one whose code, hashed with
the digest of the registry, comes first. Nothing is left to whoever makes the case: not the set, not the representative,
not the seed, which is the digest of a file that was published before. Where the seed of the case is drawn after its
registration, codes are hashed with that seed, so that nothing is left to whoever makes the registry either.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from depose.case.lineages import counted
from depose.case.representatives import in_turn
from depose.errors import CaseError
from depose.model import Case, Eligible, ModelSpec
from depose.statistics.lineage import unclean

COMPARED = ("developer", "weight_lineage", "data_lineage", "trained_on", "released", "source")
"""What a control of the case must have as the registry has it; how it is reached may differ."""


def drawn(case: Case, models: Sequence[ModelSpec], digest: str) -> tuple[Eligible, ...]:
    """Go through a registry, in its order: who is drawn, and why the others are not."""
    pairs = [
        (suspect, reference, question)
        for suspect in case.models
        if suspect.role == "suspect"
        for reference in case.models
        if reference.role == "reference" and not reference.repeats
        for question in case.protocol.questions
    ]
    reasons = {spec.code: next((why for s, r, q in pairs if (why := unclean(s, r, spec, q))), "") for spec in models}
    first: dict[str, str] = {}
    listed = {spec.code: spec for spec in models}
    for spec in (listed[code] for code in in_turn(tuple(listed), digest)):
        if not reasons[spec.code]:
            first.setdefault(counted(spec.data_lineage, "data_lineage"), spec.code)
    found = []
    for spec in models:
        by = first.get(counted(spec.data_lineage, "data_lineage"), "")
        why = reasons[spec.code] or ("" if by == spec.code else f"its lineage is represented by {by}, by draw")
        found.append(
            Eligible(
                code=spec.code,
                name=spec.model or spec.code,
                data_lineage=spec.data_lineage,
                released=spec.released,
                eligible=not reasons[spec.code],
                drawn=by == spec.code and not reasons[spec.code],
                reason=why,
            )
        )
    return tuple(found)


def held(case: Case, models: Sequence[ModelSpec], digest: str) -> tuple[Eligible, ...]:
    """Compare the controls of a case with those that the rule draws; raise CaseError where they are others."""
    found = drawn(case, models, digest)
    wanted = {one.code for one in found if one.drawn}
    listed = {spec.code: spec for spec in models}
    own = {spec.code: spec for spec in case.models if spec.role == "control" and not spec.repeats}
    missing, more = sorted(wanted - set(own)), sorted(set(own) - wanted)
    if missing or more:
        said = [f"{what} {', '.join(codes[:8])}" for what, codes in (("without", missing), ("with", more)) if codes]
        raise CaseError(
            f"$.protocol.registry: the controls are not those that the rule draws: {'; '.join(said)}",
            hint="depose controls CASE --write",
        )
    for code in sorted(wanted):
        other = next((name for name in COMPARED if getattr(own[code], name) != getattr(listed[code], name)), None)
        if other:
            raise CaseError(
                f"$.protocol.registry: {other} of {code} is not that of the registry",
                hint="depose controls CASE --write",
            )
    return found


def completed(case: Case, seed: int, models: Sequence[ModelSpec]) -> tuple[Case, tuple[Eligible, ...]]:
    """Put a drawn seed into a case, and the controls that it draws from its registry."""
    protocol = msgspec.structs.replace(case.protocol, seed=seed)
    if not models:
        return msgspec.structs.replace(case, protocol=protocol), ()
    found = drawn(case, models, f"seed {seed}")
    more = chosen(models, found)
    return msgspec.structs.replace(case, protocol=protocol, models=(*case.models, *more)), found


def chosen(models: Sequence[ModelSpec], found: Sequence[Eligible]) -> tuple[ModelSpec, ...]:
    """List the models that were drawn, in the order of the registry."""
    codes = {one.code for one in found if one.drawn}
    return tuple(spec for spec in models if spec.code in codes)
