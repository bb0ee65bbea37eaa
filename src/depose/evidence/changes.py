"""What differs between two registrations, as an amendment lists it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from depose.errors import UsageError
from depose.model import Fact, Registration

if TYPE_CHECKING:
    from depose.evidence.ledger import Entries


def amending(file: Path, before: Entries, after: Registration) -> tuple[Fact, ...]:
    """List what an amendment of a case file changes; raise UsageError where it changes nothing, or comes too late."""
    if before.lineup is not None and before.lineup.opened is not None:
        raise UsageError(
            f"{file.parent}: the key of its line-up is open, so that nothing under another protocol is a test",
            hint=f"restore {file}, or start a new case folder",
        )
    found = changes(before.written, after)
    if not found:
        raise UsageError(
            f"{file.parent}: nothing differs from the protocol in force", hint=f"change {file}, then amend"
        )
    return found


def changes(before: Registration, after: Registration) -> tuple[Fact, ...]:
    """List what differs between two protocols, each with its path; software is no part of a protocol."""
    found: list[Fact] = []
    for field in ("case", "prompts", "files"):
        old, new = (msgspec.to_builtins(getattr(one, field)) for one in (before, after))
        _compare(f"$.{field}", _by_name(old), _by_name(new), found)
    return tuple(found)


def _by_name(value: object) -> object:
    """Turn lists of named things into tables, so that a new one does not shift all others."""
    if isinstance(value, dict):
        return {name: _by_name(one) for name, one in value.items()}
    if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        names = [str(one.get("code") or one.get("id") or one.get("name")) for one in value]
        if len(set(names)) == len(names):
            return dict(zip(names, value, strict=True))
    return value


def _compare(path: str, old: object, new: object, found: list[Fact]) -> None:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            _compare(f"{path}.{name}", old.get(name), new.get(name), found)
    elif old != new:
        shown = [_shown(value) for value in (old, new)]
        found.append(Fact(name=path, value=f"{shown[0]} -> {shown[1]}"))


def _shown(value: object) -> str:
    return "nothing" if value is None else msgspec.json.encode(value).decode()[:300]
