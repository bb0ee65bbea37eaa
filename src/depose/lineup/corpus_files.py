"""Documents of a corpus of any size, one after the other: Parquet, JSONL, and text with a document on each line.

JSONL and text may be packed by gzip, zstd or bzip2, as corpora mostly are. Whoever hands a corpus out may wish that
some of it be missed, so that nothing is passed over in silence: links, folders that cannot be entered and files of
another kind are refused, names of fields are read as texts are, and columns of bytes as those of text. Columns of
numbers and dates are never unpacked.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from depose.case.untrusted_files import opened
from depose.errors import CaseError

LINES = (".jsonl", ".ndjson", ".json", ".txt")
PACKED = (".gz", ".zst", ".bz2")
KINDS = (".parquet", *LINES)
ROWS = 1_024
"""Rows of a Parquet file that are held at once."""
LONGEST = 64 * 1024**2
"""Bytes of a line at most."""
DEEPEST = 64
"""Lists and objects inside each other, at most."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One string of a document."""

    file: str
    """Its name within the corpus."""
    number: int
    """Of the document in its file, from 1; several strings of one document share it."""
    text: str


def listed(corpus: Path) -> tuple[Path, ...]:
    """Name the files of a corpus, a file or a folder, in the order of their names; no link is followed.

    Raises CaseError where there is none, or something that would not be read.
    """
    if corpus.is_symlink() or not corpus.exists():
        raise CaseError(f"{corpus}: no file or folder", hint="name the corpus that was produced")
    found = [corpus] if corpus.is_file() else sorted(_below(corpus))
    if links := [path for path in found if path.is_symlink()]:
        raise CaseError(
            f"{links[0]}: a link, which is not followed", hint="copy what it leads to in its place, or take it out"
        )
    if strange := [path for path in found if _kind(path) not in KINDS]:
        raise CaseError(
            f"{strange[0]}: not a corpus of {', '.join(KINDS)}, the last four also with {', '.join(PACKED)}",
            hint="ask for it in one of these; take out what is no part of it, and say so",
        )
    if not found:
        raise CaseError(f"{corpus}: holds no file", hint=f"put files of {', '.join(KINDS)} there")
    return tuple(found)


def _below(corpus: Path) -> Iterator[Path]:
    """Yield all files and links below a folder, but for what systems and programs hide there for themselves."""

    def stop(error: OSError) -> None:
        raise CaseError(f"{error.filename}: cannot be read: {error.strerror}", hint="check its rights") from error

    for folder, folders, names in os.walk(corpus, onerror=stop):
        yield from (path for name in folders if (path := Path(folder) / name).is_symlink())
        for name in names:
            path = Path(folder) / name
            if not name.startswith(".") or (_kind(path) in KINDS and not name.startswith("._")):
                yield path


def _kind(path: Path) -> str:
    """Return the ending of a name that says how its file is read, whatever packs it; no table is packed."""
    first, second = (*reversed([one.lower() for one in path.suffixes[-2:]]), "", "")[:2]
    return second if first in PACKED and second in LINES else first


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file; raise CaseError where it cannot be read."""
    try:
        with opened(path) as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise CaseError(f"{path}: cannot be read: {error}", hint="check what it is, and its rights") from error


def documents(files: Sequence[Path], corpus: Path) -> Iterator[Document]:
    """Yield every string of every document; raise CaseError with file and line for what cannot be read.

    Files are named from the folder `corpus` on, so that those of one name in two folders are told apart.
    """
    for path in files:
        name = path.name if path == corpus else path.relative_to(corpus).as_posix()
        rows = _parquet(path) if _kind(path) == ".parquet" else _lines(path)
        for number, row in rows:
            for text in _strings(row, path, number):
                yield Document(file=name, number=number, text=text)


def _parquet(path: Path) -> Iterator[tuple[int, Any]]:
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        with opened(path) as handle:
            file = pyarrow.parquet.ParquetFile(handle)
            columns = _texts(file.schema)
            if not columns:
                return
            for batch in file.iter_batches(batch_size=ROWS, columns=columns):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (OSError, ValueError, OverflowError, pyarrow.ArrowException) as error:
        raise CaseError(
            f"{path}: row {number + 1}: cannot be read: {str(error)[:200]}", hint="ask for the file again"
        ) from error


def _texts(schema: Any) -> list[str]:
    """Name the columns of a table, however deep, that hold text, or bytes that may be text."""
    found = []
    for at in range(len(schema)):
        column = schema.column(at)
        numbers = column.logical_type.type in ("DECIMAL", "UUID", "FLOAT16", "INTERVAL")
        if column.physical_type in ("BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY") and not numbers:
            found.append(column.path)
    return found


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    plain = _kind(path) == ".txt"
    number = 0
    try:
        with opened(path) as handle:
            read = _unpacked(handle, path)
            while line := read.readline(LONGEST + 1):
                number += 1
                if len(line) > LONGEST:
                    raise CaseError(
                        f"{path}: line {number}: longer than {LONGEST // 1024**2} MiB", hint="one document on each line"
                    )
                line = line.removeprefix(_BOM) if number == 1 else line
                if not line.strip():
                    continue
                try:
                    yield number, line.decode() if plain else _decoded(line)
                except (ValueError, RecursionError) as error:
                    raise CaseError(
                        f"{path}: line {number}: cannot be read: {str(error)[:200]}",
                        hint="ask for the file again, in UTF-8, with a document on each line",
                    ) from error
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise CaseError(f"{path}: line {number + 1}: cannot be read: {error}", hint="ask for the file again") from error


def _decoded(line: bytes) -> Any:
    """Decode a line of JSON, also as Python writes it: NaN, numbers beyond all bounds, halves of characters."""
    try:
        return msgspec.json.decode(line)
    except msgspec.DecodeError:
        return json.loads(line)


def _unpacked(handle: io.BufferedReader, path: Path) -> io.BufferedIOBase:
    """Unpack a file as it is read, whose lines are bounded."""
    packing = path.suffix.lower()
    if packing == ".gz":
        return gzip.GzipFile(fileobj=handle)
    if packing == ".bz2":
        return bz2.BZ2File(handle)
    return io.BufferedReader(_Zstd(handle), 1024**2) if packing == ".zst" else handle


class _Zstd(io.RawIOBase):
    """What zstd unpacks to, as a stream."""

    def __init__(self, handle: io.BufferedReader) -> None:
        import pyarrow

        self._stream = pyarrow.CompressedInputStream(handle, "zstd")

    def readable(self) -> bool:
        """Tell that it is read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as there is something."""
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _strings(value: Any, path: Path, number: int, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        if b"\0" not in value:  # pictures and numbers
            yield value.decode("utf-8", "replace")
    elif isinstance(value, dict | list | tuple):
        if depth > DEEPEST:
            raise CaseError(f"{path}: document {number}: nested deeper than {DEEPEST}", hint="leave it out, and say so")
        if isinstance(value, dict):
            yield from (name for name in value if isinstance(name, str))
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one, path, number, depth + 1)
