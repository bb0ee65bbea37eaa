"""The forms in which words travel, so that they are found wherever they stand and however they were written.

Data is looked at in views: as it is, and as it reads once its escapes (JSON, URL, HTML, quoted-printable), base64, hex,
UTF-16, compression and markup are undone, one inside another a few levels deep. Whole buffers are undone at once, so
that a line break, an offset or a neighbour hides nothing. In each view words are sought without regard to case, to
marks of Markdown, to invisible characters and to white space, and what is found is named by its bytes in the data
itself. Recording, sealing and redaction all search with `find`.
"""

from __future__ import annotations

import binascii
import html
import re
import unicodedata
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

from depose.evidence.compression import Back, Place, Undone, compressed
from depose.evidence.edited import Edited as Edited
from depose.evidence.laid_out import laid_out, lines

DEEPEST = 8
"""So many encodings may stand one inside another."""
WORK = 16
"""Bytes of all views, per byte of data, at most; views of few levels come first."""
LEAST_WORK = 4 * 1024**2
_SHORT = 256
"""Bytes that are undone further whatever they look like; of more, only what holds some text."""
_SMALL = 1024**2
"""Larger data of many JSON lines is a table or a log, and no answer in pieces."""


class View(NamedTuple):
    """Data as it reads with one encoding undone, and the way back to the bytes that it came from."""

    form: str
    data: bytes
    parent: View | None
    back: Back

    def origin(self, start: int, end: int) -> Place:
        """Return which bytes of the data itself bytes `start` to `end` of this view come from."""
        place, view = (start, end), self
        while view.parent is not None:
            place = view.back(*place)
            view = view.parent
        return place

    @property
    def path(self) -> str:
        """Name the encodings that were undone, the innermost first."""
        names, view = [], self
        while view.parent is not None:
            names.append(view.form)
            view = view.parent
        return " in ".join(names) or "as it is"


# --- what is dropped --------------------------------------------------------------------------------


def dropping(marks: bytes) -> re.Pattern[bytes]:
    """Match runs of some bytes."""
    return re.compile(b"[" + re.escape(marks) + b"]+")


SPACES = b" \t\r\n\v\f"
_APART = b":,;-"
_FORMAT = b"*~`>#|"
MARKS = _FORMAT + b"_\\"
CONTROLS = bytes((*range(1, 9), *range(14, 32), 127))
DROPPED = SPACES + MARKS + CONTROLS


class _Squeezed(Edited):
    """A buffer without some bytes."""

    def __init__(self, marks: bytes, data: bytes) -> None:
        super().__init__(dropping(marks), lambda _: b"", data)
        self._marks = marks

    def result(self) -> bytes:
        """Drop them; quicker than replacing."""
        return self._data.translate(None, self._marks)


# --- encodings that are undone ----------------------------------------------------------------------

_ESCAPE = re.compile(
    rb"(?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|[\\`]u\{[0-9a-fA-F]{1,6}\}|\\x\{[0-9a-fA-F]{1,6}\}|U\+[0-9A-Fa-f]{4,6} ?|\xf3\xa0[\x80\x81][\x80-\xbf]"
    rb"|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\x[0-9a-fA-F]{2}|\\[0-3][0-7]{2}"
    rb"|\\[\x22\x27\x5c/bfnrtva]"
    rb"|%u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2}"
    rb"|&\#[xX]0{0,30}[0-9a-fA-F]{1,6};?|&\#0{0,30}[0-9]{1,7};?|&[A-Za-z][A-Za-z0-9]{1,31};"
    rb"|=[0-9A-Fa-f]{2}|=\r?\n"
)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f", b"v": b"\v", b"a": b"\a"}
_TAG = re.compile(
    rb"(?=[<\]\x1b?\x22\x27;])(?:<!\[CDATA\[|\]\]>|<!--[^<]{0,4000}?-->|</?[A-Za-z!?][^<>]{0,400}>"
    rb"|<[A-Za-z](?:[^<>\x22\x27]|\x22[^<\x22]{0,4000}\x22|\x27[^<\x27]{0,4000}\x27){0,4000}+>"
    rb"|\x1b\[[0-9;?]{0,20}[A-Za-z]|\?=\s{0,8}=\?[A-Za-z0-9-]{1,20}\?[QqBb]\?"
    rb"|[\x22\x27]?;\s{0,8}[A-Za-z-]{1,20}\*[0-9]{1,3}\*?=[\x22\x27]?)"
)
"""Marks between which words go on: of HTML and XML, of terminals, and of long headers of mail (RFC 2047, RFC 2231)."""


