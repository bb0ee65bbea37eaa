"""Finds what is to be withheld in the files of a bundle: words in any form, one passage, one model, one prompt.

Words are sought by the one search of recording and sealing (`evidence.search`). A model or a prompt is withheld by
the words of its answers, sentence by sentence, so that an exhibit that quotes a part does not give it away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from depose.custody.bundle import Asked
from depose.errors import UsageError
from depose.evidence.search import Sought, find
from depose.model import Record

Spans = list[tuple[int, int]]
WINDOW = 24
"""A passage of fewer characters is sought elsewhere with what stands around it: alone it would be found anywhere."""
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
    for each in asked:
        if each.exchange.model in wanted.models or each.exchange.prompt in wanted.prompts:
            found += [part.encode() for part in sentences(each.exchange.text)]
    for name in wanted.prompts:
        found += [part.encode() for part in sentences(prompts[name].text)]
    return tuple(dict.fromkeys(one for one in found if one.strip()))


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


def sought(words: Iterable[bytes]) -> Sought:
    """Prepare the search."""
    return Sought({f"words {number}": one for number, one in enumerate(words, start=1)})


def places(data: bytes, words: Sought) -> Spans:
    """Return which bytes of the data hold the words, in whatever form."""
    return sorted({(one.start, one.end) for one in find(data, words) if one.start < one.end})


def raw_of(wanted: Wanted, asked: Sequence[Asked]) -> set[str]:
    """Name the blobs that are withheld whole: raw answers of a model, of a prompt, or with a passage in them."""
    records = {one.record for one in wanted.passages}
    return {
        f"evidence/blobs/{blob}"
        for one in asked
        if one.exchange.model in wanted.models or one.exchange.prompt in wanted.prompts or one.record in records
        for blob in (one.exchange.response, one.exchange.wire.chunks if one.exchange.wire else "")
        if blob
    }
