"""Finds what is to be withheld in the files of a bundle: words in any form, one passage, one model, one prompt.

Words are sought by the one search of recording and sealing (`evidence.search`). A model or a prompt is withheld by
the words of its answers and thoughts, sentence by sentence and in parts of sentences, so that an exhibit that quotes a
part, cut anywhere, does not give it away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import UnsetType

from depose.custody import leaves
from depose.custody.bundle import Asked
from depose.errors import UsageError
from depose.evidence.search import Sought, find
from depose.model import Exchange, Findings, Record

Spans = list[tuple[int, int]]
WINDOW = 24
"""A passage of fewer characters is sought elsewhere with what stands around it: alone it would be found anywhere."""
_LETTERS = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""Of scripts that write no blanks between words."""
_STEP = re.compile(rf"[{_LETTERS}]|[^\s{_LETTERS}]{{1,12}}")
_SENTENCE = re.compile(r"(?<=[.!?;:])\s+|\n+")


class Target(Record, frozen=True, kw_only=True):
    """One passage to be withheld: characters of the answer of a record."""

    record: int
    start: int
    end: int


def target(text: str) -> Target:
    """Read RECORD:START-END."""
    found = re.fullmatch(r"([0-9]{1,9}):([0-9]{1,9})-([0-9]{1,9})", text)
    if found is None:
        raise UsageError(f"{text!r} is no passage", hint="RECORD:START-END, such as 17:120-134")
    return Target(record=int(found[1]), start=int(found[2]), end=int(found[3]))


class Wanted(Record, frozen=True, kw_only=True):
    """What is to be withheld."""

    words: tuple[bytes, ...] = ()
    passages: tuple[Target, ...] = ()
    models: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()


def words_of(wanted: Wanted, asked: Sequence[Asked]) -> tuple[bytes, ...]:
    """Return all words that are sought everywhere; raise UsageError for what the bundle does not have."""
    found = list(wanted.words)
    models = {one.exchange.model for one in asked}
    prompts = {prompt.id: prompt for one in asked for prompt in one.registration.prompts}
    for chosen, there, what in ((wanted.models, models, "model"), (wanted.prompts, set(prompts), "prompt")):
        for one in chosen:
            if one not in there:
                raise UsageError(f"no {what} {one!r} in this bundle", hint=f"it has {', '.join(sorted(there)[:20])}")
    others = {each.exchange.reason for each in asked if not _is_withheld(each.exchange, wanted)}
    for each in asked:
        if _is_withheld(each.exchange, wanted):
            said = (text for text in _said(each.exchange) if text not in others)
            found += [part.encode() for text in said for part in sentences(text)]
    for name in wanted.prompts:
        found += [part.encode() for part in sentences(prompts[name].text)]
    return tuple(dict.fromkeys(one for one in found if one.strip()))


def _is_withheld(exchange: Exchange, wanted: Wanted) -> bool:
    return exchange.model in wanted.models or exchange.prompt in wanted.prompts


def _said(exchange: Exchange) -> tuple[str, ...]:
    """Return all words of an exchange; a short reason of a failure is ours, a longer one quotes its service."""
    quotes = exchange.reason if len(exchange.reason) >= WINDOW // 2 else ""
    return exchange.text, exchange.reasoning, quotes


def parts_of(wanted: Wanted, asked: Sequence[Asked]) -> tuple[bytes, ...]:
    """Return the parts by which a quotation is known that is cut within a sentence: WINDOW characters from each word.

    What prompts say that are shown, and other answers where a model or a prompt is withheld, is no such part.
    """
    prompts = {prompt.id: prompt.text for one in asked for prompt in one.registration.prompts}
    shown = {part for name, text in prompts.items() if name not in wanted.prompts for part in windows(text)}
    chosen = [word.decode() for word in wanted.words if _is_text(word)]
    known = {one.record: one.exchange for one in asked}
    chosen += [known[one.record].text[one.start : one.end] for one in wanted.passages]
    found = {part: None for text in chosen for part in windows(text) if part not in shown}
    for each in asked if wanted.models or wanted.prompts else ():
        if not _is_withheld(each.exchange, wanted):
            shown.update(part for text in _said(each.exchange) for part in windows(text))
    withheld = [prompts[name] for name in wanted.prompts]
    withheld += [text for each in asked if _is_withheld(each.exchange, wanted) for text in _said(each.exchange)]
    found |= {part: None for text in withheld for part in windows(text) if part not in shown}
    return tuple(part.encode() for part in found)


