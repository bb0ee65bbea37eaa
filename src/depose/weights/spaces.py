"""Lay the spaces of two models over each other, so that rows of one can be compared with rows of the other.

As they are, where both are equally wide; or by the embeddings of the tokens that both know, whose best rotation
(Schönemann, Psychometrika 31, 1966; for language models Zhang and Goldstein, arXiv 2508.06309) undoes a permuted or
rotated space and meets another width. Neither looks at hidden units' order or signs, so that their tests stay exact
whatever comes out here; a wrong alignment only finds nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depose.weights import exact_tails, matching
from depose.weights.layout import Layout, finite
from depose.weights.stores import Array, Store

FEWEST_TOKENS = 64
MOST_TOKENS = 16_384
RESIZED = 0.8
"""Share of a vocabulary down to which another is taken for the same with tokens added at its end, as padding is."""


class Shared(NamedTuple):
    """Tokens that both models know."""

    suspect: NDArray[np.intp]
    reference: NDArray[np.intp]
    sizes: tuple[int, int]
    assumed: bool
    """No file tells the tokens of one of them; equal numbers are taken for equal tokens."""


def shared_tokens(suspect: tuple[Store, Layout], reference: tuple[Store, Layout]) -> Shared:
    """Pair the tokens of two models by their text."""
    rows = [store.shapes[of.embedding][0] for store, of in (suspect, reference)]
    known = [
        {_plain(token): place for token, place in store.vocabulary().items() if 0 <= place < count}
        for (store, _), count in zip((suspect, reference), rows, strict=True)
    ]
    if all(known):
        common = sorted(known[0].keys() & known[1].keys(), key=known[1].__getitem__)
        pairs = [np.array([one[token] for token in common], dtype=np.intp) for one in known]
        return Shared(pairs[0], pairs[1], (len(known[0]), len(known[1])), assumed=False)
    every = np.arange(min(rows) if min(rows) >= RESIZED * max(rows) else 0)
    return Shared(every, every, (rows[0], rows[1]), assumed=True)


def _plain(token: str) -> str:
    """Two ways to write a space within a token."""
    return token.replace("▁", " ").replace("Ġ", " ")


class Embeddings(NamedTuple):
    """Embeddings of the same tokens in both models, less their means: [tokens, width] and [width]."""

    suspect: Array
    suspect_mean: Array
    reference: Array
    reference_mean: Array


def embeddings(suspect: tuple[Store, Layout], reference: tuple[Store, Layout], shared: Shared) -> Embeddings | None:
    """Read the embeddings of shared tokens, evenly spread over them; None where they are too few."""
    count = len(shared.suspect)
    if count < FEWEST_TOKENS:
        return None
    most = min(count, MOST_TOKENS, max(4096, 2 * max(suspect[1].width, reference[1].width)))
    chosen = np.linspace(0, count - 1, most).astype(np.intp)
    found = []
    for (store, of), places in ((suspect, shared.suspect), (reference, shared.reference)):
        table = finite(store, of.embedding, places[chosen])
        table = table / max(np.abs(table).max(initial=0.0), np.finfo(np.float32).tiny)  # whatever their unit
        mean = table.mean(axis=0, dtype=np.float64).astype(np.float32)
        found += [table - mean, mean]
    return Embeddings(*found)


def rotation(of: Embeddings) -> Array:
    """Return the rotation that takes the reference's space into the suspect's: [reference width, suspect width]."""
    left, _, right = np.linalg.svd(of.reference.T @ of.suspect, full_matrices=False)
    return np.ascontiguousarray(left @ right, dtype=np.float32)


class Dimensions(NamedTuple):
    """The order of the model's own dimensions, tested."""

    log10_p: float
    matched: int
    """Dimensions that were looked at."""
    agreed: matching.Agreement
    opposite: float
    """log10 p of the order of those that are most opposite."""
    again: float
    """log10 p of the order as the second look has it."""


def dimension_order(of: Embeddings) -> Dimensions:
    """Test the order of the model's own dimensions.

    A dimension is matched by what it holds of the shared tokens, up to its sign. Its number carries nothing under the
    null, as that of a hidden unit.
    """
    wide = of.reference.shape[1]
    probes = np.unique(np.linspace(0, wide - 1, min(wide, 2 * exact_tails.MOST)).astype(np.intp))
    mine, theirs = matching.centred_rows(of.reference.T[probes]), matching.centred_rows(of.suspect.T)
    likeness = mine @ theirs.T
    found = matching.match(np.abs(likeness))
    opposite = matching.opposite_order(likeness, probes)
    # Signs of the tables as they are: what lies above a mean is told by sizes too.
    whole = (of.reference[:, probes] + of.reference_mean[probes]).T, (of.suspect + of.suspect_mean).T
    again = matching.second_look(*whole, signed=False)
    return Dimensions(matching.order_test(found), len(found.mine), matching.agreement(found), opposite, again)