def _character(number: int) -> bytes:
    return chr(number).encode("utf-8", "surrogatepass") if number <= 0x10FFFF else b""


def _hex(text: bytes) -> int:
    return int(text, 16)


def _unescaped(one: bytes) -> bytes:
    """Return the bytes that an escape stands for."""
    first, rest = one[:1], one[1:]
    if first == b"&":
        if rest[:1] != b"#":
            return html.unescape(one.decode()).encode("utf-8", "surrogatepass")
        digits = rest[1:].rstrip(b";")
        return _character(_hex(digits[1:]) if digits[:1] in (b"x", b"X") else int(digits))
    if first == b"=":
        return b"" if rest[-1:] == b"\n" else bytes([_hex(rest)])
    if first == b"%":
        return _character(_hex(rest[1:])) if rest[:1] == b"u" else bytes([_hex(rest)])
    if first == b"\xf3":  # a tag character, which nobody sees, and which stands for one of ASCII
        return bytes((ord(one.decode()) - 0xE0000,)).strip(b"\x01\x7f")
    if first == b"U":
        return _character(_hex(rest[1:].strip()))
    if rest[:2] == b"x{":
        return _character(_hex(rest[1:].strip(b"{}")))
    if rest[:1] in (b"u", b"U") and len(rest) > 1:
        if len(rest) == 11:
            high, low = _hex(rest[1:5]), _hex(rest[7:])
            return _character(0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF))
        return _character(_hex(rest[1:].strip(b"{}")))
    if rest[:1] == b"x" and len(rest) > 1:
        return bytes([_hex(rest[1:])])
    if len(rest) == 3:
        return bytes([int(rest, 8)])
    return _LETTERS.get(rest, rest)


def escapes(data: bytes) -> Iterator[Undone]:
    """Undo the escapes of JSON, programs, URLs, HTML and quoted-printable, if there are any."""
    if _ESCAPE.search(data):
        edited = Edited(_ESCAPE, _unescaped, data)
        yield "escapes", edited.result(), edited.back


_LIKE = (
    rb"\xc2[\x80-\xbf]|\xc4[\xb0\xb1]|\xc5\xbf|\xcd\x8f|\xd8\x9c|\xe1(?:\xa0[\x8b-\x8f]|\x9a\x80|\x85[\x9f\xa0])|\xe2[\x80-\x93][\x80-\xbf]"
    rb"|\xe3(?:\x80\x80|\x85\xa4)|\xef[\xac\xb8-\xbf][\x80-\xbf]|\xf0\x9d[\x90-\x9f][\x80-\xbf]|\xf0\x9f[\x84\x85][\x80-\xbf]"
    rb"|\xf3\xa0[\x80\x81\x84-\x87][\x80-\xbf]"
)
LIKE_ASCII = re.compile(_LIKE)
"""Characters that NFKD writes in ASCII, and invisible ones."""
_LOOSE = re.compile(_LIKE + b"|" + dropping(SPACES + _FORMAT).pattern)


@lru_cache(maxsize=20_000)
def plain(character: bytes, *, fold: bool) -> bytes:
    """Write a character beyond ASCII plainly, with `fold` without case; of an invisible one nothing is left."""
    text = unicodedata.normalize("NFKD", character.decode("utf-8", "replace"))
    text = unicodedata.normalize("NFKD", text.casefold()) if fold else text
    kept = "".join(c for c in text if unicodedata.category(c) not in _UNSEEN and c not in _SELECTORS)
    return kept.encode().translate(None, DROPPED if fold else SPACES)


_UNSEEN = ("Cf", "Cc", "Zl", "Zp", "Zs")
_SELECTORS = frozenset(map(chr, (*range(0xFE00, 0xFE10), 0x34F, 0x115F, 0x1160, 0x3164, 0xFFA0)))


def _marks(data: bytes) -> Iterator[Undone]:
    """Take white space, marks of Markdown and invisible characters out."""
    edited = Edited(_LOOSE, lambda one: b"" if one[0] < 128 else plain(one, fold=False), data)
    seen = data if data.isascii() else LIKE_ASCII.sub(lambda match: plain(match[0], fold=False), data)
    made = seen.translate(None, SPACES + _FORMAT)
    if made != data:
        yield "marks", made, edited.back
    if made != seen != data:  # what is invisible may stand in an escape or a tag, whose own marks are needed
        yield "marks", seen, Edited(LIKE_ASCII, lambda one: plain(one, fold=False), data).back


