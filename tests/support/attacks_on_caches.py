"""Traps in what a cache holds that somebody else may change: values made from texts, and models that were converted."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from depose.batch.kept import is_own, keep, kept, mark_folder
from depose.endpoints.weights import RECORD, Conversion, check_converted, record
from depose.errors import AnalysisError
from depose.features import own_cache, packaged
from depose.features.cache import remember
from depose.model.canonical import canonical
from traps import Place, Traps

ON_CACHES = Traps("findings or answers changed without a trace")


# --- the cache ------------------------------------------------------------------------------------


def _values(file: Path, *texts: str) -> list[bytes]:
    return list(remember(file, "maker", texts, lambda some: [f"value of {text}".encode() for text in some]))


def _poisoned(name: str, says: str, statement: str, *values: object) -> None:
    def spring(place: Place) -> object:
        file = place.folder / "cache" / "vectors.sqlite"
        _values(file, "a", "b")
        with closing(sqlite3.connect(file)) as db:
            db.execute(statement, values)
            db.commit()
        return _values(file, "a", "b")

    ON_CACHES.add(name, says)(spring)


MARK = "does not carry your mark"
_poisoned("a value of the cache replaced", MARK, "UPDATE made SET value = ?", b"x" * 50)
_poisoned("a value of the cache cut to nothing", MARK, "UPDATE made SET value = x''")
_poisoned("a value of the cache that is text", MARK, "UPDATE made SET value = 'vector'")
_poisoned("a bit of a value changed", MARK, "UPDATE made SET value = CAST(SUBSTR(value, 1, 40) || 'X' AS BLOB)")


@ON_CACHES.add("the values of two texts swapped", MARK)
def _(place: Place) -> object:
    file = place.folder / "cache" / "vectors.sqlite"
    _values(file, "a", "b")
    with closing(sqlite3.connect(file)) as db:
        (one, first), (two, second) = db.execute("SELECT id, value FROM made").fetchall()
        db.executemany("UPDATE made SET value = ? WHERE id = ?", [(second, one), (first, two)])
        db.commit()
    return _values(file, "a", "b")


@ON_CACHES.add("a value that another maker made, renamed", MARK)
def _(place: Place) -> object:
    file = place.folder / "cache" / "vectors.sqlite"
    list(remember(file, "weaker model", ["a"], lambda some: [b"value"] * len(some)))
    with closing(sqlite3.connect(file)) as db:
        db.execute("UPDATE makers SET name = 'maker'")
        db.commit()
    return _values(file, "a")


@ON_CACHES.add("a cache brought along from another user", MARK)
def _(place: Place) -> object:
    file = place.folder / "cache" / "vectors.sqlite"
    before = os.environ.get("XDG_CONFIG_HOME")
    os.environ["XDG_CONFIG_HOME"] = str(place.folder / "another")
    try:
        _values(file, "a")
    finally:
        os.environ.pop("XDG_CONFIG_HOME") if before is None else os.environ.update(XDG_CONFIG_HOME=before)
    return _values(file, "a")


@ON_CACHES.add("a cache folder that a group can write", "can be written by others; the cache is not used")
def _(place: Place) -> object:
    (place.folder / "cache").mkdir()
    (place.folder / "cache").chmod(0o770)
    return _values(place.folder / "cache" / "tags.sqlite", "a")


@ON_CACHES.add("a cache folder that is a link", "is a link, or no folder")
def _(place: Place) -> object:
    (place.folder / "real").mkdir(mode=0o700)
    (place.folder / "cache").symlink_to("real")
    return _values(place.folder / "cache" / "tags.sqlite", "a")


@ON_CACHES.add("a cache folder that others can replace", "can be replaced by others")
def _(place: Place) -> object:
    (place.folder / "open").mkdir()
    (place.folder / "open").chmod(0o777)
    return _values(place.folder / "open" / "cache" / "tags.sqlite", "a")


def _linked(end: str) -> None:
    def spring(place: Place) -> object:
        folder = own_cache.own_folder(place.folder / "cache")
        (folder / f"vectors.sqlite{end}").symlink_to(place.canary)
        return _values(folder / "vectors.sqlite", "a")

    ON_CACHES.add(f"a link in the place of the cache's file{end}", "is a link; the cache is not used")(spring)


for _end in ("", "-wal", "-journal"):
    _linked(_end)


# --- what a batch keeps ---------------------------------------------------------------------------


def _kept_of_a_batch(name: str, change: Callable[[Path], object]) -> None:
    """Add a trap: a row that is kept for the next run is another one by then."""

    def spring(place: Place) -> object:
        for row in ("a.json", "b.json"):
            keep(place.folder / row, b'{"t":1.1}' if row == "a.json" else b'{"t":9.9}')
        change(place.folder)
        return _made_again(kept(place.folder / "a.json"), place.folder / "a.json")

    ON_CACHES.add(f"a row of a batch {name}", "is made again")(spring)


def _made_again(found: object, path: Path) -> object:
    if not found:
        raise AnalysisError(f"{path}: does not carry your mark and is made again", hint="")
    return found


_kept_of_a_batch(
    "with other scores", lambda at: (at / "a.json").write_bytes((at / "a.json").read_bytes().replace(b"1.1", b"9.9"))
)
_kept_of_a_batch("without a mark", lambda at: (at / "a.json").write_bytes(b'{"t":9.9}'))
_kept_of_a_batch("that is another suspect's", lambda at: (at / "b.json").replace(at / "a.json"))


def _index_of_a_batch(name: str, change: Callable[[Path], object]) -> None:
    """Add a trap: the index of references and controls is another one by the next run."""

    def spring(place: Place) -> object:
        folder = place.folder / "index"
        folder.mkdir()
        for file in ("lengths.npy", "there.npy"):
            (folder / file).write_bytes(file.encode())
        mark_folder(folder, folder.name)
        change(folder)
        return _made_again(is_own(folder), folder)

    ON_CACHES.add(f"an index of a batch {name}", "is made again")(spring)


_index_of_a_batch("with other counts", lambda at: (at / "lengths.npy").write_bytes(b"longer"))
_index_of_a_batch("whose files were swapped", lambda at: (at / "there.npy").replace(at / "lengths.npy"))
_index_of_a_batch("with a file more", lambda at: (at / "more.npy").write_bytes(b""))
_index_of_a_batch("without a mark", lambda at: (at / "mark").unlink())


@ON_CACHES.add("a secret that others can read", "others can read or write it")
def _(place: Place) -> object:
    before = os.environ.get("XDG_CONFIG_HOME")
    os.environ["XDG_CONFIG_HOME"] = str(place.folder / "config")
    try:
        file = own_cache.secret_file()
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x" * own_cache.MARK)
        file.chmod(0o644)
        return _values(place.folder / "cache" / "vectors.sqlite", "a")
    finally:
        os.environ.pop("XDG_CONFIG_HOME") if before is None else os.environ.update(XDG_CONFIG_HOME=before)


def _laid_out(name: str, says: str, *statements: str, slow: bool = False) -> None:
    """Add a cache whose file was laid out otherwise."""

    def spring(place: Place) -> object:
        file = place.folder / "cache" / "vectors.sqlite"
        _values(file, "a", "b")
        with closing(sqlite3.connect(file)) as db:
            for statement in statements:
                db.execute(statement)
            db.commit()
        return _values(file, "a", "c")

    ON_CACHES.add(name, says, slow=slow)(spring)


_ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT"
_other = "its tables are not those of the cache"
_laid_out(
    "a table of the cache that is a view without end",
    _other,
    "DROP TABLE made",
    f"CREATE VIEW made AS {_ENDLESS} x AS id, 1 AS maker, '' AS digest, x'' AS value FROM c",
)
_laid_out(
    "a trigger of the cache that never ends",
    _other,
    f"CREATE TRIGGER t AFTER INSERT ON made BEGIN INSERT INTO makers (name) {_ENDLESS} 'm' || x FROM c; END",
)
_laid_out(
    "a column of the cache that is computed",
    _other,
    "ALTER TABLE makers ADD COLUMN more TEXT AS (zeroblob(100000000))",
)
_laid_out(
    "a cache of another format that is a view",
    _other,
    "PRAGMA user_version = 1",
    "DROP TABLE makers",
    f"CREATE VIEW makers AS {_ENDLESS} x FROM c",
)
_laid_out("a value of the cache larger than any", "too big", "UPDATE made SET value = zeroblob(140000000)", slow=True)


@ON_CACHES.add("a file of the cache that others may write", "vectors.sqlite: can be written by others")
def _(place: Place) -> object:
    file = place.folder / "cache" / "vectors.sqlite"
    _values(file, "a")
    file.chmod(0o666)
    return _values(file, "a")


@ON_CACHES.add("a pipe in the place of the cache's file", "is no regular file")
def _(place: Place) -> object:
    os.mkfifo(own_cache.own_folder(place.folder / "cache") / "vectors.sqlite")
    return _values(place.folder / "cache" / "vectors.sqlite", "a")


@ON_CACHES.add("a folder in the place of what SQLite keeps beside the cache", "vectors.sqlite-wal: is no regular file")
def _(place: Place) -> object:
    (own_cache.own_folder(place.folder / "cache") / "vectors.sqlite-wal").mkdir()
    return _values(place.folder / "cache" / "vectors.sqlite", "a")


# --- conversions ----------------------------------------------------------------------------------


OF = Conversion(source="ab" * 32, dtype="float32", transformers="5", files={})


def _converted(place: Place, made: Conversion | None = None) -> Path:
    target = place.folder / "converted"
    (target / "model").mkdir(parents=True, mode=0o700)
    target.chmod(0o700)
    weights = target / "model" / "model.safetensors"
    weights.write_bytes(b"weights")
    files = {"model.safetensors": packaged.file_digest(weights)}
    source = made or OF
    (target / RECORD).write_bytes(
        record(Conversion(source=source.source, dtype=source.dtype, transformers=source.transformers, files=files))
    )
    return target


@ON_CACHES.add("a converted model and the digests beside it replaced", MARK)
def _(place: Place) -> object:
    target = _converted(place)
    (target / "model" / "model.safetensors").write_bytes(b"others")
    kept = json.loads((target / RECORD).read_bytes())
    kept["conversion"]["files"]["model.safetensors"] = packaged.file_digest(target / "model" / "model.safetensors")
    (target / RECORD).write_bytes(canonical(kept))
    return check_converted(target, OF)


@ON_CACHES.add("a genuine conversion of another model in its place", "is the conversion of another model")
def _(place: Place) -> object:
    other = Conversion(source="cd" * 32, dtype="float32", transformers="5", files={})
    return check_converted(_converted(place, other), OF)


@ON_CACHES.add("a converted file that is a link", "a symbolic link, which may lead elsewhere tomorrow")
def _(place: Place) -> object:
    target = _converted(place)
    (target / "model" / "model.safetensors").rename(target / "moved")
    (target / "model" / "model.safetensors").symlink_to(target / "moved")
    return check_converted(target, OF)


@ON_CACHES.add("a file slipped into a conversion", "file does not belong to the pinned model")
def _(place: Place) -> object:
    target = _converted(place)
    (target / "model" / "adapter_config.json").write_text("{}")
    return check_converted(target, OF)


@ON_CACHES.add("a folder of a conversion that others may write", "can be written by others")
def _(place: Place) -> object:
    target = _converted(place)
    (target / "model").chmod(0o777)
    return check_converted(target, OF)


@ON_CACHES.add("a converted file that others may write", "model.safetensors: can be written by others")
def _(place: Place) -> object:
    target = _converted(place)
    (target / "model" / "model.safetensors").chmod(0o666)
    return check_converted(target, OF)
