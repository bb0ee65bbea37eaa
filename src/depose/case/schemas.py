"""JSON Schemas of the files that people write, for editors: completion, and what is wrong while it is typed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

TABLE = {"type": "string", "description": "A table of models beside this file: .csv, .tsv or .xlsx, one row for each."}


def schema(kind: type[msgspec.Struct], title: str, meanings: Mapping[tuple[str, str], str]) -> str:
    """Write the schema of one file; `meanings` are the words for each field of each record, by their names."""
    made: dict[str, Any] = msgspec.json.schema(kind)
    for name, record in made["$defs"].items():
        for field, described in record.get("properties", {}).items():
            if said := meanings.get((name, field)):
                described["description"] = said
            if field == "models" and name in ("Case", "BatchFile"):
                record["properties"][field] = {"anyOf": [described, TABLE]}
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **made}
    return json.dumps(whole, indent=1, ensure_ascii=False)
