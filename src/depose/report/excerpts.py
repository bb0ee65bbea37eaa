"""What an exhibit shows of each answer: cut to the window that holds most of what is shared; pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

import msgspec

from depose.answers.how_ended import named
from depose.model import Exhibit, ExhibitAnswer, Record, Span

LINE_BREAK = 28
"""Characters that a line break counts for, so that lists take no more room than prose."""
LEAD = 40
"""Characters shown before the first shared passage of a cut answer."""


class Text(Record, frozen=True, kw_only=True):
    """A run of characters of an answer; `controls` says how many controls share it, None that it is not marked."""

    text: str
    controls: int | None = None


class Excerpt(Record, frozen=True, kw_only=True):
    """What an exhibit shows of one answer."""

    model: str
    role: str
    length: int
    """Characters of the whole answer."""
    ended: str
    """How it ended, with the provider's own word; nothing where its source does not say."""
    blank: bool
    """Nothing that can be seen is in it."""
    before: int
    """Characters left out before."""
    parts: tuple[Text, ...]
    after: int
    """Characters left out after."""


def excerpt(answer: ExhibitAnswer, length: int) -> tuple[int, int]:
    """Where to cut an answer: the window of that length that holds the most shared text, the first of equals."""
    text = answer.text
    if _end(text, 0, length) == len(text):
        return 0, len(text)
    spans = _spans(answer)
    starts = [0, *(_word(text, max(0, span.start - LEAD)) for span in spans[:200])]
    windows = [(start, _end(text, start, length)) for start in dict.fromkeys(starts)]
    return max(windows, key=lambda w: sum(max(0, min(s.end, w[1]) - max(s.start, w[0])) for s in spans[:400]))


def excerpts(exhibit: Exhibit, length: int) -> list[Excerpt]:
    """Reference first, then suspect, then the controls."""
    roles = {exhibit.reference: "reference", exhibit.suspect: "suspect"}
    ordered = sorted(exhibit.answers, key=lambda a: [exhibit.reference, exhibit.suspect, a.model].index(a.model))
    return [cut(answer, roles.get(answer.model, "control"), length) for answer in ordered]


def cut(answer: ExhibitAnswer, role: str, length: int) -> Excerpt:
    """Show the part of an answer that holds most of what is shared."""
    start, end = excerpt(answer, length)
    parts = [msgspec.structs.replace(one, text=_lines(one.text)) for one in _parts(answer, start, end)]
    return Excerpt(
        model=answer.model,
        role=role,
        length=len(answer.text),
        ended=named(answer.status, answer.finish) if answer.finish else "",
        blank=not answer.text.strip(),
        before=start,
        parts=tuple(parts),
        after=len(answer.text) - end,
    )


def _parts(answer: ExhibitAnswer, start: int, end: int) -> Iterator[Text]:
    """Yield a stretch of an answer in runs that are marked or not."""
    at = start
    for span in _spans(answer):
        left, right = max(span.start, at), min(span.end, end)
        if left < right:
            if at < left:
                yield Text(text=answer.text[at:left])
            yield Text(text=answer.text[left:right], controls=span.controls)
            at = right
    if at < end:
        yield Text(text=answer.text[at:end])


def whole(text: str, model: str, role: str, spans: Sequence[Span]) -> Excerpt:
    """Show a whole answer with its shared passages."""
    answer = ExhibitAnswer(model=model, text=text, spans=tuple(spans))
    return Excerpt(
        model=model,
        role=role,
        length=len(text),
        ended="",
        blank=not text.strip(),
        before=0,
        parts=tuple(_parts(answer, 0, len(text))),
        after=0,
    )


def _spans(answer: ExhibitAnswer) -> list[Span]:
    return sorted((s for s in answer.spans if 0 <= s.start < s.end <= len(answer.text)), key=lambda s: (s.start, s.end))


def _word(text: str, start: int) -> int:
    """The next start of a word, where one is near."""
    space = text.find(" ", start, start + LEAD // 2)
    return space + 1 if start and space >= 0 else start


def _end(text: str, start: int, length: int) -> int:
    """Where the room runs out, a line break counting for several characters; never inside a word that ends near."""
    end, room = start, length
    while end < len(text) and room > 0:
        room -= _room(text[end])
        end += 1
    space = text.rfind(" ", max(start, end - LEAD // 2), end)
    return space if end < len(text) and space > start else end


def _room(character: str) -> int:
    """How many characters wide one character is shown."""
    if character == "\n":
        return LINE_BREAK
    if not character.isprintable():
        return len("[U+0000]")
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _lines(text: str) -> str:
    """Leave out blank lines."""
    while "\n\n" in text:
        text = text.replace("\n\n", "\n")
    return text
