"""Traps in files that somebody else made or may change, for the reader's machine and for its cache and weights."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import struct
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from depose.case import annexes, casefile, tables
from depose.case.parquet_table import columns_of
from depose.custody.verify import verify
from depose.endpoints.chat_template import render
from depose.endpoints.model_folder import ModelFiles
from depose.endpoints.weights import RECORD, Conversion, check_converted, record
from depose.errors import AnalysisError, CaseError, EndpointError
from depose.evidence.log import Log
from depose.features import own_cache, packaged
from depose.features.cache import remember
from depose.model import spreadsheet
from depose.model.canonical import canonical
from fakes import Clock
from traps import Place, Traps

ON_CACHES = Traps("findings or answers changed without a trace")
ON_READERS = Traps("a file that takes more than it may")
ON_SPREADSHEETS = Traps("a formula in a table")
SLOW = (
    "Parquet of one text packed to nothing",
    "Parquet of thirty million empty rows",
    "an inspect log with a sample of 70 MB",
    "an inspect log of millions of empty objects",
    "CSV with a field of 20 MB",
    "JSON of fifteen million empty objects",
    "loops within loops",
    "a text of ten gigabytes",
    "a way to other classes",
)
"""Traps that take seconds to lay or to spring."""


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


# --- folders of weights ---------------------------------------------------------------------------


def _weights(name: str, says: str, file: str, content: Any) -> None:
    def spring(place: Place) -> object:
        folder = place.folder / "model"
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"decoy")
        (folder / "config.json").write_text("{}")
        (folder / file).write_text(json.dumps(content))
        return ModelFiles(folder, "model S1")

    ON_CACHES.add(name, says)(spring)


_out = "which is none of the files of the folder"
_weights(
    "an index of shards that leads out",
    _out,
    "model.safetensors.index.json",
    {"weight_map": {"a": "../real.safetensors"}},
)
_weights(
    "an index that names a shard in full",
    _out,
    "x.safetensors.index.json",
    {"weight_map": {"a": "/models/a.safetensors"}},
)
_weights(
    "an index that names a folder within",
    _out,
    "model.safetensors.index.json",
    {"weight_map": {"a": "sub/a.safetensors"}},
)
_weights("a tokenizer of another place", _out, "tokenizer_config.json", {"tokenizer_file": "/tmp/other/tokenizer.json"})  # noqa: S108
_weights(
    "a list of tokenizers that leads out",
    _out,
    "tokenizer_config.json",
    {"fast_tokenizer_files": ["../tokenizer.4.json"]},
)
_weights(
    "weights that the configuration names elsewhere",
    _out,
    "config.json",
    {"transformers_weights": "../real.safetensors"},
)
_weights(
    "a vocabulary of another place, deep down", _out, "adapter_config.json", {"a": [{"b": {"vocab_file": "../v.json"}}]}
)


@ON_CACHES.add("an index nested without end", "not JSON|recursion")
def _(place: Place) -> object:
    folder = place.folder / "model"
    folder.mkdir()
    (folder / "model.safetensors.index.json").write_text("[" * 1_000_000)
    return ModelFiles(folder, "model S1")


_weights(
    "a model of a billion layers", "num_hidden_layers is 1000000000, too", "config.json", {"num_hidden_layers": 10**9}
)
_weights("a model with more words than weights", "vocab_size is .*, too", "config.json", {"a": {"vocab_size": 2**40}})


@ON_CACHES.add("weights that are a link", "a symbolic link; name the file")
def _(place: Place) -> object:
    folder = place.folder / "model"
    folder.mkdir()
    (folder / "model.safetensors").symlink_to(place.canary)
    return ModelFiles(folder, "model S1")


@ON_CACHES.add("weights that are changed while they are loaded", "was changed while it was loaded")
def _(place: Place) -> object:
    folder = place.folder / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"genuine")
    with ModelFiles(folder, "model S1"):
        (folder / "model.safetensors").write_bytes(b"another, longer")
    return None


@ON_CACHES.add("weights that are exchanged while they are loaded", "was changed while it was loaded")
def _(place: Place) -> object:
    folder = place.folder / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"genuine")
    with ModelFiles(folder, "model S1"):
        (folder / "other").write_bytes(b"another")
        (folder / "other").rename(folder / "model.safetensors")
    return None


# --- tables ---------------------------------------------------------------------------------------


def _table(name: str, says: str, file: str, make: Callable[[Path], object]) -> None:
    def spring(place: Place) -> object:
        make(place.folder / file)
        return tables.read(place.folder / file)

    ON_READERS.add(name, says, slow=name in SLOW)(spring)


def _dictionary(path: Path) -> None:
    """A Parquet file in which thousands of rows are one long text."""
    index = pyarrow.array([0] * 4_000, pyarrow.int32())
    text = pyarrow.DictionaryArray.from_arrays(index, pyarrow.array(["x" * 1_000_000]))
    table = pyarrow.table({"prompt": [str(n) for n in range(4_000)], "output": text})
    pyarrow.parquet.write_table(table, path, compression="zstd", store_schema=False)


def _one_value(path: Path) -> None:
    """A Parquet file of one text that is packed to nothing."""
    table = pyarrow.table({"prompt": ["a"], "output": ["y" * 420_000_000]})
    pyarrow.parquet.write_table(table, path, compression="zstd", use_dictionary=False, write_statistics=False)


def _many_rows(path: Path) -> None:
    """A Parquet file of thirty million empty rows."""
    table = pyarrow.table({"prompt": pyarrow.nulls(30_000_000, pyarrow.string())})
    pyarrow.parquet.write_table(table, path, compression="zstd")


def _no_parquet(path: Path) -> None:
    path.write_bytes(b"PAR1" + b"\x15\x04" * 500 + struct.pack("<I", 2**31 - 1) + b"PAR1")


_memory = "takes more than 1024 MiB|within 1024 MiB of memory|takes more than .* s "
_table("Parquet whose rows are one long text", _memory, "a.parquet", _dictionary)
_table("Parquet of one text packed to nothing", _memory, "a.parquet", _one_value)
_table("Parquet of thirty million empty rows", _memory, "a.parquet", _many_rows)
_table("Parquet with a footer longer than the file", "a.parquet: ", "a.parquet", _no_parquet)


def _eval(path: Path, sample: bytes, said: int | None = None) -> None:
    """An inspect log whose samples say of their own size what they like."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", '{"eval": {"model": "m"}}')
        archive.writestr("samples/1_epoch_1.json", sample)
    if said is not None:
        data = path.read_bytes()
        path.write_bytes(data.replace(struct.pack("<I", len(sample)), struct.pack("<I", said)))


