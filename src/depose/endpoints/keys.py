"""Credentials: read from the environment or from a file that nobody else can read, and shown to nobody."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from depose.endpoints import key_owners
from depose.errors import EndpointError
from depose.evidence.compression import SHORTEST
from depose.evidence.search import Sought, find
from depose.model import ModelSpec


class Key:
    """A credential. Only `reveal` gives it; its own text names where it came from."""

    __slots__ = ("_sought", "_value", "origin")

    def __init__(self, value: str, origin: str) -> None:
        self._value = value
        self._sought = Sought({origin: value.encode()}, secret=True) if len(value.encode()) >= SHORTEST else None
        self.origin = origin

    def __repr__(self) -> str:
        return f"Key({self.origin})"

    def reveal(self) -> str:
        """Return the credential itself, for the header that carries it."""
        return self._value

    def stands_in(self, data: bytes) -> bool:
        """Tell whether the credential occurs in the data, in whatever form (`evidence.search`)."""
        return self._sought is not None and next(find(data, self._sought), None) is not None


def origin_of(spec: ModelSpec) -> str:
    """Say where the credential of a model comes from; nothing where the case names none."""
    if spec.api_key_env:
        return f"environment variable {spec.api_key_env}"
    return "file outside the case folder, mode 600" if spec.api_key_file else ""


def read(spec: ModelSpec, folder: Path) -> Key | None:
    """Return the credential of a model, or None where the case names none.

    A case that would send somebody else's key on is refused (`key_owners`), and so is a bundle that was unpacked: who
    sealed it says in it where keys go.
    """
    if any((folder / name).exists() for name in ("SEAL", "copy.json")):
        raise EndpointError(
            f"{folder}: a sealed bundle or a copy of one, whose protocol says where keys go: its models are not asked",
            hint="ask them at addresses and with keys of your own: depose replicate BUNDLE",
        )
    key_owners.check(spec)
    origin = origin_of(spec)
    if spec.api_key_env:
        value = os.environ.get(spec.api_key_env, "")
        if not value:
            raise EndpointError(f"{spec.code}: the {origin} is not set", hint=f"export {spec.api_key_env}=...")
    elif spec.api_key_file:
        value = _from_file(spec, folder)
    else:
        return None
    if not value.isascii() or not value.isprintable() or " " in value:
        raise EndpointError(
            f"{spec.code}: the key ({origin}) holds a space, a line break or a character that is not ASCII",
            hint="copy it again, without quotes",
        )
    return Key(value, origin)


def _from_file(spec: ModelSpec, folder: Path) -> str:
    path = Path(spec.api_key_file).expanduser()
    where = f"{spec.code}: {path}"
    if not path.is_absolute() or folder.resolve() in path.resolve().parents:
        raise EndpointError(
            f"{where}: a key must not stand in the case folder, which is handed on", hint="name it in full: ~/.keys/..."
        )
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid != os.getuid():
                raise EndpointError(f"{where}: others can read it", hint=f"chmod 600 {path}")
            return file.read(10_000).decode("ascii", "replace").strip()
    except OSError as error:
        raise EndpointError(
            f"{where}: {error.strerror or error}", hint="name a file with the key on one line"
        ) from error
