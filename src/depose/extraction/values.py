"""Values of a log's fields as events hold them."""

from __future__ import annotations

import json
from typing import Any

from depose.extraction.events import Raw


def context(raw: Raw) -> str:
    """Write what was asked, as JSON: messages, system, tools, and the settings that move an answer."""
    said = {"messages": raw.messages, "system": raw.system, "tools": raw.tools,
            "temperature": number(raw.temperature), "max_tokens": whole(raw.max_tokens), "top_p": number(raw.top_p),
            "seed": whole(raw.seed), "settings": raw.settings}  # fmt: skip
    return json.dumps({name: value for name, value in said.items() if value not in (None, "")}, sort_keys=True)


def plain(value: Any) -> str:
    """Write a value as a text."""
    if value in (None, "", [], {}):
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def whole(value: Any) -> int | None:
    """Read a whole number, None for anything else."""
    found = number(value)
    return None if found is None or abs(found) >= 2**53 else int(found)


def small(value: Any) -> int | None:
    """Read a whole number of 31 bits, None for anything else."""
    found = whole(value)
    return None if found is None or abs(found) >= 2**31 else found


def number(value: Any) -> float | None:
    """Read a number, None for anything else."""
    if isinstance(value, bool) or value is None or value == "":
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if abs(found) < 1e18 else None  # NaN and infinity are no numbers here


def truth(value: Any) -> bool | None:
    """Read a truth value, None for anything else."""
    if isinstance(value, bool):
        return value
    said = str(value).strip().lower() if isinstance(value, str | int) else ""
    return {"true": True, "1": True, "false": False, "0": False}.get(said)


def without_halves(value: Any) -> Any:
    """Put U+FFFD where a text holds half a surrogate."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
