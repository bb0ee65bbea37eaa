"""Search for words in whatever form they stand: one search for recording, sealing and redaction."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain

from depose.evidence.compression import SHORTEST, every
from depose.evidence.encodings import DROPPED, LIKE_ASCII, MARKS, Edited, View, dropping, escapes, plain, views
from depose.model import Record


class Found(Record, frozen=True, kw_only=True):
    """One place at which words stand; the words themselves are never shown."""

    name: str
    form: str
    """How they are encoded, the innermost encoding first."""
    between: str
    """What they differ in from the words sought: nothing, `case`, `marks` (invisible or of Markdown), `spaces`."""
    start: int
    end: int
    """Bytes of the data, as it is, that hold them."""


_NO_LETTERS = bytes(c for c in range(1, 256) if not bytes((c,)).isalnum() and c < 128)
_BETWEEN = dropping(_NO_LETTERS)
_FEWEST_LETTERS = 14
"""Of fewer the order alone may be chance."""
_NOISE = frozenset(("base64", "base32", "hex", "deflate", "brotli"))
"""Encodings that make noise of what is not written in them."""
_BY_CHANCE = 4
"""Fewer bytes stand in noise by chance."""
_ANY = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


def _fold(data: bytes, characters: re.Pattern[bytes]) -> bytes:
    made = characters.sub(lambda match: plain(match[0], fold=True), data) if not data.isascii() else data
    return made.lower().translate(None, DROPPED)


def _unfold(data: bytes, characters: re.Pattern[bytes]) -> Edited:
    """Do what `_fold` does with the way back."""
    pattern = re.compile(characters.pattern + b"|" + dropping(DROPPED).pattern)
    return Edited(pattern, lambda one: b"" if one[0] < 128 else plain(one, fold=True), data)


class Sought:
    """Words that are sought, under the names by which they are told of."""

    def __init__(self, words: Mapping[str, bytes], *, secret: bool = False) -> None:
        """With `secret`, words of many letters are found with any marks between them, too."""
        self.secret = secret
        self._characters = LIKE_ASCII if all(map(_is_plain, words.values())) else _ANY
        self._needles: dict[bytes, tuple[str, bytes]] = {}
        self._exact: dict[bytes, str] = {}
        self._letters: dict[bytes, tuple[str, bytes]] = {}
        for name, value in words.items():
            for form in _spellings(value):
                folded = _fold(form, self._characters) if _is_text(form) else b""
                if folded and len(folded) >= min(SHORTEST, len(value)) - 2:
                    self._needles.setdefault(folded, (name, form))
                else:
                    self._exact.setdefault(form, name)
                letters = form.lower().translate(None, _NO_LETTERS)
                if secret and len(letters) >= _FEWEST_LETTERS:
                    self._letters.setdefault(letters, (name, form))

    def __repr__(self) -> str:
        return f"Sought({len(self._needles) + len(self._exact)} spellings)"

    def look(self, view: View) -> Iterator[Found]:
        """Yield every place of a view at which any of the words stand."""
        for form, name in self._exact.items():
            for at in every(view.data, form):
                yield _found(view, name, "", at, at + len(form))
        if not self._needles:
            return
        folded = _fold(view.data, self._characters)
        noise = any(form in _NOISE for form in view.path.split(" in "))
        way: Edited | None = None
        for needle, (name, form) in self._needles.items():
            if noise and len(needle) < _BY_CHANCE:
                continue
            for at in every(folded, needle):
                way = way or _unfold(view.data, self._characters)
                start, end = way.back(at, at + len(needle))
                yield _found(view, name, self._between(view.data[start:end], form), start, end)

        yield from self._among_marks(view)

    def _among_marks(self, view: View) -> Iterator[Found]:
        """Yield where the letters of a secret stand in their order, whatever stands between them that is none."""
        bare = view.data.lower().translate(None, _NO_LETTERS) if self._letters else b""
        for letters, (name, form) in self._letters.items():
            for at in every(bare, letters):
                start, end = Edited(_BETWEEN, lambda _: b"", view.data).back(at, at + len(letters))
                yield _found(view, name, self._between(view.data[start:end], form) or "marks", start, end)

    def _between(self, stands: bytes, form: bytes) -> str:
        if stands == form:
            return ""
        if stands.lower() == form.lower():
            return "case"
        spaces = (len(_without(one, self._characters).split()) for one in (stands.strip(), form.strip()))
        return "marks" if len(set(spaces)) == 1 else "spaces"


def _is_text(value: bytes) -> bool:
    try:
        return bool(value.decode())
    except UnicodeDecodeError:
        return False


def _is_plain(value: bytes) -> bool:
    return value.isascii() or not _is_text(value)


def _without(data: bytes, characters: re.Pattern[bytes]) -> bytes:
    """Take the marks and invisible characters out, and leave spaces."""
    odd = characters.sub(lambda match: plain(match[0], fold=True) or _space(match[0]), data)
    return odd.translate(None, MARKS)


def _space(character: bytes) -> bytes:
    return b" " if character.decode("utf-8", "replace").isspace() else b""


def _found(view: View, name: str, between: str, start: int, end: int) -> Found:
    first, last = view.origin(start, end)
    return Found(name=name, form=view.path, between=between, start=first, end=last)


def _spellings(value: bytes) -> Iterator[bytes]:
    """Yield words as they may stand in a view: as they are, as escapes in them would be read, in other alphabets."""
    yield value
    for _, made, _ in escapes(value):
        yield made
    if not _is_plain(value):
        text = value.decode()
        yield text.encode("utf-16-le")
        yield text.encode("utf-16-be")
        if max(text) <= "\xff":
            yield text.encode("latin-1")
    if b" " in value and _is_text(value):
        yield value.replace(b" ", b"+")


def find(data: bytes, sought: Sought) -> Iterator[Found]:
    """Yield every place of the data at which words stand, in whatever form; a place may be found in several."""
    return chain.from_iterable(map(sought.look, views(data, loosely=sought.secret)))
