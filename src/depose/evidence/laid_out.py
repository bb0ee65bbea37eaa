"""Text as tools lay it out: over lines with marks before each, in pieces of a stream, in dumps, as lists of numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from depose.evidence.compression import Undone
from depose.evidence.edited import Edited

_FEWEST = 8
"""Fewer numbers are no secret."""
_PREFIX = re.compile(
    rb"(?:-|\xe2\x80\x90)?\r?\n"
    rb"(?:(?:event|id|retry):[^\r\n]{0,200}\r?\n|data:|[0-9a-fA-F]{1,8}(?:;[^\r\n]{0,200})?\r\n|//|--|\xe2\x80\xa2|\xe2\x97\xa6"
    rb"|[0-9]{1,6}[.:)]|[\s>#|*+;-])*+"
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
_STYLED = re.compile(rb"\\([0-9a-fA-F]{1,6})[ \t\n]?")
"""An escape of style sheets."""
_OCTAL = re.compile(rb"\\([0-7]{1,3})")


def lines(data: bytes) -> Iterator[Undone]:
    """Join lines without what stands before each."""
    if b"\n" in data:
        edited = Edited(_PREFIX, lambda _: b"", data)
        yield "lines", edited.result(), edited.back


def laid_out(data: bytes) -> Iterator[Undone]:
    """Undo what tools that show text do to it; where a part comes from is told as the whole."""
    if len(data) < 2 * _FEWEST:
        return
    if b"\n" in data:
        yield from _whole(data, "dump", b"".join(map(_hex, _ROW.findall(data))))
    for match in _NUMBERS.finditer(data):
        written = re.findall(rb"[0-9]+", match[0])
        yield from _at(match, _bytes(written, 10))
        if all(len(one) == 3 and not one.strip(b"01234567") for one in written):
            yield from _at(match, _bytes(written, 8))
    for match in _BITS.finditer(data):
        yield from _at(match, _bytes(re.findall(rb"[01]{8}", match[0]), 2))
    if b'"bytes"' in data:
        listed = b",".join(_NAMED.findall(data))
        yield from _whole(data, "numbers", _bytes(re.findall(rb"[0-9]+", listed), 10))
    for form, pattern, base in (("escapes", _STYLED, 16), ("escapes", _OCTAL, 8)):
        if data.count(b"\\") >= _FEWEST:
            unescaped = Edited(pattern, _character(base), data)
            yield form, unescaped.result(), unescaped.back


def _hex(row: bytes) -> bytes:
    digits = row.translate(None, b" \t-")
    return bytes.fromhex(digits[: len(digits) // 2 * 2].decode())


def _bytes(numbers: list[bytes], base: int) -> bytes:
    """Read numbers as bytes; nothing where one is none, or where they are few."""
    if len(numbers) < _FEWEST or any(len(one) > 8 for one in numbers):
        return b""
    values = [int(one, base) for one in numbers]
    return bytes(values) if max(values) < 256 else b""


def _character(base: int) -> Callable[[bytes], bytes]:
    def made(escape: bytes) -> bytes:
        number = int(escape[1:].strip(), base)
        return chr(number).encode("utf-8", "surrogatepass") if number <= 0x10FFFF else b""

    return made


def _at(match: re.Match[bytes], made: bytes) -> Iterator[Undone]:
    if made:
        span = match.span()
        yield "numbers", made, lambda *_: span


def _whole(data: bytes, form: str, made: bytes) -> Iterator[Undone]:
    if made:
        yield form, made, lambda *_: (0, len(data))
