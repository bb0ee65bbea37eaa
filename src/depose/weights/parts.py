"""Parts of a model whose hidden units are compared, and how their matrices are turned so that rows are units."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from depose.weights.stores import Array

Shapes = Mapping[str, tuple[int, ...]]


class Rows(NamedTuple):
    """A tensor and how the rows of units are taken from it."""

    name: str
    cut: Callable[[Array], Array]
    expert: int | None = None
    """Which of the matrices that are stacked in the tensor; None where it is one matrix."""


class Mlp(NamedTuple):
    """The hidden units of one MLP. `gate` is None where it is not gated."""

    label: str
    layer: int
    units: int
    gate: Rows | None
    up: Rows
    down: Rows
    norm: str


class Attention(NamedTuple):
    """The value dimensions of one attention layer, `heads` times `size` of them, each head's together."""

    label: str
    layer: int
    heads: int
    size: int
    value: Rows
    output: Rows
    norm: str


def named(inside: Mapping[str, str], ends: Iterable[str]) -> tuple[str, ...]:
    """Name the tensors of a layer with these ends, or nothing where one is missing."""
    found = [next((name for key, name in inside.items() if key == end or key.endswith(f".{end}")), "") for end in ends]
    return tuple(found) if all(found) else ()


def into(shape: tuple[int, ...], width: int, *, turned: bool = False) -> Callable[[Array], Array] | None:
    """Say how to turn a matrix that reads from the model's space so that its rows are units.

    Of a square one only the model knows: `turned` where rows are what is read, as GPT-2 has all its matrices.
    """
    if len(shape) != 2 or width not in shape:
        return None
    return _as_it_is if shape[1] == width and not (turned and shape[0] == width) else _turned


def out_of(shape: tuple[int, ...], width: int, *, turned: bool = False) -> Callable[[Array], Array] | None:
    """Say how to turn a matrix that writes into the model's space so that its rows are units.

    `turned` is as for `into`.
    """
    if len(shape) != 2 or width not in shape:
        return None
    return _turned if shape[0] == width and not (turned and shape[1] == width) else _as_it_is


def _as_it_is(matrix: Array) -> Array:
    return matrix


def _turned(matrix: Array) -> Array:
    return matrix.T


def part(into: Callable[[Array], Array], rows: slice) -> Callable[[Array], Array]:
    """Take some of the units, where one matrix holds several kinds."""

    def cut(matrix: Array) -> Array:
        return into(matrix)[rows]

    return cut


def other(shape: tuple[int, ...], width: int) -> int:
    """Return the side of a matrix that is not the model's space."""
    return shape[0] if shape[1] == width else shape[1]
