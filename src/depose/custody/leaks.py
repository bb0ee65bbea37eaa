"""Searches for secrets where they must not be: credentials and the signing key, in every form in which they travel."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from depose.errors import SecretFound
from depose.evidence.encodings import SHORTEST, encodings
from depose.model import Case

TELLING = ("KEY", "TOKEN", "SECRET", "PASSWORD")
_CHUNK = 1024**2


class Needle(NamedTuple):
    """One form of one secret; the secret itself is never shown."""

    name: str
    form: str
    data: bytes


def of_environment(cases: Iterable[Case], environment: Mapping[str, str]) -> dict[str, bytes]:
    """Collect the values of the variables that the cases name, and of those whose names say that they are secret."""
    named = {spec.api_key_env for case in cases for spec in case.models if spec.api_key_env}
    telling = {name for name in environment if name.upper().endswith(TELLING)}
    found = {name: environment.get(name, "").encode() for name in sorted(named | telling)}
    return {name: value for name, value in found.items() if len(value) >= SHORTEST}


def of_files(cases: Iterable[Case]) -> dict[str, bytes]:
    """Collect the keys in the files that the cases name, as far as they are still there."""
    found: dict[str, bytes] = {}
    for spec in (spec for case in cases for spec in case.models if spec.api_key_file):
        with contextlib.suppress(OSError):
            found[f"key file of {spec.code}"] = Path(spec.api_key_file).expanduser().read_bytes().strip()
    return {name: value for name, value in found.items() if len(value) >= SHORTEST}


def needles(secrets: Mapping[str, bytes]) -> tuple[Needle, ...]:
    """Write each secret in every form."""
    made: dict[bytes, Needle] = {}
    for name, value in secrets.items():
        for one in encodings(value):
            made.setdefault(one.data, Needle(name, one.form, one.data))
    return tuple(made.values())


def search(file: BinaryIO, name: str, sought: tuple[Needle, ...]) -> None:
    """Raise SecretFound at the first secret in a file; `name` is for the message."""
    overlap = max((len(needle.data) for needle in sought), default=1) - 1
    before, base = b"", 0
    while sought and (chunk := file.read(_CHUNK)):
        window = before + chunk
        for needle in sought:
            place = window.find(needle.data)
            if place >= 0:
                raise SecretFound(
                    f"{name}: byte {base + place} begins the secret {needle.name} ({needle.form})",
                    hint="nothing was sealed; revoke the secret, and find out how it got there",
                )
        before = window[len(window) - overlap :] if overlap else b""
        base += len(window) - len(before)
