"""The way back from an edited buffer to the bytes that its bytes came from."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable

from depose.evidence.compression import Place


class Edited:
    """A buffer in which every match of a pattern was replaced; the places are worked out when somebody asks."""

    def __init__(self, pattern: re.Pattern[bytes], replaced: Callable[[bytes], bytes], data: bytes) -> None:
        self._pattern, self._replaced, self._data = pattern, replaced, data
        self._starts: list[int] = []
        self._spans: list[tuple[int, int, int]] = []

    def result(self) -> bytes:
        """Replace."""
        return self._pattern.sub(lambda match: self._replaced(match[0]), self._data)

    def back(self, start: int, end: int) -> Place:
        """Return the bytes before replacing that bytes after it come from."""
        if not self._starts:
            self._starts, self._spans, shift = [0], [(0, 0, 0)], 0
            for match in self._pattern.finditer(self._data):
                new = len(self._replaced(match[0]))
                at = match.start() - shift
                self._starts.append(at)
                self._spans.append((at + new, *match.span()))
                shift += len(match[0]) - new
        return self._one(start)[0], self._one(max(end - 1, start))[1]

    def _one(self, place: int) -> Place:
        """Return the bytes before that one byte after comes from."""
        after, before, beyond = self._spans[bisect_right(self._starts, place) - 1]
        if place < after:
            return before, beyond
        return beyond + place - after, beyond + place - after + 1
