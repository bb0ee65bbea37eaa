"""Bytes of a log, unpacked: gzip, zstd or bzip2; and what a file is that is no log, also where it is packed.

Apart from `reading`, which is of rows: here nothing knows what a record is.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator

CHUNK = 1024**2
BOM = b"\xef\xbb\xbf"
_UNPACK = "unpack it, and name the log or the folder"
_NATIVE = "ask for the native export: JSON, CSV, also .gz"
_FOREIGN = {
    b"%PDF": ("a PDF, not a log", _NATIVE),
    b"PK\x03\x04": ("a workbook or a zip, not a log", f"a zip: {_UNPACK}; a workbook: {_NATIVE}"),
    b"\xd0\xcf\x11\xe0": ("an old workbook, not a log", _NATIVE),
    b"\xfd7zX": ("packed by xz, which is not read", _UNPACK),
    b"7z\xbc\xaf": ("a 7z archive, not a log", _UNPACK),
}
_TWICE = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd", b"PAR1": "Parquet"}


class Broken(Exception):
    """A packed file that ends, or breaks, before what it packs does."""


def foreign(start: bytes, *, inside: bool = False) -> tuple[str, str]:
    """Say what begins in this way and is no log, and what to do about it; nothing for what may be one.

    `inside` is what was unpacked already: what is packed once more is not unpacked, however often it is.
    """
    for magic, said in _FOREIGN.items():
        if start.startswith(magic):
            return said
    if start[257:262] == b"ustar":
        return "a tar archive, not a log", _UNPACK
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or start[:2].count(0) == 1:
        return "row 1: not UTF-8 but UTF-16", "export it again as UTF-8"
    for magic, name in _TWICE.items():
        if inside and start.startswith(magic):
            return f"{name} within what packs it", "unpack it once"
    return "", ""


def unpacked(file: io.BufferedReader, head: bytes) -> Callable[[int], bytes]:
    """Return what reads a file, unpacked if it is packed: at most so many bytes, none at its end."""
    if head[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=file).read1
    if head[:3] == b"BZh":
        return _bzip2(file)
    return _zstd(file) if head[:4] == b"\x28\xb5\x2f\xfd" else file.read1


class Chunks:
    """What can be read, in parts of about CHUNK; `cut` says whether it broke, and what came before is not lost."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self.cut = False

    def __iter__(self) -> Iterator[bytes]:
        """Yield each part."""
        parts: list[bytes] = []
        while True:
            try:
                part = self._read(CHUNK)
            except (EOFError, zlib.error, gzip.BadGzipFile, Broken):
                self.cut, part = True, b""
            parts.append(part)
            if not part or (sum(map(len, parts)) >= CHUNK):
                if whole := b"".join(parts):
                    yield whole
                parts = []
            if not part:
                return


def _bzip2(file: io.BufferedReader) -> Callable[[int], bytes]:
    import bz2

    stream = bz2.BZ2File(file)

    def read(size: int) -> bytes:
        try:
            return stream.read1(size)
        except (OSError, ValueError) as error:
            raise Broken from error

    return read


def _zstd(file: io.BufferedReader) -> Callable[[int], bytes]:
    import pyarrow as pa

    stream = pa.CompressedInputStream(file, "zstd")

    def read(size: int) -> bytes:
        try:
            return bytes(stream.read(size))
        except (OSError, pa.ArrowException) as error:
            raise Broken from error

    return read