_large = b'{"id": "a", "epoch": 1, "input": "' + b"x" * 70_000_000 + b'"}'
_wide = b'{"epoch": 1, "a": [' + b"{}," * 20_000_000 + b"{}]}"
_table("an inspect log with a sample of 70 MB", "unpacks to more than", "a.eval", lambda p: _eval(p, _large))
_table("an inspect log that lies about the size of a sample", "a.eval: ", "a.eval", lambda p: _eval(p, _large, 1000))
_table("an inspect log of millions of empty objects", _memory, "a.eval", lambda p: _eval(p, _wide))

_keys = "{" + ",".join(f'"k{n}": 1' for n in range(60_000)) + ', "k0": 2}'
_table(
    "JSON with sixty thousand keys, one of them twice",
    "'k0' stands twice",
    "a.json",
    lambda p: p.write_text(f"[{_keys}]"),
)
_table("JSON nested a million deep", "recursion|deep", "a.json", lambda p: p.write_text("[" * 1_000_000))
_table(
    "JSON with a number of a million digits", "digits", "a.json", lambda p: p.write_text("[" + "9" * 1_000_000 + "]")
)
_table("CSV with a field of 20 MB", "field larger than field limit|" + _memory, "a.csv",
       lambda p: p.write_text("id,output\na,\"" + "x" * 20_000_000 + '"\n'))  # fmt: skip
_table(
    "JSON of fifteen million empty objects",
    _memory,
    "a.jsonl",
    lambda p: p.write_text("[" + "{}," * 15_000_000 + "{}]"),
)
_table("a pipe for a table", "not a file but a pipe", "a.csv", os.mkfifo)
_table("a pipe for Parquet", "not a file but a pipe", "a.parquet", os.mkfifo)
_table("an endless device for a table", "a symbolic link", "a.jsonl", lambda p: p.symlink_to("/dev/zero"))


