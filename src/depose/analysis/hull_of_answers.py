"""Are the answers of suspect and reference, both, unlike those of every control: in length, or in their words?

Pure, and asked only of a result that reaches alpha. Two strangers whose answers are cut short, or that are told to
speak another language or to write in letters of their own, have in common what no control has. One of the two inside is
enough, as for peculiarity; and a control that is like them competes with them, so that to add one gains nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

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
    """Set the words of each answer of each member, suspect and reference first, beside each other.

    Nothing where one of these two, or every control, said no word; a control that said none widens no range.
    """
    controls = [one for one in said[2:] if any(one)]
    if not controls or not all(any(one) for one in said[:2]):
        return ()
    told = (*said[:2], *controls)
    return _length(told), _vocabulary(told)


def _length(said: Sequence[Sequence[Sequence[str]]]) -> Condition:
    first, second, *theirs = (float(np.median([len(words) for words in one])) for one in said)
    return Condition(
        name=LENGTH,
        validated=f"one of them within {min(theirs):g} to {max(theirs):g}, the controls’ medians",
        case=f"medians {first:g} and {second:g}",
        inside=max(first, second) >= min(theirs) and min(first, second) <= max(theirs),
    )


def _vocabulary(said: Sequence[Sequence[Sequence[str]]]) -> Condition:
    """Count of each member how many of its words some control says, in whatever answer; a control is not its own."""
    counts = [Counter(word for words in one for word in words) for one in said]
    holders = Counter(word for one in counts[2:] for word in one)
    first, second, *theirs = (
        sum(many for word, many in one.items() if holders[word] > (place > 1)) / one.total()
        for place, one in enumerate(counts)
    )
    return Condition(
        name=VOCABULARY,
        validated=f"of the words of one of them a control says {min(theirs):.1%}, as of those of some control",
        case=f"{first:.1%} and {second:.1%}",
        inside=max(first, second) >= min(theirs),
    )
