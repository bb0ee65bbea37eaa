"""Can delivered answers be told from decoys by their text alone, without any suspect?

If so, something other than chance told them apart, and a suspect may show the same without having learnt (Das, Zhang
and Tramer 2024, "Blind baselines beat membership inference attacks for foundation models"). A classifier reads the
bags one after the other: it scores the members of a bag by what the bags before have taught it, and is then told which
were delivered. Given the past, the delivered member is a random one if the premise holds; so the ranks are independent
and the test of them is exact, although the classifier learns from the very key that it is tested on.

Three readers, since a trace in one place drowns among the features of another: form (length, line breaks, first and
last characters, marks), characters (runs of 3) and words. Each is naive Bayes over which features an answer has
(Maron 1961), on counts alone, so that another processor finds the same ranks. A fourth one sees nothing but whether an
answer ended by itself or at the length that was allowed, where the rows of a bag say so: fillers that were drawn under
another length, which no row names, may read like any other answer.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Read = Callable[[str], Iterable[str]]

PLACES = 1 << 18
"""Features are numbered by a hash; two share a number where more than this would be needed."""
SMOOTHING = 2.0
"""Answers of each kind that are taken to have every feature, before any was seen."""
LENGTH = 4_000
"""Characters of an answer that are read, but for its form, from which side they stand at."""
MOST = 20_000
"""Bags that are read at most: the first ones, in the order of the file."""
_WORDS = re.compile(r"\w+")


def form(text: str) -> Iterable[str]:
    """Name length, line breaks, ends, and the marks that an answer holds."""
    yield f"length {int(4 * np.log2(len(text) + 1))}"
    yield f"lines {min(text.count(chr(10)), 9)}"
    yield f"first {text[:1]!r}"
    yield f"last {text[-1:]!r}"
    yield f"ends {text[-2:]!r}"
    yield f"spaced {text != text.strip()} {'  ' in text} {chr(9) in text} {chr(13) in text}"
    for mark in {one for one in text if not one.isalnum() and not one.isspace()}:
        yield f"mark {mark}"


def characters(text: str) -> Iterable[str]:
    """Name the runs of three characters."""
    return {text[at : at + 3] for at in range(min(len(text), LENGTH) - 2)}


def by_words(text: str) -> Iterable[str]:
    """Name the words."""
    return set(_WORDS.findall(text[:LENGTH].lower()))


def as_said(said: str) -> Iterable[str]:
    """Name how an answer ended, as its row says it; nothing where it does not."""
    return (said,) if said else ()


READERS: dict[str, Read] = {"form": form, "characters": characters, "words": by_words}


def scores(texts: Sequence[Sequence[str]], delivered: Mask, read: Read) -> Array:
    """Score each member, [bags, members], by the bags before its own; NaN where a bag has fewer members."""
    found = np.full(delivered.shape, np.nan)
    seen = np.zeros((2, PLACES))
    answers = np.zeros(2)
    for row, (members, given) in enumerate(zip(texts, delivered, strict=True)):
        numbered = [_numbers(read(text)) for text in members]
        base = np.log(answers + 2 * SMOOTHING)
        for place, features in enumerate(numbered):
            odds = np.log(seen[:, features] + SMOOTHING) - base[:, None]
            # Rounded, since sums of logarithms differ in their last digits from one processor to another.
            found[row, place] = np.round((odds[1] - odds[0]).sum() / np.sqrt(max(len(features), 1)), 9)
        for features, there in zip(numbered, given, strict=False):
            seen[int(there), features] += 1
            answers[int(there)] += 1
    return found


def _numbers(features: Iterable[str]) -> NDArray[np.intp]:
    hashed = {zlib.crc32(one.encode("utf-8", "surrogatepass")) % PLACES for one in features}
    return np.array(sorted(hashed), dtype=np.intp)
