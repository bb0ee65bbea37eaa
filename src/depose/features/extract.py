"""Answers to tokens, n-grams, masked n-grams and vectors: the one stage that is cached, keyed by the text itself.

Tokens are words, lower-cased (`words`), within the first LIMIT characters of what is compared of an answer, so that a
long answer cannot win by length. Sentences and lines, for their first tokens, are taken from the whole answer.
N-grams are 64-bit numbers made from token digests; two different n-grams share a number with
probability below 1e-9 in any case of a size that we foresee.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from depose.features.layout_free import blanked, reach
from depose.features.refusal_words import is_refusal as is_refusal
from depose.features.words import Token as Token
from depose.features.words import found_tokens, sentences, words
from depose.model import Prompt, Record

Grams = NDArray[np.uint64]
Encode = Callable[[Sequence[str]], NDArray[np.float32]]
"""Turns n texts into n unit vectors."""
Mask = Callable[[Sequence[str]], list[list[str]]]
"""Turns n texts into n lists of tokens, content words replaced by their part of speech."""
Match = Callable[[Sequence[Sequence[str]]], list[NDArray[np.float64]]]
"""Turns each group of n texts into its n x n normalised indel ratios (0 to 1), the same numbers on every path."""

LIMIT = 800
SENTENCE_HEAD = 80
"""Characters of a sentence that are searched for its first tokens."""


class NotGiven(LookupError):
    """A detector needs a model that this analysis does not have."""


class Bag(Record, frozen=True, kw_only=True):
    """A set of models that answered the same prompts: suspect first, reference second, then controls.

    `answers[p][m]` holds the answers of model m in row p; an empty tuple means that there is none. A prompt asked
    several times has a row for each sample.
    """

    models: tuple[str, ...]
    prompts: tuple[Prompt, ...]
    answers: tuple[tuple[tuple[str, ...], ...], ...]


def tokens(text: str, limit: int = LIMIT) -> tuple[Token, ...]:
    """Split a text as it was given into the tokens that are compared, with their places in it."""
    bare = blanked(text)
    return tuple(
        Token(text=found.text.lower(), start=found.start, end=found.end)
        for found in found_tokens(bare[: reach(bare, limit)])
    )


def sentence_starts(text: str, count: int) -> list[list[str]]:
    """Split off every sentence and line and return its first `count` tokens, lower-cased; none is empty."""
    heads = (words(part[:SENTENCE_HEAD].lower()) for part in sentences(text) if part.strip())
    return [head[:count] for head in heads if head]


def first_tokens(text: str) -> list[str]:
    """Return the first token of every sentence and line, as `sentence_starts` does, without the others."""
    return [head[0] for head in sentence_starts(text, 1)]


class _Numbers(dict[str, int]):
    """The number of each token, made when it is first asked for."""

    def __missing__(self, token: str) -> int:
        number = int.from_bytes(hashlib.blake2b(token.encode(), digest_size=8).digest(), "big")
        self[token] = number
        return number


class Features:
    """Tokens, n-grams and vectors of texts, each computed once."""

    def __init__(self, encode: Encode | None = None, mask: Mask | None = None, match: Match | None = None) -> None:
        self.match = match
        self._encode = encode
        self._mask = mask
        self._number = _Numbers().__getitem__
        self._ids: dict[str, Grams] = {}
        self._grams: dict[tuple[str, int, int], Grams] = {}
        self._starts: dict[tuple[str, int], Grams] = {}
        self._first: dict[str, Grams] = {}
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._masked: dict[str, Grams] = {}

    def numbers(self, names: Iterable[str]) -> Grams:
        """Return distinct strings as numbers, sorted; the token itself has the number of its own string."""
        return np.unique(np.array([*map(self._number, sorted(set(names)))], np.uint64))

    def ids(self, text: str) -> Grams:
        """Return the tokens of a text as numbers, in order."""
        found = self._ids.get(text)
        if found is None:
            listed = words(text[:LIMIT].lower())
            found = np.fromiter(map(self._number, listed), np.uint64, len(listed))
            self._ids[text] = found
        return found

    def grams(self, text: str, low: int, high: int) -> Grams:
        """Return the distinct n-grams of `low` to `high` tokens, sorted."""
        key = (text, low, high)
        found = self._grams.get(key)
        if found is None:
            found = np.unique(np.concatenate(_orders(self.ids(text), low, high)))
            self._grams[key] = found
        return found

    def prefixes(self, text: str, high: int) -> Grams:
        """Return the first 1, 2, ... `high` tokens, each as one number."""
        ids = self.ids(text)[:high].tolist()
        return np.array([_order(ids[:n]) for n in range(1, len(ids) + 1)], np.uint64)

    def starts(self, text: str, high: int) -> Grams:
        """Return the distinct first 1, 2, ... `high` tokens of all sentences and lines, sorted."""
        key = (text, high)
        found = self._starts.get(key)
        if found is None:
            runs = {tuple(head[:n]) for head in sentence_starts(text, high) for n in range(1, len(head) + 1)}
            found = self.numbers("\x1f".join(run) for run in runs)
            self._starts[key] = found
        return found

    def first_words(self, text: str) -> Grams:
        """Return the first token of every sentence and line as numbers, in order."""
        found = self._first.get(text)
        if found is None:
            found = np.array([*map(self._number, first_tokens(text))], np.uint64)
            self._first[text] = found
        return found

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors [n, dimension] of n texts."""
        if self._encode is None:
            raise NotGiven("no sentence encoder was given")
        fresh = sorted({text for text in texts if text not in self._vectors})
        if fresh:
            self._vectors.update(zip(fresh, self._encode(fresh), strict=True))
        return np.stack([self._vectors[text] for text in texts])

    @property
    def encoded(self) -> dict[str, NDArray[np.float32]]:
        """Every text whose vector was asked for, with the vector."""
        return dict(self._vectors)

    def masked(self, texts: Sequence[str], low: int, high: int) -> list[Grams]:
        """Return for each text the distinct n-grams of `low` to `high` masked tokens, sorted."""
        if self._mask is None:
            raise NotGiven("no tagger was given")
        fresh = sorted({text for text in texts if text not in self._masked})
        if fresh:
            for text, found in zip(fresh, self._mask(fresh), strict=True):
                self._masked[text] = np.array([*map(self._number, found)], np.uint64)
        return [np.unique(np.concatenate(_orders(self._masked[text], low, high))) for text in texts]


_FACTOR, _SHIFT, _BELOW = 0x9E3779B97F4A7C15, 29, 2**64


def _orders(ids: Grams, low: int, high: int) -> list[Grams]:
    """Hash every run of n tokens by a polynomial in the token numbers, modulo 2**64."""
    made = [np.zeros(0, np.uint64)] if len(ids) < low else []
    for n in range(low, min(high, len(ids)) + 1):
        run = np.full(len(ids) - n + 1, n, np.uint64)
        for offset in range(n):
            run = run * np.uint64(_FACTOR) + ids[offset : len(ids) - n + 1 + offset]
            run ^= run >> np.uint64(_SHIFT)
        made.append(run)
    return made


def _order(ids: Sequence[int]) -> int:
    """Hash a single run as `_orders` does: a few numbers go faster one by one than as arrays."""
    run = len(ids)
    for one in ids:
        run = (run * _FACTOR + one) % _BELOW
        run ^= run >> _SHIFT
    return run