def _into_the_log(name: str, says: str, make: Callable[[Path], object]) -> None:
    def spring(place: Place) -> object:
        make(place.folder / "a.csv")
        with Log(place.folder, Clock()) as log:
            return log.keep(place.folder / "a.csv")

    ON_READERS.add(name, says)(spring)


_into_the_log("a link for a file that goes into the log", "a symbolic link", lambda p: p.symlink_to("/etc/passwd"))
_into_the_log("a pipe for a file that goes into the log", "not a file but a pipe", os.mkfifo)
_into_the_log("a device for a file that goes into the log", "a symbolic link", lambda p: p.symlink_to("/dev/zero"))


@ON_READERS.add("a population packed to nothing, in a batch", _memory, slow=True)
def _(place: Place) -> object:
    _one_value(place.folder / "a.parquet")
    try:
        return columns_of(place.folder / "a.parquet", ("output",), tables.LARGEST)
    except ValueError as error:
        raise CaseError(str(error), hint="-") from error


def _bound(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        before = Path.cwd()
        os.chdir(path.parent)  # a socket's name may be short only
        try:
            made.bind(path.name)
        finally:
            os.chdir(before)


_table("a socket for a table", "No such device|not a file", "a.csv", _bound)


@ON_READERS.add("waivers that are a pipe", "not a file but a pipe")
def _(place: Place) -> object:
    os.mkfifo(place.folder / annexes.WAIVERS)
    return annexes.read(place.folder)


@ON_READERS.add("a case file that is a pipe", "not a file but a pipe")
def _(place: Place) -> object:
    os.mkfifo(place.folder / casefile.NAME)
    return casefile.read(place.folder)


@ON_READERS.add("a calibration that is a pipe", "neither bundled nor a file: not a file but a pipe")
def _(place: Place) -> object:
    from depose.case import calibration

    os.mkfifo(place.folder / "mine.json")
    return calibration.load("mine.json", place.folder)


@ON_READERS.add("a bundle that is a pipe", "not a file but a pipe")
def _(place: Place) -> object:
    os.mkfifo(place.folder / "bundle.zip")
    return verify(place.folder / "bundle.zip")


# --- chat templates -------------------------------------------------------------------------------


class _Tokenizer:
    special_tokens_map: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, template: str) -> None:
        self.chat_template = template

    def get_chat_template(self) -> str:
        return self.chat_template


def _template(name: str, says: str, template: str) -> None:
    def spring(place: Place) -> object:
        (made,) = render(_Tokenizer(template), [[{"role": "user", "content": "Hi"}]], pinned=False)
        raise EndpointError(made.refused)  # the question fails with this reason, and the run goes on

    ON_READERS.add(f"a chat template with {name}", says, slow=name in SLOW)(spring)


_loop = "{% for a in range(99999) %}"
_template("loops within loops", "takes more than .* s ", f"{_loop}{_loop}{'{% endfor %}' * 2}")
_template("a text of ten gigabytes", "MiB of memory|refuses the messages", "{{ 'x' * 9999999999 }}")
_template("an arithmetic error", "refuses the messages: .*division", "{{ 1 // 0 }}")
_template("a way to other classes", "refuses the messages: .*unsafe", "{{ messages.__class__.__mro__ }}")


# --- spreadsheets ---------------------------------------------------------------------------------


def _formula(name: str, text: str) -> None:
    def spring(place: Place) -> object:
        data = spreadsheet.write([["prompt", "rank"], [text, 1]])
        (_, (found, _)) = spreadsheet.read(data)
        written = data.decode().splitlines()[1].lstrip('"')
        if found != text or not written.startswith("'"):
            raise AssertionError(f"{text!r} was written as {written!r}")
        raise AnalysisError(f"written as {written[:20]!r}")

    ON_SPREADSHEETS.add(f"a prompt id that is {name}", "^written as [\"']'")(spring)


_formula("a command", "=cmd|' /C calc'!A0")
_formula("a sum that starts a command", "@SUM(1+9)*cmd")
_formula("a formula after a space that nobody sees", "\u200b=1+1")
_formula("a formula in wide letters", "＝1+1")
_formula("a formula after an apostrophe", "'=1+1")
