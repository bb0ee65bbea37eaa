"""Bytes written as letters: base 2 to 94, in whatever alphabet a standard or a well-known tool gives.

What decodes here is undone further. Words that stand directly in a base are sought as it writes them (`respelled`).
"""

from __future__ import annotations

import binascii
import re
import string
import zlib
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from depose.evidence.compression import SHORTEST, Place, Undone, every, without_mark
from depose.evidence.edited import Edited
from depose.evidence.needles import Run, holds_any

DIGITS, UPPER, LOWER = string.digits, string.ascii_uppercase, string.ascii_lowercase
ASCII_85 = "".join(map(chr, range(33, 118)))
RFC_1924 = DIGITS + UPPER + LOWER + "!#$%&()*+-;<=>?@^_`{|}~"
Z_85 = DIGITS + LOWER + UPPER + ".-:+=^!/*?&<>()[]{}@%$#"
BITCOIN = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
FLICKR = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
BASE_45 = DIGITS + UPPER + " $%*+-./:"
BASE_91 = UPPER + LOWER + DIGITS + '!#$%&()*+,./:;<=>?@[]^_`{|}~"'
XX = "+-" + DIGITS + UPPER + LOWER
BITS: dict[str, tuple[int, str]] = {
    "base64": (6, UPPER + LOWER + DIGITS + "+/"),
    "base64 for URLs": (6, UPPER + LOWER + DIGITS + "-_"),
    "base64 of IMAP": (6, UPPER + LOWER + DIGITS + "+,"),
    "uuencode": (6, "`" + "".join(map(chr, range(33, 96)))),
    "xxencode": (6, XX),
    "BinHex": (6, "!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"),
    "base64 of bcrypt": (6, "./" + UPPER + LOWER + DIGITS),
    "base64 of crypt": (6, "./" + DIGITS + UPPER + LOWER),
    "base64, digits first": (6, DIGITS + UPPER + LOWER + "+/"),
    "base64, in order of ASCII": (6, "-" + DIGITS + UPPER + "_" + LOWER),
    "base32": (5, UPPER + "234567"),
    "base32hex": (5, DIGITS + UPPER[:22]),
    "base32 of Crockford": (5, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"),
    "z-base-32": (5, "ybndrfg8ejkmcpqxot1uwisza345h769"),
    "base32 of geohash": (5, "0123456789bcdefghjkmnpqrstuvwxyz"),
    "base32 of Bech32": (5, "qpzry9x8gf2tvdw0s3jn54khce6mua7l"),
    "base32 of words": (5, "23456789CFGHJMPQRVWXcfghjmpqrvwx"),
    "hex": (4, "0123456789abcdef"),
    "hex in letters": (4, "abcdefghijklmnop"),
    "hex of keyboards": (4, "cbdefghijklnrtuv"),
    "octal": (3, "01234567"),
    "binary": (1, "01"),
}
"""How many bits a letter stands for, and the letters."""
NUMBERS = {
    "decimal": DIGITS,
    "base36": DIGITS + LOWER,
    "base58": BITCOIN,
    "base58 of Flickr": FLICKR,
    "base58 of Ripple": RIPPLE,
    "base62": DIGITS + UPPER + LOWER,
    "base62, small letters first": DIGITS + LOWER + UPPER,
}
"""Alphabets in which bytes are written as one number."""
BLOCKS: dict[str, str] = {"ascii85": ASCII_85, "base85": RFC_1924, "z85": Z_85}
"""Alphabets of five letters for four bytes."""


_LEGIBLE_BYTES = b"\t\n\r" + bytes(range(32, 127))
_LEGIBLE = Run(_LEGIBLE_BYTES, 12)
_SHORT_LEGIBLE = Run(_LEGIBLE_BYTES, 8)
_SHORT = 64
_UNSEEN = b"\0" + "\u200b\u200c\u200d\u2060\u00ad\ufeff".encode()
"""Bytes of letters that are wider than one byte, and of invisible characters."""
_PACKED = (*(b"\x1f\x8b\x08", b"PK\x03\x04", b"\xfd7zXZ", b"BZh", b"(\xb5/\xfd", b"\x04\x22M\x18", b"]\0\0"),)
_ZLIB = (b"x\x9c", b"x\xda", b"x\x01", b"x^")


def is_legible(data: bytes) -> bool:
    """Tell whether some text stands in it, of one byte a letter or of more."""
    return (_LEGIBLE if len(data) > _SHORT else _SHORT_LEGIBLE).stands_in(data.translate(None, _UNSEEN))


def _reads(data: bytes) -> bool:
    """Tell whether it is more than noise: some text, or what may be the beginning of something compressed."""
    if is_legible(data):
        return True
    return holds_any(data, _PACKED) or (
        holds_any(data, _ZLIB) and any(_inflates(data, at) for one in _ZLIB for at in every(data, one))
    )


def _inflates(data: bytes, at: int) -> bool:
    """Tell whether something more than chance comes out of what begins like a stream of zlib."""
    try:
        return len(zlib.decompressobj().decompress(data[at : at + 256], _SHORT)) >= SHORTEST
    except zlib.error:
        return False


@lru_cache(maxsize=4_096)
def _begins(data: bytes) -> bool:
    """Tell the same of what begins with its first byte, so that no mark need tell that it is compressed."""
    return is_legible(data) or data.startswith((*_PACKED, *_ZLIB)) or next(without_mark(data), None) is not None


# --- base 64 and 16: a whole buffer at once -----------------------------------------------------------

_ALPHABET = BITS["base64"][1].encode()
_SIXTY_FOUR = bytes(c if c in _ALPHABET else ord("+") if c == ord("-") else ord("/") for c in range(256))
_SIXTY_FOUR_OR_END = bytes(c if c == ord("=") else _SIXTY_FOUR[c] for c in range(256))
_PADDED = re.compile(rb"(?:[A-Za-z0-9+/_-]{2,16}={1,2}){4}")
_ENDED = re.compile(rb"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{22,}+")
_LONG_64 = Run(_ALPHABET + b"-_", 22)
_LONG_36 = Run((DIGITS + UPPER + LOWER).encode(), 13)
_LONG_85 = Run(bytes(c for c in range(33, 127) if c != 34), 20)
_SIXTEEN = bytes(c if c in b"0123456789abcdefABCDEF" else ord("f") for c in range(256))
_APART = b":,;-"
_PREFIX = re.compile(rb"0[xX]|\\x")
_RUN_64 = Run(_ALPHABET + b"-_", 10)
_RUN_16 = Run(b"0123456789abcdefABCDEF", 16)


class Squeezed(Edited):
    """A buffer without some bytes."""

    def __init__(self, marks: bytes, data: bytes) -> None:
        super().__init__(re.compile(b"[" + re.escape(marks) + b"]+"), lambda _: b"", data)
        self._marks = marks

    def result(self) -> bytes:
        """Drop them; quicker than replacing."""
        return self._data.translate(None, self._marks)


def base64(data: bytes) -> Iterator[Undone]:
    """Undo base64 at each of four offsets, as if all of it were base64: what is none becomes noise."""
    if not _RUN_64.stands_in(data):
        return
    text = data.translate(_SIXTY_FOUR) + b"AAA"  # for what has no padding
    for offset in range(4):

        def back(start: int, end: int, offset: int = offset) -> Place:
            last = max(end - 1, start)
            beyond = min(offset + 4 * (last // 3) + last % 3 + 2, len(data))
            return min(offset + 4 * (start // 3) + start % 3, beyond - 1), beyond

        made = binascii.a2b_base64(text[offset : offset + (len(text) - offset) // 4 * 4])
        if _reads(made):
            yield "base64", made, back


def base64_parts(data: bytes) -> Iterator[Undone]:
    """Undo texts of base64 that follow each other, each with its own end."""
    if data.count(b"=") > 3 and _PADDED.search(data):
        parts = (part + b"A" * (-len(part) % 4) for part in re.split(rb"=+", data.translate(_SIXTY_FOUR_OR_END)))
        yield "base64", b"".join(binascii.a2b_base64(part).rstrip(b"\0") for part in parts), lambda *_: (0, len(data))


def base64_runs(data: bytes) -> Iterator[Undone]:
    """Undo each run of base64 by itself, so that what it holds begins where the run does."""
    if not _LONG_64.stands_in(data):
        return
    for match in islice(_ENDED.finditer(data), _RUNS):
        run = match[0].translate(_SIXTY_FOUR)
        if len(run) % 4 != 1 and not run.islower() and not _SIXTEENS.fullmatch(run.upper()):
            made = binascii.a2b_base64(run + b"A" * (-len(run) % 4))[: 6 * len(run) // 8]
            if _begins(made):
                yield "base64", made, _all_of(match)


def base16(data: bytes) -> Iterator[Undone]:
    """Undo hex, also with separators and prefixes, at both offsets."""
    squeezed = Squeezed(_APART, data)
    bare = Edited(_PREFIX, lambda _: b"", squeezed.result())
    text = bare.result() if b"0x" in data or b"0X" in data or b"\\x" in data else squeezed.result()
    if not _RUN_16.stands_in(text):
        return
    text = text.translate(_SIXTEEN)
    for offset in range(2):

        def back(start: int, end: int, offset: int = offset) -> Place:
            return squeezed.back(*bare.back(offset + 2 * start, offset + 2 * end))

        made = binascii.unhexlify(text[offset : offset + (len(text) - offset) // 2 * 2])
        if _reads(made):
            yield "hex", made, back


_LONG_16 = Run(b"0123456789abcdefABCDEF", 24)
_ENDED_16 = re.compile(rb"(?<![0-9A-Za-z])(?:[0-9a-f]{24,}+|[0-9A-F]{24,}+)(?![0-9A-Za-z])")
_DIGESTS = (32, 40, 56, 64, 96, 128)


def base16_runs(data: bytes) -> Iterator[Undone]:
    """Undo each run of hex by itself that is not as long as a digest, so that it is known where it begins."""
    if _LONG_16.stands_in(data):
        for match in islice(_ENDED_16.finditer(data), _RUNS):
            run = match[0]
            if len(run) % 2 == 0 and len(run) not in _DIGESTS and _begins(made := binascii.unhexlify(run)):
                yield "hex", made, _all_of(match)


# --- other powers of two, run by run ------------------------------------------------------------------

_RUNS = 4_096  # of one view, one by one
_SIXTEENS = re.compile(rb"[0-9A-Fa-f]*")
_LETTERED = re.compile(rb"(?<![0-9A-Za-z])[0-9A-Za-z]{13,}+")
_OF_32 = "0123456789abcdefghijklmnopqrstuv"
_TO_32 = {
    name: (bytes.maketrans(letters.upper().encode(), _OF_32.encode()), letters.upper().encode())
    for name, (bits, letters) in BITS.items()
    if bits == 5 and name != "base32 of words"
}
_LONGEST_NUMBER = 1_000
_FEWEST_DIGITS = 20


def lettered(data: bytes) -> Iterator[Undone]:
    """Undo runs of letters and digits: base32 in each alphabet of one case, and bytes written as one number."""
    if not _LONG_36.stands_in(data):
        return
    for match in islice(_LETTERED.finditer(data), _RUNS):
        run = match[0]
        if len(run) > 13 and _SIXTEENS.fullmatch(run) and not run.isdigit():
            continue  # hex, such as a digest
        way = _Whole(*match.span())
        if not run.isalpha() or run.isupper():
            for name, made in _read(run):
                yield name, made, way


@lru_cache(maxsize=4_096)
def _read(run: bytes) -> tuple[tuple[str, bytes], ...]:
    """Read a run in every alphabet that it fits; in other views it stands again."""
    return tuple((name, made) for name, made in (*_of_32(run), *_of_numbers(run)) if _reads(made))


def _of_32(run: bytes) -> Iterator[tuple[str, bytes]]:
    """Read a run of one case."""
    if not (run.isupper() or run.islower()):
        return
    large = run.upper()
    count = len(large) * 5 // 8
    for name, (digits, letters) in _TO_32.items():
        if not large.translate(None, letters):
            # A number to the base of 32 is read in one step; base64.b32decode goes letter by letter.
            bits = int(large.translate(digits), 32) >> (len(large) * 5 - count * 8)
            yield name, bits.to_bytes(count, "big")


def _of_numbers(run: bytes) -> Iterator[tuple[str, bytes]]:
    if _FEWEST_DIGITS <= len(run) <= _LONGEST_NUMBER:
        for name, alphabet in NUMBERS.items():
            if run.isdigit() == (name == "decimal") and not run.translate(None, alphabet.encode()):
                number = of_number(run, name)
                yield name, number.to_bytes((number.bit_length() + 7) // 8, "big")


def _all_of(match: re.Match[bytes]) -> _Whole:
    return _Whole(match.start(), match.end())


class _Whole:
    """The way back to a run as one."""

    def __init__(self, start: int, end: int) -> None:
        self._span = (start, end)

    def __call__(self, start: int, end: int) -> Place:
        return self._span


# --- lines of uuencode and its like -------------------------------------------------------------------

_UU = re.compile(rb"^[!-M][ -`]{2,61}(?=\r?$)", re.MULTILINE)
_XX = re.compile(rb"^[+\-0-9A-Za-z]{5,62}(?=\r?$)", re.MULTILINE)
_FROM_XX = bytes.maketrans(XX.encode(), _ALPHABET)


def uuencode(data: bytes) -> Iterator[Undone]:
    """Undo lines that begin with their length: of uuencode and xxencode."""
    made = bytearray()
    for row in _UU.findall(data):
        count, text = row[0] - 32, row[1:]
        if 0 <= (count + 2) // 3 * 4 - len(text) <= 2 or len(text) - (count + 2) // 3 * 4 == 1:
            made += _uu(row, count)
    if _reads(bytes(made)):
        yield "uuencode", bytes(made), _Whole(0, len(data))
    made.clear()
    for row in _XX.findall(data):
        count, text = XX.index(chr(row[0])), row[1:]
        if 3 <= count <= 45 and len(text) == (count + 2) // 3 * 4:
            made += binascii.a2b_base64(text.translate(_FROM_XX))[:count]
    if _reads(bytes(made)):
        yield "xxencode", bytes(made), _Whole(0, len(data))


def _uu(row: bytes, count: int) -> bytes:
    padded = row[: 1 + (count + 2) // 3 * 4]
    try:
        return binascii.a2b_uu(padded)
    except binascii.Error:
        return b""


# --- base 85, 45 and numbers ---------------------------------------------------------------------------

_PROBE = 600
"""Letters of a run that tell whether it reads."""
_FRAMED = re.compile(rb"<~([!-uyz\s]{5,}?)~>")
_RUN_85 = re.compile(rb"[!#-~]{20,}+")
_MARKED = bytes(c for c in range(256) if not (chr(c).isalnum() and c < 128))
_LINE_OF_GIT = re.compile(rb"^[A-Za-z]((?:[0-9A-Za-z!#$%&()*+\-;<=>?@^_`{|}~]{5}){1,13})(?=\r?$)", re.MULTILINE)
_FROM_85 = {name: {c: n for n, c in enumerate(letters.encode())} for name, letters in BLOCKS.items()}
_RUN_45 = re.compile(rb"[0-9A-Z $%*+\-./:]{18,}+")
_LIKELY_45 = Run(BASE_45.encode(), 18)


def base85(data: bytes) -> Iterator[Undone]:
    """Undo base85 in frames, in patches of git, and in runs of each alphabet from where they begin."""
    for match in islice(_FRAMED.finditer(data), _RUNS):
        if _begins(made := of_85(b"".join(match[1].split()), "ascii85")):
            yield "ascii85", made, _all_of(match)
    if b"literal " in data or b"delta " in data:
        made = of_85(b"".join(_LINE_OF_GIT.findall(data)), "base85")
        if _begins(made):
            yield "base85", made, _Whole(0, len(data))
    if not _LONG_85.stands_in(data):
        return
    for match in islice(_RUN_85.finditer(data), _RUNS):
        run = match[0]
        if len(run.translate(None, _MARKED)) * 8 <= len(run) * 7:
            for name, letters in BLOCKS.items():
                if not run.translate(None, letters.encode()) and _begins(of_85(run[:_PROBE], name)):
                    yield name, of_85(run, name), _all_of(match)


@lru_cache(maxsize=1_024)
def of_85(text: bytes, name: str) -> bytes:
    """Read five letters as four bytes each; what is no number of four bytes becomes nothing."""
    values, made = _FROM_85[name], bytearray()
    if name == "ascii85" and b"z" in text:
        text = text.replace(b"z", b"!!!!!")
    for at in range(0, len(text), 5):
        part, number = text[at : at + 5], 0
        if len(part) == 1:
            break
        for c in part.ljust(5, b"~" if name == "base85" else b"#" if name == "z85" else b"u"):
            number = number * 85 + values.get(c, 0)
        made += (number & 0xFFFFFFFF).to_bytes(4, "big")[: len(part) - 1]
    return bytes(made)


def base45(data: bytes) -> Iterator[Undone]:
    """Undo base45, as matrix codes hold bytes (RFC 9285)."""
    if not _LIKELY_45.stands_in(data):
        return
    values = {c: n for n, c in enumerate(BASE_45.encode())}
    for match in islice(_RUN_45.finditer(data), _RUNS):
        run = match[0].strip()
        for text in {run, run.partition(b":")[2]}:
            made = bytearray()
            for at in range(0, len(text) - 1, 3):
                number = sum(values[c] * 45**n for n, c in enumerate(text[at : at + 3]))
                made += (number & 0xFFFF).to_bytes(2, "big") if at + 2 < len(text) else bytes((number & 0xFF,))
            if _reads(bytes(made)):
                yield "base45", bytes(made), _all_of(match)


_VALUES = {name: {c: n for n, c in enumerate(letters.encode())} for name, letters in NUMBERS.items()}


def of_number(text: bytes, name: str) -> int:
    """Read a number in one of the alphabets, eight letters a step."""
    if name == "decimal":
        return int(text)
    values, number = _VALUES[name], 0
    base = len(values)
    for at in range(0, len(text), 8):
        piece, low = text[at : at + 8], 0
        for c in piece:
            low = low * base + values[c]
        number = number * base ** len(piece) + low
    return number
