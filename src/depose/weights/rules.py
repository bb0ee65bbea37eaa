"""Look for a rule by which a model's units were numbered or signed: what is in their rows must not tell their numbers.

Every check is exact for the same reason as the tests of kinship: given what is looked at, numbers are in random order
and signs are fair coins, in each model by itself, if nobody chose them. A rule of signs need not be guessed: what half
of the units tell of it is tested on the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from depose.weights import exact_tails, matching
from depose.weights.stores import Array

SIZE, PEAK, LIKENESS, SUM = "size", "place of the largest weight", "likeness", "sum"
LEARNT, FORMULA = "what half of them tell of the others", "the formula"
Floats = NDArray[np.float64]
Found = tuple[str, float]
"""What a check looked at, and log10 of its p."""


class Rows(NamedTuple):
    """Some units of one matrix: [rows, width], at most 256 of them."""

    some: Array
    turned: tuple[tuple[str, Array], ...]
    """The first rows, turned so that a formula would show, whose table may begin anew; nothing where none is sought."""


def looked_at(rows: Array, *, formulas: bool) -> Rows:
    """Take some rows to look at, and turn them so that a formula of initialisation would show."""
    some = scaled(few(rows, 2 * exact_tails.MOST))
    return Rows(some, tuple(_formulas(scaled(rows[: exact_tails.MOST]))) if formulas else ())


def order_rules(of: Rows) -> Iterator[Found]:
    """Test the numbers of rows beside their likeness, sizes, largest weights and the formulas of initialisation."""
    if len(of.some) >= 2 * exact_tails.FEWEST:
        both = matching.centred_rows(of.some)
        yield LIKENESS, matching.order_test(matching.match(both[0::2] @ both[1::2].T))
    some = few(of.some, exact_tails.MOST)
    yield from _ways(SIZE, np.einsum("ij,ij->i", some, some))
    yield from _ways(PEAK, np.abs(some).argmax(axis=1))
    for name, turned in of.turned:
        yield from _ways(f"{FORMULA} {name}", np.abs(turned).argmax(axis=1))


def size_rules(sizes: Array) -> Iterator[Found]:
    """Test the numbers of dimensions beside one size of each."""
    yield from _ways(SIZE, few(sizes, exact_tails.MOST))


def sign_rules(of: Rows, beside: Rows | None) -> Iterator[Found]:
    """Test the common sign of each row of one matrix; `beside` holds rows of the same units that keep their sign.

    What is learnt from half of the units is a direction, and one that depends on what stands beside: given sizes, the
    sign of the others towards it is a fair coin.
    """
    each = of.some
    for name, values in (("", each), *of.turned):
        peaks = values[np.arange(len(values)), np.abs(values).argmax(axis=1)]
        yield from _coins(f"{FORMULA} {name}" if name else PEAK, peaks)
    yield from _coins(SUM, each.sum(axis=1))
    dots = each[1::2] @ each[0::2].T
    yield LEARNT, exact_tails.signs(dots.sum(axis=1))
    if beside is not None:
        near = beside.some
        yield f"{LEARNT}, beside what they read", exact_tails.signs((dots * (near[1::2] @ near[0::2].T)).sum(axis=1))
        yield from _coins("likeness to what they read", np.einsum("ij,ij->i", each, near))


def scaled(rows: Array) -> Array:
    """Bring the largest number to 1, so that squares stay finite."""
    return np.asarray(rows / max(np.abs(rows).max(initial=0.0), np.finfo(np.float32).tiny), dtype=np.float32)


def few(rows: Array, most: int) -> Array:
    """Take at most so many rows, evenly spread."""
    return rows[matching.spread(len(rows), most)]


def _distinct(values: NDArray[Any]) -> Floats:
    """Leave out equal values, as of pruned units, which have no order."""
    _, first, counts = np.unique(values, return_index=True, return_counts=True)
    return np.asarray(values[np.sort(first[counts == 1])], dtype=np.float64)


def _ways(name: str, values: Array) -> Iterator[Found]:
    """Test for a rising and for a falling order."""
    distinct = _distinct(values)
    yield f"{name}+", exact_tails.order(distinct)
    yield f"{name}-", exact_tails.order(-distinct)


def _coins(name: str, values: Array) -> Iterator[Found]:
    """Test for more positive and for more negative values."""
    seen = few(values, exact_tails.MOST)
    yield f"{name}+", exact_tails.signs(seen)
    yield f"{name}-", exact_tails.signs(-seen)


def _formulas(rows: Array) -> Iterator[tuple[str, Array]]:
    """Turn rows so that those of a table that is drawn without chance have one large number, at a place of their own.

    Hadamard's matrix (Zhao et al., "ZerO initialization", TMLR 2022) and cosines; the identity needs no turning.
    """
    wide = 1 << max(rows.shape[1] - 1, 0).bit_length()
    padded = np.zeros((len(rows), wide), dtype=np.float32)
    padded[:, : rows.shape[1]] = rows
    yield "of cosines", np.asarray(dct(rows, axis=1, norm="ortho"), dtype=np.float32)
    step = 1
    while step < wide:  # the fast Walsh-Hadamard transform
        pairs = padded.reshape(len(rows), -1, 2, step)
        padded = np.stack((pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]), axis=2)
        padded = padded.reshape(len(rows), wide)
        step *= 2
    yield "of Hadamard", padded
