"""The evidence folder: an append-only hash-chained log and blobs named by their digest.

    evidence/log.jsonl      one RFC 8785 line per event: seq, prev, at, kind, body
    evidence/blobs/<hex>    raw bytes, named by their SHA-256
    evidence/seals/         time-stamp tokens of single records, and the mark that the case is sealed

`prev` is the SHA-256 of the line before (without its line feed), or 64 zeros. A chain shows every
change but one of its last line: whoever relies on it must compare the head with a seal. A sealed case
takes no further record.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import msgspec

from depose.errors import CaseError, DeposeError, EvidenceError
from depose.model import Record
from depose.model.canonical import canonical, sha256

GENESIS = "0" * 64
Clock = Callable[[], str]
"""Returns the time now: UTC, ISO 8601, microseconds, `Z`."""
HELD = 4 * 1024**2
"""Bytes of lines that wait for `sync` at most."""
CLOCK_STEP = timedelta(minutes=1)
"""A clock may be put back by this much, as time services do; then the log holds the time of the record before."""
SYNC_THREADS = 8
SEALED = "sealed.json"


def utc_now() -> str:
    """Return the time of this machine: the clock of every run that is not a test."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


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


def seals_folder(case: Path) -> Path:
    """Where time-stamp tokens and the mark of a seal stand."""
    return case / "evidence" / "seals"


def is_sealed(case: Path) -> bool:
    """Tell whether the case was sealed and takes no further record."""
    return (seals_folder(case) / SEALED).is_file()


def read_log(case: Path) -> Iterator[Chained]:
    """Yield every entry, checking form, number and chain; raise EvidenceError at the first broken link.

    A last line without a line feed is what a kill leaves behind; it was never acknowledged and is skipped.
    """
    path = log_path(case)
    if not path.is_file():
        raise CaseError(f"{case}: nothing is registered yet", hint=f"depose register {case}")
    with path.open("rb") as file:
        yield from chained((line for line in file if line.endswith(b"\n")), str(path))


def chained(lines: Iterable[bytes], name: str) -> Iterator[Chained]:
    """Yield the entries of lines that end in line feeds, checked as `read_log` checks them; `name` is for messages."""
    previous, expected = GENESIS, 0
    for ended in lines:
        line, where = ended[:-1], f"{name}: line {expected + 1}"
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
    """The log open for appending by one writer; use as a context manager.

    `each` is handed every record that stands there, so that whoever needs them does not read the log again.
    Lines reach the file at `sync`, after the blobs that they name, so that no record ever names what is not there.
    """

    def __init__(self, case: Path, clock: Clock, each: Callable[[Chained], None] = lambda _: None) -> None:
        self._path = log_path(case)
        self._blobs = self._path.parent / "blobs"
        self._clock = clock
        self._case = case
        self._each = each
        self._file: BinaryIO
        self._waiting: list[bytes] = []
        self._held = 0
        self._kept: set[str] = set()
        self._fresh: list[Path] = []
        self._seq = 0
        self._head = GENESIS
        self._at = ""
        self._last: Chained

    def __enter__(self) -> Log:
        if is_sealed(self._case):
            raise CaseError(
                f"{self._case}: the case is sealed and takes no further record",
                hint="start a new case folder: depose new",
            )
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise CaseError(f"{self._path}: another depose is writing here", hint="wait for it to end") from error
        try:
            self._drop_torn_line()
            for found in read_log(self._case):
                self._seq, self._head, self._at = found.entry.seq + 1, found.digest, found.entry.at
                self._each(found)
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

    @property
    def records(self) -> int:
        """How many records it holds."""
        return self._seq

    @property
    def last(self) -> Chained:
        """The record that was appended last."""
        return self._last

    def _drop_torn_line(self) -> None:
        """Cut off what a kill left of a last line; read from the end, because a log may be large."""
        end = size = self._file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - 65_536)
            self._file.seek(start)
            last = self._file.read(end - start).rfind(b"\n")
            if last >= 0:
                end = start + last + 1
                break
            end = start
        if end < size:
            self._file.truncate(end)
            os.fsync(self._file.fileno())

    def _time(self) -> str:
        """Read the clock; a clock that was put back by more than a step would date records before their causes."""
        now = self._clock()
        if self._at > now:
            if datetime.fromisoformat(self._at) - datetime.fromisoformat(now) > CLOCK_STEP:
                raise CaseError(
                    f"{self._path}: the clock says {now}, but the last record was written at {self._at}",
                    hint="set the clock right; a log does not run backwards",
                )
            return self._at
        return now

    def append(self, kind: str, body: object) -> str:
        """Write one event and return its digest; it is safe on disk only after `sync`."""
        self._at = self._time()
        entry = Entry(seq=self._seq, prev=self._head, at=self._at, kind=kind, body=msgspec.to_builtins(body))
        line = canonical(entry)
        self._waiting.append(line + b"\n")
        self._held += len(line) + 1
        self._seq, self._head = self._seq + 1, sha256(line)
        self._last = Chained(entry=entry, digest=self._head)
        if self._held > HELD:
            self.sync()
        return self._head

    def store(self, data: bytes) -> str:
        """Keep raw bytes under their digest and return it; empty bytes are not kept."""
        if not data:
            return ""
        name = sha256(data)
        if self._is_new(name):
            work = self._work(name)
            work.write_bytes(data)
            self._put(work, name)
        return name

    def keep(self, file: Path) -> str:
        """Keep the bytes of a file under their digest and return it; an empty file is not kept."""
        with file.open("rb") as source:
            name = hashlib.file_digest(source, "sha256").hexdigest()
        if file.stat().st_size == 0:
            return ""
        if self._is_new(name):
            work = self._work(name)
            shutil.copyfile(file, work)
            with work.open("rb") as copy:
                if hashlib.file_digest(copy, "sha256").hexdigest() != name:
                    work.unlink()
                    raise CaseError(f"{file}: was changed while it was read", hint="run the command again")
            self._put(work, name)
        return name

    def _work(self, name: str) -> Path:
        return self._blobs / f".{name}.{os.getpid()}.tmp"

    def _is_new(self, name: str) -> bool:
        """Tell whether a blob must be written; one that a power cut left torn must be."""
        if name in self._kept:
            return False
        self._kept.add(name)
        goal = self._blobs / name
        return not goal.is_file() or sha256(goal.read_bytes()) != name

    def _put(self, work: Path, name: str) -> None:
        work.replace(self._blobs / name)
        self._fresh.append(self._blobs / name)

    def sync(self) -> None:
        """Force everything written so far to disk: first the blobs, then the lines that name them."""
        if not self._fresh and not self._waiting:
            return
        if self._fresh:
            with ThreadPoolExecutor(SYNC_THREADS) as pool:  # asked for together, they share one commit of the disk
                list(pool.map(_sync, self._fresh))
            _sync(self._blobs)
            self._fresh.clear()
        self._file.write(b"".join(self._waiting))
        self._waiting.clear()
        self._held = 0
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


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
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
