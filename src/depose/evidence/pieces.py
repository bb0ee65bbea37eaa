"""Words in pieces: over the events of a stream, the fields of JSON, the cells of a table, the strings of a program."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from depose.evidence.compression import Place, Undone, every

_SMALL = 1024**2
"""Larger data of many JSON lines is a table or a log, and no answer in pieces."""
_LINES = re.compile(rb"\}\s*\{")


class _Written(NamedTuple):
    """One way to write strings with their names; the last group that matched is the string, the first its name."""

    needs: bytes
    pattern: re.Pattern[bytes]
    loosely: bool = True


_JSON = re.compile(
    rb'"((?:[^"\\]|\\.){0,64}+)"\s*+:\s*+"((?:[^"\\]++|\\.)*+)"?|[\[,]\s*+()"((?:[^"\\]++|\\.)*+)"(?=\s*+[,\]])',
    re.DOTALL,
)
_WRITTEN = (
    _Written(b'"', _JSON, loosely=False),
    _Written(b"'", re.compile(rb"'([\w.-]{0,64}+)'\s{0,8}[:=]>?\s{0,8}b?'((?:[^'\\\n]++|\\.)*+)'", re.DOTALL)),
    _Written(b"'", re.compile(rb"()b?'((?:[^'\\\n]++|\\.)*+)'", re.DOTALL)),
    _Written(b"=", re.compile(rb"([\w:.-]{1,64}+)\s?=\s?[\"']([^\"'<>\n]*+)[\"']")),
    _Written(b"=", re.compile(rb"(?<![\w])([\w.-]{1,32}?)[0-9]{0,3}(?:\[[0-9]*\])?=([^&;,\s\"']++)")),
    _Written(
        b":",
        re.compile(
            rb"^[ \t]*(?:- )?([\w.-]{1,64}+):[ \t]+(?:[|>][+-]?[ \t]*\r?\n[ \t]*)?([^\r\n]*?)[ \t]*(?=\r?$)",
            re.MULTILINE,
        ),
    ),
    _Written(b"<", re.compile(rb"<([\w:.-]{1,64}+)(?:\s[^<>]{0,400})?>([^<>]++)</")),
    _Written(b"(", re.compile(rb"()\(((?:[^()\\\n]++|\\.){1,400}+)\)", re.DOTALL)),
    _Written(b"<", re.compile(rb"()<([0-9A-Fa-f\s]{2,400}+)>")),
    _Written(b"[", re.compile(rb"()\[([^\[\]\n]{1,64}+)\]")),
)
_SEPARATORS = (b",", b";", b"\t", b"|")
_WIDEST_TABLE = 40
_FEWEST = 2
_SEVERAL = 8
"""Pieces of three bytes and more are found without their frames."""


def is_table(data: bytes) -> bool:
    """Tell whether the data is large and of many lines of JSON."""
    return len(data) > _SMALL and _LINES.search(data) is not None


def named(data: bytes) -> Iterator[Undone]:
    """Join the strings that JSON gives one name, one after another: so come the pieces of a streamed answer."""
    if data.count(b'"') < 2 * _FEWEST or is_table(data):
        return
    by_name: dict[bytes, list[Place]] = {}
    for match in _JSON.finditer(data):
        group = 2 if match[2] is not None else 4
        by_name.setdefault(match[1] or b"", []).append(match.span(group))
    spans = [span for one in by_name.values() if len(one) > 1 for span in one]
    if spans:
        yield "pieces", b"".join(data[start:end] for start, end in spans), _Back(spans)


class _Back:
    """The way back to spans that were joined."""

    def __init__(self, spans: list[Place]) -> None:
        self._spans, self._starts = spans, [0]
        for start, end in spans:
            self._starts.append(self._starts[-1] + end - start)

    def __call__(self, start: int, end: int) -> Place:
        first, last = (bisect_right(self._starts, place) - 1 for place in (start, max(end - 1, start)))
        spans, starts = self._spans, self._starts
        last = min(last, len(spans) - 1)
        at, beyond = spans[first][0] + start - starts[first], spans[last][0] + end - starts[last]
        return min(at, beyond), max(at, beyond)


def joined(data: bytes) -> Iterator[Undone]:
    """Join the strings of every other way to write them, by name and all; places are told as all of the data."""
    if is_table(data):
        return
    made: dict[bytes, None] = {}
    if data.count(b'"') >= 2 * _FEWEST:
        found = [match[2] if match[2] is not None else match[4] for match in _JSON.finditer(data)]
        made[b"".join(found)] = None
    for way in _WRITTEN:
        if not way.loosely or data.count(way.needs) < _SEVERAL:
            continue
        by_name: dict[bytes, list[bytes]] = {}
        for match in way.pattern.finditer(data):
            by_name.setdefault(match[1] or b"", []).append(match[2])
        several = [b"".join(one) for one in by_name.values() if len(one) >= _FEWEST]
        made[b"\n".join(several)] = None
        if len(by_name) > 1:
            made[b"".join(one for some in by_name.values() for one in some)] = None
    made |= dict.fromkeys(_columns(data))
    yield "pieces", b"\n\n".join(one for one in made if one), lambda *_: (0, len(data))


def _columns(data: bytes) -> Iterator[bytes]:
    """Join the cells of each column of a table."""
    rows = data.splitlines()
    for separator in _SEPARATORS if len(rows) > _FEWEST else ():
        if data.count(separator) <= _FEWEST:
            continue
        counts = [row.count(separator) for row in rows]
        [(columns, several)] = Counter(filter(None, counts)).most_common(1)
        if several > _FEWEST and columns < _WIDEST_TABLE:
            cells = [row.split(separator) for row, count in zip(rows, counts, strict=True) if count == columns]
            for column in zip(*cells, strict=True):
                yield b"".join(cell.strip(b" \"'") for cell in column)


# --- pieces in a frame that nobody knows ----------------------------------------------------------------

SHORTEST_PIECE = 3
LARGE = 256 * 1024
FIRST_PIECE = 8
"""Bytes of the first piece in data that is large."""
_WIDEST = 600
"""Bytes of a frame between two pieces."""
_ALIKE = 12
"""Bytes by which frames may differ in length."""
_STARTS = 2_000
_TRIES = 400
_LONG_PIECE = 5
_NEAR = 2_048
"""Bytes around the first piece in which the others stand, in whatever order."""


def may_begin(text: bytes, words: bytes) -> bool:
    """Tell whether the words may stand in pieces: of each five bytes in a row three must stand together."""
    if words[:SHORTEST_PIECE] not in text:
        return False
    for at in range(4, len(words) - 5, 6):
        if words[at : at + 3] not in text and words[at + 1 : at + 4] not in text and words[at + 2 : at + 5] not in text:
            return False
    return True


def chained(text: bytes, words: bytes) -> Place | None:
    """Find words that stand in pieces of three bytes at least, with frames of like length between them."""
    if len(words) < 4 * SHORTEST_PIECE:
        return None
    begins, tries = words[: SHORTEST_PIECE if len(text) <= LARGE else FIRST_PIECE], _TRIES
    for count, start in enumerate(every(text, begins)):
        if count > _STARTS:
            break
        end, tries = _chain(text, words, start, tries)
        if end:
            return start, end
        if tries <= 0:
            break
    return None


def _chain(text: bytes, words: bytes, start: int, tries: int) -> tuple[int, int]:
    """Follow the pieces from one start: where they end, or 0; and how many tries are left."""
    known = _alike(text, words, start, 0)
    waiting = [(start + known - less, known - less, 0) for less in range(min(3, known - SHORTEST_PIECE + 1))]
    while waiting and tries > 0:
        at, done, frame = waiting.pop()
        rest = words[done:]
        if len(rest) < SHORTEST_PIECE and done >= len(words) - SHORTEST_PIECE + 1 and frame:
            return at, tries
        first = at + max(1, frame - _ALIKE) if frame else at + 1
        last = at + (frame + _ALIKE if frame else _WIDEST)
        piece, place = rest[:SHORTEST_PIECE], first
        while (place := text.find(piece, place, last + len(piece))) >= 0 and tries > 0:
            tries -= 1
            more = _alike(text, words, place, done)
            if done + more == len(words):
                return place + more, tries
            waiting += [
                (place + more - less, done + more - less, frame or place - at)
                for less in range(min(3, more - SHORTEST_PIECE + 1))
            ]
            place += 1
    return 0, tries


def _alike(text: bytes, words: bytes, at: int, done: int) -> int:
    """Count the bytes in a row that are alike."""
    most = min(len(text) - at, len(words) - done)
    count = 0
    while count < most and text[at + count] == words[done + count]:
        count += 1
    return count


def scattered(text: bytes, words: bytes) -> Place | None:
    """Find words that stand near each other in pieces of five bytes at least, in whatever order."""
    if len(words) < 2 * _LONG_PIECE or words[:_LONG_PIECE] not in text or words[-_LONG_PIECE:] not in text:
        return None
    for count, start in enumerate(every(text, words[:_LONG_PIECE])):
        if count > _STARTS:
            return None
        first = max(0, start - _NEAR)
        if span := _covered(text[first : start + _NEAR], words):
            return first + span[0], first + span[1]
    return None


def _covered(near: bytes, words: bytes) -> Place | None:
    done, least, most = 0, len(near), 0
    if words[-_LONG_PIECE:] not in near:
        return None
    while done < len(words):
        size = min(_LONG_PIECE, len(words) - done)
        if words[done : done + size] not in near:
            return None
        while done + size < len(words) and words[done : done + size + 1] in near:
            size += 1
        if 0 < len(words) - done - size < _LONG_PIECE:  # leave enough for the last piece
            size = len(words) - done - _LONG_PIECE
            if size < _LONG_PIECE:
                return None
        place = near.find(words[done : done + size])
        least, most, done = min(least, place), max(most, place + size), done + size
    return least, most