def windows(text: str) -> Iterator[str]:
    """Cut a text into parts that overlap: from each of its words as many whole words as have WINDOW characters."""
    steps = [match.span() for match in _STEP.finditer(text)]
    last = 0
    for start, _ in steps:
        while last < len(steps) and steps[last][1] - start < WINDOW:
            last += 1
        if last == len(steps):
            return
        yield " ".join(text[start : steps[last][1]].split())


def values_of(findings: bytes, wanted: Wanted) -> Iterator[bytes]:
    """Yield how findings and report set out a value that withheld answers give, whatever its spelling in them is."""
    try:
        made = msgspec.json.decode(findings, type=Findings)
    except (ValueError, RecursionError):  # of another version: its values stand in the answers
        return
    for one in () if isinstance(made.shared_values, UnsetType) else made.shared_values:
        for row in one.values:
            if row.prompt.id in wanted.prompts or any(answer.model in wanted.models for answer in row.answers):
                yield b'"value":' + msgspec.json.encode(row.value)
                yield f"{row.kind} {row.value}".encode()


def _is_text(word: bytes) -> bool:
    try:
        return bool(word.decode())
    except UnicodeDecodeError:
        return False


def quotes_of(wanted: Wanted, asked: Sequence[Asked]) -> tuple[bytes, ...]:
    """Return how the passages would be quoted elsewhere; raise UsageError for one that no answer has."""
    found, known = list[bytes](), {one.record: one for one in asked}
    for passage in wanted.passages:
        text = known[passage.record].exchange.text if passage.record in known else ""
        if not 0 <= passage.start < passage.end <= len(text):
            raise UsageError(
                f"record {passage.record}: has no characters {passage.start} to {passage.end} of an answer",
                hint=f"its answer has {len(text)}" if passage.record in known else "it is no exchange",
            )
        found.append(_around(text, passage.start, passage.end).encode())
    return tuple(found)


def _around(text: str, start: int, end: int) -> str:
    """Widen a short passage by what stands around it."""
    missing = max(0, WINDOW - (end - start))
    first = max(0, start - missing // 2 - missing % 2)
    return text[first : max(end, first + WINDOW)]


def sentences(text: str) -> Iterator[str]:
    """Cut a text into parts that are long enough to be sought alone; a text that is shorter is one part."""
    found, part = list[str](), ""
    for one in _SENTENCE.split(text):
        part = f"{part} {one}".strip()
        if len(part) >= WINDOW:
            found.append(part)
            part = ""
    if part and found and len(part) < WINDOW // 2:  # alone it would be found everywhere
        found[-1] = f"{found[-1]} {part}"
    elif part:
        found.append(part)
    yield from found


def sought(words: Iterable[bytes], parts: Iterable[bytes] = ()) -> Sought:
    """Prepare the search for words in any form, and for parts of them in no code of bytes."""
    return Sought(_numbered("words", words), parts=_numbered("part", parts))


def _numbered(kind: str, some: Iterable[bytes]) -> dict[str, bytes]:
    return {f"{kind} {number}": one for number, one in enumerate(some, start=1)}


def places(data: bytes, words: Sought) -> Spans:
    """Return which bytes of the data hold the words, in whatever form."""
    return sorted({(one.start, one.end) for one in find(data, words) if one.start < one.end})


def exactly(log: bytes, wanted: Sequence[Target], words: Sought, found: Spans) -> Spans:
    """In its own record withhold of a passage what was asked and no more; `found` has what stands around it too."""
    lines, at = list(leaves.lines(log)), 0
    begins = [at := at + len(line) for line in [b"", *lines]][:-1] if lines else []
    for passage in wanted:
        start = begins[passage.record]
        line = lines[passage.record]
        text = line.index(b'"text":"') + len(b'"text":"')
        stand = [start + text + offset for offset in _characters(line[text:])]
        found = [one for one in found if one[1] <= stand[0] or stand[-1] <= one[0]]
        found += [(start + a, start + b) for a, b in places(line, words)]
        found.append((stand[passage.start], stand[passage.end]))
    return sorted(found)


_CHARACTER = re.compile(rb'\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|[^\\"\x80-\xbf][\x80-\xbf]*')


def _characters(text: bytes) -> list[int]:
    """Return where each character of a JSON string begins, and where the last one ends."""
    found = [0]
    while match := _CHARACTER.match(text, found[-1]):
        found.append(match.end())
    return found


def raw_of(wanted: Wanted, asked: Sequence[Asked]) -> set[str]:
    """Name the blobs that are withheld whole: raw answers of a model, of a prompt, or with a passage in them."""
    records = {one.record for one in wanted.passages}
    return {
        f"evidence/blobs/{blob}"
        for one in asked
        if _is_withheld(one.exchange, wanted) or one.record in records
        for blob in (one.exchange.response, one.exchange.wire.chunks if one.exchange.wire else "")
        if blob
    }
