"""The forms in which words travel, so that they are found wherever they stand and however they were written.

Data is looked at in views: as it is, and as it reads once an encoding is undone, one inside another. `DECODERS` is the
table of what is undone: escapes, code tables, bases, compression, and how tools lay text out. Whole buffers are undone
at once wherever that can be, so that a line break, an offset or a neighbour hides nothing. In each view words are
sought without regard to case, to marks of Markdown, to invisible characters and to white space, in all the spellings of
`respelled`, and what is found is named by its bytes in the data itself. Recording, sealing and redaction all search
with `search.find`.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from depose.evidence import bases, escapes, laid_out, pieces
from depose.evidence.characters import FORMAT, LIKE_ASCII, LOOSE, SPACES, dropping, plain
from depose.evidence.compression import Back, Place, Undone, compressed, without_mark
from depose.evidence.edited import Edited
from depose.evidence.needles import holds_any

DEEPEST = 24
"""So many encodings may stand one inside another."""
WORK = 16
"""Bytes of all views, per byte of data, at most; views of few levels come first."""
LEAST_WORK = 4 * 1024**2
_SHALLOW = 2
"""Levels at which what is seldom nested is undone in data that is not small."""
_SMALL = 64 * 1024


class View(NamedTuple):
    """Data as it reads with one encoding undone, and the way back to the bytes that it came from."""

    form: str
    data: bytes
    parent: View | None
    back: Back
    level: int = 1
    noise: bool = False
    """Made from what need not have been in that encoding at all."""
    laid_out: frozenset[str] = frozenset()
    """How the text was laid out that was undone since the last encoding of bytes."""
    other: bool = False
    """Another view of the same text reads better: without escapes, or with them undone at the right time."""

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


# --- marks, and text of two bytes a letter ------------------------------------------------------------

_WIDE = re.compile(rb"\0[\t\n\r -~]\0[\t\n\r -~]\0|\0\0\0[\t\n\r -~]\0\0\0")
_NULS = re.compile(rb"\0+")
_SPACED = re.compile(rb"&[\s*`~|>]+#|&#[\s*`~|>]+[0-9xX]|&#[0-9a-fA-FxX]+[\s*`~|>]+[0-9a-fA-F]*;")
"""An entity with spaces in it, whose own mark is no mark of Markdown."""
_NOT_OF_ENTITIES = SPACES + FORMAT.replace(b"#", b"")
_SPACES_ALONE = re.compile(LIKE_ASCII.pattern + b"|" + dropping(_NOT_OF_ENTITIES).pattern)
_SPACED_TAG = re.compile(rb"<\s+/?\s*[a-zA-Z]\s")
"""A tag with spaces between its letters, whose end is a mark of Markdown, too."""
_BLANKS_ALONE = re.compile(LIKE_ASCII.pattern + b"|" + dropping(SPACES).pattern)


def _marks(data: bytes) -> Iterator[Undone]:
    """Take white space, marks of Markdown and invisible characters out."""
    seen = data if data.isascii() else LIKE_ASCII.sub(lambda match: plain(match[0]), data)
    made = seen.translate(None, SPACES + FORMAT)
    if made != data:
        yield "marks", made, Edited(LOOSE, lambda one: b"" if one[0] < 128 else plain(one), data).back
    if b"#" in data and _SPACED.search(data):
        yield (
            "marks",
            seen.translate(None, _NOT_OF_ENTITIES),
            Edited(_SPACES_ALONE, lambda one: b"" if one[0] < 128 else plain(one), data).back,
        )
    if b"<" in data and _SPACED_TAG.search(data):
        back = Edited(_BLANKS_ALONE, lambda one: b"" if one[0] < 128 else plain(one), data).back
        yield "marks", seen.translate(None, SPACES), back
    if made != seen != data:  # what is invisible may stand in an escape or a tag, whose own marks are needed
        yield "invisible characters", seen, Edited(LIKE_ASCII, plain, data).back


def _wide(data: bytes) -> Iterator[Undone]:
    """Undo UTF-16 and UTF-32 of Latin text, at any offset and in either order of bytes."""
    if _WIDE.search(data):
        yield "UTF-16", data.translate(None, b"\0"), Edited(_NULS, lambda _: b"", data).back


# --- the table ----------------------------------------------------------------------------------------


class Decoder(NamedTuple):
    """One row of the table: what undoes an encoding, and when it is worth trying."""

    undo: Callable[[bytes], Iterator[Undone]]
    needs: tuple[bytes, ...] = ()
    """One of these stands in whatever is in this encoding."""
    noise: bool = False
    """It makes noise of what is not in this encoding, and keeps what reads like text or like something compressed."""
    loosely: bool = False
    """It tells not where something stands, only that it does."""
    rare: bool = False
    """In larger data it is tried at the first levels alone."""
    lays_out: str = ""
    """It undoes how text is laid out, which is done once for each encoding of bytes."""
    last: bool = False
    """Nothing is undone in its result."""
    but_once: bool = False
    """Of several views of one text it is tried on one: without escapes, and with pieces joined first."""
    squeezed: bool = False
    """Where white space and marks were taken out, it is tried on what is left alone."""
    never_after: tuple[str, ...] = ()
    """Layouts after which it has nothing left to undo."""


_M, _L, _P, _K, _D = "marks", "lines", "pieces", "markup", "dumps"
DECODERS = (
    Decoder(escapes.escapes, escapes.BEGINNINGS, lays_out="escapes"),
    Decoder(_marks, lays_out=_M, never_after=(_M, _L, _P)),
    Decoder(_wide, (b"\0",)),
    Decoder(compressed),
    Decoder(without_mark),
    Decoder(laid_out.lines, (b"\n",), lays_out=_L, never_after=(_M, _L, _P)),
    Decoder(pieces.named, (b'"',), lays_out=_P, never_after=(_M, _L, _P)),
    Decoder(escapes.markup, escapes.TAG_BEGINNINGS, lays_out=_K, never_after=(_P,)),
    Decoder(escapes.utf_7, (b"+", b"&"), rare=True, lays_out="UTF-7", never_after=(_M, _L)),
    Decoder(escapes.punycode, (b"xn--", b"XN--"), rare=True, lays_out="punycode", never_after=(_M, _L)),
    Decoder(escapes.by_number, (b"\\",), loosely=True, lays_out="escapes"),
    Decoder(laid_out.laid_out, loosely=True, never_after=(_M, _L, _P), but_once=True),
    Decoder(pieces.joined, loosely=True, rare=True, lays_out=_P, never_after=(_M, _L, _P), but_once=True),
    Decoder(laid_out.strides, loosely=True, last=True, but_once=True, never_after=(_M, _L, _P, _K)),
    Decoder(bases.lettered, noise=True, rare=True, never_after=(_M,), but_once=True),
    Decoder(bases.base85, noise=True, rare=True, never_after=(_M, _L)),
    Decoder(bases.base45, noise=True, rare=True, never_after=(_M, _L, _P), but_once=True),
    Decoder(bases.uuencode, (b"\n",), noise=True, rare=True, never_after=(_M, _L, _P)),
    Decoder(bases.base64_parts, (b"=",), noise=True, loosely=True, but_once=True),
    Decoder(bases.base64_runs, noise=True, rare=True, never_after=(_M,), but_once=True),
    Decoder(bases.base16_runs, noise=True, rare=True, never_after=(_M, _L), but_once=True),
    Decoder(bases.base64, noise=True, but_once=True, squeezed=True),
    Decoder(bases.base16, noise=True, but_once=True, squeezed=True),
)


def _is_text(data: bytes) -> bool:
    try:
        return data.isascii() or bool(data.decode())
    except UnicodeDecodeError:
        return False


_BOTH = {_L, "escapes"}


@lru_cache(maxsize=256)
def _rows(layout: frozenset[str], *, loosely: bool, rare: bool, legible: bool) -> tuple[Decoder, ...]:
    """Choose the rows of the table that are worth trying on a view."""
    return tuple(
        row
        for row in DECODERS
        if (loosely or not row.loosely)
        and (rare or not row.rare)
        and (legible or row.undo in (compressed, without_mark))
        and layout.isdisjoint(row.never_after)
        and not (row.undo is escapes.escapes and layout >= _BOTH)
    )


def views(data: bytes, *, loosely: bool = False) -> Iterator[View]:
    """Yield the data in every view, the simplest first, within a bound of work that grows with the data.

    With `loosely` also in views in which a place is only told as all of it.
    """
    first = View("", data, None, lambda start, end: (start, end))
    left = max(LEAST_WORK, WORK * len(data))
    seen = {hash(data): False}  # and whether all its views so far read worse than another
    yield first
    waiting = deque([first])
    while waiting and left > 0:
        parent = waiting.popleft()
        escaped, marked = parent.other, False
        rows = _rows(
            parent.laid_out,
            loosely=loosely,
            rare=parent.level <= _SHALLOW or len(parent.data) <= _SMALL,
            legible=parent.level == 1 or not parent.noise or bases.is_legible(parent.data),
        )
        if parent.level == 1 and pieces.is_table(data):  # whose lines are records, and no text that goes on
            rows = tuple(row for row in rows if row.undo is not laid_out.lines)
        later: list[View] = []
        for row in rows:
            if (escaped and row.but_once) or (marked and row.squeezed):
                continue
            if row.needs and not holds_any(parent.data, row.needs):
                continue
            for form, made, back in row.undo(parent.data):
                left -= len(made)
                of_escapes = row.lays_out == "escapes"
                if of_escapes:
                    other = not parent.laid_out.isdisjoint((_M, _L))
                else:
                    other = bool(row.lays_out) and (escaped or (row.lays_out == _P and "escapes" in parent.laid_out))
                if not made or seen.get(key := hash(made)) in (False, other):
                    continue
                seen[key] = other
                escaped = escaped or (row.undo is escapes.escapes and _is_text(parent.data))
                marked = marked or form == _M
                layout = parent.laid_out | {row.lays_out} if row.lays_out else _FRESH
                view = View(form, made, parent, back, parent.level + 1, row.noise, layout, other)
                yield view
                if view.level <= DEEPEST and not row.last:
                    (later if of_escapes else waiting).append(view)
            if left <= 0:
                break
        waiting.extend(later)


_FRESH: frozenset[str] = frozenset()
