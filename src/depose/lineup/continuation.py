"""How a suspect goes on from the beginning of each member of a bag, where an endpoint takes one; pure.

Each member is cut after its first third, at the end of a word. The suspect is given the context and the beginning of
an answer, of every member alike, and what it writes is compared with the rest of that same member, over as many words:
whoever learnt an answer by heart goes on as it does (Carlini et al. 2021 and 2023 get training texts out of models in
this way). The parts are those of `answer_likeness`. All members of a bag are treated alike, so that the test stays
exact; where the cut falls only moves power.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence

import msgspec

from depose.features.extract import Encode
from depose.features.words import found_tokens
from depose.lineup.answer_likeness import WEIGHTS, weighed
from depose.lineup.scorer import Scores
from depose.model.lineup import Bag

CONTINUES = ("transformers", "openai", "anthropic")
"""Providers that hand on the beginning of an answer; a server behind them may still refuse it."""
SHARE = 3
"""One part in so many is the beginning."""
LEAST = 6
"""Characters of a member that is cut; of a shorter one nothing is asked."""
FURTHER = 40
"""Characters within which the end of a word is looked for; scripts without spaces are cut between two characters."""


def parted(member: str) -> tuple[str, str]:
    """Cut a member into its first third, up to the end of the word there, and the rest; nothing where it is short."""
    if len(member) < LEAST:
        return "", member
    at = -(-len(member) // SHARE)
    end = next((place for place in range(at, min(at + FURTHER, len(member))) if member[place].isspace()), at)
    while end < len(member) and unicodedata.combining(member[end]):
        end += 1
    return member[:end].rstrip(), member[end:]


def beginnings(bag: Bag) -> dict[str, str]:
    """Return the beginnings of a bag by their names in the log: that of the bag, and the place of the member."""
    made = {f"{bag.bag}.{place}": parted(member)[0] for place, member in enumerate(bag.members)}
    return {name: beginning for name, beginning in made.items() if beginning}


def continuing(
    weights: Mapping[str, float] = WEIGHTS, *, encode: Encode | None = None
) -> Callable[[Sequence[Bag], Mapping[str, Sequence[str]]], tuple[Scores, ...]]:
    """Make the scorer with these weights: of bags, and of what was written by the name of its beginning.

    Raises ValueError as `likeness` does.
    """
    scored = weighed(weights, encode=encode)

    def rests(bags: Sequence[Bag], written: Mapping[str, Sequence[str]]) -> tuple[Scores, ...]:
        cut = [[parted(member) for member in bag.members] for bag in bags]
        said = [
            [
                [went_on(text, beginning, rest) for text in written.get(f"{bag.bag}.{place}", ())]
                for place, (beginning, rest) in enumerate(members)
            ]
            for bag, members in zip(bags, cut, strict=True)
        ]
        left = [
            msgspec.structs.replace(bag, members=tuple(rest for _, rest in members))
            for bag, members in zip(bags, cut, strict=True)
        ]
        return scored(left, said)

    return rests


def went_on(text: str, beginning: str, rest: str) -> str:
    """Take what was written without the beginning, which some servers give back, up to as many words as the rest."""
    new = text.removeprefix(beginning)
    most, tokens = len(list(found_tokens(rest))), list(found_tokens(new))
    return new[: tokens[most - 1].end] if 0 < most < len(tokens) else new


def own_words(bag: Bag, said: Mapping[str, Sequence[str]], members: Sequence[str]) -> tuple[str, ...]:
    """Return what a model itself said to a bag: its answers, or how it first went on from the members in this order."""
    written = []
    for member in members:
        beginning, _ = parted(member)
        texts = said.get(f"{bag.bag}.{bag.members.index(member)}", ()) if beginning else ()
        written += [f"{beginning} [the suspect:] {text.removeprefix(beginning).strip()}" for text in texts[:1]]
    return (*said.get(bag.bag, ()), *written)
