"""Folders in which something large is made: held while the maker lives, swept when it was killed.

The kernel drops a lock with the process that holds it, so that what a kill left behind can be told from what is
still being made, on one machine.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = ".making-"


@contextmanager
def workspace(parent: Path) -> Iterator[Path]:
    """Give a new folder in `parent` and remove what is left of it; what others left in `parent` is swept first."""
    parent.mkdir(parents=True, exist_ok=True)
    # Under one lock, so that no folder is swept before it is held.
    with held(parent):
        _sweep(parent)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def sweep(parent: Path) -> int:
    """Remove the folders that nobody holds any more, and return how many bytes that freed."""
    if not parent.is_dir():
        return 0
    with held(parent):
        return _sweep(parent)


def size(folder: Path) -> int:
    """Return the bytes of all files below a folder, as far as they do not vanish meanwhile."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(root) / name).lstat().st_size
            except FileNotFoundError:
                continue
    return total


def _sweep(parent: Path) -> int:
    freed = 0
    for folder in sorted(parent.glob(f"{PREFIX}*")):
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except (FileNotFoundError, NotADirectoryError):
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            freed += size(folder)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass  # its maker lives
        finally:
            os.close(handle)
    return freed


@contextmanager
def held(parent: Path) -> Iterator[None]:
    """Let one process at a time do what follows in a folder; the others wait."""
    handle = os.open(parent, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
