"""Values that an answer states: numbers, years, dates, names and titles, each where it stands.

What a model says of something that it hardly knows, or that does not exist, comes down to such values; which of them is
right is nobody's business here. The same value in another writing has the same key: `1,234` and `1.234`, `3 May 1874`
and `May 3, 1874`. A number of one digit counts only where the whole answer is a few words. Names are capitalised
words, so that a German noun is one, and scripts without capitals give numbers, dates and titles alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal, NamedTuple

from depose.features.words import Token, found_tokens

Kind = Literal["number", "year", "date", "name", "title"]

BRIEF = 40
"""Characters of an answer that is a value and little else."""
KEY = 80
"""Characters of the longest key."""
_MONTHS = (
    "january|jan|januar|jänner|janvier|enero",
    "february|feb|februar|février|febrero",
    "march|mar|märz|mars|marzo",
    "april|apr|avril|abril",
    "may|mai|mayo",
    "june|jun|juni|juin|junio",
    "july|jul|juli|juillet|julio",
    "august|aug|août|agosto",
    "september|sept|sep|septembre|septiembre",
    "october|oct|oktober|okt|octobre|octubre",
    "november|nov|novembre|noviembre",
    "december|dec|dezember|dez|décembre|diciembre",
)
"""In English, German, French and Spanish."""
_MONTH = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split("|")}
_NAMED = "|".join(sorted(_MONTH, key=lambda name: (-len(name), name)))
_DATES = (
    re.compile(r"(?<!\d)(?P<year>\d{4})-(?P<number>\d{2})-(?P<day>\d{2})(?!\d)"),
    re.compile(r"(?<!\d)(?P<year>\d{4})年 ?(?P<number>\d{1,2})月 ?(?P<day>\d{1,2})日"),
    re.compile(
        rf"(?<![\d.,])(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|\.)?[ \n](?:of |de )?(?P<month>{_NAMED})\b\.?,?[ \n]"
        r"(?:of |del? )?(?P<year>\d{4})(?!\d)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?P<month>{_NAMED})\b\.?[ \n](?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?[ \n](?P<year>\d{{4}})(?!\d)",
        re.IGNORECASE,
    ),
)
_NUMBER = re.compile(r"\d+(?:[.,’'\u00a0\u202f]\d+)*")
_GROUPED = re.compile(r"(?<!\d)\d{1,3}(?:[.,’'\u00a0\u202f]\d{3})+(?![.,]?\d)")
"""Digits in groups of three, whatever parts them."""
_TITLE = re.compile(r"[\"“”„«»「『]([^\"“”„«»「」『』\n]{2,80})[\"“”»«」』]")
_ENDS = re.compile(r"[.!?…:;\n\"“”„«»「」『』(){}\[\]|•*#>]")
"""In the gap before a word: the word begins something, so that its capital says nothing."""
_ARTICLES = re.compile(
    r"the|an?|this|that|its?|s?he|his|her|[io]n|at|by|for|from|de[rnm]|di?e|das|eine?|im|l[ea]s?|l|une?|il|el|los|una"
    r"|i|we|you|they"
)
"""What may stand, with a capital, before a name at the beginning of a sentence."""
_WITHIN = re.compile(r"of|d[aei]|la|von|van|de[rnl]|du")
"""Small words that a name may hold."""


class Value(NamedTuple):
    """One value, and where it stands in its text."""

    kind: Kind
    key: str
    """What equal values have in common."""
    start: int
    end: int


def stated(text: str) -> tuple[Value, ...]:
    """Find the values of an answer, in the order of their places; a date gives its year besides."""
    dates, titles = [*_dates(text)], [*_titles(text)]
    taken = {place for one in dates for place in range(one.start, one.end)}
    quoted = {one.key for one in titles}
    others = (one for one in (*_numbers(text), *_names(text)) if one.start not in taken and one.key not in quoted)
    return tuple(sorted({*dates, *titles, *others}, key=lambda one: (one.start, one.end, one.kind)))


def keys(text: str) -> tuple[str, ...]:
    """List the different values of an answer, each as its kind and key."""
    return tuple(dict.fromkeys(f"{one.kind} {one.key}" for one in stated(text)))


_SCALES = {
    "thousand": "thousand|tausend|mille|mil",
    "million": "millions?|mill?i[oó]n(?:e[ns])?|mio",
    "billion": "billions?|bill[oó]n(?:e[ns])?|bn",
    "milliard": "milliarden?|milliards?|mrd",
    "trillion": "trillions?|trill[oó]n(?:e[ns])?",
}
_AFTER = re.compile(
    r"[ \u00a0\u202f-]?(?:" + "|".join(f"(?P<{word}>{names})" for word, names in _SCALES.items()) + r")\b\.?"
    r"|(?P<power>(?:\^|\*\*)[-−+]?\d+|[⁻⁺]?[⁰¹²³⁴-⁹]+|e[-+]?\d+\b)"
    r"|[ \u00a0]?[×x·*][ \u00a0]?(?P<times>10(?:(?:\^|\*\*)[-−+]?\d+|[⁻⁺]?[⁰¹²³⁴-⁹]+))"
    r"|(?P<counter>[十百千万億兆])",
    re.IGNORECASE,
)


def whole_number(text: str, one: Value) -> str:
    """Return the key of a number with what belongs to it: its sign, a power of ten, a word for a thousand or more.

    5.2 million and 5.2 billion, 10^3 and 10^6, -40 and 40 are different values, though the digits are the same. What
    is a part of another number, such as an exponent, is no value, and gives an empty key.
    """
    before, after = text[max(one.start - 3, 0) : one.start], _AFTER.match(text, one.end)
    if re.search(r"(?:\^|\*\*|\de)[-−+]?\Z", before, re.IGNORECASE):
        return ""
    if after is not None and after["power"] and re.search(r"[×x·*][ \u00a0]?\Z", before):
        return ""  # the power of ten of the number before it
    sign = "-" if re.search(r"(?:\A|[\s(:=~≈])[-−]\Z", before) else ""
    if after is None:
        return f"{sign}{one.key}"
    said = {name: found for name, found in after.groupdict().items() if found}
    name, found = next(iter(said.items()))
    plain = unicodedata.normalize("NFKC", found).replace("**", "^").replace("−", "-").replace("^", "")
    if name in ("power", "times"):
        powered = plain[2:] if name == "times" else plain.lower().removeprefix("e")
        mark = "^" if name == "power" and not plain.lower().startswith("e") else " x 10^"
        return f"{sign}{one.key}{mark}{powered.removeprefix('+')}"
    return f"{sign}{one.key} {found if name == 'counter' else name}"


def _dates(text: str) -> Iterator[Value]:
    for pattern in _DATES:
        for found in pattern.finditer(text):
            named = found.groupdict().get("month")
            month = _MONTH[named.lower()] if named else int(found["number"])
            day = int(found["day"])
            if 1 <= month <= 12 and 1 <= day <= 31:
                year = f"{int(found['year']):04d}"
                yield Value("date", f"{year}-{month:02d}-{day:02d}", *found.span())
                yield Value("year", year, *found.span("year"))


def _numbers(text: str) -> Iterator[Value]:
    brief = len(text.strip()) <= BRIEF
    for found in _NUMBER.finditer(text):
        key = _plain(found.group())
        if len(key) > 1 or brief:
            year = len(found.group()) == 4 and key.isdecimal() and "1000" <= key <= "2100"
            yield Value("year" if year else "number", key, *found.span())


def _plain(written: str) -> str:
    """Write a number in plain digits, without what groups them and with a point before decimals."""
    marks = [letter for letter in written if not letter.isdigit()]
    if _GROUPED.fullmatch(written):
        marks = []
    elif len(set(marks)) > 1:  # the last of two kinds parts the decimals
        marks = marks[-1:]
    parts = re.split(r"\D", written)
    whole, rest = ("".join(parts), ()) if not marks else ("".join(parts[: -len(marks)]), parts[-len(marks) :])
    spelt = "".join(str(unicodedata.decimal(letter, letter)) for letter in ".".join([whole.lstrip("0") or "0", *rest]))
    return spelt[:KEY]


def _titles(text: str) -> Iterator[Value]:
    for found in _TITLE.finditer(text):
        words = _spelt(tuple(token.text for token in found_tokens(found[1])))
        if words:
            yield Value("title", words, *found.span(1))


def _spelt(words: tuple[str, ...]) -> str:
    """Spell words for a key: small letters, no article in front."""
    lowered = [word.lower() for word in words]
    while lowered and _ARTICLES.fullmatch(lowered[0]):
        lowered.pop(0)
    return " ".join(lowered)[:KEY]


def _names(text: str) -> Iterator[Value]:
    """Yield runs of capitalised words; one that begins a sentence needs a second word, or to be the whole answer."""
    listed = [*found_tokens(text)]
    run: list[Token] = []
    small: list[Token] = []
    begins, place = True, 0
    for token in listed:
        gap = text[place : token.start]
        initial = bool(run) and len(run[-1].text) == 1 and gap == ". "
        ends = not initial and (place == 0 or _ENDS.search(gap) is not None)
        joined = gap in (" ", "-", "'", "’") or initial
        place = token.end
        if token.text[0].isupper():
            if not (run and joined):
                yield from _named(run, begins, len(listed))
                run, small, begins = [], [], ends
            run += [*small, token]
            small = []
        elif run and joined and _WITHIN.fullmatch(token.text) and len(small) < 2:
            small.append(token)
        else:
            yield from _named(run, begins, len(listed))
            run, small = [], []
    yield from _named(run, begins, len(listed))


def _named(run: list[Token], begins: bool, words_in_all: int) -> Iterator[Value]:
    words = tuple(token.text for token in run)
    key = _spelt(words)
    led = bool(words) and _ARTICLES.fullmatch(words[0].lower()) is not None
    capitals = sum(word[0].isupper() for word in words) - led
    if len(key) >= 3 and (capitals > 1 or (capitals == 1 and (led or not begins or len(run) == words_in_all))):
        yield Value("name", key, run[0].start, run[-1].end)
