"""Any table, by a mapping file that says which column is what: what an opposing party produces.

The mapping is TOML:

    [columns]
    id = "Request"
    ts = "When (UTC)"
    account = "Customer"
    prompt = "Prompt text"          # or prompt_key, where the words are withheld
    model_served = "Model"

    [hashed]
    columns = ["Customer"]          # already hashed by the producer: an e-mail or an address in one is refused

A name with dots leads into tables within a column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from depose.case import toml_text
from depose.case.untrusted_files import read_untrusted
from depose.errors import CaseError, UsageError
from depose.extraction import values
from depose.extraction.events import Raw
from depose.extraction.sources.fields import first, parsed
from depose.model import Record

LARGEST = 1024**2
NEEDED = ("id", "ts", "account")
FIELDS = {*Raw.__struct_fields__, "prompt"} - {"where", "messages"} | {"messages"}
TEXT = {"id", "account", "org", "access_key", "end_user", "session", "endpoint", "model_requested", "model_served",
        "prompt_key", "system", "status", "ip", "country", "agent", "tls", "payment", "tier", "response",
        "finish_reason"}  # fmt: skip


class Hashed(Record, frozen=True, kw_only=True):
    """Columns that the producer has hashed."""

    columns: tuple[str, ...] = ()
    """Names of columns as they stand in the log."""


class Mapping(Record, frozen=True, kw_only=True):
    """Which column of a log is what."""

    columns: dict[str, str]
    """Meaning to name of a column; a name with dots leads into tables within it."""
    hashed: Hashed = Hashed()
    """Columns that hold hashes; they are hashed again, and searched for what a hash cannot hold."""
    sampled: bool = False
    """Whether the log holds a sample of the requests: then counts are lower bounds."""


def read(path: Path) -> Mapping:
    """Read a mapping file; raise CaseError where it names what is no meaning, or leaves out what is needed."""
    try:
        found = msgspec.convert(toml_text.loads(read_untrusted(path, LARGEST).decode("utf-8-sig")), type=Mapping)
    except (OSError, ValueError, RecursionError) as error:
        raise CaseError(f"{path}: not a mapping: {error}", hint="see: depose extraction import --help") from error
    unknown = sorted(found.columns.keys() - FIELDS)
    if unknown:
        raise CaseError(
            f"{path}: $.columns.{unknown[0]}: no such meaning", hint=f"meanings: {', '.join(sorted(FIELDS))}"
        )
    missing = [name for name in NEEDED if name not in found.columns]
    if missing:
        raise CaseError(f"{path}: $.columns.{missing[0]}: missing", hint="id, ts and account are needed")
    strange = sorted(set(found.hashed.columns) - set(found.columns.values()))
    if strange:
        raise CaseError(f"{path}: $.hashed.columns: {strange[0]!r} is not mapped", hint="name a column of [columns]")
    return found


def requests(
    rows: Iterable[tuple[int, dict[str, Any]]], tally: dict[str, int], mapping: Mapping, name: str
) -> Iterator[Raw]:
    """Yield one request for each row; raise UsageError where a mapped column is in no row's reach."""
    checked = False
    for number, row in rows:
        if not checked:
            missing = [one for one in mapping.columns.values() if one not in row and one.partition(".")[0] not in row]
            if missing:
                raise UsageError(
                    f"{name}: no column {missing[0]!r}", hint=f"columns: {', '.join(map(repr, list(row)[:20]))}"
                )
            checked = True
        found = {meaning: _reach(row, column) for meaning, column in mapping.columns.items()}
        messages = first(found, "messages", "prompt")
        found.pop("prompt", None)
        found["messages"] = parsed(messages)
        count = found.pop("requests", None)
        kept = {
            meaning: ("" if value is None or value != value else str(value)) if meaning in TEXT else value
            for meaning, value in found.items()
        }
        if not kept.get("status"):
            kept["status"] = "ok"
        yield Raw(**kept, where=str(number), requests=_count(count))


def _count(value: Any) -> int:
    return max(1, values.small(value) or 1)


def _reach(row: dict[str, Any], path: str) -> Any:
    if path in row:
        return row[path]
    at: Any = row
    for part in path.split("."):
        at = parsed(at.get(part)) if isinstance(at, dict) else None
    return at
