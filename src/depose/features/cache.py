"""What was made from a text, kept in a SQLite file: the one cache, of sentence vectors and of tagged texts.

Entries are keyed by maker (model, formats, library versions) and SHA-256 of the text, so that what one maker made
is never taken for another's. Everything handed out is read back from the file, so that a hit and a miss give the
same bytes. Each value carries its user's mark over both keys (`own_cache`); one without it is refused.

Many processes may read and write one file on a local disk; entries are written 256 at a time, whole or not at all.
A file that outgrows its limit drops what has gone longest without being used by a call that made something.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from depose.errors import AnalysisError
from depose.evidence.workspace import held
from depose.features import own_cache
from depose.model.canonical import sha256

Make = Callable[[Sequence[str]], Iterable[bytes]]
"""Turns n texts, sorted by length, into n values."""

LIMIT = 2 * 1024**3
"""Bytes that the entries of one file take at most."""
WAIT = 60.0
"""Seconds to wait for another process that is writing."""
LONGEST = 128 * 1024**2
"""Bytes of one value at most."""
_KEEP = 0.8
"""Share of the limit that is left when entries were dropped."""
_COMMIT = 256
_FETCH = 500
VERSION = 2
"""Of the file format; a file of another one is emptied."""
# Ids grow with every use, so that the oldest entries lie together and dropping them frees whole pages.
_SCHEMA = f"""
BEGIN IMMEDIATE;
DROP TABLE IF EXISTS made;
DROP TABLE IF EXISTS makers;
CREATE TABLE makers (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE made (
    id INTEGER PRIMARY KEY, maker INTEGER NOT NULL REFERENCES makers, digest TEXT NOT NULL, value BLOB NOT NULL,
    UNIQUE (maker, digest)
);
PRAGMA user_version = {VERSION};
COMMIT;
"""
_MAKER = "(SELECT id FROM makers WHERE name = ?)"
_INSERT = f"INSERT OR IGNORE INTO made (digest, value, maker) VALUES (?, ?, {_MAKER})"  # noqa: S608
_AGAIN = f"UPDATE made SET id = (SELECT MAX(id) + 1 FROM made) WHERE maker = {_MAKER} AND digest = ?"  # noqa: S608
_ROW = 150
"""Bytes that an entry takes beside its value, about."""


def remember(file: Path | None, maker: str, texts: Sequence[str], make: Make, *, limit: int = LIMIT) -> Iterator[bytes]:
    """Give the value of each text, making those that the file does not hold yet; without a file nothing is kept.

    Raises AnalysisError where the file is damaged, cannot be written, or holds what its user did not put there.
    """
    key_ = own_cache.secret() if file else secrets.token_bytes(own_cache.MARK)
    digests = [sha256(text.encode("utf-8", "surrogatepass")) for text in texts]
    distinct = dict(zip(digests, texts, strict=True))
    try:
        with closing(connect(file)) as db:
            found = _fetch(db, maker, distinct)
            missing = {key: text for key, text in distinct.items() if key not in found}
            if missing:
                with _writing(db):
                    _touch(db, maker, found)
                found |= _fill(db, maker, missing, _marking(make, missing, key_, maker), limit)
    except sqlite3.DatabaseError as error:
        raise unusable(file, error) from error
    values = {digest: _value(file, found[digest], key_, maker, digest) for digest in distinct}
    return (values[key] for key in digests)


def _marking(make: Make, texts: Mapping[str, str], key: bytes, maker: str) -> Make:
    """Put the user's mark before each value that is made."""
    digest_of = {text: digest for digest, text in texts.items()}

    def marked(some: Sequence[str]) -> Iterator[bytes]:
        for text, value in zip(some, make(some), strict=True):
            yield own_cache.mark(key, maker.encode(), digest_of[text].encode(), value) + value

    return marked


def _value(file: Path | None, kept: object, key: bytes, maker: str, digest: str) -> bytes:
    """Return a kept value without its mark; raises AnalysisError where the mark is not this user's, for this text."""
    if isinstance(kept, bytes):
        found, value = kept[: own_cache.MARK], kept[own_cache.MARK :]
        if own_cache.holds(key, found, maker.encode(), digest.encode(), value):
            return value
    raise AnalysisError(
        f"{file}: what it holds for the text {digest[:16]}... does not carry your mark: changed, or another's",
        hint="find out who writes there; then depose cache clear, and all of it is made again",
    )


def unusable(file: Path | None, error: sqlite3.DatabaseError) -> AnalysisError:
    """Say why SQLite cannot use the file, and what to do."""
    if is_damage(error):
        return damaged(file, str(error))
    return AnalysisError(
        f"{file}: the cache cannot be used: {error}",
        hint="set DEPOSE_CACHE to a folder on a local disk with room; another run may be writing there",
    )


def damaged(file: Path | None, what: str) -> AnalysisError:
    """Say that the file cannot be used, and what to do."""
    return AnalysisError(f"{file}: the cache is not usable: {what}", hint="remove the file; all of it is made again")


class _Foreign(sqlite3.DatabaseError):
    """A file whose tables are not those of the cache, or are none: a view or a trigger is a program without end."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Tell damage of the file from a lock, a full disk or a missing permission."""
    # The low byte is the kind of error; the rest only refines it.
    kinds = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_TOOBIG)
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in kinds


