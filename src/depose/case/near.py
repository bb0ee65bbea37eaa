"""What somebody may have meant: the nearest of the names that are known."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

LEAST = 0.6
"""Names less alike than this (1 minus the normalised Damerau-Levenshtein distance) are no suggestion."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Say `; did you mean 'alpha'?`, or nothing where no known name is near."""
    found = process.extractOne(
        name.lower()[:200], sorted(known), scorer=DamerauLevenshtein.normalized_similarity, score_cutoff=LEAST
    )
    return f"; did you mean {found[0]!r}?" if found else ""
