"""What a batch keeps for its next run decides the matrix as much as an answer does: it carries its user's mark.

What somebody else put there, changed, or moved to another name is not believed: it is made again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from depose.evidence.log import write_whole
from depose.features import own_cache
from depose.model.canonical import canonical

MARK = "mark"
"""The file of a kept folder that holds the mark over all others."""


def keep(file: Path, data: bytes) -> None:
    """Write a file whole: the mark over its name and bytes, then these bytes."""
    write_whole(file, own_cache.mark(own_cache.secret(), file.name.encode(), data) + data)


def kept(file: Path) -> bytes | None:
    """Read the bytes that were kept; None where there is no file, or none with the user's mark."""
    if not file.is_file():
        return None
    raw = file.read_bytes()
    found, data = raw[: own_cache.MARK], raw[own_cache.MARK :]
    return data if own_cache.holds(own_cache.secret(), found, file.name.encode(), data) else None


def mark_folder(folder: Path, name: str) -> None:
    """Mark all files of a folder that will go by a name."""
    (folder / MARK).write_bytes(own_cache.mark(own_cache.secret(), name.encode(), _listed(folder)))


def is_own(folder: Path) -> bool:
    """Tell whether a folder holds just what was marked under its name: none but plain files, none changed."""
    if folder.is_symlink() or any(one.is_symlink() or not one.is_file() for one in folder.iterdir()):
        return False
    mark = folder / MARK
    found = mark.read_bytes() if mark.is_file() else b""
    return own_cache.holds(own_cache.secret(), found, folder.name.encode(), _listed(folder))


def _listed(folder: Path) -> bytes:
    return canonical([[one.name, _digest(one)] for one in sorted(folder.iterdir()) if one.name != MARK])


def _digest(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
