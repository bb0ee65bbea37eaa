"""Values of OTLP JSON: lists of key and value, and values that say their type; shared by spans and log records."""

from __future__ import annotations

from typing import Any

from depose.extraction.sources.fields import first


def attributes(pairs: Any) -> dict[str, Any]:
    """Return pairs of key and value as a table."""
    return {str(one["key"]): value_of(one.get("value")) for one in listed(pairs) if "key" in one}


def value_of(value: Any) -> Any:
    """Return a value that says its type as itself."""
    if not isinstance(value, dict):
        return value
    for name in ("stringValue", "doubleValue", "boolValue", "string_value", "double_value", "bool_value"):
        if name in value:
            return value[name]
    for name in ("intValue", "int_value"):
        if name in value:
            return value[name] if isinstance(value[name], int) else str(value[name])
    for name in ("arrayValue", "array_value"):
        if name in value:
            return [value_of(one) for one in listed(table_of(value[name]).get("values"))]
    pairs = first(value, "kvlistValue", "kvlist_value")
    return attributes(table_of(pairs).get("values")) if pairs is not None else None


def listed(value: Any) -> list[dict[str, Any]]:
    """Return the tables of a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def table_of(value: Any) -> dict[str, Any]:
    """Return a table, an empty one for anything else."""
    return value if isinstance(value, dict) else {}
