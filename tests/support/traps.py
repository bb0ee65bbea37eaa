"""What a trap is: something that others lay for whoever runs depose.

The other side, a sender of files, a user of the same machine: each trap stands in an `attacks_on_*.py` of its kind,
with the message that it meets. It is sprung in a folder that holds a canary, beside a server that listens; it must end
in a DeposeError with its message, the canary unharmed, and nothing sent.
"""

from __future__ import annotations

import os
import re
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from depose.errors import DeposeError
from faults import Seen, Server
from tampering import Target

SECRET = "canary-0123456789abcdef"  # noqa: S105  # made up
VARIABLE = "DEPOSE_CANARY"
SECONDS = 5.0
"""Of a processor, longest for any trap, and two more to lay it or to load what meets it."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a trap is sprung."""

    folder: Path
    canary: Path
    """A private file of the victim, outside the folder of the case."""
    server: Server
    target: Target


@dataclass(frozen=True, kw_only=True)
class Trap:
    """One trap."""

    kind: str
    name: str
    says: str
    """Pattern of the message that it meets."""
    spring: Callable[[Place], object]
    slow: bool = False
    """Takes seconds to lay or to spring."""


class Traps(list[Trap]):
    """Traps of one kind."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def add(
        self, name: str, says: str, *, slow: bool = False
    ) -> Callable[[Callable[[Place], object]], Callable[[Place], object]]:
        """Add the function that is decorated."""

        def added(spring: Callable[[Place], object]) -> Callable[[Place], object]:
            self.append(Trap(kind=self.kind, name=name, says=says, spring=spring, slow=slow))
            return spring

        return added


class Harm(AssertionError):
    """A trap that did what it was laid for."""


@contextmanager
def _variable() -> Iterator[None]:
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = SECRET
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


@contextmanager
def _scripted_models(target: Target) -> Iterator[None]:
    site = str(target.folder / "site")
    sys.path.insert(0, site)
    try:
        yield
    finally:
        sys.path.remove(site)


def _processor() -> list[float]:
    """Seconds of a processor so far: of this process, which also lays the trap, and of its children."""
    found = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return [one.ru_utime + one.ru_stime for one in found]


def sprung(one: Trap, target: Target, folder: Path) -> str:
    """Spring a trap and return the message that it meets; raises Harm where it did any."""
    folder.mkdir(parents=True)
    canary = folder / "home" / "private.csv"
    canary.parent.mkdir()
    canary.write_text(f"id,prompt,output\na,{SECRET},{SECRET}\n")
    canary.chmod(0o600)
    work = folder / "work"
    work.mkdir()
    before, start = canary.read_bytes(), _processor()
    with Server(lambda seen: "") as server, _variable(), _scripted_models(target):
        message = ""
        try:
            one.spring(Place(folder=work, canary=canary, server=server, target=target))
        except DeposeError as error:
            message = error.message
        spent = max(now - then for now, then in zip(_processor(), start, strict=True))
        if not message:
            raise Harm(f"{one.name}: was not refused")
        if not re.search(one.says, message):
            raise Harm(f"{one.name}: met another message: {message}")
        _unharmed(one, canary, before, work, server.seen)
    if spent > SECONDS + 2:
        raise Harm(f"{one.name}: took {spent:.1f} s of a processor")
    return message


def _unharmed(one: Trap, canary: Path, before: bytes, work: Path, seen: list[Seen]) -> None:
    if canary.read_bytes() != before or sorted(canary.parent.iterdir()) != [canary]:
        raise Harm(f"{one.name}: a private file was changed, or one put beside it")
    for request in seen:
        raise Harm(f"{one.name}: {request.path} was asked, with {request.headers}")
    for path in work.rglob("*"):
        if "blobs" in path.parts and path.is_file() and SECRET.encode() in path.read_bytes():
            raise Harm(f"{one.name}: a private file stands among the blobs: {path}")
