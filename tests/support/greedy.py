"""Readers that take what a hostile file can make a reader take; a child calls them by name."""

from __future__ import annotations

import os
import signal

from depose.errors import EvidenceError


def double(text: str) -> str:
    """Return a text twice over."""
    return text + text


def much(size: int) -> int:
    """Take memory, and say how much."""
    return len(bytearray(size))


def talkative(size: int) -> str:
    """Return a long text."""
    return "x" * size


def busy() -> int:
    """Count forever."""
    number = 0
    while True:
        number += 1


def waits() -> None:
    """Wait for nothing, forever."""
    signal.pause()


def dies() -> None:
    """End as a library does that gets no memory."""
    os.abort()


def raises(kind: str) -> None:
    """Raise an exception of a kind."""
    if kind == "EvidenceError":
        raise EvidenceError("the third record is odd", hint="look at it")
    raise {"ValueError": ValueError, "KeyError": KeyError}[kind]("row 3 is odd")


def environment() -> list[str]:
    """Name the variables that are set."""
    return sorted(os.environ)


def writes(path: str) -> None:
    """Write a file."""
    with open(path, "w") as file:  # noqa: PTH123
        file.write("mine")