def _markup(data: bytes) -> Iterator[Undone]:
    if _TAG.search(data):
        edited = Edited(_TAG, lambda _: b"", data)
        yield "markup", edited.result(), edited.back


_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SIXTY_FOUR = bytes(
    c if c in _ALPHABET else ord("+") if c == ord("-") else ord("/") if c == ord("_") else ord("A") for c in range(256)
)
_PADDED = re.compile(rb"(?:[A-Za-z0-9+/_-]{2,16}={1,2}){4}")
_SIXTY_FOUR_OR_END = bytes(c if c == ord("=") else _SIXTY_FOUR[c] for c in range(256))
_SIXTEEN = bytes(c if c in b"0123456789abcdefABCDEF" else ord("0") for c in range(256))
_PREFIX = re.compile(rb"0[xX]|\\x")
_WIDE = re.compile(rb"\0[\t\n\r -~]\0[\t\n\r -~]\0|\0\0\0[\t\n\r -~]\0\0\0")
_NULS = re.compile(rb"\0+")


class _Run:
    """So many bytes of one class in a row; quicker to find than by a pattern."""

    def __init__(self, bytes_: bytes, length: int) -> None:
        self._classes = bytes(1 if c in bytes_ else 0 for c in range(256))
        self._wanted = b"\1" * length

    def stands_in(self, data: bytes) -> bool:
        """Tell whether there is one."""
        return self._wanted in data.translate(self._classes)


_RUN_64 = _Run(_ALPHABET + b"-_", 10)
_RUN_16 = _Run(b"0123456789abcdefABCDEF", 16)
_LEGIBLE = _Run(b"\0\t\n\r" + bytes(range(32, 127)), 16)


