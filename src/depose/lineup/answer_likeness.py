"""The black box: how alike each member of a bag is to what the suspect itself says to the same context; pure.

Three parts, each the mean over the suspect's answers:

fuzzy    normalised indel ratio over words
grams    share of a member's rare runs of 2 to 4 words that stand in the answer, each weighed by how few members of the
         bag have it and in how few other bags it stands; what stands in the context is left out
vectors  cosine of sentence vectors, where a case registers a weight of theirs

A part is centred within each bag, divided by its spread over all bags, and weighed as registered. All of it treats the
members of a bag alike, so that the test stays exact; weights only move power. A suspect that learnt the delivered
answers to heart says them again; one that learnt them once leans to their wording, which takes about a thousand
prompts to see (SaMIA, Kaneko et al. 2024, is the likelihood-free attack on texts that this follows).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Indel

from depose.features.extract import Encode, Features, Match
from depose.features.words import words
from depose.lineup.scorer import AnswerScorer, Scores
from depose.model.lineup import Bag

Array = NDArray[np.float64]

WEIGHTS = {"fuzzy": 1.0, "grams": 1.0, "vectors": 0.5}
"""Of the parts, where a case registers none: a convention until the laboratory says better."""
LONGEST = 4_000
"""Characters of a text whose words are compared."""
PRIVATE = 0xF0000
"""First code point for private use, which stand for words."""
LOW, HIGH = 2, 4
"""Words of a run."""

Said = Sequence[Sequence[Sequence[str]]]
"""What the suspect said that a member is compared with, [bags][members][samples]."""
Part = Callable[[Sequence[Bag], Said], list[Array]]
"""Likeness of each member to what the suspect said, [bags][members]; of a member that nothing was said to, zero."""


def likeness(
    weights: Mapping[str, float] = WEIGHTS, *, encode: Encode | None = None, match: Match | None = None
) -> AnswerScorer:
    """Make the scorer with these weights; `match` compares on a GPU, `encode` gives sentence vectors.

    Raises ValueError for a part that is not known, for weights that are all zero, and for vectors without an encoder.
    """
    scored = weighed(weights, encode=encode, match=match)
    return lambda bags, answers: scored(
        bags, [[said] * len(bag.members) for bag, said in zip(bags, answers, strict=True)]
    )


def weighed(
    weights: Mapping[str, float] = WEIGHTS, *, encode: Encode | None = None, match: Match | None = None
) -> Callable[[Sequence[Bag], Said], tuple[Scores, ...]]:
    """Make a scorer of members by what was said to each of them; raises as `likeness` does."""
    used = {name: float(weight) for name, weight in weights.items() if weight}
    if strange := sorted(used.keys() - WEIGHTS.keys()):
        raise ValueError(f"{strange[0]}: no part of the likeness of answers; there are {', '.join(WEIGHTS)}")
    if encode is None and weights is WEIGHTS:
        used.pop("vectors")
    if not used or min(used.values()) < 0:
        raise ValueError("weights of the parts are not negative, and not all zero")
    if "vectors" in used and encode is None:
        raise ValueError("vectors: no sentence encoder was given")

    def scored(bags: Sequence[Bag], said: Said) -> tuple[Scores, ...]:
        features = Features(encode=encode, match=match)
        parts: dict[str, Part] = {
            "fuzzy": lambda listed, texts: _fuzzy(listed, texts, match),
            "grams": lambda listed, texts: _grams(listed, texts, features),
            "vectors": lambda listed, texts: _vectors(listed, texts, features),
        }
        total = [np.zeros(len(bag.members)) for bag in bags]
        for name, weight in used.items():
            for row, part in zip(total, _standard(parts[name](bags, said)), strict=True):
                row += weight * part
        return tuple(tuple(map(float, row)) for row in total)

    return scored


def _standard(rows: Sequence[Array]) -> list[Array]:
    """Centre each bag, and divide by the spread within bags over all of them; nothing where there is none."""
    centred = [row - row.mean() for row in rows]
    spread = float(np.sqrt(np.mean(np.concatenate(centred) ** 2))) if centred else 0.0
    return [np.round(row / spread, 9) if spread > 0 else np.zeros(len(row)) for row in centred]


def _coded(texts: Sequence[str]) -> list[str]:
    """Write each word as one character, the same for the same word."""
    numbers: dict[str, str] = {}
    return [
        "".join(numbers.setdefault(word, chr(PRIVATE + len(numbers))) for word in words(text[:LONGEST].lower()))
        for text in texts
    ]


def _listed(said: Sequence[Sequence[str]]) -> tuple[list[str], list[list[int]]]:
    """List what was said about a bag, each text once, and where in there the texts for each member stand."""
    at: dict[str, int] = {}
    places = [[at.setdefault(text, len(at)) for text in texts] for texts in said]
    return list(at), places


def _means(tables: Sequence[Array], places: Sequence[Sequence[Sequence[int]]]) -> list[Array]:
    """Take the mean over what was said to each member of a table [members, texts]; zero where it was nothing."""
    return [
        np.array([table[member, list(own)].mean() if own else 0.0 for member, own in enumerate(rows)])
        for table, rows in zip(tables, places, strict=True)
    ]


def _fuzzy(bags: Sequence[Bag], said: Said, match: Match | None) -> list[Array]:
    listed = [_listed(texts) for texts in said]
    coded = [_coded([*bag.members, *texts]) for bag, (texts, _) in zip(bags, listed, strict=True)]
    if match is not None:
        whole = match(coded)
        tables = [table[: len(bag.members), len(bag.members) :] for table, bag in zip(whole, bags, strict=True)]
    else:
        tables = [
            process.cdist(
                texts[: len(bag.members)], texts[len(bag.members) :], scorer=Indel.normalized_similarity, dtype=float
            )
            for texts, bag in zip(coded, bags, strict=True)
        ]
    return _means(tables, [places for _, places in listed])


def _grams(bags: Sequence[Bag], said: Said, features: Features) -> list[Array]:
    held = [[_without_context(bag, text, features) for text in bag.members] for bag in bags]
    elsewhere = Counter(gram for members in held for gram in set().union(*members))
    found = []
    for members, texts in zip(held, said, strict=True):
        among = Counter(gram for one in members for gram in one)
        listed, places = _listed(texts)
        said_grams = [set(features.grams(text, LOW, HIGH).tolist()) for text in listed]

        def rarity(gram: int, among: Counter[int] = among, size: int = len(members)) -> float:
            bag = np.log((size + 1) / (among[gram] + 0.5))
            return float(bag * np.log((len(bags) + 1) / (elsewhere[gram] - 0.5)))

        row = np.zeros(len(members))
        for place, one in enumerate(members):
            # Sorted, since a sum of floats depends on its order.
            weighed = {gram: rarity(gram) for gram in sorted(one)}
            whole = sum(weighed.values())
            if whole > 0 and places[place]:
                shares = [sum(value for gram, value in weighed.items() if gram in mine) for mine in said_grams]
                row[place] = np.mean([shares[at] for at in places[place]]) / whole
        found.append(row)
    return found


def _without_context(bag: Bag, text: str, features: Features) -> set[int]:
    own: set[int] = set(features.grams(text, LOW, HIGH).tolist())
    for turn in bag.context.messages:
        own -= set(features.grams(turn.content, LOW, HIGH).tolist())
    return own


def _vectors(bags: Sequence[Bag], said: Said, features: Features) -> list[Array]:
    listed = [_listed(texts) for texts in said]
    features.vectors([text for bag, (texts, _) in zip(bags, listed, strict=True) for text in (*bag.members, *texts)])
    tables = [
        features.vectors(bag.members).astype(float) @ features.vectors(texts).astype(float).T
        if texts
        else np.zeros((len(bag.members), 0))
        for bag, (texts, _) in zip(bags, listed, strict=True)
    ]
    return _means(tables, [places for _, places in listed])
