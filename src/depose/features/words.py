"""Words and sentences of a text, in any script.

Where a language puts spaces between its words, a word is a run of word characters. Chinese, Japanese, Thai, Lao, Khmer
and Burmese put none: there ICU finds words and sentences, by its dictionaries and the rules of Unicode (UAX 29). ICU,
because it is what browsers and operating systems use, covers all of these from one library without a model to load,
and comes as a wheel with its data inside (icu4py); spaCy would need a package and a model for each language. Text
without such scripts never reaches ICU, and its tokens are the same as ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from statistics import median

from depose.model import Record

TOKEN = re.compile(r"[^\W_]+")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_SPACELESS = (
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3041-\u3096\u309b-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # Han
    "\uff66-\uff9f"  # halfwidth katakana
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\uaa60-\uaa7f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
)
MARKED = "\u0900-\u0963\u0966-\u096f\u0971-\u0dff"
"""Scripts of India without their full stops: their vowels are marks, which Python does not take for word characters."""
SPACELESS = re.compile(f"[{_SPACELESS}]+")
"""Runs of scripts that put no spaces between words."""
BEYOND = re.compile(f"[{_SPACELESS}{MARKED}]")
"""Characters of whose words the plain rule would lose something."""
WIDE = re.compile(rf"(?:(?!_)[\w{_SPACELESS}{MARKED}])+")
PARTS = re.compile(rf"[{_SPACELESS}]+|(?:(?![{_SPACELESS}_])[\w{MARKED}])+")
"""What a run of word characters falls into, such as a name in Latin letters before a particle."""
_LINES = re.compile(r"\n+")


class Token(Record, frozen=True, kw_only=True):
    """A token and where it stands in its text."""

    text: str
    start: int
    end: int


def spaceless(text: str) -> bool:
    """Tell whether a text holds a script that puts no spaces between words."""
    return not text.isascii() and SPACELESS.search(text) is not None


def _beyond(text: str) -> bool:
    return not text.isascii() and BEYOND.search(text) is not None


def found_tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a text, spelt as they stand in it."""
    for found in (WIDE if _beyond(text) else TOKEN).finditer(text):
        if SPACELESS.search(found.group()):
            yield from _parts(text, found.start(), found.end())
        else:
            yield Token(text=found.group(), start=found.start(), end=found.end())


def words(text: str) -> list[str]:
    """Return the tokens of a text as they stand in it, in order."""
    if not _beyond(text):
        return TOKEN.findall(text)
    return [token.text for token in found_tokens(text)]


def typical_length(texts: Iterable[str]) -> float | None:
    """Median number of words of some texts; None of no text."""
    counts = [len(words(text)) for text in texts]
    return float(median(counts)) if counts else None


def _parts(text: str, start: int, end: int) -> Iterator[Token]:
    """Yield the words of a run of word characters, those of each script by themselves."""
    from icu4py.breakers import WordBreaker

    for part in PARTS.finditer(text, start, end):
        if SPACELESS.match(part.group()):
            for low, high in _spans(WordBreaker(part.group(), "root")):
                yield Token(text=part.group()[low:high], start=part.start() + low, end=part.start() + high)
        else:
            yield Token(text=part.group(), start=part.start(), end=part.end())


def sentences(text: str) -> list[str]:
    """Return the sentences and lines of a text; blanks at their ends may go with them, and some may be empty."""
    return [text[start:end] for start, end in _bounds(text)] if spaceless(text) else SENTENCE_END.split(text)


def sentence_ends(text: str) -> list[int]:
    """Return where each sentence or line ends, with the blanks behind it, the last at the end of the text."""
    if spaceless(text):
        inner = [start for start, _ in _bounds(text)][1:]
    else:
        inner = [found.end() for found in SENTENCE_END.finditer(text)]
    return [*inner, len(text)]


def _bounds(text: str) -> list[tuple[int, int]]:
    from icu4py.breakers import SentenceBreaker

    bounds, start = [], 0
    for end in (*(found.start() for found in _LINES.finditer(text)), len(text)):
        line = text[start:end]
        lead = len(line) - len(line.lstrip("\n"))
        start += lead
        bounds += [(start + low, start + high) for low, high in _spans(SentenceBreaker(line[lead:], "root"))]
        start = end
    return bounds


def _spans(parts: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield where the parts of a text stand, in characters; ICU itself counts an emoji or a rare character as two."""
    start = 0
    for part in parts:
        yield start, start + len(part)
        start += len(part)
