"""Manifests in the form of sha256sum: one line for each file, sorted by name, `<sha256>  <name>`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from depose.errors import EvidenceError
from depose.model.file_names import unfit

NAME = re.compile(r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._+-]+(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._+-]+)*\Z")
"""Relative, of plain letters, never up a folder: the same file everywhere it is unpacked."""
LINE = re.compile(rb"([0-9a-f]{64})  ([ -~]+)\Z")


def write(digests: Mapping[str, str]) -> bytes:
    """Write a manifest of files and their digests."""
    return "".join(f"{digests[name]}  {safe(name)}\n" for name in sorted(digests)).encode()


def read(data: bytes, name: str) -> dict[str, str]:
    """Read a manifest that `write` wrote; raise EvidenceError, with `name`, at the first line that it did not."""
    if not data.endswith(b"\n"):
        raise EvidenceError(f"{name}: empty or cut off", hint=_HINT)
    found: dict[str, str] = {}
    for number, line in enumerate(data[:-1].split(b"\n"), start=1):
        parts = LINE.match(line)
        if parts is None:
            raise EvidenceError(f"{name}: line {number} is not `<sha256>  <name>`", hint=_HINT)
        file = safe(parts[2].decode())
        if found and file <= next(reversed(found)):
            raise EvidenceError(f"{name}: line {number} is out of order or stands twice: {file}", hint=_HINT)
        found[file] = parts[1].decode()
    one_name: dict[str, str] = {}
    for file in found:
        if (other := one_name.setdefault(file.lower(), file)) != file:
            raise EvidenceError(f"{name}: {file} is one name with {other} on some disks", hint=_HINT)
    return found


def safe(name: str) -> str:
    """Return a name that may stand in a bundle; raise EvidenceError for one that leads elsewhere."""
    if not NAME.match(name) or unfit(name):
        raise EvidenceError(
            f"{name!r}: not a name that may stand in a bundle", hint="it may lead out of the folder; do not unpack it"
        )
    return name


_HINT = "the manifest was not written by depose, or was changed"
