"""A bundle as a zip file or as the folder that it unpacks to.

The zip stores files as they are, in order of their names, with every other byte fixed, so that there is one zip for
given contents and each byte of it is checked by writing it again. What is compressed, linked, doubled or hidden
between entries is therefore refused without being unpacked.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from depose.case.untrusted_files import opened
from depose.custody.manifest import safe
from depose.errors import EvidenceError, UsageError

BIG = 0xFFFFFFFF
MANY = 0xFFFF
_DATE = 0x21  # 1 January 1980
_UTF8 = 0x800
_CHUNK = 1024**2


class Bundle(Protocol):
    """Files by name."""

    name: str

    def sizes(self) -> dict[str, int]:
        """Name and size of every file."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        ...


class Content(NamedTuple):
    """What a zip says of one file."""

    size: int
    crc: int


def digest(file: BinaryIO) -> tuple[str, Content]:
    """Read a file once: its SHA-256, size and CRC-32."""
    sha, size, crc = hashlib.sha256(), 0, 0
    while chunk := file.read(_CHUNK):
        sha.update(chunk)
        crc = zlib.crc32(chunk, crc)
        size += len(chunk)
    return sha.hexdigest(), Content(size, crc)


# --- writing ----------------------------------------------------------------------------------------


def _local(name: bytes, is_: Content) -> bytes:
    extra = struct.pack("<HHQQ", 1, 16, is_.size, is_.size) if is_.size >= BIG else b""
    size, need = (BIG, 45) if extra else (is_.size, 20)
    head = struct.pack("<IHHHHHIIIHH", 0x04034B50, need, _UTF8, 0, 0, _DATE, is_.crc, size, size, len(name), len(extra))
    return head + name + extra


def _central(name: bytes, is_: Content, offset: int) -> bytes:
    big, far = is_.size >= BIG, offset >= BIG
    numbers = [is_.size, is_.size] * big + [offset] * far
    extra = struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers) if numbers else b""
    size, need = (BIG if big else is_.size), (45 if numbers else 20)
    mode = (stat.S_IFREG | 0o644) << 16
    head = struct.pack(
        "<IHHHHHHIIIHHHHHII",
        *(0x02014B50, 3 << 8 | need, need, _UTF8, 0, 0, _DATE, is_.crc, size, size),
        *(len(name), len(extra), 0, 0, 0, mode, BIG if far else offset),
    )
    return head + name + extra


def _end(count: int, size: int, offset: int) -> bytes:
    tail = b""
    if count >= MANY or size >= BIG or offset >= BIG:
        tail = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 3 << 8 | 45, 45, 0, 0, count, count, size, offset)
        tail += struct.pack("<IIQI", 0x07064B50, 0, offset + size, 1)
    counts = min(count, MANY)
    return tail + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, counts, counts, min(size, BIG), min(offset, BIG), 0)


def write_zip(goal: Path, files: Mapping[str, Path | bytes]) -> None:
    """Write a bundle, whole or not at all."""
    work = goal.with_name(f".{goal.name}.{os.getpid()}.tmp")
    directory: list[bytes] = []
    try:
        with work.open("wb") as out:
            for name in sorted(files):
                source = files[name]
                with open_source(source) as file:
                    is_ = digest(file)[1]
                encoded, offset = safe(name).encode(), out.tell()
                directory.append(_central(encoded, is_, offset))
                out.write(_local(encoded, is_))
                with open_source(source) as file:
                    while chunk := file.read(_CHUNK):
                        out.write(chunk)
            start = out.tell()
            out.writelines(directory)
            out.write(_end(len(directory), out.tell() - start, start))
            out.flush()
            os.fsync(out.fileno())
        work.replace(goal)
    finally:
        work.unlink(missing_ok=True)


def write_new(goal: Path, files: Mapping[str, Path | bytes]) -> Path:
    """Write a bundle and return its path: the goal, or with a number where another one has that name; none is lost."""
    made = goal.with_name(f".{goal.name}.new")
    write_zip(made, files)
    try:
        with made.open("rb") as file:
            wanted = digest(file)[0]
        free, number = goal, 1
        while True:
            try:
                free.hardlink_to(made)
                return free
            except FileExistsError:
                with free.open("rb") as file:
                    if digest(file)[0] == wanted:
                        return free
            except OSError:  # no links on this file system
                if not free.exists():
                    return made.rename(free)
            number += 1
            free = goal.with_name(f"{goal.stem}-{number}{goal.suffix}")
    finally:
        made.unlink(missing_ok=True)


def open_source(source: Path | bytes) -> BinaryIO:
    """Open a file, or bytes as if they were one."""
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


# --- reading ----------------------------------------------------------------------------------------


