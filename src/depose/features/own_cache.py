"""What makes a cache one's own: a folder that nobody else can write, and a secret that marks what one has put there.

A value of the cache decides scores as much as an answer does. Each therefore carries a mark, a hash under a secret of
its user (a file of mode 600 outside the cache), over all that it is kept by: who changed a value, moved it to another
text, or put it there on another machine, cannot make the mark.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from depose.errors import AnalysisError

MARK = 32
"""Bytes of a mark."""


def secret_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Say where the user's secret is kept: $XDG_CONFIG_HOME/depose, ~/.config/depose."""
    base = environ.get("XDG_CONFIG_HOME")
    return (Path(base).expanduser().absolute() if base else Path.home() / ".config") / "depose" / "cache-secret"


def secret() -> bytes:
    """Return the user's secret, made the first time; raises AnalysisError where it is not the user's alone."""
    return _secret(secret_file())


@lru_cache(maxsize=4)
def _secret(path: Path) -> bytes:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.path.lexists(path):
            _make(path)
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:  # noqa: PTH123  # of a descriptor
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
                raise AnalysisError(f"{path}: others can read or write it", hint=f"remove {path}; a new one is made")
            data = file.read(MARK + 1)
    except OSError as error:
        raise AnalysisError(
            f"{path}: the secret that marks the cache cannot be used: {error.strerror or error}",
            hint="set XDG_CONFIG_HOME to a folder of your own",
        ) from error
    if len(data) != MARK:
        raise AnalysisError(f"{path}: not a secret of {MARK} bytes", hint=f"remove {path}; a new one is made")
    return data


def _make(path: Path) -> None:
    """Make the secret whole or not at all; of several processes that do, one wins."""
    work = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123  # of a descriptor
            file.write(secrets.token_bytes(MARK))
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(work)
    finally:
        work.unlink()


def mark(key: bytes, *parts: bytes) -> bytes:
    """Mark some bytes, each part by its length, so that no two lists of parts are marked alike."""
    made = hashlib.blake2b(key=key, digest_size=MARK, person=b"depose cache")
    for part in parts:
        made.update(len(part).to_bytes(8, "big"))
        made.update(part)
    return made.digest()


def holds(key: bytes, found: bytes, *parts: bytes) -> bool:
    """Tell whether a mark is that of these bytes."""
    return hmac.compare_digest(found, mark(key, *parts))


def own_folder(folder: Path) -> Path:
    """Return a folder of the cache, made where there is none; raises AnalysisError unless it is the user's alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    check_folder(folder)
    return folder


def check_folder(folder: Path) -> None:
    """Raise AnalysisError for a folder of the cache that is a link, another's, or writable by others."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise _foreign(folder, "is a link, or no folder")
    _owned(folder, found, ", after a look at what is in it")
    for parent in folder.resolve().parents:
        above = parent.stat()
        if above.st_mode & 0o002 and not above.st_mode & stat.S_ISVTX:
            raise _foreign(folder, f"can be replaced by others, who may write {parent}")


def check_file(file: Path) -> None:
    """Raise AnalysisError for a file of the cache, or one that SQLite keeps beside it, that is not the user's own."""
    for name in (file.name, *(f"{file.name}-{end}" for end in ("wal", "shm", "journal"))):
        path = file.with_name(name)
        if not os.path.lexists(path):
            continue
        check_own(path)


def check_own(path: Path) -> None:
    """Raise AnalysisError for what is no regular file, another's, or writable by others."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise _foreign(path, "is a link")
    if not stat.S_ISREG(found.st_mode):
        raise _foreign(path, "is no regular file")
    _owned(path, found)


def _owned(path: Path, found: os.stat_result, first: str = "") -> None:
    if found.st_uid != os.geteuid():
        raise _foreign(path, "belongs to another user")
    if found.st_mode & 0o022:
        raise _foreign(path, "can be written by others", f"chmod go-w {path}{first}; or ")


def _foreign(path: Path, what: str, first: str = "") -> AnalysisError:
    return AnalysisError(
        f"{path}: {what}; the cache is not used", hint=f"{first}set DEPOSE_CACHE to a folder of your own"
    )
