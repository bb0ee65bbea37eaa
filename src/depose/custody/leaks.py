"""Searches for secrets where they must not be: credentials and the signing key, in every form in which they travel."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from depose.errors import SecretFound
from depose.evidence.compression import SHORTEST
from depose.evidence.search import Sought, find
from depose.model import Case

TELLING = re.compile(
    r"KEY|TOKEN(?!IZER)|SECRET|PASS|CREDENTIAL|COOKIE|BEARER|PRIVATE|WEBHOOK|AUTHORIZATION|(?:^|_)(?:PATS?|PWD|AUTH|JWT|DSN)(?:_|[0-9]*$)"
)
"""Names of variables that hold secrets, in capitals."""
NOT_TELLING = ("PWD", "OLDPWD", "SSH_AUTH_SOCK")
"""Folders and a socket of every login."""
_USER = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#\s]*@")
_CHUNK = 16 * 1024**2 + 64 * 1024
"""As much as the largest answer, so that what an answer holds compressed is read whole."""
_OVERLAP = 64 * 1024


def of_environment(cases: Iterable[Case], environment: Mapping[str, str]) -> dict[str, bytes]:
    """Collect the values of the variables that the cases name, and of those whose names or values say they are secret.

    Of an address that holds a user and a password, such as that of a proxy, these are the secret.
    """
    named = {spec.api_key_env for case in cases for spec in case.models if spec.api_key_env}
    found: dict[str, bytes] = {}
    for name in sorted(environment.keys() | named):
        value = environment.get(name, "").strip()
        if _USER.match(value):
            found |= _of_address(name, value)
        elif name in named or (TELLING.search(name.upper()) and name not in NOT_TELLING):
            found[name] = value.encode("utf-8", "surrogateescape")
            found |= _parts(name, value)
    return {name: value for name, value in found.items() if len(value) >= SHORTEST}


def _of_address(name: str, value: str) -> dict[str, bytes]:
    user, _, password = urlsplit(value).netloc.rpartition("@")[0].partition(":")
    both = {f"{name}, user and password": f"{user}:{password}", f"{name}, password": password or user}
    return {label: unquote(one).encode() for label, one in both.items()}


def _parts(name: str, value: str) -> dict[str, bytes]:
    """Take a scheme (`Bearer`) or the names of cookies away: a server may repeat the value alone."""
    parts = [part.strip().partition("=")[2] for part in value.split(";")] if "COOKIE" in name.upper() else []
    scheme, _, rest = value.partition(" ")
    parts += [rest] if scheme.lower() in ("bearer", "basic", "token") else []
    return {f"{name}, part {number}": part.encode() for number, part in enumerate(parts, start=1)}


def of_files(cases: Iterable[Case]) -> dict[str, bytes]:
    """Collect the keys in the files that the cases name, as far as they are still there."""
    found: dict[str, bytes] = {}
    for spec in (spec for case in cases for spec in case.models if spec.api_key_file):
        with contextlib.suppress(OSError):
            found[f"key file of {spec.code}"] = Path(spec.api_key_file).expanduser().read_bytes().strip()
    return {name: value for name, value in found.items() if len(value) >= SHORTEST}


def search(file: BinaryIO, name: str, sought: Sought) -> None:
    """Raise SecretFound at the first secret in a file; `name` is for the message."""
    before, base = b"", 0
    while chunk := file.read(_CHUNK):
        window = before + chunk
        found = next(find(window, sought), None)
        if found is not None:
            how = ", ".join(filter(None, (found.form, found.between and f"but for {found.between}")))
            raise SecretFound(
                f"{name}: byte {base + found.start} begins the secret {found.name} ({how})",
                hint="nothing was sealed; revoke the secret, and find out how it got there",
            )
        before = window[-_OVERLAP:]
        base += len(window) - len(before)
