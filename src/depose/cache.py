"""What was made from a text, kept in a SQLite file: the one cache, of sentence vectors and of tagged texts.

Entries are keyed by maker (model, formats, library versions) and SHA-256 of the text, so that what one maker made
is never taken for another's. Everything handed out is read back from the file, so that a hit and a miss give the
same bytes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from depose.canon import sha256
from depose.errors import AnalysisError

Make = Callable[[Sequence[str]], Iterable[bytes]]
"""Turns n texts, sorted by length, into n values."""

_COMMIT = 256
_FETCH = 500
_SCHEMA = """
CREATE TABLE IF NOT EXISTS made (
    maker TEXT NOT NULL, digest TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (maker, digest)
) WITHOUT ROWID
"""


def remember(file: Path | None, maker: str, texts: Sequence[str], make: Make) -> Iterator[bytes]:
    """Give the value of each text, making those that the file does not hold yet; without a file nothing is kept.

    Raises AnalysisError where the file is damaged.
    """
    digests = [sha256(text.encode("utf-8", "surrogatepass")) for text in texts]
    distinct = dict(zip(digests, texts, strict=True))
    try:
        with closing(_connect(file)) as db:
            found = _fetch(db, maker, distinct)
            missing = {key: text for key, text in distinct.items() if key not in found}
            if missing:
                _fill(db, maker, missing, make)
                found |= _fetch(db, maker, missing)
    except sqlite3.DatabaseError as error:
        raise damaged(file, str(error)) from error
    return (found[key] for key in digests)


def damaged(file: Path | None, what: str) -> AnalysisError:
    """Say that the file cannot be used, and what to do."""
    return AnalysisError(f"{file}: the cache is not usable: {what}", hint="remove the file; all of it is made again")


def _fill(db: sqlite3.Connection, maker: str, missing: dict[str, str], make: Make) -> None:
    by_length = sorted(missing.items(), key=lambda item: (len(item[1]), item[0]))
    for start in range(0, len(by_length), _COMMIT):
        part = by_length[start : start + _COMMIT]
        values = make([text for _, text in part])
        rows = [(maker, key, value) for (key, _), value in zip(part, values, strict=True)]
        with db:
            db.executemany("INSERT OR IGNORE INTO made VALUES (?, ?, ?)", rows)


def _connect(file: Path | None) -> sqlite3.Connection:
    if file is None:
        db = sqlite3.connect(":memory:")
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(file, timeout=60)
        db.execute("PRAGMA journal_mode=WAL")
    db.execute(_SCHEMA)
    return db


def _fetch(db: sqlite3.Connection, maker: str, keys: Iterable[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    wanted = list(keys)
    for start in range(0, len(wanted), _FETCH):
        part = wanted[start : start + _FETCH]
        marks = ",".join("?" * len(part))
        # Only question marks are put into the statement.
        query = f"SELECT digest, value FROM made WHERE maker = ? AND digest IN ({marks})"  # noqa: S608
        found.update(db.execute(query, (maker, *part)))
    return found
