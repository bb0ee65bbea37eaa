"""Traps in files that somebody else made, for the machine of whoever reads them: they take more than they may."""

from __future__ import annotations

import os
import socket
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet

from depose import pipeline
from depose.batch import plan
from depose.case import annexes, casefile, model_table, packs, tables
from depose.case.parquet_table import columns_of
from depose.custody.seal import _mark
from depose.custody.verify import verify
from depose.errors import CaseError
from depose.evidence.log import Log
from depose.extraction import reading
from depose.extraction.sources import generic
from depose.weights.stores import open_weights
from fakes import Clock
from traps import Place, Traps

ON_READERS = Traps("a file that takes more than it may")
SLOW = (
    "Parquet of one text packed to nothing",
    "Parquet of thirty million empty rows",
    "an inspect log with a sample of 70 MB",
    "an inspect log of millions of empty objects",
    "CSV with a field of 20 MB",
    "JSON of fifteen million empty objects",
)
"""Traps that take seconds to lay or to spring."""


def _table(name: str, says: str, file: str, make: Callable[[Path], object]) -> None:
    def spring(place: Place) -> object:
        make(place.folder / file)
        return tables.read(place.folder / file)

    ON_READERS.add(name, says, slow=name in SLOW)(spring)


@ON_READERS.add("a case file of one dotted key", "takes more than|within .* MiB of memory")
def _(place: Place) -> object:
    (place.folder / "case.toml").write_text("a" + ".a" * 100_000 + " = 1\n")
    return casefile.read(place.folder)


@ON_READERS.add("a batch under a head of thousands of parts", "takes more than|within .* MiB of memory")
def _(place: Place) -> object:
    keys = "".join(f"k{number} = 1\n" for number in range(20_000))
    (place.folder / "batch.toml").write_text("[" + "a." * 50_000 + f"a]\n{keys}")
    return plan.read(place.folder / "batch.toml")


@ON_READERS.add("a mapping with quoted keys within keys", "takes more than|within .* MiB of memory")
def _(place: Place) -> object:
    (place.folder / "mapping.toml").write_text("columns = {" + '"a".' * 100_000 + "b = 1}\n")
    return generic.read(place.folder / "mapping.toml")


@ON_READERS.add("the words of a witness under a key without end", "takes more than|within .* MiB of memory")
def _(place: Place) -> object:
    (place.folder / "witness.toml").write_text("a. " * 60_000 + "b = 1\n")
    return annexes.read(place.folder)


@ON_READERS.add("a case file of nothing but comments", "lines, more than")
def _(place: Place) -> object:
    (place.folder / "case.toml").write_text("#\n" * 2_000_000)
    return casefile.read(place.folder)


@ON_READERS.add("a table of a million models", "lists 1000000 models, more than")
def _(place: Place) -> object:
    (place.folder / "models.csv").write_text("code,role\n" + "A,control\n" * 1_000_000)
    return model_table.read(place.folder / "models.csv")


@ON_READERS.add("a log in CSV with half a million columns", "the column 'c7' stands twice")
def _(place: Place) -> object:
    wide = ",".join(f"c{number}" for number in range(500_000))
    (place.folder / "log.csv").write_text(f"{wide},c7\n1\n")
    return list(reading.Reader(place.folder / "log.csv"))


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


# --- hollow files -----------------------------------------------------------------------------------


def _hollow(name: str, file: str, read: Callable[[Path], object], begins: bytes = b"") -> None:
    """Add a file that takes a page on the disk and says that it has a gigabyte."""

    def spring(place: Place) -> object:
        with (place.folder / file).open("wb") as made:
            made.write(begins)
            made.truncate(2**30)
        return read(place.folder / file)

    ON_READERS.add(f"{name} of a gigabyte of holes", "bytes, of which .* are there: the rest are holes")(spring)


def _weights(path: Path) -> object:
    with open_weights(path) as store:
        return store


_hollow("a table", "a.csv", tables.read, b"id,output\n")
_hollow("Parquet", "a.parquet", tables.read, b"PAR1")
_hollow("a pack", "a.pack", packs.read, packs.FIRST)
_hollow("a GGUF", "model.gguf", _weights, b"GGUF")
_hollow("a file of weights", "model.safetensors", lambda path: _weights(path.parent), bytes(8))
_hollow("a case file", "given.toml", lambda path: casefile.read(path.rename(path.with_name("case.toml")).parent))


def _in_findings(name: str, says: str, lay: Callable[[Path], object]) -> None:
    """Add findings in a case folder that is not one's own."""

    def spring(place: Place) -> object:
        (place.folder / "out").mkdir()
        lay(place.folder / "out" / "findings.json")
        return pipeline.read_findings(place.folder)

    ON_READERS.add(f"findings {name}", says)(spring)


_in_findings("that are a pipe", "not a file but a pipe", os.mkfifo)
_in_findings("with half a letter", "not findings of this version", lambda at: at.write_bytes(b'{"format":"\xff"}'))
_in_findings("that are a link", "a symbolic link", lambda at: at.symlink_to("/etc/passwd"))


@ON_READERS.add("a mark of a seal with half a letter", "not the mark of a seal")
def _(place: Place) -> object:
    file = place.folder / "evidence" / "seals" / "sealed.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(b'{"bundle":"\xff"}')
    return _mark(place.folder)
