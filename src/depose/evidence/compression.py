"""Compressed data, undone as far as it can be: wherever it begins, broken, cut off or without end."""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
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
_OTHERS = {
    b"\xfd7zXZ\0": "xz",
    b"]\0\0": "lzma",
    b"BZh": "bzip2",
    b"(\xb5/\xfd": "zstd",
    b"\x04\x22M\x18": "lz4",
}
_ALL = (*_MAGIC, *_OTHERS)
_WORDS = re.compile(rb"[\t\n\r -~]{8}")
"""What noise that passes for Brotli seldom unpacks to."""
_LEGIBLE = re.compile(rb"[\t\n\r -~]{0,16}(?![^\t\n\r -~])")
"""How text begins."""
_MOST_TO_UNPACK = 128 * 1024**2
"""Bytes of memory that an unpacker may set aside."""


def compressed(data: bytes) -> Iterator[Undone]:
    """Undo compression wherever it begins: gzip, zlib, zip, xz, lzma, bzip2, zstd, lz4."""
    if data.isascii() or not any(magic in data for magic in _ALL):
        return
    yield from _others(data)
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


def without_mark(data: bytes) -> Iterator[Undone]:
    """Undo what no mark tells: deflate and Brotli, from the first byte on."""
    if not data[:10].isascii() and data[:3] != b"\x1f\x8b\x08":
        text, used, ended = inflated(data, -15)
        if (ended and len(text) >= SHORTEST) or len(text) > _CHANCE:
            yield "deflate", text, _whole(0, used)
    if len(data) < _MOST_TO_UNPACK and not _LEGIBLE.match(data) and _WORDS.search(text := _streamed(data, "brotli")):
        yield "brotli", text, _whole(0, len(data))


def _others(data: bytes) -> Iterator[Undone]:
    """Undo what zlib does not know."""
    begins = sorted((at, form) for magic, form in _OTHERS.items() for at in islice(every(data, magic), _TRIES))
    for start, form in begins[:_TRIES]:
        if text := _unpacked(data[start:], form):
            yield form, text, _whole(start, len(data))


def _unpacked(data: bytes, form: str) -> bytes:
    """Unpack as much as can be; nothing of what only begins like compressed data."""
    if form in ("zstd", "lz4"):
        return _streamed(data, form)
    step = 4_096
    made, broken = _fed(data, form, range(0, len(data), step), step)
    if broken is not None:  # once more, the last piece byte by byte: what came before the break counts
        places = [*range(0, broken, step), *range(broken, min(broken + step, len(data)))]
        made, _ = _fed(data, form, places, step, single=broken)
    return made if form != "lzma" or len(made) >= SHORTEST else b""


def _fed(
    data: bytes, form: str, places: Iterable[int], step: int, single: int | None = None
) -> tuple[bytes, int | None]:
    """Feed an unpacker piece by piece, from `single` on byte by byte: what came out, and where it broke."""
    unpack: lzma.LZMADecompressor | bz2.BZ2Decompressor
    if form == "bzip2":
        unpack = bz2.BZ2Decompressor()
    else:
        kind = lzma.FORMAT_XZ if form == "xz" else lzma.FORMAT_ALONE
        unpack = lzma.LZMADecompressor(kind, memlimit=_MOST_TO_UNPACK)
    made = bytearray()
    for place in places:
        size = step if single is None or place < single else 1
        try:
            made += unpack.decompress(data[place : place + size], MOST_INFLATED - len(made))
        except (lzma.LZMAError, OSError, EOFError, ValueError):
            return bytes(made), place
        if unpack.eof or len(made) >= MOST_INFLATED:
            break
    return bytes(made), None


def _streamed(data: bytes, form: str) -> bytes:
    """Unpack by the codecs of Arrow, piece by piece, up to where the data breaks."""
    import pyarrow

    made = bytearray()
    try:
        with pyarrow.CompressedInputStream(pyarrow.BufferReader(data), form) as stream:
            while len(made) < MOST_INFLATED and (piece := stream.read(65_536)):
                made += piece
    except (OSError, ValueError, pyarrow.ArrowException):
        pass
    return bytes(made)


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