def connect(file: Path | None) -> sqlite3.Connection:
    """Open a cache file, made or brought up to date where needed; raises sqlite3.DatabaseError."""
    if file is None:
        return _prepared(sqlite3.connect(":memory:", isolation_level=None))
    own_cache.own_folder(file.parent)
    # SQLite refuses, instead of waiting, when two processes prepare one new file.
    with held(file.parent):
        own_cache.check_file(file)
        return _prepared(sqlite3.connect(file, timeout=WAIT, isolation_level=None))


def _prepared(db: sqlite3.Connection) -> sqlite3.Connection:
    try:
        db.execute("PRAGMA trusted_schema=OFF")
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
        db.execute("PRAGMA journal_mode=WAL")
        laid_out = _laid_out(db)
        if _number(db, "user_version") != VERSION and all(kind in ("table", "index") for kind, *_ in laid_out):
            db.executescript(_SCHEMA)
            laid_out = _laid_out(db)
        if laid_out != _ours():
            raise _Foreign("its tables are not those of the cache")
    except BaseException:
        db.close()
        raise
    return db


def _laid_out(db: sqlite3.Connection) -> set[tuple[str, ...]]:
    """List tables, indexes, views and triggers, as they were written."""
    return set(db.execute("SELECT type, name, tbl_name, COALESCE(sql, '') FROM sqlite_master"))


@cache
def _ours() -> set[tuple[str, ...]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.executescript(_SCHEMA)
        return _laid_out(db)


@contextmanager
def _writing(db: sqlite3.Connection) -> Iterator[None]:
    """Hold the write lock for one transaction; asked for at its start, it is waited for and never refused midway."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _number(db: sqlite3.Connection, pragma: str) -> int:
    return int(db.execute(f"PRAGMA {pragma}").fetchone()[0])


def _fill(db: sqlite3.Connection, maker: str, missing: dict[str, str], make: Make, limit: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    by_length = sorted(missing.items(), key=lambda item: (len(item[1]), item[0]))
    for start in range(0, len(by_length), _COMMIT):
        part = dict(by_length[start : start + _COMMIT])
        values = list(make(list(part.values())))
        with _writing(db):
            db.execute("INSERT OR IGNORE INTO makers (name) VALUES (?)", (maker,))
            rows = [(key, value, maker) for key, value in zip(part, values, strict=True)]
            db.executemany(_INSERT, rows)
            # Under the same lock, so that no other process drops them first; what another one wrote before counts.
            found |= _fetch(db, maker, part)
            _trim(db, limit)
    return found


def _trim(db: sqlite3.Connection, limit: int) -> None:
    """Where the file is above its limit, drop the oldest entries until it is well under."""
    used = (_number(db, "page_count") - _number(db, "freelist_count")) * _number(db, "page_size")
    if used <= limit:
        return
    oldest = db.execute("SELECT id, LENGTH(value) FROM made ORDER BY id")
    dropped = []
    while used > _KEEP * limit and (row := oldest.fetchone()):
        dropped.append(row[:1])
        used -= row[1] + _ROW
    oldest.close()
    db.executemany("DELETE FROM made WHERE id = ?", dropped)


def _touch(db: sqlite3.Connection, maker: str, keys: Iterable[str]) -> None:
    db.executemany(_AGAIN, [(maker, key) for key in keys])


def _fetch(db: sqlite3.Connection, maker: str, keys: Iterable[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    wanted = list(keys)
    for start in range(0, len(wanted), _FETCH):
        part = wanted[start : start + _FETCH]
        marks = ",".join("?" * len(part))
        # Only question marks are put into the statement.
        query = f"SELECT digest, value FROM made WHERE maker = {_MAKER} AND digest IN ({marks})"  # noqa: S608
        found.update(db.execute(query, (maker, *part)))
    return found
