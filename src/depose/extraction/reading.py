"""Log files to rows, as a stream: JSON lines, JSON documents, CSV, Parquet, each also packed by gzip, zstd or bzip2.

What a file breaks off in the middle of is recovered up to its last whole record, and the loss is stated. A row is never
larger than LONGEST, whatever it unpacks from.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from depose.case.untrusted_files import opened
from depose.errors import CaseError
from depose.extraction import documents
from depose.extraction.documents import LONGEST
from depose.extraction.packed import BOM, Chunks, foreign, unpacked
from depose.model import Record

_HEAD = 512
"""Bytes by which a kind of file is known."""
_LOOKED_AT = 20
"""Lines by which JSON lines are known."""
_STAMPED = re.compile(rb"\d{4}-\d{2}-\d{2}T[\d:.]+Z?[ \t]+(?=\{)")
"""What an export of CloudWatch to a bucket writes before each message."""
_SEPARATED = re.compile(r"sep=.\r?\n?\Z", re.IGNORECASE)
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
    unended: int = 0
    """Last rows of a table whose line does not end: the file may have been cut within them, and nothing tells."""


class Reader:
    """Rows of one file, and after the last of them what was lost.

    `held` is what it holds, where that was read already; `what` names the kind of file in hints.
    """

    def __init__(self, path: Path, *, held: bytes | None = None, what: str = "log file") -> None:
        self.path = path
        self._held = held
        self._what = what
        self.losses = Losses()
        self._broken: list[int] = []
        self._count = 0
        self._cut = False
        self._unended = 0

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the number of each row, from 1, and what it holds; raise CaseError for what is no log."""
        try:
            with self._opened() as file:
                head = file.read(_HEAD)
                file.seek(0)
                self._refuse(head)
                if head[:4] == b"PAR1":
                    yield from self._parquet(file)
                else:
                    chunks = Chunks(unpacked(file, head))
                    yield from self._text(chunks)
                    self._cut |= chunks.cut
        except (OSError, ValueError) as error:
            raise CaseError(f"{self.path}: {error}", hint=f"name a {self._what} that can be read") from error
        finally:
            broken = tuple(self._broken)
            self.losses = Losses(truncated=self._cut, broken=broken, count=self._count, unended=self._unended)

    def _opened(self) -> io.BufferedReader:
        if self._held is None:
            return opened(self.path)
        return cast("io.BufferedReader", io.BufferedReader(io.BytesIO(self._held)))

    def _refuse(self, start: bytes, *, inside: bool = False) -> None:
        what, hint = foreign(start, inside=inside)
        if what:
            raise CaseError(f"{self.path}: {what}", hint=hint)

    def _lost(self, number: int) -> None:
        self._count += 1
        if len(self._broken) < 10:
            self._broken.append(number)

    def _text(self, every: Chunks) -> Iterator[tuple[int, dict[str, Any]]]:
        chunks = iter(every)
        first = next(chunks, b"")
        self._refuse(first[:_HEAD], inside=True)
        start = first.removeprefix(BOM).lstrip()
        if not start:
            said = "breaks off before its first record" if every.cut else "empty"
            raise BreaksOffError(f"{self.path}: {said}", (self.path,), hint=f"name a {self._what} that is whole")
        if start[:1] == b"[" or (start[:1] == b"{" and not _in_lines(start)):
            yield from self._documents(first, chunks)
        elif start[:1] == b"{" or _STAMPED.match(start):
            yield from self._json_lines(first, chunks)
        else:
            yield from self._delimited(first, chunks)

    def _split(self, first: bytes, chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes, bool]]:
        """Yield lines with their numbers, and whether each was ended by a line feed."""
        chunk, parts, size, number = first.removeprefix(BOM), list[bytes](), 0, 0
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
            line = line.removeprefix(BOM)  # of a log that was put behind another
            try:
                row = self._row(_STAMPED.sub(b"", line, count=1) if line[:1] != b"{" else line)
            except (ValueError, RecursionError):
                self._undecodable(line, number)
                if ended:
                    self._lost(number)
                else:
                    self._cut = True
                continue
            if isinstance(row, dict) and documents.is_page(row):
                for one in documents.records(row):
                    if one is None:
                        self._lost(number)
                    else:
                        yield number, one
            elif isinstance(row, dict):
                yield number, row
            else:
                self._lost(number)

    @staticmethod
    def _row(line: bytes) -> Any:
        try:
            return msgspec.json.decode(line)
        except msgspec.DecodeError:
            return documents.lenient(line)

    def _undecodable(self, line: bytes, number: int) -> None:
        try:
            line.decode()
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                raise self._not_utf8(number) from error

    def _not_utf8(self, number: int) -> CaseError:
        return CaseError(f"{self.path}: row {number}: not UTF-8", hint="export it again as UTF-8; nothing is guessed")

    def _documents(self, first: bytes, chunks: Iterator[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the records of JSON documents that follow one another."""
        number = 0
        try:
            for value, inside in documents.values_of(first.removeprefix(BOM), chunks, str(self.path)):
                for row in documents.records(value) if isinstance(value, dict) and not inside else (value,):
                    number += 1
                    if isinstance(row, dict):
                        yield number, row
                    else:
                        self._lost(number)
        except documents.CutError:
            self._cut = True
        except documents.NotUtf8Error as error:
            raise self._not_utf8(number + 1) from error

    def _delimited(self, first: bytes, chunks: Iterator[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
        def lines() -> Iterator[str]:
            for number, line, ended in self._split(first, chunks):
                self._unended = int(not ended)
                try:
                    yield line.decode() + "\n" * ended
                except UnicodeDecodeError as error:
                    raise self._not_utf8(number) from error

        csv.field_size_limit(LONGEST)
        source, number = lines(), 1
        try:
            head_line, separator = next(source).lstrip("\ufeff"), ""
            if _SEPARATED.match(head_line):  # a spreadsheet's word for what stands between columns
                head_line, separator, number = next(source, ""), head_line[4], 2
            separator = separator or max(",;\t|", key=head_line.count)
            form: Any = {"delimiter": separator, "skipinitialspace": f"{separator} " in head_line}
            head = [one.strip() for one in next(csv.reader(io.StringIO(head_line), **form), [])]
            if twice := sorted(one for one, times in Counter(head).items() if times > 1):
                raise CaseError(
                    f"{self.path}: the column {twice[0]!r} stands twice", hint="export it with a name for each column"
                )
            if len(head) < 2:
                kind = self._what.removesuffix(" file")
                raise CaseError(f"{self.path}: no {kind} in JSON, CSV or Parquet", hint="a CSV has a row of names")
            for row in csv.reader(source, strict=True, **form):
                number += 1
                if len(row) == len(head):
                    yield number, dict(zip(head, row, strict=True))
                elif row:
                    self._lost(number)
        except csv.Error as error:
            self._cut = "end of data" in str(error)
            if not self._cut:
                said = str(error).partition(" - ")[0]
                raise CaseError(
                    f"{self.path}: row {number + 1}: {said}", hint="export it again, with lines that end in LF"
                ) from error

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


def _in_lines(start: bytes) -> bool:
    """Tell JSON lines from documents: of the first lines one is a record, or the first alone where it goes on."""
    lines = [line for line in start.split(b"\n", _LOOKED_AT)[:_LOOKED_AT] if line.strip()]
    if len(lines) < 2:
        return False
    for line in lines[: 1 if lines[0].rstrip()[-1:] in (b"[", b"{", b",", b":") else None]:
        try:
            if isinstance(documents.lenient(line.removeprefix(BOM)), dict):
                return True
        except (ValueError, RecursionError):
            continue
    return False


def mangled(value: str) -> str:
    """Say what a spreadsheet did to an id, or that it would run as a formula; nothing for a sound one.

    A rounded id is nobody's any more; of a formula, in which a name may stand, its first character is told.
    """
    if _MANGLED.match(value):
        return f"{value!r} is an id that a spreadsheet rounded"
    if value[:1] in ("=", "@") or value[:2] in ("+c", "-c", "\t=") or _CALLS.match(value):
        return f"a value that begins with {value[:1]!r} would run as a formula in a spreadsheet"
    return ""
