"""Names of lineages: one maker, or one set of weights, under two names counts once; near-equal names are pointed out.

The vocabulary is `known.toml` beside this file. A name that it does not know counts as it is written, but for case,
spaces and marks, so that a lineage gains nothing from a hyphen.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import combinations

from rapidfuzz.distance import DamerauLevenshtein
from rapidfuzz.utils import default_process

from depose.model import ModelSpec

NEAR = 0.9
"""Names at least this alike (1 minus the normalised Damerau-Levenshtein distance) may be one name, mistyped."""
FIELDS = {"developer": "makers", "weight_lineage": "weights", "data_lineage": ""}


@cache
def _known(kind: str) -> dict[str, str]:
    """Names as they are compared, each with the one that counts."""
    listed = tomllib.loads(files("depose.case.lineages").joinpath("known.toml").read_text("utf-8"))[kind]
    return {plain(name): plain(first) for first, others in listed.items() for name in (first, *others)}


@cache
def plain(name: str) -> str:
    """Write a name without case, spaces and marks.

    A full stop between digits stays, which tells 3.1 from 31, and so does a plus sign, which names another model.
    """
    kept = "".join(one if one.isalnum() or one == "+" or _point(name, place) else " " for place, one in enumerate(name))
    return "".join(kept.casefold().split()) or name


def _point(name: str, place: int) -> bool:
    return name[place] == "." and name[place - 1 : place].isdigit() and name[place + 1 : place + 2].isdigit()


def counted(name: str, field: str) -> str:
    """Return the name under which a maker or lineage counts; `field` is that of a model in a case file."""
    kind = FIELDS[field]
    return _known(kind).get(plain(name), plain(name)) if kind else plain(name)


def is_known(name: str, field: str) -> bool:
    """Tell whether the vocabulary has a name; of data lineages it has none."""
    kind = FIELDS[field]
    return bool(kind) and plain(name) in _known(kind)


def doubts(models: Sequence[ModelSpec]) -> Iterator[str]:
    """Name what may be one lineage under two names, and what counts as one though it is written as two."""
    for field in FIELDS:
        written = sorted({getattr(spec, field) for spec in models} - {""})
        for one, other in combinations(written, 2):
            if counted(one, field) == counted(other, field):
                yield f"{field}: {one!r} and {other!r} are counted as one"
            elif _near(one, other) and not (is_known(one, field) and is_known(other, field)):
                yield f"{field}: {one!r} and {other!r} are nearly the same; if they are one, write them alike"


def _near(one: str, other: str) -> bool:
    """Tell whether two names may be one, mistyped; names that differ in a number, or a word with one, are meant."""
    letters = ["".join(c for c in default_process(name) if not c.isdigit()) for name in (one, other)]
    apart = set(default_process(one).split()) ^ set(default_process(other).split())
    if letters[0] == letters[1] or (apart and all(any(c.isdigit() for c in word) for word in apart)):
        return False
    return bool(DamerauLevenshtein.normalized_similarity(plain(one), plain(other)) >= NEAR)
