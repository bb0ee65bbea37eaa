"""What is kept of one model while the other is read: some units of each MLP; and how units are read from a file."""

from __future__ import annotations

from typing import NamedTuple

from depose.weights import matching
from depose.weights.heads import Values
from depose.weights.layout import Layout, norm, units
from depose.weights.parts import Attention, Mlp
from depose.weights.stores import Array, Places, Store


class Opened(NamedTuple):
    """A model that is open for reading."""

    store: Store
    layout: Layout


class Probes(NamedTuple):
    """Some units of one MLP of the reference: their rows, in the reference's space, of length 1."""

    of: Mlp
    numbers: Places
    read: Array
    """By what they are matched, centred."""
    whole: Array
    """The same as it is, whose zeros and signs are looked at again."""
    up: Array
    down: Array


def turned(one: Probes, turn: Array) -> Probes:
    """Turn rows into the suspect's space."""
    rows = (one.read, one.whole, one.up, one.down)
    return Probes(one.of, one.numbers, *(matching.unit_rows(each @ turn) for each in rows))


def inputs(of: Opened, mlp: Mlp, *, both: bool = True) -> tuple[Array, Array]:
    """Read what units are matched by, and what they multiply with it; of an MLP without gate, the same twice."""
    before = norm(of.store, of.layout, mlp.norm)
    read = units(of.store, mlp.gate or mlp.up) * before
    return read, units(of.store, mlp.up) * before if both and mlp.gate else read


def values(of: Opened, attention: Attention) -> Values:
    """Read what the value dimensions of a layer read and write, as they are."""
    before = norm(of.store, of.layout, attention.norm)
    return Values(units(of.store, attention.value) * before, units(of.store, attention.output))