def _base64(data: bytes) -> Iterator[Undone]:
    """Undo base64 at each of four offsets, as if all of it were base64: what is none becomes noise."""
    if not _RUN_64.stands_in(data):
        return
    text = data.translate(_SIXTY_FOUR) + b"AAA"  # for what has no padding
    for offset in range(4):

        def back(start: int, end: int, offset: int = offset) -> Place:
            last = max(end - 1, start)
            beyond = min(offset + 4 * (last // 3) + last % 3 + 2, len(data))
            return min(offset + 4 * (start // 3) + start % 3, beyond - 1), beyond

        piece = text[offset : offset + (len(text) - offset) // 4 * 4]
        yield "base64", binascii.a2b_base64(piece), back


def _base64_parts(data: bytes) -> Iterator[Undone]:
    """Undo texts of base64 that follow each other, each with its own end."""
    if data.count(b"=") > 3 and _PADDED.search(data):
        parts = (part + b"A" * (-len(part) % 4) for part in re.split(rb"=+", data.translate(_SIXTY_FOUR_OR_END)))
        yield "base64", b"".join(binascii.a2b_base64(part).rstrip(b"\0") for part in parts), lambda *_: (0, len(data))


def _base16(data: bytes) -> Iterator[Undone]:
    """Undo hex, also with separators and prefixes, at both offsets."""
    squeezed = _Squeezed(_APART, data)
    bare = Edited(_PREFIX, lambda _: b"", squeezed.result())
    text = bare.result()
    if not _RUN_16.stands_in(text):
        return
    text = text.translate(_SIXTEEN)
    for offset in range(2):

        def back(start: int, end: int, offset: int = offset) -> Place:
            return squeezed.back(*bare.back(offset + 2 * start, offset + 2 * end))

        yield "hex", binascii.unhexlify(text[offset : offset + (len(text) - offset) // 2 * 2]), back


_RUN_32 = re.compile(rb"[A-Z0-9]{13,}+={0,6}|[a-z0-9]{16,}+")
_PART_32 = re.compile(rb"[A-Z2-7]{13,}+")
_SIXTEENS = re.compile(rb"[0-9A-F]*")
_VOWELS = re.compile(rb"[aeiou]")
_HEX_32 = bytes.maketrans(b"0123456789ABCDEFGHIJKLMNOPQRSTUV", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
_DIGITS_32 = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789abcdefghijklmnopqrstuv")
_RUNS = 256
"""Runs of one view that are undone as base32."""


def _base32(data: bytes) -> Iterator[Undone]:
    """Undo runs of base32, in both alphabets, at each of eight offsets."""
    for match in islice(_RUN_32.finditer(data), _RUNS):
        run = match[0].rstrip(b"=")
        if run[:1].islower() and 3 * len(_VOWELS.findall(run)) > len(run):
            continue  # words whose spaces are gone
        large = run.upper()
        if _SIXTEENS.fullmatch(large):
            continue  # hex, such as a digest
        parts = [(part.start(), part[0]) for part in _PART_32.finditer(large)]
        parts += [] if re.search(rb"[W-Z]", large) else [(0, large.translate(_HEX_32))]
        for place, text in parts:
            for offset in range(8):
                piece = text[offset:]
                count = -(-len(piece) // 8)
                # A number to the base of 32 is read in one step; base64.b32decode goes letter by letter.
                made = int(piece.translate(_DIGITS_32) + b"0" * (-len(piece) % 8), 32).to_bytes(5 * count, "big")

                def back(
                    start: int, end: int, first: int = match.start() + place + offset, last: int = match.end()
                ) -> Place:
                    return first + 8 * (start // 5), min(first + 8 * ((max(end - 1, start)) // 5 + 1), last)

                yield "base32", made, back


def _wide(data: bytes) -> Iterator[Undone]:
    """Undo UTF-16 and UTF-32 of Latin text, at any offset and in either order of bytes."""
    if _WIDE.search(data):
        edited = Edited(_NULS, lambda _: b"", data)
        yield "UTF-16", data.translate(None, b"\0"), edited.back


_STRING = re.compile(
    rb'"((?:[^"\\]|\\.){0,64}+)"\s*+:\s*+"((?:[^"\\]++|\\.)*+)"?|[\[,]\s*+()"((?:[^"\\]++|\\.)*+)"(?=\s*+[,\]])',
    re.DOTALL,
)
_LINES = re.compile(rb"\}\s*\{")


def _pieces(data: bytes) -> Iterator[Undone]:
    """Join the strings that JSON gives one name, one after another: so come the pieces of a streamed answer."""
    if b'"' not in data or (len(data) > _SMALL and _LINES.search(data)):
        return
    named: dict[bytes, list[Place]] = {}
    for match in _STRING.finditer(data):
        group = 2 if match[2] is not None else 4
        named.setdefault(match[1] or b"", []).append(match.span(group))
    spans = [span for one in named.values() if len(one) > 1 for span in one]
    if not spans:
        return
    starts = [0]
    for start, end in spans:
        starts.append(starts[-1] + end - start)

    def back(start: int, end: int) -> Place:
        first, last = (bisect_right(starts, place) - 1 for place in (start, max(end - 1, start)))
        at, beyond = spans[first][0] + start - starts[first], spans[last][0] + end - starts[last]
        return min(at, beyond), max(at, beyond)

    yield "pieces", b"".join(data[start:end] for start, end in spans), back


def _strings(data: bytes) -> Iterator[Undone]:
    """Join all strings that stand as values in JSON, whatever their names."""
    if data.count(b'"') < 8 or (len(data) > _SMALL and _LINES.search(data)):
        return
    found = [match[2] if match[2] is not None else match[4] for match in _STRING.finditer(data)]
    if len(found) > 1:
        yield "pieces", b"".join(found), lambda *_: (0, len(data))


_UNDOING = (_wide, compressed, lines, _pieces, _markup, _base32, _base64, _base16)
_LOOSELY = (_wide, compressed, lines, laid_out, _pieces, _strings, _markup, _base32, _base64_parts, _base64, _base16)
"""With what does not tell where something stands, but that it does."""


def views(data: bytes, *, loosely: bool = False) -> Iterator[View]:
    """Yield the data in every view, the simplest first, within a bound of work that grows with the data.

    With `loosely` also in views in which a place is only told as all of it.
    """
    every = _LOOSELY if loosely else _UNDOING
    first = View("", data, None, lambda start, end: (start, end))
    left = max(LEAST_WORK, WORK * len(data))
    seen = {hash(data)}
    yield first
    waiting = deque([(first, 1)])
    while waiting and left > 0:
        parent, depth = waiting.popleft()
        bare: list[Undone] = []
        undoing: tuple[Callable[[bytes], Iterator[Undone]], ...] = (compressed,)
        if depth == 1 or len(parent.data) < _SHORT or _LEGIBLE.stands_in(parent.data):
            bare = [*escapes(parent.data), *_marks(parent.data)]
            # What has neither escapes nor marks in it stands there without them too, so that it is undone once.
            undoing = every[:-2] if bare and depth > 1 else every
        for form, made, back in chain(bare, *(undo(parent.data) for undo in undoing)):
            left -= len(made)
            if made and hash(made) not in seen:
                seen.add(hash(made))
                view = View(form, made, parent, back)
                yield view
                if depth < DEEPEST:
                    waiting.append((view, depth + 1))
            if left <= 0:
                break
