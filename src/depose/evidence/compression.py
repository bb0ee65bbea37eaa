"""Compressed data, undone as far as it can be: wherever it begins, broken, cut off or without end."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from itertools import islice

SHORTEST = 8
"""Fewer bytes are no secret (`EMPTY`, `ollama`), and would be found in ordinary text."""
MOST_INFLATED = 64 * 1024**2
"""Bytes that compressed data may unpack to in one view."""
_CHANCE = 1_024
"""More bytes than noise unpacks to by chance."""
_TRIES = 64
"""Places of one view at which compressed data may begin."""

Place = tuple[int, int]
Back = Callable[[int, int], Place]
Undone = tuple[str, bytes, Back]
"""An encoding, the data without it, and the way back: which bytes before come to bytes `start` to `end` after."""


def every(data: bytes, needle: bytes) -> Iterator[int]:
    """Yield every place at which bytes stand, one beyond the end of another."""
    at = data.find(needle)
    while at >= 0:
        yield at
        at = data.find(needle, at + len(needle))


_MAGIC = {b"\x1f\x8b\x08": "gzip", b"PK\x03\x04": "zip", **dict.fromkeys((b"x\x01", b"x^", b"x\x9c", b"x\xda"), "zlib")}


def compressed(data: bytes) -> Iterator[Undone]:
    """Undo gzip, zlib and members of zip files wherever they begin, and bare deflate of the whole."""
    begins = sorted((at, form) for magic, form in _MAGIC.items() for at in islice(every(data, magic), _TRIES))
    beyond = 0
    for start, form in begins:
        if start < beyond:
            continue
        lengths = data[start + 26 : start + 30]
        head = 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
        skip, bits = (head, -15) if form == "zip" else (0, 47)
        text, used, ended = inflated(data[start + skip :], bits)
        if text and (ended or form != "zlib" or len(text) > _CHANCE):
            beyond = start + skip + used
            yield form, text, _whole(start, beyond)
    if not beyond and not data[:10].isascii():
        text, used, ended = inflated(data, -15)
        if (ended and len(text) >= SHORTEST) or len(text) > _CHANCE:
            yield "deflate", text, _whole(0, used)


def _whole(start: int, end: int) -> Back:
    return lambda *_: (start, end)


def inflated(data: bytes, bits: int, most: int = MOST_INFLATED) -> tuple[bytes, int, bool]:
    """Unpack as much as can be, also of what is broken: the data, the bytes that it took, whether it ended well."""
    made, used, step = bytearray(), 0, 65_536
    inflate = zlib.decompressobj(bits)
    while used < len(data) and len(made) < most and not inflate.eof:
        kept = inflate.copy()
        piece = data[used : used + step]
        try:
            made += inflate.decompress(piece, most - len(made))
        except zlib.error:
            if step == 1:
                break
            inflate, step = kept, max(1, step // 16)
            continue
        used += len(piece) - len(inflate.unused_data) - len(inflate.unconsumed_tail)
        if inflate.unconsumed_tail:
            break
    return bytes(made), used, inflate.eof
