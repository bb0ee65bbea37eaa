"""Search for words in whatever form they stand: one search for recording, sealing and redaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from depose.evidence import pieces
from depose.evidence.characters import MARKS, NO_LETTERS, Fold, dropping
from depose.evidence.compression import SHORTEST, every
from depose.evidence.edited import Edited
from depose.evidence.encodings import View, views
from depose.evidence.escapes import by_number, escapes
from depose.evidence.needles import Needles
from depose.evidence.respelled import SHORTEST_CORE, Form, of_secret, of_words
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


_BETWEEN = dropping(NO_LETTERS)
_FEWEST_LETTERS = 14
"""Of fewer the order alone may be chance."""
_BY_CHANCE = 4
"""Fewer bytes stand in noise by chance."""
_TOGETHER = 128 * 1024
"""Views of so many bytes in all are searched as one first: most hold nothing."""
_LEVELS = 3
"""Views of so many levels are searched for pieces."""
_LIKE_ASCII, _AS_IT_IS = Fold(like_ascii=True), Fold(like_ascii=False)
_Named = dict[bytes, tuple[str, Form]]


class Sought:
    """Words that are sought, under the names by which they are told of."""

    def __init__(self, words: Mapping[str, bytes], *, secret: bool = False, parts: Mapping[str, bytes] = {}) -> None:
        """With `secret`, words are found in pieces, letter for letter and with any marks between them, too.

        `parts` are sought as they are alone: there are thousands, of words that are sought in every encoding.
        """
        self.secret = secret
        self._exact: _Named = {}
        self._plain: _Named = {}
        self._other: _Named = {}
        self._letters: _Named = {}
        self._whole: list[tuple[str, bytes, bytes]] = []
        for name, value in words.items():
            for form in _spellings(value):
                self._add(name, form, least=min(SHORTEST, len(value)) - 2)
            for form in of_secret(value) if secret else of_words(value):
                self._add(name, form, least=min(SHORTEST, len(value)) - 2 if form.exactly else SHORTEST_CORE)
            if secret and _is_plain(value) and _is_text(value):
                self._whole.append((name, value, _LIKE_ASCII(value)))
        for name, value in parts.items():
            for form in _spellings(value):
                self._add(name, form, least=SHORTEST)
        self._begins = Needles(whole[: pieces.FIRST_PIECE] for _, _, whole in self._whole)
        self._groups = tuple(Needles(one) for one in (self._exact, self._plain, self._other, self._letters))

    def __repr__(self) -> str:
        return f"Sought({sum(map(len, self._groups))} spellings)"

    def _add(self, name: str, form: Form, *, least: int) -> None:
        """Take one spelling up among those that are sought the same way."""
        written = form.written
        if form.exactly or not _is_text(written):
            if len(written) > max(least, 0):
                self._exact.setdefault(written, (name, form))
            return
        fold, goal = (_LIKE_ASCII, self._plain) if _is_plain(written) else (_AS_IT_IS, self._other)
        folded = fold(written)
        letters = folded.translate(None, NO_LETTERS) if _is_plain(written) else b""
        if self.secret and len(letters) >= _FEWEST_LETTERS:
            self._letters.setdefault(letters, (name, form))
        elif folded and len(folded) >= least:
            goal.setdefault(folded, (name, form))
        elif not form.name:
            self._exact.setdefault(written, (name, form))
        if goal is self._other and not form.name and len(bare := _LIKE_ASCII(written)) >= least and bare.isascii():
            self._plain.setdefault(bare, (name, form))  # without its accents

    def look_through(self, several: Sequence[View]) -> Iterator[Found]:
        """Yield every place of some views at which any of the words stand."""
        if len(several) > 1 and not self._may_stand_in(b"\n".join(view.data for view in several)):
            return
        for view in several:
            yield from self.look(view)

    def _may_stand_in(self, data: bytes) -> bool:
        exact, plain, other, letters = self._groups
        if exact.standing_in(data) or (self._other and other.standing_in(_AS_IT_IS(data))):
            return True
        if not self._plain and not self._letters:
            return False
        folded = _LIKE_ASCII(data)
        return bool(
            plain.standing_in(folded)
            or (self._letters and letters.standing_in(folded.translate(None, NO_LETTERS)))
            or any(pieces.may_begin(folded, whole) or pieces.may_begin(data, value) for _, value, whole in self._whole)
        )

    def look(self, view: View) -> Iterator[Found]:
        """Yield every place of a view at which any of the words stand."""
        exact, plain, other, letters = self._groups
        for one in exact.standing_in(view.data):
            for at in every(view.data, one):
                yield self._found(view, self._exact[one], "", at, at + len(one))
        for fold, named, group, bare in (
            (_LIKE_ASCII, self._plain, plain, letters),
            (_AS_IT_IS, self._other, other, None),
        ):
            if not named and not (bare is not None and self._letters):
                continue
            folded = fold(view.data)
            yield from self._in_folded(view, fold, folded, named, group)
            if bare is not None and self._letters:
                yield from self._among_marks(view, folded)
                if view.level <= (_LEVELS if len(folded) <= pieces.LARGE else _LEVELS - 1):
                    yield from self._in_pieces(view, folded)

    def _in_folded(self, view: View, fold: Fold, folded: bytes, named: _Named, group: Needles) -> Iterator[Found]:
        way: Edited | None = None
        for needle, at in group.places_in(folded):
            if view.noise and len(needle) < _BY_CHANCE:
                continue
            way = way or fold.undone(view.data)
            start, end = way.back(at, at + len(needle))
            yield self._found(view, named[needle], self._between(view.data[start:end], named[needle][1]), start, end)

    def _among_marks(self, view: View, folded: bytes) -> Iterator[Found]:
        """Yield where the letters of a secret stand in their order, whatever stands between them that is none."""
        bare = folded.translate(None, NO_LETTERS)
        for letters in self._groups[3].standing_in(bare):
            way, first = _LIKE_ASCII.undone(view.data), Edited(_BETWEEN, lambda _: b"", folded)
            for at in every(bare, letters):
                start, end = way.back(*first.back(at, at + len(letters)))
                named = self._letters[letters]
                yield self._found(view, named, self._between(view.data[start:end], named[1]), start, end)

    def _in_pieces(self, view: View, folded: bytes) -> Iterator[Found]:
        begins = self._begins.standing_in(folded) if len(folded) > pieces.LARGE else None
        for name, value, whole in self._whole:
            if begins is not None and whole[: pieces.FIRST_PIECE] not in begins:
                continue
            span = pieces.chained(view.data, value)
            if span is None and (found := pieces.chained(folded, whole) or pieces.scattered(folded, whole)):
                span = _LIKE_ASCII.undone(view.data).back(*found)
            if span:
                start, end = span
                yield self._found(view, (name, Form("pieces", value)), "", start, end)

    def _between(self, stands: bytes, form: Form) -> str:
        if form.name or stands == form.written:
            return ""
        if stands.lower() == form.written.lower():
            return "case"
        spaces = {len(_without(one).split()) for one in (stands.strip(), form.written.strip())}
        return "marks" if len(spaces) == 1 else "spaces"

    def _found(self, view: View, named: tuple[str, Form], between: str, start: int, end: int) -> Found:
        name, form = named
        first, last = view.origin(max(0, start - form.around), min(len(view.data), end + form.around))
        path = form.name if view.parent is None else f"{form.name} in {view.path}" if form.name else view.path
        return Found(name=name, form=path or view.path, between=between, start=first, end=last)


def _is_text(value: bytes) -> bool:
    try:
        return bool(value.decode())
    except UnicodeDecodeError:
        return False


def _is_plain(value: bytes) -> bool:
    return value.isascii() or not _is_text(value)


def _without(data: bytes) -> bytes:
    """Take the marks and invisible characters out, and leave spaces."""
    text = data.decode("utf-8", "replace")
    seen = "".join(" " if c.isspace() else c for c in text if c.isspace() or c.isprintable())
    return seen.encode().translate(None, MARKS)


def _spellings(value: bytes) -> Iterator[Form]:
    """Yield words as they may stand in a view: as they are, and as escapes in them would be read."""
    yield Form("", value)
    for undo in (escapes, by_number):
        for _, made, _ in undo(value):
            yield Form("", made)
    if b" " in value and _is_text(value):
        yield Form("", value.replace(b" ", b"+"))


def find(data: bytes, sought: Sought) -> Iterator[Found]:
    """Yield every place of the data at which words stand, in whatever form; a place may be found in several."""
    several: list[View] = []
    size = 0
    for view in views(data, loosely=sought.secret):
        several.append(view)
        size += len(view.data)
        if size > _TOGETHER:
            yield from sought.look_through(several)
            several, size = [], 0
    yield from sought.look_through(several)
