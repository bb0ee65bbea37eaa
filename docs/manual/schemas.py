"""The JSON Schemas of the files that people write: in `templates/schemas`, which ships with depose."""

from __future__ import annotations

import msgspec

from depose.batch.plan import BatchFile
from depose.case.annexes import Checks, Waivers
from depose.case.registry import Registry
from depose.case.schemas import schema
from depose.case.witness import Witness
from depose.custody.own_endpoints import Endpoints
from depose.extraction.plan import ExtractionFile
from depose.model import Case
from manual import records

KINDS: dict[str, type[msgspec.Struct]] = {
    "case": Case,
    "batch": BatchFile,
    "registry": Registry,
    "extraction": ExtractionFile,
    "waivers": Waivers,
    "checked": Checks,
    "endpoints": Endpoints,
    "witness": Witness,
}


def pages() -> dict[str, str]:
    """Each schema by its place, seen from docs/."""
    found = {}
    for name, kind in KINDS.items():
        said = {
            (record.__name__, field): text
            for record in records.reached(kind)
            for field, text in records.strings(record).items()
        }
        found[f"../templates/schemas/{name}.schema.json"] = schema(kind, f"{name}.toml of depose", said)
    return found
