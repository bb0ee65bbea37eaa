"""Text as tools lay it out: over lines with marks before each, in pieces of a stream, in dumps, as lists of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from depose.evidence.compression import Undone
from depose.evidence.edited import Edited
from depose.evidence.needles import Run

_RUN_OF_NUMBERS = Run(b"0123456789xXo ,;:.|&+\t\n[](){}'\"", 24)
_ADDRESSED = re.compile(rb"(?:\A|\n)[ \t]{0,8}(?:0x)?[0-9a-fA-F]{4,16}h?[: \t]")
"""A line that begins like one of a dump."""
_FEWEST = 8
"""Fewer numbers are no secret."""
_PREFIX = re.compile(
    rb"(?:\r?\n|-\r?\n|\xe2\x80\x90\r?\n|\xc2\xad\r?\n)"
    rb"(?:(?:event|id|retry):[^\r\n]{0,200}\r?\n|data:|[0-9a-fA-F]{1,8}(?:;[^\r\n]{0,200})?\r\n|//|--|\xe2\x80\xa2|\xe2\x97\xa6"
    rb"|[0-9]{1,6}[.:)]|[\s>#|*+;%-])*+"
)
"""A line end, with what stands before the words of the next line: of quotations, comments, lists, diffs, streams."""
_ROW = re.compile(
    rb"^[ \t]*(?:0x)?[0-9a-fA-F]{4,16}[:\s][ \t]*"
    rb"((?:[0-9a-fA-F]{2,8}[ \t-]{1,2}){1,32}(?:[0-9a-fA-F]{2,8})?)",
    re.MULTILINE,
)
"""A line of a dump: address, bytes in hex, and then perhaps the same as text."""
_NUMBERS = re.compile(rb"[0-9]{1,3}(?:[^0-9]{1,12}[0-9]{1,3}(?![0-9.])){7,}+")
_NAMED = re.compile(rb"\x22bytes\x22\s{0,8}:\s{0,8}\[([0-9,\s]{1,4000})\]")
"""How chat completions give the bytes of a token."""
_BITS = re.compile(rb"(?:[01]{8}[^0-9]{0,4}){8,}+")
_ADDRESS = re.compile(
    rb"^[ \t]*(?:0x)?[0-9a-fA-F]{4,16}(?:h?:|[ \t])[ \t]*([^\r\n|]*)(?:\|[^\r\n]*\|)?\r?$", re.MULTILINE
)
"""A line behind an address, without the text that repeats it."""


def lines(data: bytes) -> Iterator[Undone]:
    """Join lines without what stands before each."""
    if b"\n" in data:
        edited = Edited(_PREFIX, lambda _: b"", data)
        yield "lines", edited.result(), edited.back


def laid_out(data: bytes) -> Iterator[Undone]:
    """Undo what tools that show text do to it; where a part comes from is told as the whole."""
    listed = _RUN_OF_NUMBERS.stands_in(data)
    if _ADDRESSED.search(data):
        yield from _whole(data, "dump", b"".join(map(_hex, _ROW.findall(data))))
        yield from _whole(data, "dump", b"\n".join(_ADDRESS.findall(data)))
    for match in _NUMBERS.finditer(data) if listed else ():
        written = re.findall(rb"[0-9]+", match[0])
        yield from _at(match, _bytes(written, 10))
        if all(len(one) == 3 and not one.strip(b"01234567") for one in written):
            yield from _at(match, _bytes(written, 8))
    for match in _BITS.finditer(data) if listed else ():
        yield from _at(match, _bytes(re.findall(rb"[01]{8}", match[0]), 2))
    if b'"bytes"' in data:
        named = b",".join(_NAMED.findall(data))
        yield from _whole(data, "numbers", _bytes(re.findall(rb"[0-9]+", named), 10))


def _hex(row: bytes) -> bytes:
    digits = row.translate(None, b" \t-")
    return bytes.fromhex(digits[: len(digits) // 2 * 2].decode())


def _bytes(numbers: list[bytes], base: int) -> bytes:
    """Read numbers as bytes; nothing where one is none, or where they are few."""
    if len(numbers) < _FEWEST or any(len(one) > 8 for one in numbers):
        return b""
    values = [int(one, base) for one in numbers]
    return bytes(values) if max(values) < 256 else b""


def _at(match: re.Match[bytes], made: bytes) -> Iterator[Undone]:
    if made:
        span = match.span()
        yield "numbers", made, lambda *_: span


def _whole(data: bytes, form: str, made: bytes) -> Iterator[Undone]:
    if made:
        yield form, made, lambda *_: (0, len(data))


def strides(data: bytes) -> Iterator[Undone]:
    """Read every second and every third letter: what stands between is filling, or another text."""
    if len(data) <= _SHORT:
        for step in (2, 3):
            for first in range(step):

                def back(start: int, end: int, first: int = first, step: int = step) -> tuple[int, int]:
                    return first + start * step, first + (end - 1) * step + 1

                yield f"every {step}th letter", data[first::step], back


_SHORT = 64 * 1024
