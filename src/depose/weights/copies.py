"""Copies within one model: experts made from one MLP, layers or heads that were doubled or share weights, wider layers.

The numbers of a copy's units are those of the original's, so that two copies that are matched with two copies make one
test twice; and where a copy's units were put into another order, their signs are the original's still. Tests are
combined as independent ones, and so each family of copies counts once, on either side, and so does each family of
units within a layer (`matching.distinct`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from depose.weights import matching
from depose.weights.stores import Array

ROWS = 32
"""Rows of a block that are compared."""
ALIKE = 0.1
"""Mean cosine of rows of the same numbers from which two blocks are called copies; 0 for blocks drawn independently,
with a standard deviation of .01 for 32 rows that are 256 wide."""


FEW = 8
"""Rows of a block that are sought in every other, whatever their numbers."""
FOUND = 0.1
"""How much closer such a row has its best match than its second, on average, where the other block is a copy."""


class Blocks:
    """The blocks of one kind of one model, as they are read."""

    def __init__(self) -> None:
        self._labels: list[str] = []
        self._rows: list[Array] = []
        self._few: list[Array] = []
        self._found: list[tuple[int, int]] = []

    def add(self, label: str, rows: Array) -> None:
        """Take in all rows of a block, of length 1, and seek some rows of each earlier block among them."""
        if self._few and len(rows) > 1:
            likeness = np.concatenate(self._few) @ rows.T
            two = np.partition(likeness, -2, axis=1)[:, -2:]
            margins = two[:, 1] - two[:, 0]
            start = 0
            for place, few in enumerate(self._few):
                if len(few) and margins[start : start + len(few)].mean() > FOUND:
                    self._found.append((place, len(self._labels)))
                start += len(few)
        self._labels.append(label)
        self._rows.append(rows[matching.spread(len(rows), ROWS)])
        self._few.append(rows[matching.spread(len(rows), FEW)])

    def families(self) -> dict[str, int]:
        """Number the families of copies, by the labels of their blocks."""
        return dict(zip(self._labels, families(self._rows, self._found), strict=True))


def families(blocks: Sequence[Array], found: Sequence[tuple[int, int]] = ()) -> list[int]:
    """Number the families of copies: blocks with one number come from one. Each is [rows, width], of rows of length 1.

    Row i of each block must have the same number within its layer or head; blocks of different shapes are copies only
    where they were `found` to be.
    """
    from scipy.sparse.csgraph import connected_components

    alike = np.eye(len(blocks), dtype=bool)
    for one, other in found:
        alike[one, other] = True
    shapes = [one.shape for one in blocks]
    for shape in set(shapes):
        places = np.array([place for place, other in enumerate(shapes) if other == shape])
        flat = np.stack([blocks[place].reshape(-1) for place in places])
        alike[np.ix_(places, places)] |= flat @ flat.T > ALIKE * max(shape[0], 1)
    numbers: list[int] = connected_components(alike, directed=False)[1].tolist() if blocks else []
    return numbers


def once(margins: Sequence[float], mine: Sequence[int], theirs: Sequence[int]) -> list[bool]:
    """Let each family of either model count once, in the surest of its matches."""
    seen: tuple[set[int], set[int]] = (set(), set())
    counted = [False] * len(margins)
    for place in sorted(range(len(margins)), key=lambda one: -margins[one]):
        if mine[place] not in seen[0] and theirs[place] not in seen[1]:
            counted[place] = True
            seen[0].add(mine[place])
            seen[1].add(theirs[place])
    return counted
