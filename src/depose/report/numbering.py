"""Numbers of paragraphs, tables, figures and exhibits in one report, and the part of the findings that each shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from depose.model import Record


class Shown(Record, frozen=True, kw_only=True):
    """A table, figure or exhibit and what it was made from: for the appendix of sources."""

    label: str
    path: str
    """Part of findings.json."""
    digest: str
    """The first twelve figures of the SHA-256 of its RFC 8785 form."""


class Numbering:
    """Hands out numbers in the order in which a page is filled."""

    def __init__(self, source: Callable[[Any], str]) -> None:
        self._source = source
        self._counts: dict[str, Iterator[int]] = {}
        self._last = ""
        self.shown: list[Shown] = []

    def _next(self, kind: str) -> int:
        return next(self._counts.setdefault(kind, count(1)))

    def paragraph(self) -> int:
        """Number the next paragraph."""
        return self._next("paragraph")

    def table(self) -> int:
        """Number the next table."""
        number = self._next("Table")
        self._last = f"Table {number}"
        return number

    def figure(self) -> int:
        """Number the next figure."""
        number = self._next("Fig.")
        self._last = f"Fig. {number}"
        return number

    def exhibit(self, number: int) -> int:
        """Name an exhibit, which has its number from the findings."""
        self._last = f"Ex. {number}"
        return number

    def named(self, label: str) -> str:
        """Name what has a name of its own in the findings, such as a line-up."""
        self._last = label
        return label

    def enter(self, path: str, value: Any) -> str:
        """Enter what the last of them shows into the list of sources; prints nothing."""
        self.shown.append(Shown(label=self._last, path=path, digest=self._source(value)))
        return ""

    def sources(self) -> list[tuple[tuple[str, ...], str, str]]:
        """List the sources: labels that show the same part stand together."""
        found: dict[tuple[str, str], list[str]] = {}
        for one in self.shown:
            found.setdefault((one.path, one.digest), []).append(one.label)
        return [(tuple(labels), path, digest) for (path, digest), labels in found.items()]
