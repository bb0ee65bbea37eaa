"""Log files to rows, as a stream: JSON lines, one JSON document, CSV, Parquet, each also packed by gzip, zstd or bzip2.

What a file breaks off in the middle of is recovered up to its last whole record, and the loss is stated. A row is never
larger than LONGEST, whatever it unpacks from.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from depose.case.untrusted_files import opened
from depose.errors import CaseError
from depose.model import Record

LONGEST = 64 * 1024**2
"""Bytes of one record at most."""
_CHUNK = 1024**2
_FOREIGN = {
    b"%PDF": "a PDF, not a log",
    b"PK\x03\x04": "a workbook or a zip, not a log",
    b"\xd0\xcf\x11\xe0": "an old workbook, not a log",
    b"\xfd7zX": "packed by xz, which is not read",
}
_STAMPED = re.compile(rb"\d{4}-\d{2}-\d{2}T[\d:.]+Z?[ \t]+(?=\{)")
"""What an export of CloudWatch to a bucket writes before each message."""
_MANGLED = re.compile(r"\d(?:[.,]\d+)?[Ee]\+\d{2}\Z")
_CALLS = re.compile(r"[-+][^\s|]*\|")
"""A sum that ends in a call of another program."""


class BreaksOffError(CaseError):
    """Logs that end in the middle of a record or of what is packed in them, or before anything."""

    def __init__(self, message: str, files: tuple[Path, ...], *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.files = files


class Losses(Record, frozen=True, kw_only=True):
    """What of a file could not be read."""

    truncated: bool = False
    broken: tuple[int, ...] = ()
    """Rows that are no record: the first of them."""
    count: int = 0


class Reader:
    """Rows of one file, and after the last of them what was lost."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.losses = Losses()
        self._broken: list[int] = []
        self._count = 0
        self._cut = False

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the number of each row, from 1, and what it holds; raise CaseError for what is no log."""
        try:
            with opened(self.path) as file:
                head = file.read(4)
                file.seek(0)
                for magic, what in _FOREIGN.items():
                    if head.startswith(magic):
                        raise CaseError(f"{self.path}: {what}", hint="ask for the native export: JSON, CSV, also .gz")
                if head == b"PAR1":
                    yield from self._parquet(file)
                else:
                    yield from self._text(_unpacked(file, head))
        except (OSError, ValueError) as error:
            raise CaseError(f"{self.path}: {error}", hint="name a log file that can be read") from error
        finally:
            self.losses = Losses(truncated=self._cut, broken=tuple(self._broken), count=self._count)

    def _lost(self, number: int) -> None:
        self._count += 1
        if len(self._broken) < 10:
            self._broken.append(number)

    def _text(self, read: Callable[[int], bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
        chunks = self._chunks(read)
        first = next(chunks, b"")
        start = first.removeprefix(b"\xef\xbb\xbf").lstrip()
        if not start:
            said = "breaks off before its first record" if self._cut else "empty"
            raise BreaksOffError(f"{self.path}: {said}", (self.path,), hint="name a log file that is whole")
        alone = len(first) < _CHUNK and not start.partition(b"\n")[2].strip()
        if start[:1] == b"[" or (start[:1] == b"{" and (alone or not self._lines(start))):
            yield from self._document(first, chunks)
        elif start[:1] == b"{" or _STAMPED.match(start):
            yield from self._json_lines(first, chunks)
        else:
            yield from self._delimited(first, chunks)

    @staticmethod
    def _lines(start: bytes) -> bool:
        """Tell JSON lines from one document: the first line is whole."""
        line = start.partition(b"\n")[0]
        try:
            return isinstance(msgspec.json.decode(line), dict)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return len(start) < _CHUNK and b"\n" in start and start.partition(b"\n")[2][:1] == b"{"

    def _chunks(self, read: Callable[[int], bytes]) -> Iterator[bytes]:
        """Yield what can be read, in parts of about _CHUNK; what came before a break is not lost."""
        parts: list[bytes] = []
        while True:
            try:
                part = read(_CHUNK)
            except (EOFError, zlib.error, gzip.BadGzipFile, _Broken):
                self._cut, part = True, b""
            parts.append(part)
            if not part or (sum(map(len, parts)) >= _CHUNK):
                if whole := b"".join(parts):
                    yield whole
                parts = []
            if not part:
                return

    def _split(self, first: bytes, chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes, bool]]:
        """Yield lines with their numbers, and whether each was ended by a line feed."""
        chunk, parts, size, number = first.removeprefix(b"\xef\xbb\xbf"), list[bytes](), 0, 0
        while chunk:
            *lines, rest = chunk.split(b"\n")
            if lines:
                lines[0] = b"".join([*parts, lines[0]])
                parts, size = [], 0
            for line in lines:
                number += 1
                yield number, line, True
            parts.append(rest)
            size += len(rest)
            if size > LONGEST:
                raise CaseError(f"{self.path}: row {number + 1}: larger than {LONGEST} bytes", hint="not a log")
            chunk = next(chunks, b"")
        if (last := b"".join(parts)).strip():
            yield number + 1, last, False

    def _json_lines(self, first: bytes, chunks: Iterator[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, line, ended in self._split(first, chunks):
            if not line.strip():
                continue
            try:
                row = msgspec.json.decode(_STAMPED.sub(b"", line, count=1) if line[:1] != b"{" else line)
            except (msgspec.DecodeError, RecursionError):
                self._undecodable(line, number)
                if ended:
                    self._lost(number)
                else:
                    self._cut = True
                continue
            except UnicodeDecodeError as error:
                raise self._not_utf8(number) from error
            if isinstance(row, dict) and set(row) == {"records"}:  # messages of a hub, a line each
                yield from self._records(row, number)
            elif isinstance(row, dict):
                yield number, row
            else:
                self._lost(number)

    def _undecodable(self, line: bytes, number: int) -> None:
        try:
            line.decode()
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                raise self._not_utf8(number) from error

    def _not_utf8(self, number: int) -> CaseError:
        return CaseError(f"{self.path}: row {number}: not UTF-8", hint="export it again as UTF-8; nothing is guessed")

    def _document(self, first: bytes, chunks: Iterator[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the records of one JSON document: an array, or an object of which one field is an array of them."""
        import codecs

        decoder, json_decoder = codecs.getincrementaldecoder("utf-8")(), json.JSONDecoder()
        try:
            text = decoder.decode(first.removeprefix(b"\xef\xbb\xbf"))
        except UnicodeDecodeError as error:
            raise self._not_utf8(1) from error
        if not text.lstrip().startswith("["):
            yield from self._object(text, decoder, chunks)
            return
        at, number, ended = text.index("[") + 1, 0, False
        while True:
            at = _skip(text, at)
            if text[at : at + 1] == "]":
                return
            try:
                row, at_next = json_decoder.raw_decode(text, at)
                if at_next == len(text) and not ended:  # a number or a word may go on in the next chunk
                    raise ValueError
            except (ValueError, RecursionError):
                chunk = next(chunks, b"")
                if not chunk:
                    self._cut = True
                    return
                if len(text) - at > LONGEST:
                    raise CaseError(
                        f"{self.path}: record {number + 1}: larger than {LONGEST}", hint="not a log"
                    ) from None
                try:
                    text, at = text[at:] + decoder.decode(chunk), 0
                except UnicodeDecodeError as error:
                    raise self._not_utf8(number + 1) from error
                continue
            at, number = at_next, number + 1
            if isinstance(row, dict):
                yield number, row
            else:
                self._lost(number)

    def _object(self, text: str, decoder: Any, chunks: Iterator[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
        parts, size = [text], len(text)
        for chunk in chunks:
            parts.append(decoder.decode(chunk))
            size += len(chunk)
            if size > 8 * LONGEST:
                raise CaseError(f"{self.path}: one JSON object of more than {8 * LONGEST} bytes", hint="export lines")
        try:
            whole = json.loads("".join(parts))
        except (ValueError, RecursionError):
            self._cut = True
            return
        yield from self._records(whole, 1)

    def _records(self, whole: dict[str, Any], number: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the records of an envelope, and what is none as it is."""
        if isinstance(whole.get("tables"), list):
            yield from self._tables(whole["tables"])
            return
        for name in ("records", "data", "value", "values", "traces", "observations", "events"):
            if isinstance(whole.get(name), list) and "id" not in whole:
                for place, row in enumerate(whole[name], 1):
                    if isinstance(row, dict):
                        yield place, row
                    else:
                        self._lost(place)
                return
        yield number, whole

    def _tables(self, found: list[Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the rows of tables as Azure Monitor answers a query: names of columns once, then lists of values."""
        number = 0
        for one in found:
            columns = one.get("columns") if isinstance(one, dict) else None
            names = [str(column.get("name", "")) if isinstance(column, dict) else "" for column in columns or ()]
            for row in (one.get("rows") or ()) if names else ():
                number += 1
                if isinstance(row, list) and len(row) == len(names):
                    yield number, dict(zip(names, row, strict=True))
                else:
                    self._lost(number)

    def _delimited(self, first: bytes, chunks: Iterator[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
        def lines() -> Iterator[str]:
            for number, line, ended in self._split(first, chunks):
                try:
                    yield line.decode() + "\n" * ended
                except UnicodeDecodeError as error:
                    raise self._not_utf8(number) from error

        csv.field_size_limit(LONGEST)
        source = lines()
        head_line = next(source)
        separator = max(",;\t|", key=head_line.count)
        head = next(csv.reader(io.StringIO(head_line.lstrip("\ufeff")), delimiter=separator))
        if len(head) < 2 or len(set(head)) != len(head):
            raise CaseError(f"{self.path}: no log in JSON, CSV or Parquet", hint="a CSV has a row of different names")
        number = 1
        try:
            for row in csv.reader(source, delimiter=separator, strict=True):
                number += 1
                if len(row) == len(head):
                    yield number, dict(zip(head, row, strict=True))
                elif row:
                    self._lost(number)
        except csv.Error as error:
            self._cut = "end of data" in str(error)
            if not self._cut:
                raise CaseError(f"{self.path}: row {number + 1}: {error}", hint="export it again") from error

    def _parquet(self, file: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            number = 0
            for batch in pq.ParquetFile(file).iter_batches(batch_size=20_000):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
        except (pa.ArrowException, OSError) as error:
            raise CaseError(
                f"{self.path}: not a Parquet file that can be read: {error}", hint="export again"
            ) from error


class _Broken(Exception):
    """A packed file that ends, or breaks, before what it packs does."""


def _unpacked(file: io.BufferedReader, head: bytes) -> Callable[[int], bytes]:
    """Return what reads a file, unpacked if it is packed: at most so many bytes, none at its end."""
    if head[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=file).read1
    if head[:3] == b"BZh":
        return _bzip2(file)
    return _zstd(file) if head == b"\x28\xb5\x2f\xfd" else file.read1


def _bzip2(file: io.BufferedReader) -> Callable[[int], bytes]:
    import bz2

    stream = bz2.BZ2File(file)

    def read(size: int) -> bytes:
        try:
            return stream.read1(size)
        except (OSError, ValueError) as error:
            raise _Broken from error

    return read


def _zstd(file: io.BufferedReader) -> Callable[[int], bytes]:
    import pyarrow as pa

    stream = pa.CompressedInputStream(file, "zstd")

    def read(size: int) -> bytes:
        try:
            return bytes(stream.read(size))
        except (OSError, pa.ArrowException) as error:
            raise _Broken from error

    return read


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at


def mangled(value: str) -> str:
    """Say what a spreadsheet did to an id, or that it would run as a formula; nothing for a sound one."""
    if _MANGLED.match(value):
        return f"{value!r} is an id that a spreadsheet rounded"
    if value[:1] in ("=", "@") or value[:2] in ("+c", "-c", "\t=") or _CALLS.match(value):
        return f"{value[:40]!r} would run as a formula in a spreadsheet"
    return ""
