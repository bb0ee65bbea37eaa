"""Are the answers of suspect and reference, both, unlike those of every control: in length, or in their words?

Pure, and asked only of a result that reaches alpha. Two strangers whose answers are cut short, or that are told to
speak another language or to write in letters of their own, have in common what no control has. One of the two inside is
enough, as for peculiarity; and a control that is like them competes with them, so that to add one gains nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from depose.analysis.scored_bags import Bench
from depose.model import Condition, Result

LENGTH = "words in an answer"
VOCABULARY = "vocabulary"


def rows(bench: Bench, bag: tuple[str, ...], primary: Result, alpha: float) -> tuple[Condition, ...]:
    """Set the length of answers and their words beside those of the controls; nothing where p is above alpha."""
    if primary.p_holm > alpha:
        return ()
    return beside(bench.words(bag, primary.detector))


def beside(said: Sequence[Sequence[Sequence[str]]]) -> tuple[Condition, ...]:
    """Set the words of each answer of each member, suspect and reference first, beside each other."""
    return (*_length(said), *_vocabulary(said))


def _length(said: Sequence[Sequence[Sequence[str]]]) -> Iterator[Condition]:
    middles = [float(np.median([len(words) for words in one])) if one else None for one in said]
    own, theirs = [one for one in middles[:2] if one is not None], [one for one in middles[2:] if one is not None]
    if len(own) == 2 and theirs:
        yield Condition(
            name=LENGTH,
            validated=f"one of them within {min(theirs):g} to {max(theirs):g}, the controls’ medians",
            case=f"medians {own[0]:g} and {own[1]:g}",
            inside=max(own) >= min(theirs) and min(own) <= max(theirs),
        )


def _vocabulary(said: Sequence[Sequence[Sequence[str]]]) -> Iterator[Condition]:
    """Count of each member how many of its words some control says, in whatever answer; a control is not its own."""
    counts = [Counter(word for words in one for word in words) for one in said]
    holders = Counter(word for one in counts[2:] for word in one)
    shares = [
        sum(many for word, many in one.items() if holders[word] > (place > 1)) / one.total() if one else None
        for place, one in enumerate(counts)
    ]
    own, theirs = [one for one in shares[:2] if one is not None], [one for one in shares[2:] if one is not None]
    if len(own) == 2 and theirs:
        yield Condition(
            name=VOCABULARY,
            validated=f"of the words of one of them a control says {min(theirs):.1%}, as of those of some control",
            case=f"{own[0]:.1%} and {own[1]:.1%}",
            inside=max(own) >= min(theirs),
        )
