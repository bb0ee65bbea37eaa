"""A registry of controls: a file of models of known lineage, from which the controls of a case are drawn by rule.

Who picks controls after seeing answers picks the set in which the pair looks closest. A registry is published before a
case is made, is named by it, and is hashed with its protocol; the rule is in `depose.analysis.pool`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from depose.case import casefile
from depose.case.untrusted_files import read_untrusted
from depose.errors import CaseError
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
    try:
        found = msgspec.convert(
            tomllib.loads(read_untrusted(path, casefile.LARGEST).decode("utf-8-sig")), type=Registry, strict=True
        )
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror or error}", hint=HINT) from error
    except msgspec.ValidationError as error:
        raise CaseError(f"{path}: {casefile.said(str(error))}", hint=HINT) from error
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, no regular file, nested too deeply
        raise CaseError(f"{path}: not a registry: {error}", hint=HINT) from error
    problem = _problem(found)
    if problem:
        raise CaseError(f"{path}: {problem[0]}", hint=problem[1])
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
