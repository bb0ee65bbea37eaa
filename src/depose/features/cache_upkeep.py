"""What the cache folder holds, and emptying it: `depose cache info` and `depose cache clear`.

vectors.sqlite, tags.sqlite   what was made from texts (cache.py)
converted/                    models in another format (endpoints/weights.py)
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from depose.evidence import workspace
from depose.features import cache, own_cache
from depose.model import Record

FILES = ("vectors.sqlite", "tags.sqlite")
CONVERTED = "converted"


class Held(Record, frozen=True, kw_only=True):
    """One thing that the cache holds."""

    place: str
    """File or folder, relative to the cache."""
    what: str
    """Who made the entries, the name of a converted model, or what is wrong with the file."""
    entries: int
    """Texts; 1 for a model, 0 for what is damaged or was left by a kill."""
    bytes: int
    """Of the values, without keys; of all files for a model."""


class Info(Record, frozen=True, kw_only=True):
    """What a cache folder holds."""

    folder: str
    limit: int
    """Bytes that each file of texts takes at most."""
    held: tuple[Held, ...]
    bytes: int
    """On disk."""


class Cleared(Record, frozen=True, kw_only=True):
    """What emptying the cache freed."""

    folder: str
    entries: int
    bytes: int
    """Freed on disk."""


def info(folder: Path) -> Info:
    """Describe what the cache holds; writes no entry, and makes nothing where there is none."""
    held = [row for name in FILES if (folder / name).is_file() for row in _entries(folder / name)]
    for model in sorted(_inside(folder / CONVERTED)):
        left = model.name.startswith(workspace.PREFIX)
        what = "being made, or left by a kill" if left else model.name
        place = f"{CONVERTED}/{model.name}"
        held.append(Held(place=place, what=what, entries=int(not left), bytes=workspace.size(model)))
    return Info(folder=str(folder), limit=cache.LIMIT, held=tuple(held), bytes=workspace.size(folder))


def clear(folder: Path) -> Cleared:
    """Empty the cache. Runs that use it at the same time go on, and make again what they need.

    A file that others may have open is emptied, not removed; only a damaged one is removed. A model that is being
    converted is left alone. Raises AnalysisError where a file stays locked.
    """
    before = workspace.size(folder)
    models = _inside(folder / CONVERTED)  # first, since it refuses what leads elsewhere
    entries = sum(_empty(folder / name) for name in FILES if (folder / name).is_file())
    workspace.sweep(folder / CONVERTED)
    for model in models:
        if not model.name.startswith(workspace.PREFIX):
            with workspace.workspace(model.parent) as grave:
                # Moved first, so that nobody finds half of it.
                model.rename(grave / "model")
            entries += 1
    return Cleared(folder=str(folder), entries=entries, bytes=max(0, before - workspace.size(folder)))


def _inside(folder: Path) -> list[Path]:
    """List the folders within a folder, which is the user's own and no link; links within it are not followed."""
    if not os.path.lexists(folder):
        return []
    own_cache.check_folder(folder)
    return [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]


def _entries(file: Path) -> list[Held]:
    query = "SELECT name, COUNT(*), SUM(LENGTH(value)) FROM made JOIN makers ON makers.id = maker GROUP BY 1 ORDER BY 1"
    try:
        with closing(cache.connect(file)) as db:
            rows = db.execute(query).fetchall()
    except sqlite3.DatabaseError as error:
        if not cache.is_damage(error):
            raise cache.unusable(file, error) from error
        return [Held(place=file.name, what=f"damaged: {error}", entries=0, bytes=file.stat().st_size)]
    return [
        Held(place=file.name, what=str(maker), entries=count, bytes=max(0, total - own_cache.MARK * count))
        for maker, count, total in rows
    ]


def _empty(file: Path) -> int:
    try:
        with closing(cache.connect(file)) as db:
            count = db.execute("DELETE FROM made").rowcount
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.DatabaseError as error:
        if not cache.is_damage(error):
            raise cache.unusable(file, error) from error
        for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
            file.with_name(name).unlink(missing_ok=True)
        return 0
    return count
