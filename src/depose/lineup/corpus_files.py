"""Documents of a corpus of any size, one after the other: Parquet, JSONL, and text with a document on each line."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from depose.case.untrusted_files import opened
from depose.errors import CaseError

KINDS = (".parquet", ".jsonl", ".ndjson", ".txt")
ROWS = 1_024
"""Rows of a Parquet file that are held at once."""
LONGEST = 64 * 1024**2
"""Bytes of a line at most."""
DEEPEST = 64
"""Lists and objects inside each other, at most."""


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

    Raises CaseError where there is none, or one of another kind.
    """
    if corpus.is_symlink() or not corpus.exists():
        raise CaseError(f"{corpus}: no file or folder", hint="name the corpus that was produced")
    if corpus.is_file():
        found = [corpus]
    else:
        found = sorted(
            Path(folder) / name
            for folder, _, names in os.walk(corpus)
            for name in names
            if not name.startswith(".") and not (Path(folder) / name).is_symlink()
        )
    if strange := [path for path in found if path.suffix not in KINDS]:
        raise CaseError(f"{strange[0]}: not a corpus of {', '.join(KINDS)}", hint="ask for it in its native form")
    if not found:
        raise CaseError(f"{corpus}: holds no file", hint=f"put files of {', '.join(KINDS)} there")
    return tuple(found)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file; raise CaseError where it cannot be read."""
    try:
        with opened(path) as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise CaseError(f"{path}: cannot be read: {error}", hint="check its rights") from error


def documents(files: Sequence[Path], corpus: Path) -> Iterator[Document]:
    """Yield every string of every document; raise CaseError with file and line for what cannot be read.

    Files are named from the folder `corpus` on, so that those of one name in two folders are told apart.
    """
    for path in files:
        name = path.name if path == corpus else path.relative_to(corpus).as_posix()
        rows = _parquet(path) if path.suffix == ".parquet" else _lines(path)
        for number, row in rows:
            for text in _strings(row, path, number):
                yield Document(file=name, number=number, text=text)


def _parquet(path: Path) -> Iterator[tuple[int, Any]]:
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        with opened(path) as handle:
            for batch in pyarrow.parquet.ParquetFile(handle).iter_batches(batch_size=ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise CaseError(
            f"{path}: row {number + 1}: cannot be read: {str(error)[:200]}", hint="ask for the file again"
        ) from error


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        with opened(path) as handle:
            number = 0
            while line := handle.readline(LONGEST + 1):
                number += 1
                if len(line) > LONGEST:
                    raise CaseError(
                        f"{path}: line {number}: longer than {LONGEST // 1024**2} MiB", hint="one document on each line"
                    )
                if not line.strip():
                    continue
                try:
                    yield number, line.decode() if path.suffix == ".txt" else msgspec.json.decode(line)
                except (ValueError, RecursionError) as error:
                    raise CaseError(
                        f"{path}: line {number}: cannot be read: {str(error)[:200]}",
                        hint="ask for the file again, in UTF-8",
                    ) from error
    except OSError as error:
        raise CaseError(f"{path}: cannot be read: {error}", hint="check its rights") from error


def _strings(value: Any, path: Path, number: int, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        if depth > DEEPEST:
            raise CaseError(f"{path}: document {number}: nested deeper than {DEEPEST}", hint="leave it out, and say so")
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one, path, number, depth + 1)
