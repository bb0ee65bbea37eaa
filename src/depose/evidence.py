"""The evidence folder: an append-only hash-chained log and blobs named by their digest.

    evidence/log.jsonl      one RFC 8785 line per event: seq, prev, at, kind, body
    evidence/blobs/<hex>    raw bytes, named by their SHA-256

`prev` is the SHA-256 of the line before (without its line feed), or 64 zeros. A chain shows every
change but one of its last line: whoever relies on it must compare the head with a seal.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import msgspec

from depose.canon import canonical, sha256
from depose.errors import CaseError, DeposeError, EvidenceError
from depose.model import Record

GENESIS = "0" * 64
Clock = Callable[[], str]
"""Returns the time now: UTC, ISO 8601, microseconds, `Z`."""


class Entry(Record, frozen=True, kw_only=True):
    """One line of the log."""

    seq: int
    prev: str
    at: str
    kind: str
    body: dict[str, Any]


class Chained(Record, frozen=True, kw_only=True):
    """An entry with the digest of its line."""

    entry: Entry
    digest: str


def log_path(case: Path) -> Path:
    """Where the log of a case stands."""
    return case / "evidence" / "log.jsonl"


def _lines(file: BinaryIO) -> Iterator[bytes]:
    for line in file:
        if line.endswith(b"\n"):
            yield line[:-1]


def read_log(case: Path) -> Iterator[Chained]:
    """Yield every entry, checking form, number and chain; raise EvidenceError at the first broken link.

    A last line without a line feed is what a kill leaves behind; it was never acknowledged and is skipped.
    """
    path = log_path(case)
    if not path.is_file():
        raise CaseError(f"{case}: nothing is registered yet", hint=f"depose register {case}")
    previous, expected = GENESIS, 0
    with path.open("rb") as file:
        for line in _lines(file):
            where = f"{path}: line {expected + 1}"
            try:
                entry = msgspec.json.decode(line, type=Entry)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise EvidenceError(f"{where} is not a record: {error}", hint=_hint()) from error
            if entry.seq != expected:
                raise EvidenceError(f"{where} has number {entry.seq}, not {expected}", hint=_hint())
            if entry.prev != previous:
                raise EvidenceError(f"{where} does not follow the line before it", hint=_hint())
            if _canonical_or_nothing(entry) != line:
                raise EvidenceError(f"{where} is not in canonical form", hint=_hint())
            previous, expected = sha256(line), expected + 1
            yield Chained(entry=entry, digest=previous)


def _canonical_or_nothing(entry: Entry) -> bytes:
    try:
        return canonical(entry)
    except DeposeError:  # a number that no log of ours can hold
        return b""


def _hint() -> str:
    return "the log was changed after it was written; work from a sealed copy"


class Log:
    """The log open for appending by one writer; use as a context manager."""

    def __init__(self, case: Path, clock: Clock) -> None:
        self._path = log_path(case)
        self._blobs = self._path.parent / "blobs"
        self._clock = clock
        self._case = case
        self._file: BinaryIO
        self._fresh_blobs = False
        self._seq = 0
        self._head = GENESIS

    def __enter__(self) -> Log:
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise CaseError(f"{self._path}: another depose is writing here", hint="wait for it to end") from error
        try:
            self._drop_torn_line()
            for chained in read_log(self._case):
                self._seq, self._head = chained.entry.seq + 1, chained.digest
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.sync()
        finally:
            self._file.close()

    @property
    def head(self) -> str:
        """Digest of the last line."""
        return self._head

    def _drop_torn_line(self) -> None:
        self._file.seek(0)
        data = self._file.read()
        if data and not data.endswith(b"\n"):
            self._file.truncate(data.rfind(b"\n") + 1)
            os.fsync(self._file.fileno())

    def append(self, kind: str, body: object) -> str:
        """Write one event and return its digest; it is safe on disk only after `sync`."""
        entry = Entry(seq=self._seq, prev=self._head, at=self._clock(), kind=kind, body=msgspec.to_builtins(body))
        line = canonical(entry)
        self._file.write(line + b"\n")
        self._seq, self._head = self._seq + 1, sha256(line)
        return self._head

    def store(self, data: bytes) -> str:
        """Keep raw bytes under their digest and return it; empty bytes are not kept."""
        if not data:
            return ""
        name = sha256(data)
        goal = self._blobs / name
        if not goal.exists():
            write_whole(goal, data)
            self._fresh_blobs = True
        return name

    def sync(self) -> None:
        """Force everything written so far to disk."""
        if self._fresh_blobs:
            _sync_folder(self._blobs)
            self._fresh_blobs = False
        self._file.flush()
        os.fsync(self._file.fileno())


def read_blob(case: Path, name: str) -> bytes:
    """Read a blob and check it against its name."""
    path = log_path(case).parent / "blobs" / name
    if len(name) != 64 or not set(name) <= set("0123456789abcdef"):
        raise EvidenceError(f"{name!r} is not the name of a blob", hint="names are SHA-256 in hex")
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise EvidenceError(f"{path}: missing", hint="restore it from a sealed copy") from error
    if sha256(data) != name:
        raise EvidenceError(f"{path}: its bytes do not have the digest {name}", hint="restore it from a sealed copy")
    return data


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all: temporary name, fsync, rename."""
    work = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with work.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        work.replace(path)
    finally:
        work.unlink(missing_ok=True)
