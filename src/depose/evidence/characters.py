"""Characters that look or read alike, written in one way, so that a word is found whatever it is typeset in."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from depose.evidence.edited import Edited

SPACES = b" \t\r\n\v\f"
FORMAT = b"*~`>#|"
MARKS = FORMAT + b"_\\"
CONTROLS = bytes((*range(1, 9), *range(14, 32), 127))
DROPPED = SPACES + MARKS + CONTROLS
NO_LETTERS = bytes(c for c in range(256) if c > 127 or not bytes((c,)).isalnum())
_ONE = rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
_RUN = re.compile(rb"[\x80-\xff]+")
_UNSEEN = ("Cf", "Cc", "Zl", "Zp", "Zs")
_SELECTORS = frozenset(map(chr, (*range(0xFE00, 0xFE10), 0x34F, 0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800)))
_LATIN = re.compile(r"(?:LATIN|REGIONAL).* (?:LETTER|CAPITAL) (?:[A-Z]+ )*([A-Z])(?: WITH .*)?\Z")
"""Names of characters that are a Latin letter in other dress: circled, small capitals, flags."""
_DRAWN_ALIKE = {
    **dict(
        zip("аАвВсСеЕіІїЇјЈкКмМнНоОрРѕЅтТхХуУһҺԁԀԛԚԝԜӏӀ", "aabbcceeiiiijjkkmmhhooppssttxxyyhhddqqwwll", strict=True)
    ),
    **dict(zip("ΑαΒΕΖΗΙιΚκΜΝνΟοΡρΤτΥυΧχϹϲϳ", "aabezhiikkmnvooppttyuxxccj", strict=True)),
    **dict.fromkeys("‐‑‒–—―−﹣", "-"),
    **dict.fromkeys("⁄∕", "/"),
    **dict.fromkeys("‘’‛′ʼ", "'"),
    **dict.fromkeys("“”‟″«»", '"'),
    "․": ".",
    "∗": "*",
    "∼": "~",
    "꞉": ":",
}
"""Characters of other scripts that are drawn like ASCII, and what word processors make of dashes and quotes."""


def dropping(marks: bytes) -> re.Pattern[bytes]:
    """Match runs of some bytes."""
    return re.compile(b"[" + re.escape(marks) + b"]+")


def _like_ascii(character: str) -> str:
    """Write a character as ASCII, without case and accents, if it can be; else as Unicode folds it."""
    found = _DRAWN_ALIKE.get(character) or _kept(unicodedata.normalize("NFKD", character))
    found = _kept(unicodedata.normalize("NFKD", found.casefold()))
    return "".join(_in_other_dress(c) for c in found if not _is_accent(c))


def _in_other_dress(c: str) -> str:
    if c.isascii():
        return c
    digit = unicodedata.digit(c, None)
    named = _LATIN.search(unicodedata.name(c, "")) if digit is None else None
    return _DRAWN_ALIKE.get(c) or (named[1].lower() if named else c if digit is None else str(digit))


def _is_accent(c: str) -> bool:
    return "\u0300" <= c <= "\u036f" or "\u20d0" <= c <= "\u20f0"


def _folded(character: str) -> str:
    """Write a character as Unicode folds it."""
    found = _kept(unicodedata.normalize("NFKD", character))
    return _kept(unicodedata.normalize("NFKD", found.casefold()))


def _kept(text: str) -> str:
    """Leave invisible characters, spaces and marks out."""
    seen = "".join(c for c in text if c not in _SELECTORS and unicodedata.category(c) not in _UNSEEN)
    return seen.encode("utf-8", "surrogatepass").translate(None, DROPPED).decode("utf-8", "surrogatepass")


class _Folding(dict[int, str]):
    """What becomes of each character, worked out when it is first met."""

    def __init__(self, *, like_ascii: bool) -> None:
        super().__init__()
        self._one = _like_ascii if like_ascii else _folded

    def __missing__(self, number: int) -> str:
        self[number] = made = self._one(chr(number))
        return made


class Fold:
    """Text without case, white space, marks of Markdown and invisible characters.

    With `like_ascii` what looks like ASCII or is ASCII with an accent is ASCII: for words that are nothing else.
    """

    def __init__(self, *, like_ascii: bool) -> None:
        self._table = _Folding(like_ascii=like_ascii)

    def __call__(self, data: bytes) -> bytes:
        """Fold."""
        made = data if data.isascii() else _RUN.sub(self._run, data)
        return made.lower().translate(None, DROPPED)

    def _run(self, match: re.Match[bytes]) -> bytes:
        return self._other(match[0])

    def _other(self, characters: bytes) -> bytes:
        return characters.decode("utf-8", "surrogateescape").translate(self._table).encode("utf-8", "surrogateescape")

    def undone(self, data: bytes) -> Edited:
        """Fold, with the way back."""
        return Edited(_PIECES, lambda one: b"" if one[0] < 128 else self._other(one), data)


_PIECES = re.compile(_ONE + b"|" + dropping(DROPPED).pattern)


@lru_cache(maxsize=20_000)
def plain(character: bytes) -> bytes:
    """Write a character beyond ASCII as it is when nothing is compatible or invisible about it."""
    text = unicodedata.normalize("NFKD", character.decode("utf-8", "replace"))
    kept = "".join(c for c in text if unicodedata.category(c) not in _UNSEEN and c not in _SELECTORS)
    return kept.encode().translate(None, SPACES)


LIKE_ASCII = re.compile(
    rb"\xc2[\x80-\xbf]|\xc4[\xb0\xb1]|\xc5\xbf|\xcd\x8f|\xd8\x9c"
    rb"|\xe1(?:\xa0[\x8b-\x8f]|\x9a\x80|\x85[\x9f\xa0])|\xe2[\x80-\x93][\x80-\xbf]|\xe2\xa0\x80"
    rb"|\xe3(?:\x80\x80|\x85\xa4)|\xef[\xac\xb8-\xbf][\x80-\xbf]"
    rb"|\xf0\x9d[\x90-\x9f][\x80-\xbf]|\xf0\x9f[\x84\x85][\x80-\xbf]|\xf3\xa0[\x80\x81\x84-\x87][\x80-\xbf]"
)
"""Characters that NFKD writes in ASCII, and invisible ones."""
LOOSE = re.compile(LIKE_ASCII.pattern + b"|" + dropping(SPACES + FORMAT).pattern)
