"""Searches for secrets where they must not be: credentials and the signing key, in every form in which they travel.

Looked for: the bytes themselves, and these in JSON, URL encoding, hex, and base64 at each of its three offsets.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import quote

from depose.errors import SecretFound
from depose.model import Case

SHORTEST = 8
"""A value of fewer bytes is no credential and would be found everywhere."""
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
        text = value.decode("utf-8", "surrogateescape")
        forms = [("as it is", value), ("hex", value.hex().encode()), ("hex", value.hex().upper().encode())]
        if not any("\udc80" <= c <= "\udcff" for c in text):
            forms.append(("JSON", json.dumps(text)[1:-1].encode()))
            forms += [("URL-encoded", quote(text, safe=safe).encode()) for safe in ("", "/", "-_.~/")]
        forms += [("base64", part) for offset in range(3) for part in _base64(value, offset)]
        for form, data in forms:
            if len(data) >= SHORTEST:
                made.setdefault(data, Needle(name, form, data))
    return tuple(made.values())


def _base64(value: bytes, offset: int) -> tuple[bytes, bytes]:
    """Encode a value that begins at an offset in a longer text, and keep what does not depend on its neighbours."""
    start = (0, 2, 3)[offset]
    length = (offset + len(value)) * 8 // 6
    padded = b"\0" * offset + value
    return base64.b64encode(padded)[start:length], base64.urlsafe_b64encode(padded)[start:length]


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