class _Part(io.RawIOBase):
    """A stretch of a file."""

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        self._file, self._at, self._end = file, offset, offset + size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = os.pread(self._file.fileno(), min(len(buffer), self._end - self._at), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _opened(path: Path) -> BinaryIO:
    """Open a regular file; what waits for somebody, as a pipe does, is refused and not waited for."""
    try:
        return opened(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}", hint="name a bundle, a copy or a proof") from error
    except ValueError as error:
        raise EvidenceError(f"{path}: {error}", hint="name a bundle, a copy or a proof") from error


def size_of(path: Path) -> int:
    """Return the size of a regular file."""
    with _opened(path) as file:
        return os.fstat(file.fileno()).st_size


def regular(path: Path, most: int) -> bytes:
    """Read a regular file of at most so many bytes."""
    with _opened(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise EvidenceError(f"{path}: has more than {most} bytes", hint="a file of this kind is not that large")
    return data


class Zipped:
    """A bundle in a zip file, every byte outside its files already checked."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._file = _opened(path)
        self._length = os.fstat(self._file.fileno()).st_size
        self._where: dict[str, tuple[int, Content]] = {}
        try:
            self._walk()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def sizes(self) -> dict[str, int]:
        """Name and size of every file."""
        return {name: is_.size for name, (_, is_) in self._where.items()}

    def crc(self, name: str) -> int:
        """CRC-32 that the zip states."""
        return self._where[name][1].crc

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        offset, is_ = self._where[name]
        return io.BufferedReader(_Part(self._file, offset, is_.size), _CHUNK)  # type: ignore[type-var]

    def _walk(self) -> None:
        """Go through the entries from the start and check the directory that follows them."""
        directory: list[bytes] = []
        last = ""
        while True:
            offset = self._file.tell()
            head = self._file.read(30)
            if head[:4] != b"PK\x03\x04":
                break
            name, is_ = self._entry(head, offset)
            if name <= last:
                raise self._bad(f"{name} is out of order, or there twice")
            self._where[name], last = (self._file.tell(), is_), name
            directory.append(_central(name.encode(), is_, offset))
            if self._file.tell() + is_.size > self._length:
                raise self._bad(f"{name} is said to have {is_.size} bytes, more than the bundle")
            self._file.seek(is_.size, os.SEEK_CUR)
        if not directory:
            raise self._bad("not a zip file with files in it")
        self._file.seek(offset)
        for expected in directory:
            found = self._file.read(len(expected))
            if found != expected:
                raise self._bad(_difference(found, expected))
        size = self._file.tell() - offset
        if self._file.read() != _end(len(directory), size, offset):
            raise self._bad("bytes after the directory, or a count that is wrong")

    def _entry(self, head: bytes, offset: int) -> tuple[str, Content]:
        if len(head) < 30:
            raise self._bad("it ends within an entry")
        *_, method, _time, _date, crc, _stored, size, name_length, extra_length = struct.unpack("<IHHHHHIIIHH", head)
        rest = self._file.read(name_length + extra_length)
        name, extra = rest[:name_length], rest[name_length:]
        if method != 0:
            raise self._bad(f"{name!r} is compressed, so that a small file may hide a huge one")
        if len(extra) == 20:
            size = struct.unpack("<HHQQ", extra)[2]
        try:
            shown = safe(name.decode())
        except UnicodeDecodeError as error:
            raise self._bad(f"{name!r} is not a name") from error
        is_ = Content(size, crc)
        if head + rest != _local(name, is_):
            raise self._bad(f"the entry of {shown} is not as depose writes it")
        return shown, is_

    def _bad(self, what: str) -> EvidenceError:
        return EvidenceError(f"{self.name}: {what}", hint="unpack nothing of it; ask for the bundle as it was sealed")


def _difference(found: bytes, expected: bytes) -> str:
    name = expected[46:].decode(errors="replace")[:80]
    if len(found) >= 46 and stat.S_ISLNK(struct.unpack("<I", found[38:42])[0] >> 16):
        return f"{name} is a symbolic link"
    return f"the directory entry of {name} is not as depose writes it"


class Unpacked:
    """A bundle that was unpacked into a folder."""

    def __init__(self, folder: Path) -> None:
        self.name = str(folder)
        self._folder = folder
        self._sizes: dict[str, int] = {}
        for place, folders, files in os.walk(folder):
            if not folders and not files:
                raise EvidenceError(f"{place}: an empty folder was added", hint="unpack the bundle again")
            for one in (*folders, *files):
                path = Path(place, one)
                name = path.relative_to(folder).as_posix()
                kind = path.lstat()
                if stat.S_ISLNK(kind.st_mode):
                    raise EvidenceError(f"{folder}: {name} is a symbolic link", hint="unpack the bundle again")
                if stat.S_ISREG(kind.st_mode):
                    self._sizes[safe(name)] = kind.st_size
                elif not stat.S_ISDIR(kind.st_mode):
                    raise EvidenceError(f"{folder}: {name} is not a file", hint="unpack the bundle again")

    def close(self) -> None:
        """Nothing is held."""

    def sizes(self) -> dict[str, int]:
        """Name and size of every file."""
        return self._sizes

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        try:
            return opened(self._folder / name)
        except (OSError, ValueError) as error:
            raise EvidenceError(f"{name}: {error}", hint="unpack the bundle again") from error


def open_bundle(path: Path) -> Zipped | Unpacked:
    """Open a bundle."""
    return Unpacked(path) if path.is_dir() else Zipped(path)
