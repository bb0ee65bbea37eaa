"""Passages that two answers share: runs of at least three tokens that stand in both and not in the prompt.

Beside each stands how many other answers have the same run. Exhibits of a report and the pages to read mark the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from depose.features.extract import Token, tokens
from depose.model import Span

RUN = 3
"""Tokens of the shortest passage."""
LONGEST = 8_000
"""Characters of an answer that are looked at."""
Runs = set[tuple[str, ...]]


def read(text: str) -> tuple[Token, ...]:
    """Take the tokens of an answer, as far as it is looked at."""
    return tuple(tokens(text, LONGEST))


def runs(words: Sequence[Token]) -> Runs:
    """Collect the runs of three tokens."""
    return set(_runs(words))


def spans(words: Sequence[Token], shared: Runs, others: Sequence[Runs]) -> tuple[Span, ...]:
    """Mark the longest stretches of tokens that shared runs cover; each with how many of the others have all of it."""
    found = []
    for first, last in _stretches(words, shared):
        inside = set(_runs(words[first:last]))
        found.append(
            Span(
                start=words[first].start,
                end=words[last - 1].end,
                controls=sum(inside <= one for one in others),
            )
        )
    return tuple(found)


def _runs(words: Sequence[Token]) -> list[tuple[str, ...]]:
    return [tuple(word.text for word in words[i : i + RUN]) for i in range(len(words) - RUN + 1)]


def _stretches(words: Sequence[Token], shared: Runs) -> list[tuple[int, int]]:
    """Find the maximal stretches of tokens that shared runs cover: (first, last + 1)."""
    stretches: list[tuple[int, int]] = []
    for start, run in enumerate(_runs(words)):
        if run in shared:
            if stretches and start < stretches[-1][1]:
                stretches[-1] = (stretches[-1][0], start + RUN)
            else:
                stretches.append((start, start + RUN))
    return stretches
