"""The evidence folder: an append-only hash-chained log and blobs named by their digest.

    evidence/log.jsonl      one RFC 8785 line per event: seq, prev, at, kind, body
    evidence/blobs/<hex>    raw bytes, named by their SHA-256
    evidence/seals/         time-stamp tokens of single records, and the mark that the case is sealed

`prev` is the SHA-256 of the line before (without its line feed), or 64 zeros. A chain shows every
change but one of its last line: whoever relies on it must compare the head with a seal. A sealed case
takes no further record.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from depose.errors import CaseError, DeposeError, EvidenceError, shell
from depose.evidence.log_file import LogFile, RunsBackwardsError, failed, refuse_links, whole_lines
from depose.model import Record
from depose.model.canonical import UNREADABLE, canonical, sha256

GENESIS = "0" * 64
Clock = Callable[[], str]
"""Returns the time now: UTC, ISO 8601, microseconds, `Z`."""
HELD = 4 * 1024**2
"""Bytes of lines that wait for `sync` at most."""
CLOCK_STEP = timedelta(minutes=1)
"""A clock may be put back by this much, as time services do; then the log holds the time of the record before."""
SYNC_THREADS = 8
MOST_NESTED = 1_000_000
"""Lists and objects of one record at most."""
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"')
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
        raise CaseError(f"{case}: nothing is registered yet", hint=f"depose register {shell(case)}")
    with path.open("rb") as file:
        yield from chained(whole_lines(file), str(path))


def chained(lines: Iterable[bytes], name: str) -> Iterator[Chained]:
    """Yield the entries of lines that end in line feeds, checked as `read_log` checks them; `name` is for messages."""
    previous, expected = GENESIS, 0
    for ended in lines:
        line, where = ended[:-1], f"{name}: line {expected + 1}"
        if too_nested(line):
            raise EvidenceError(f"{where} holds more than {MOST_NESTED} lists and objects", hint=_hint())
        try:
            entry = msgspec.json.decode(line, type=Entry)
        except UNREADABLE as error:
            raise EvidenceError(f"{where} is not a record: {error}", hint=_hint()) from error
        if entry.seq != expected:
            raise EvidenceError(f"{where} has number {entry.seq}, not {expected}", hint=_hint())
        if entry.prev != previous:
            raise EvidenceError(f"{where} does not follow the line before it", hint=_hint())
        if _canonical_or_nothing(entry) != line:
            raise EvidenceError(f"{where} is not in canonical form", hint=_hint())
        previous, expected = sha256(line), expected + 1
        yield Chained(entry=entry, digest=previous)


def too_nested(data: bytes, most: int = MOST_NESTED) -> bool:
    """Tell whether JSON takes fifty times its size in memory, by what stands outside of its strings."""
    if data.count(b"{") + data.count(b"[") <= most:
        return False
    bare = _STRING.sub(b"", data)
    return bare.count(b"{") + bare.count(b"[") > most


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
    After a write that failed, or where the file was replaced, nothing more is taken before the log is opened again.
    """

    def __init__(self, case: Path, clock: Clock, each: Callable[[Chained], None] = lambda _: None) -> None:
        self._path = log_path(case)
        self._blobs = self._path.parent / "blobs"
        self._clock = clock
        self._case = case
        self._each = each
        self._file: LogFile
        self._refused: CaseError | None = None
        self._waiting: list[bytes] = []
        self._held = 0
        self._kept: set[str] = set()
        self._fresh: list[Path] = []
        self._seq = 0
        self._head = GENESIS
        self._written = self._first = (0, GENESIS)
        self._at = ""
        self._last: Chained

    def __enter__(self) -> Log:
        if is_sealed(self._case):
            raise CaseError(
                f"{self._case}: the case is sealed and takes no further record",
                hint="start a new case folder: depose new",
            )
        refuse_links(self._path.parent, self._blobs, *([self._case] if log_path(self._case.parent).exists() else ()))
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._file = LogFile(self._path)
        try:
            for found in read_log(self._case):
                self._seq, self._head, self._at = found.entry.seq + 1, found.digest, found.entry.at
                self._each(found)
        except BaseException:
            self._file.close()
            raise
        self._written = self._first = self._seq, self._head
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._refused is None or error is None:
                self.sync()
                self._look()
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

    def _time(self) -> str:
        """Read the clock; a clock that was put back by more than a step would date records before their causes."""
        now = self._clock()
        if self._at > now:
            if datetime.fromisoformat(self._at) - datetime.fromisoformat(now) > CLOCK_STEP:
                raise RunsBackwardsError(
                    f"{self._path}: the clock says {now}, but the last record was written at {self._at}",
                    hint="set the clock right; a log does not run backwards; if it is right, wait or begin a new case",
                )
            return self._at
        return now

    def append(self, kind: str, body: object) -> str:
        """Write one event and return its digest; it is safe on disk only after `sync`."""
        self._check()
        self._at = self._time()
        entry = Entry(seq=self._seq, prev=self._head, at=self._at, kind=kind, body=msgspec.to_builtins(body))
        line = canonical(entry)
        if too_nested(line):
            raise CaseError(f"{self._path}: a record of more than {MOST_NESTED} lists and objects", hint="ask for less")
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
            with self._writing(name) as work:
                work.write_bytes(data)
        return name

    def keep(self, file: Path) -> str:
        """Keep the bytes of a regular file under their digest and return it; an empty file is not kept.

        It is opened once, without following a link or waiting for a pipe, so that what was digested is what is kept.
        """
        try:
            source = os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
        except OSError as error:
            told = "a symbolic link" if file.is_symlink() else error.strerror or str(error)
            raise CaseError(f"{file}: {told}", hint="name the file itself, or copy it") from error
        with source:
            if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
                raise CaseError(f"{file}: not a file but a pipe, a socket or a device", hint="name a file")
            name = hashlib.file_digest(source, "sha256").hexdigest()
            if source.tell() == 0:
                return ""
            if self._is_new(name):
                with self._writing(name) as work:
                    source.seek(0)
                    with work.open("w+b") as copy:
                        shutil.copyfileobj(source, copy)
                        copy.seek(0)
                        if hashlib.file_digest(copy, "sha256").hexdigest() != name:
                            raise CaseError(f"{file}: was changed while it was read", hint="run the command again")
        return name

    @contextlib.contextmanager
    def _writing(self, name: str) -> Iterator[Path]:
        """Give the place of a blob in the making; it gets its name if all goes well."""
        self._check()
        work = self._blobs / f".{name}.{os.getpid()}.tmp"
        try:
            yield work
            work.replace(self._blobs / name)
        except OSError as error:
            raise self._refuse(failed(self._blobs / name, error, "")) from error
        finally:
            with contextlib.suppress(OSError):
                work.unlink(missing_ok=True)
        self._kept.add(name)
        self._fresh.append(self._blobs / name)

    def _is_new(self, name: str) -> bool:
        """Tell whether a blob must be written; one that a power cut left torn must be."""
        if name in self._kept:
            return False
        goal = self._blobs / name
        if goal.is_file() and sha256(goal.read_bytes()) == name:
            self._kept.add(name)
            return False
        return True

    def _check(self) -> None:
        """Raise again what ended the writing."""
        if self._refused is not None:
            raise CaseError(self._refused.message, hint=self._refused.hint)

    def _refuse(self, error: CaseError) -> CaseError:
        self._refused = error
        return error

    def sync(self) -> None:
        """Force everything written so far to disk: first the blobs, then the lines that name them."""
        self._check()
        if not self._fresh and not self._waiting:
            return
        self._look()
        try:
            if self._fresh:
                with ThreadPoolExecutor(SYNC_THREADS) as pool:  # asked for together, they share one commit of the disk
                    list(pool.map(_sync, self._fresh))
                _sync(self._blobs)
        except OSError as error:
            raise self._refuse(failed(self._blobs, error, "")) from error
        try:
            self._file.append(b"".join(self._waiting))
        except CaseError as error:
            raise self._refuse(error) from error.__cause__
        self._fresh.clear()
        self._waiting.clear()
        self._held = 0
        self._written = self._seq, self._head

    def _look(self) -> None:
        """Raise CaseError where the file at the path is no longer the one that was written, and keep what was."""
        wrong = self._file.look(self._still_holds)
        if not wrong:
            return
        goal = self._path.with_name(f"log-kept-{self._head[:12]}.jsonl")
        while goal.exists():
            goal = goal.with_name(f"{goal.stem}-again{goal.suffix}")
        try:
            whole = self._file.keep(goal, b"".join(self._waiting), self._is_beginning)
            kept = f"the log as this run wrote it is kept in {goal}"
            if not whole:
                kept = f"its {self._seq - self._first[0]} records of this run, from {self._first[0]} on, are in {goal}"
            hint = f"find out what replaced it, put {goal.name} in its place, and run the same command again"
            hint = hint if whole else f"put the log back as it was before this run, and append {goal.name} to it"
        except OSError as error:
            kept, hint = f"and what this run wrote cannot be kept: {error.strerror}", "work from a copy"
        raise self._refuse(CaseError(f"{self._path}: {wrong}: it was changed under the run; {kept}", hint=hint))

    def _still_holds(self) -> bool:
        """Read the log again: does it end in the record that was written last?"""
        with self._path.open("rb") as file:
            return _end_of(whole_lines(file), str(self._path)) == self._written

    def _is_beginning(self, lines: Iterator[bytes]) -> bool:
        return _end_of(lines, str(self._path)) == self._first


def _end_of(lines: Iterable[bytes], name: str) -> tuple[int, str]:
    """Return how many records lines are and the digest of the last; of what is no chain, nothing that is one."""
    seq, head = 0, GENESIS
    try:
        for found in chained(lines, name):
            seq, head = found.entry.seq + 1, found.digest
    except EvidenceError:
        return -1, ""
    return seq, head


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
    work.unlink(missing_ok=True)  # whatever lies there, it is not written through
    try:
        with work.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        work.replace(path)
    finally:
        work.unlink(missing_ok=True)
