"""Lists what is left in the text of a copy that is like the words withheld, for whoever makes the copy to look at.

The search withholds words in any form that is theirs and nothing else's. What only may be theirs is no reason to black
out a page: a part of a name, its parts in another order, a letter off, accents written otherwise, digits in words.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache

from depose.evidence.characters import NO_LETTERS, Fold, dropping
from depose.evidence.compression import Back, every
from depose.evidence.edited import Edited
from depose.evidence.escapes import escapes, markup
from depose.model import Record

LONGEST = 64
"""Characters of words that have near finds; a whole sentence has none worth the time."""
TELLING = 4
"""Letters of a part of the words that is listed alone."""
RARE = 6
"""Letters of a part that is listed within another word, turned round, or with a letter off."""
LONGEST_TOKEN = 256
"""Bytes of a word of a text; a longer one is no word but data."""
BETWEEN = 24
"""Bytes between parts of the words that stand in another order, or with something between them."""
WIDE = 9
"""Bytes for each letter of words that stand letter by letter."""
_LIKE_ASCII = Fold(like_ascii=True)
_TOKEN = re.compile(rb"[0-9A-Za-z\x80-\xff]+")
_PIECE = re.compile(r"[^\W_]+")
_BETWEEN_LETTERS = dropping(NO_LETTERS)
_LEET = str.maketrans("013457", "oieast")
_DOUBLED = re.compile(r"(.)\1+")
_UMLAUT = re.compile(r"([aou])e")
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NUMBER = b"|".join((*(one.encode() for one in _DIGITS), b"oh", b"[0-9]"))
_SPOKEN = re.compile(rb"(?i)\b(?:" + _NUMBER + rb")(?:[\s,.-]{1,3}(?:" + _NUMBER + rb")\b){3,}")


class Near(Record, frozen=True, kw_only=True):
    """A place that looks like what is withheld and was not withheld."""

    file: str
    line: int
    shown: str
    why: str


class _Reading:
    """A text as it stands, or with its escapes and marks undone."""

    def __init__(self, data: bytes, undone: Sequence[Back] = ()) -> None:
        self.data, self._undone = data, undone

    def back(self, start: int, end: int) -> tuple[int, int]:
        """Return the place of the text as it stands."""
        for one in reversed(self._undone):
            start, end = one(start, end)
        return start, end

    @cached_property
    def tokens(self) -> frozenset[bytes]:
        """Every word of it once."""
        return frozenset(one for one in _TOKEN.findall(self.data) if len(one) <= LONGEST_TOKEN)

    @cached_property
    def letters(self) -> bytes:
        """Nothing but its letters and digits, without case and accents."""
        return _LIKE_ASCII(self.data).translate(None, NO_LETTERS)

    def of_letters(self, start: int, end: int) -> tuple[int, int]:
        """Return the place of some of its letters."""
        folded, bare = self._ways
        return folded.back(*bare.back(start, end))

    @cached_property
    def _ways(self) -> tuple[Edited, Edited]:
        bare = Edited(_BETWEEN_LETTERS, lambda _: b"", _LIKE_ASCII(self.data))
        return _LIKE_ASCII.undone(self.data), bare


def near(files: Mapping[str, bytes], words: Iterable[bytes], most: int = 50) -> tuple[Near, ...]:
    """List what is like the words: `most` of each kind of likeness to each of the words at most."""
    found: dict[Near, None] = {}
    short = [_Words(text) for text in map(_text, words) if text and len(text) <= LONGEST]
    counts = Counter[tuple[int, str]]()
    for name, data in files.items() if short else ():
        ends = [match.start() for match in re.finditer(rb"\n", data)]
        for reading in _readings(data):
            for number, one in enumerate(short):
                for start, end, why in one.alike(reading):
                    if counts[number, why] >= most:
                        continue
                    at, beyond = reading.back(start, end)
                    line, shown = bisect_left(ends, at) + 1, data[at:beyond].decode("utf-8", "replace")
                    made = Near(file=name, line=line, shown=shown, why=why)
                    counts[number, why] += made not in found
                    found[made] = None
    return tuple(found)


def _text(words: bytes) -> str:
    try:
        return words.decode()
    except UnicodeDecodeError:
        return ""


def _readings(data: bytes) -> Iterator[_Reading]:
    yield _Reading(data)
    undone: list[Back] = []
    made = data
    for undo in (escapes, escapes, markup, escapes):
        for _, read, back in undo(made):
            undone.append(back)
            made = read
    if undone:
        yield _Reading(made, tuple(undone))


# --- words ------------------------------------------------------------------------------------------


@lru_cache(1 << 17)
def _pieces(token: bytes) -> tuple[str, ...]:
    """Cut a word into parts of letters and digits alone, without case and accents."""
    return tuple(_PIECE.findall(_LIKE_ASCII(token).decode("utf-8", "replace")))


@lru_cache(1 << 17)
def _core(piece: str) -> str:
    """Write a part in one way for all that people do to it: umlauts, doubled letters, digits for letters."""
    if piece.isdigit():
        return piece
    return _DOUBLED.sub(r"\1", _UMLAUT.sub(r"\1", piece.translate(_LEET)))


def _one_off(one: str, other: str) -> bool:
    """Tell whether one letter is missing, too many or another, or two have changed places."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    short, long = sorted((one, other), key=len)
    at = next((n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    rest = one[at + 2 :] == other[at + 2 :]
    return one[at + 1 :] == other[at + 1 :] or (one[at : at + 2] == other[at : at + 2][::-1] and rest)


class _Words:
    """Words, and what is like them."""

    def __init__(self, text: str) -> None:
        pieces = [one for token in text.split() for one in _pieces(token.encode())]
        self._parts = [_core(one) for one in pieces]
        self._long = [part for part in dict.fromkeys(self._parts) if len(part) >= RARE]
        self._whole = _core("".join(pieces))
        plain = "".join(c for c in text.lower() if c.isascii() and c.isalnum())
        self._letters = [
            one.encode() for one in dict.fromkeys(("".join(pieces), plain)) if one.isascii() and len(one) >= RARE
        ]
        digits = "".join(c for c in text if c.isascii() and c.isdigit())
        self._digits = digits if len(digits) >= TELLING else ""
        self._hex = f"{int(text):x}" if text.isascii() and text.isdigit() and len(text) > TELLING else ""
        self._known: dict[bytes, tuple[str, int]] = {}

    def alike(self, reading: _Reading) -> Iterator[tuple[int, int, str]]:
        """Yield every place of a reading that is like the words, and in what."""
        yield from self._by_token(reading)
        yield from self._letter_by_letter(reading)
        yield from self._one_letter_off(reading)
        if self._digits:
            for match in _SPOKEN.finditer(reading.data):
                if self._digits in _spoken(match[0]):
                    yield *match.span(), "digits in words"

    def _by_token(self, reading: _Reading) -> Iterator[tuple[int, int, str]]:
        told = {token: said for token in reading.tokens if (said := self._of_token(token))[0]}
        if not told:
            return
        last: dict[int, tuple[int, int]] = {}
        for match in _TOKEN.finditer(reading.data):
            if match[0] not in told:
                continue
            why, part = told[match[0]]
            if why != _SHORT:
                yield *match.span(), why
            if part >= 0 and len(set(self._parts)) > 1:
                last[part] = match.span()
                start, end = min(last.values())[0], match.end()
                gaps = BETWEEN * (len(self._parts) - 1) + sum(map(len, self._parts))
                if len(last) == len(set(self._parts)) and end - start <= gaps:
                    yield start, end, "the parts of the words, in another order or apart"

    def _of_token(self, token: bytes) -> tuple[str, int]:
        if token not in self._known:
            said = [self._of_piece(piece) for piece in _pieces(token)]
            self._known[token] = max(said, key=lambda one: (one[0] not in ("", _SHORT), one[1]), default=("", -1))
        return self._known[token]

    def _of_piece(self, piece: str) -> tuple[str, int]:
        """Say in what a part of a text is like the words, and which of their parts it is."""
        core = _core(piece)
        if core in self._parts and len(self._parts) > 1:
            return ("a part of the words" if len(core) >= TELLING else _SHORT), self._parts.index(core)
        if len(core) < TELLING:
            return "", -1
        if self._hex and piece.removeprefix("0x") == self._hex:
            return "the number in hex", -1
        for one in (*self._long, *([self._whole] if len(self._whole) >= RARE else ())):
            if one in core:
                return "within another word", -1
            if not one.isdigit() and _one_off(one, core):
                return _OFF, -1
            if one in core[::-1]:
                return "turned round", -1
            if not one.isdigit() and one in _core(codecs.encode(piece, "rot13")):
                return "letters shifted by 13", -1
        return "", -1

    def _letter_by_letter(self, reading: _Reading) -> Iterator[tuple[int, int, str]]:
        for one in self._letters:
            if one not in reading.letters:
                continue
            for at in every(reading.letters, one):
                start, end = reading.of_letters(at, at + len(one))
                if end - start <= WIDE * len(one):
                    yield start, end, "the same letters with other marks between"

    def _one_letter_off(self, reading: _Reading) -> Iterator[tuple[int, int, str]]:
        for pattern in self._off:
            for match in pattern.finditer(reading.data):
                yield *match.span(), _OFF

    @cached_property
    def _off(self) -> tuple[re.Pattern[bytes], ...]:
        return tuple(map(_off_by_one, self._letters[:1]))


_OFF = "one letter off"
_SHORT = "a short part of the words"


def _off_by_one(letters: bytes) -> re.Pattern[bytes]:
    each = [re.escape(letters[n : n + 1]) for n in range(len(letters))][:32]
    off = [rb"[^0-9A-Za-z\n]{0,3}".join([*each[:n], rb"\w?", *each[n + 1 :]]) for n in range(1, len(each))]
    return re.compile(rb"(?i)\b(?:" + b"|".join(off) + rb")\b")


def _spoken(said: bytes) -> str:
    """Write digits that are words as digits."""
    words = re.findall(r"[a-z]+|[0-9]", said.decode().lower())
    return "".join(word if word.isdigit() else str(_DIGITS.index(word)) if word in _DIGITS else "0" for word in words)
