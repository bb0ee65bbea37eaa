"""A registry of controls: a file of models of known lineage, from which the controls of a case are drawn by rule.

Who picks controls after seeing answers picks the set in which the pair looks closest. A registry is published before a
case is made, is named by it, and is hashed with its protocol; the rule is in `depose.analysis.pool`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from depose.case import written
from depose.model import ModelSpec, Record, Text
from depose.model.file_names import problem_of_models

HINT = "the format: [registry] with name and source, then [[models]] as in a case, all of them controls"


class RegistryHead(Record, frozen=True, kw_only=True):
    """What the registry is."""

    name: Text
    """Its name and edition."""
    source: Text
    """Where it is published."""


class Registry(Record, frozen=True, kw_only=True):
    """A whole registry."""

    registry: RegistryHead
    """What the registry is."""
    models: Annotated[tuple[ModelSpec, ...], Meta(min_length=1, max_length=5_000)]
    """One [[models]] for each, as in a case; all are controls."""


def read(path: Path) -> Registry:
    """Read and check a registry; raise CaseError for what is no registry."""
    text = written.taken(written.text_of(path, HINT), str(path), path.parent)
    found = written.converted(text, Registry, HINT)
    if problem := _problem(found):
        raise text.wrong(*problem)
    return found


def _problem(found: Registry) -> tuple[str, str] | None:
    seen: set[str] = set()
    for index, spec in enumerate(found.models):
        where = f"$.models[{index}]"
        if spec.role != "control":
            return f"{where}.role: {spec.role!r} has no place in a registry", "a registry holds controls"
        if spec.code.lower() in seen:
            return f"{where}.code: {spec.code!r} stands twice", "give each model its own code"
        seen.add(spec.code.lower())
        if not (spec.developer and spec.weight_lineage and spec.data_lineage and spec.source):
            return f"{where}: developer, weight_lineage, data_lineage or source is missing", "say where it comes from"
        if not spec.released:
            return (
                f"{where}.released: missing; since when is {spec.code} offered?",
                'a year, month or day, such as "2025-03", or "unknown", which is near no pair in time',
            )
    return problem_of_models(found.models)
