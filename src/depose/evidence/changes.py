"""What differs between two registrations, as an amendment lists it."""

from __future__ import annotations

import msgspec

from depose.model import Fact, Registration


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
