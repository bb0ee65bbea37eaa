"""Logs as they were produced: their digests, the list that they are held against, and several that are read as one."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depose.case.untrusted_files import opened
from depose.errors import DeposeError, EvidenceError, UsageError
from depose.extraction.reading import Losses, Reader
from depose.extraction.sources import AGAIN, JOINED
from depose.model import Fact

KINDS = frozenset({".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".log"})
PACKED = frozenset({".gz", ".zst", ".bz2"})
"""Ends of the names of logs in a folder; what has another end is read only where it is named itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Produced:
    """A log, or several of one export whose rows belong together: requests in one table, who asked in another."""

    files: tuple[Path, ...]
    digests: tuple[str, ...]
    bytes: int

    @property
    def name(self) -> str:
        """What it is called in the manifest."""
        return " + ".join(one.name for one in self.files)

    @property
    def said(self) -> str:
        """What it is called in a message."""
        return " + ".join(map(str, self.files))

    @property
    def sha256(self) -> str:
        """Its digest; of several, that of the lines which `sha256sum` writes of them, sorted."""
        if len(self.files) == 1:
            return self.digests[0]
        lines = sorted(f"{digest}  {one.name}\n" for one, digest in zip(self.files, self.digests, strict=True))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @property
    def parts(self) -> tuple[Fact, ...]:
        """Each of several by name, with its digest; nothing for one."""
        if len(self.files) == 1:
            return ()
        pairs = zip(self.files, self.digests, strict=True)
        return tuple(Fact(name=one.name, value=digest) for one, digest in pairs)


class Rows:
    """The rows of all files, one after the other, and after the last of them what was lost."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._readers = [Reader(one) for one in files]
        self._before: list[int] = []
        self.at: tuple[Path, ...] = tuple(files)
        """The file that is being read, all of them before and after."""

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the number of each row, those of a file after those of the file before it, and what it holds."""
        number, every = 0, self.at
        for one in self._readers:
            self.at = (one.path,)
            self._before.append(number)
            last = number
            for place, row in one:
                last = max(last, self._before[-1] + place)
                yield self._before[-1] + place, row
            number = last
        self.at = every

    def file_of(self, where: str) -> tuple[Path, str]:
        """Return the file of a row, by its number as it was handed out, and its number in that file."""
        number, slash, rest = where.partition("/")
        if not number.isdigit() or not self._before:
            return self._readers[0].path, where
        file = max(bisect_left(self._before, int(number)) - 1, 0)
        return self._readers[file].path, f"{int(number) - self._before[file]}{slash}{rest}"

    @property
    def broken(self) -> tuple[Path, ...]:
        """Which of them break off."""
        return tuple(one.path for one in self._readers if one.losses.truncated)

    @property
    def broken_rows(self) -> list[tuple[Path, str]]:
        """The first rows that are no record, each with its file."""
        return [(one.path, str(row)) for one in self._readers for row in one.losses.broken]

    @property
    def losses(self) -> Losses:
        """What of them could not be read."""
        lost = [one.losses for one in self._readers]
        return Losses(
            truncated=any(one.truncated for one in lost),
            broken=tuple(row for one in lost for row in one.broken),
            count=sum(one.count for one in lost),
            unended=sum(one.unended for one in lost),
        )


def files_of(named: Sequence[Path], format_: str) -> tuple[list[Path], list[Path]]:
    """Return the logs that are named, of a folder those in it and below it; and what of folders is left out as no log.

    A log is known by the end of its name. Hidden files are none, nor are bodies that Bedrock keeps beside its log.
    """
    logs: list[Path] = []
    left: list[Path] = []
    for one in named:
        if not one.is_dir() or one.is_symlink():
            logs.append(one)
            continue
        for file in sorted(one.rglob("*")):
            if file.is_file():
                (logs if _is_log(file, one, format_) else left).append(file)
    return logs, left


def _is_log(file: Path, folder: Path, format_: str) -> bool:
    inside = file.relative_to(folder)
    packed = file.suffix.lower() in PACKED
    kind = Path(file.stem).suffix.lower() if packed else file.suffix.lower()
    beside = format_ == "bedrock" and file.name.partition(".")[0].endswith(("_input", "_output"))
    hidden = file.is_symlink() or any(part[0] in "._" for part in inside.parts)
    return not hidden and not beside and (kind in KINDS or (packed and not kind))


def digest_of(log: Path) -> tuple[str, int]:
    """Return the digest and the size of a log; raise UsageError for what is none."""
    try:
        with opened(log) as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), log.stat().st_size
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise about([log], UsageError(f"{log}: {said}", hint="name a log file, or a folder of logs")) from error


def about(files: Sequence[Path], error: DeposeError) -> DeposeError:
    """Return an error that says which logs it is about, unless it does: a watched folder goes on without them."""
    error.files = error.files or tuple(files)
    return error


def check(logs: Sequence[Path], digests: Sequence[str], listed_in: str) -> None:
    """Raise EvidenceError for a log that is not the one that was produced."""
    if not listed_in:
        return
    wanted: dict[str, set[str]] = {}  # one name may stand in several folders, such as PT1H.json of each hour
    try:
        for line in Path(listed_in).read_text("utf-8").splitlines():
            digest, _, name = line.partition(" ")
            wanted.setdefault(Path(name.strip().lstrip("*")).name, set()).add(digest.lower().removeprefix("\\"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{listed_in}: {error}", hint="a list as sha256sum writes it") from error
    for log, digest in zip(logs, digests, strict=True):
        if digest not in wanted.get(log.name, ()):
            said = "another digest than the production lists" if log.name in wanted else "not in the production's list"
            raise EvidenceError(f"{log}: {said}: sha256 {digest}", hint="ask for the file as it was produced")


def batches(logs: Sequence[tuple[Path, str, int]], read: Container[str], format_: str) -> list[Produced]:
    """Put logs, each with digest and size, together that are read as one, without those whose digest was read before.

    Of a format whose requests stand in several tables all are one, and in some if one of them is new all are read: it
    may name who asked in the others.
    """
    once = list({digest: (log, digest, size) for log, digest, size in logs}.values())
    fresh = [one for one in once if one[1] not in read]
    joined = once if format_ in AGAIN else fresh
    parted = [joined] if format_ in JOINED and fresh else [[one] for one in fresh]
    return [
        Produced(
            files=tuple(one for one, _, _ in each),
            digests=tuple(digest for _, digest, _ in each),
            bytes=sum(size for _, _, size in each),
        )
        for each in parted
    ]
