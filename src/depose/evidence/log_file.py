"""The file under a log: whole lines or nothing, and always the file that stands at its path.

A write that fails is taken back, so that no half of a line is ever followed by another one. A file that was replaced or
changed under the run is found before anything is reported as written, and what the run knew is kept beside it.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from depose.errors import CaseError

LONGEST_LINE = 128 * 1024**2
"""Bytes of a line at most: the largest answer, with every character escaped."""
_COPIED = 1024**2


def whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines that end in a line feed; of one that is too long only its beginning, which no record is."""
    while line := file.readline(LONGEST_LINE):
        if line.endswith(b"\n"):
            yield line
        elif len(line) == LONGEST_LINE:
            yield line[:100] + b"\n"
            return


def refuse_links(*folders: Path) -> None:
    """Raise CaseError for a folder of a log that is a symbolic link: a case that others made may lead anywhere."""
    for folder in folders:
        if folder.is_symlink():
            raise CaseError(
                f"{folder}: a symbolic link; nothing is written there", hint="copy the case: cp -RL, and use the copy"
            )


def _opened(path: Path) -> io.FileIO:
    """Open a log for appending; raise CaseError where it is no regular file, or one that has another name elsewhere.

    What is torn at its end is cut off: of a private file that somebody linked in its place, that may be all of it.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        file = open(os.open(path, flags, 0o666), "a+b", buffering=0)  # noqa: PTH123, SIM115  # of a descriptor
    except OSError as error:
        told = "a symbolic link" if path.is_symlink() else error.strerror or str(error)
        raise CaseError(f"{path}: {told}; nothing is written there", hint="copy the case: cp -RL") from error
    found = os.fstat(file.fileno())
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        file.close()
        told = "has another name elsewhere (a hard link)" if stat.S_ISREG(found.st_mode) else "is no regular file"
        raise CaseError(f"{path}: {told}; nothing is written there", hint="copy the case: cp -R")
    return file


class RunsBackwardsError(CaseError):
    """The clock is behind the last record of a log, by more than time services put it back."""


class LogFile:
    """A log open for appending by one writer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _opened(path)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise CaseError(f"{path}: another depose is writing here", hint="wait for it to end") from error
        try:
            self._end = self._begun = self._without_torn_line()
            self._changed = os.fstat(self._file.fileno()).st_mtime_ns
            # A copy of what this run writes, in a file without a name: a kill leaves nothing of it.
            self._copy = tempfile.TemporaryFile(buffering=0, dir=path.parent)  # noqa: SIM115
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        self._copy.close()

    def _without_torn_line(self) -> int:
        """Cut off what a kill left of a last line, read from the end, because a log may be large; return the end."""
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
        return end

    def append(self, lines: bytes) -> None:
        """Force whole lines to disk; raise CaseError, and leave none of them, where they do not go there."""
        try:
            for file in (self._file, self._copy):
                left = memoryview(lines)
                while left:
                    left = left[file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._taken_back(error) from error
        self._end += len(lines)
        self._changed = os.fstat(self._file.fileno()).st_mtime_ns

    def _taken_back(self, error: OSError) -> CaseError:
        """Cut the file back to the last line that was reported as written."""
        try:
            self._file.truncate(self._end)
            os.fsync(self._file.fileno())
        except OSError as further:
            return failed(self._path, error, f", nor can it be cut back ({further.strerror}): the next run does that")
        return failed(self._path, error, "")

    def look(self, holds: Callable[[], bool]) -> str:
        """Say in what the file at the path is not the one that was written, or nothing.

        `holds` reads it again; that is needed only where another program set its time.
        """
        mine = os.fstat(self._file.fileno())
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return "is gone"
        if (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino):
            return "is another file now"
        if mine.st_size != self._end:
            return f"has {mine.st_size} bytes, not {self._end}"
        if mine.st_mtime_ns != self._changed:
            if not holds():
                return "holds other records now"
            self._changed = mine.st_mtime_ns
        return ""

    def keep(self, goal: Path, lines: bytes, is_beginning: Callable[[Iterator[bytes]], bool]) -> bool:
        """Write what this run knew into a file of its own; return whether that is all of the log.

        `is_beginning` tells whether lines are those that stood there when the log was opened.
        """
        size = os.fstat(self._file.fileno()).st_size
        self._file.seek(0)
        whole = size >= self._begun and is_beginning(_lines_of(self._file, self._begun))
        with goal.open("xb") as out:
            if whole:
                self._file.seek(0)
                _copied(self._file, out, self._begun)
            self._copy.seek(0)
            _copied(self._copy, out, self._end - self._begun)
            out.write(lines)
            out.flush()
            os.fsync(out.fileno())
        return whole


def failed(path: Path, error: OSError, more: str) -> CaseError:
    """Say why nothing can be written, as one error for whoever asks later too."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return CaseError(
        f"{path}: cannot be written: {error.strerror or error}{more}; all that was reported as answered stands in it",
        hint=f"{'make room' if full else 'see to the disk'}, and run the same command again: it goes on from there",
    )


def _lines_of(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the lines of the first bytes of a file."""
    with os.fdopen(os.dup(file.fileno()), "rb") as again:
        again.seek(0)
        for line in whole_lines(again):
            size -= len(line)
            if size < 0:
                return
            yield line


def _copied(source: BinaryIO, goal: BinaryIO, size: int) -> None:
    while size and (data := source.read(min(size, _COPIED))):
        goal.write(data)
        size -= len(data)
