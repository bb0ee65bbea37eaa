"""Files that somebody else made: regular ones alone, and none that takes more memory or time than its size warrants.

What a file says of its own size is never believed. `read_untrusted` counts bytes as they are read; `in_child` runs a
reader, such as that of Parquet, which no caller can hold back, in a process of its own: the kernel ends it at the
limit, it gets no variables of the environment, and it can write no file. What it hands back is plain data.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import json
import os
import selectors
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from depose import errors
from depose.errors import DeposeError
from depose.model import Record
from depose.model.base import ready

MEMORY = 1024**3
"""Bytes that a child may take for a small file."""
MOST_MEMORY = 4 * 1024**3
PER_BYTE = 12
"""Bytes of memory for each byte on disk, of a file so large that this comes to more: its text, thrice, and its rows."""
SECONDS = 4
"""Seconds of a processor for a small file; a large one has more, at a rate that every reader here passes."""
BYTES_A_SECOND = 1_000_000
PATIENCE = 30
"""A child that waits, or shares the machine with others, may take as many times longer by the clock."""
HOLLOW = 16
"""A file is hollow whose holes are so many times what it holds: its size is no measure of what reading it takes."""
SMALL = 1024**2
"""Bytes of a file whose holes do not matter."""
MOST_PARTS = 10_000
OURS = ("NUMBA_CACHE_DIR", "LANG", "LC_ALL", "TZ")

Answer = TypeVar("Answer")


class TooMuch(ValueError):
    """A file that takes more memory or time than it may."""


class _Told(Record, frozen=True, kw_only=True):
    """What a child says when its reader refused the file."""

    kind: str
    message: str
    hint: str = ""


def opened(path: Path) -> io.BufferedReader:
    """Open a regular file for reading: no link is followed, and no pipe or device waited for.

    Raises ValueError where it is something else, OSError where it cannot be opened.
    """
    # O_NONBLOCK, because opening a pipe waits for a writer; O_NOFOLLOW names a link by ELOOP.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    if path.is_symlink():
        raise ValueError("a symbolic link; name the file that it leads to, or copy it")
    if path.is_dir():
        raise ValueError("not a file")
    handle = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ValueError("not a file but a pipe, a socket or a device")
    if (held := _held(handle)) is not None:
        os.close(handle)
        raise ValueError(f"says that it has {path.stat().st_size} bytes, of which {held} are there: the rest are holes")
    return open(handle, "rb")  # noqa: PTH123  # of a descriptor


def _held(handle: int) -> int | None:
    """Count the bytes of a file that is next to nothing but holes, which reads as zeros without end; None otherwise."""
    found = os.fstat(handle)
    least = found.st_size // HOLLOW
    if found.st_size < SMALL or found.st_blocks * 512 >= least:
        return None
    held = end = 0
    try:  # what is on its way to the disk is no hole, though it takes no blocks yet
        for _ in range(MOST_PARTS):
            start = os.lseek(handle, end, os.SEEK_DATA)
            end = os.lseek(handle, start, os.SEEK_HOLE)
            held += end - start
            if held >= least:
                break
        else:
            return held
    except OSError as error:
        if error.errno != errno.ENXIO:  # this disk does not tell
            return None
    os.lseek(handle, 0, os.SEEK_SET)
    return None if held >= least else held


def through_link(folder: Path, name: str) -> bool:
    """Tell whether a name below a folder is a symbolic link, or leads through one."""
    path = folder
    for part in Path(name).parts:
        path /= part
        if path.is_symlink():
            return True
    return False


def read_untrusted(path: Path, limit: int) -> bytes:
    """Read a regular file whole; one of more than `limit` bytes, counted as they come, is TooMuch."""
    parts, size = [], 0
    with opened(path) as file:
        while part := file.read(1024**2):  # asked for all at once, Python would set `limit` bytes aside
            parts.append(part)
            size += len(part)
            if size > limit:
                raise TooMuch(f"larger than {limit} bytes")
    return b"".join(parts)


def memory_for(size: int) -> int:
    """Bytes of memory that a file of so many bytes may take."""
    return min(max(MEMORY, PER_BYTE * size), MOST_MEMORY)


def in_child(
    function: str, *arguments: Any, answer: type[Answer], size: int = 0, memory: int = 0, seconds: int = 0
) -> Answer:
    """Call `module:function` in a process of its own and return what it returned, checked against its type.

    Arguments and answer are what msgspec writes as MessagePack. `size` is that of the file on disk, from which limits
    of memory and of processor time follow where none are given. Raises TooMuch at a limit, and ValueError or the
    DeposeError that the function raised; any other exception of it is a ValueError that names its kind.
    """
    memory = memory or memory_for(size)
    seconds = seconds or SECONDS + size // BYTES_A_SECOND
    head = json.dumps({"path": sys.path, "function": function, "memory": memory, "seconds": seconds}).encode()
    code = (
        "import sys, json; head = json.loads(sys.stdin.buffer.readline()); sys.path[:] = head['path']; "
        "from depose.case import untrusted_files; untrusted_files.serve(head)"
    )
    with subprocess.Popen(  # noqa: S603  # this Python, and nothing that a file says
        [sys.executable, "-I", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**_CALM, **{name: os.environ[name] for name in OURS if name in os.environ}},
    ) as child:
        try:
            told = _heard(child, head + b"\n" + msgspec.msgpack.encode(arguments), memory, seconds * PATIENCE)
        finally:
            child.kill()
    return _answered(child.returncode, told, answer, memory, seconds)


_CALM = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
"""Each thread, and each of its arenas, reserves memory that the limit would count."""


def _heard(child: subprocess.Popen[bytes], said: bytes, most: int, seconds: int) -> bytes:
    """Hand a child its arguments and hear it out, up to a number of bytes and for a number of seconds."""
    stdin, stdout = child.stdin, child.stdout
    if stdin is None or stdout is None:
        raise AssertionError("both are pipes")
    with contextlib.suppress(BrokenPipeError):
        stdin.write(said)
        stdin.close()
    until, size = time.monotonic() + seconds, 0
    parts: list[bytes] = []
    with selectors.DefaultSelector() as waiting:
        waiting.register(stdout, selectors.EVENT_READ)
        while waiting.select(max(0.0, until - time.monotonic())):
            part = os.read(stdout.fileno(), 1024**2)
            if not part:
                child.wait()
                return b"".join(parts)
            parts.append(part)
            size += len(part)
            if size > most:
                raise TooMuch(f"holds more than {most // 1024**2} MiB once it is unpacked")
    raise TooMuch(f"takes more than {seconds} s to read")


def _answered(code: int, told: bytes, answer: type[Answer], memory: int, seconds: int) -> Answer:
    if code == 0 and told[:1] == b"+":
        return msgspec.msgpack.decode(memoryview(told)[1:], type=ready(answer))
    if code == 0 and told[:1] == b"-":
        said = msgspec.msgpack.decode(memoryview(told)[1:], type=ready(_Told))
        if said.kind == "MemoryError":
            raise TooMuch(f"takes more than {memory // 1024**2} MiB of memory to read")
        kind = getattr(errors, said.kind, None)
        if isinstance(kind, type) and issubclass(kind, DeposeError):
            raise kind(said.message, hint=said.hint)
        raise ValueError(said.message if said.kind == "ValueError" else f"{said.kind}: {said.message}"[:500])
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        raise TooMuch(f"takes more than {seconds} s of a processor to read")
    # A library that gets no memory often aborts instead of saying so.
    raise TooMuch(f"cannot be read within {memory // 1024**2} MiB of memory (its reader ended with {code})")


# --- within the child -------------------------------------------------------------------------------


def serve(head: dict[str, Any]) -> None:
    """Call a function under limits and write what it returned, or why it did not; for a child alone."""
    arguments = msgspec.msgpack.decode(sys.stdin.buffer.read())
    module, _, name = str(head["function"]).partition(":")
    out = sys.stdout.buffer
    try:
        function = getattr(importlib.import_module(module), name)
        _limit(head["memory"], head["seconds"])
        answer = b"+" + msgspec.msgpack.encode(function(*arguments))
    except DeposeError as error:
        answer = _refused(type(error).__name__, error.message, error.hint)
    except UnicodeDecodeError as error:
        answer = _refused("ValueError", f"not UTF-8 at byte {error.start}")
    except ValueError as error:
        answer = _refused("ValueError", str(error))
    except MemoryError:
        answer = _refused("MemoryError", "")
    except BaseException as error:  # whatever a file makes of a library is data here, and Rust panics with no Exception
        answer = _refused(type(error).__name__, str(error).partition("\n")[0])
    out.write(answer)
    out.flush()
    os._exit(0)  # a library that cannot tidy up within the limits must not spoil the answer


def _refused(kind: str, message: str, hint: str = "") -> bytes:
    clean = message.encode("utf-8", "replace").decode()
    return b"-" + msgspec.msgpack.encode(_Told(kind=kind, message=clean, hint=hint))


def _limit(memory: int, seconds: int) -> None:
    """Let the kernel end this process at so much more memory than it has now, or after so many seconds."""
    import resource

    def most(kind: int, value: int) -> None:
        soft, hard = resource.getrlimit(kind)
        known = [one for one in (soft, hard, value) if one != resource.RLIM_INFINITY]
        with contextlib.suppress(ValueError, OSError):  # not every system knows every limit
            resource.setrlimit(kind, (min(known), min(known) if kind != resource.RLIMIT_CPU else hard))

    with contextlib.suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        memory += pages * resource.getpagesize()
    most(resource.RLIMIT_AS, memory)
    spent = resource.getrusage(resource.RUSAGE_SELF)
    most(resource.RLIMIT_CPU, int(spent.ru_utime + spent.ru_stime) + seconds)
    most(resource.RLIMIT_FSIZE, 0)
    most(resource.RLIMIT_CORE, 0)
