"""Copies within one model: experts that were made from one MLP, layers or heads that were doubled or share weights.

The numbers of a copy's units are those of the original's, so that two copies that are matched with two copies make one
test twice. Tests are combined as independent ones, and so each family of copies counts once, on either side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from depose.weights.stores import Array

ROWS = 32
"""Rows of a block that are compared."""
ALIKE = 0.1
"""Mean cosine of rows of the same numbers from which two blocks are called copies; 0 for blocks drawn independently,
with a standard deviation of .01 for 32 rows that are 256 wide."""


def families(blocks: Sequence[Array]) -> list[int]:
    """Number the families of copies: blocks with one number come from one. Each is [rows, width], of rows of length 1.

    Row i of each block must have the same number within its layer or head; blocks of different shapes are no copies.
    """
    from scipy.sparse.csgraph import connected_components

    alike = np.eye(len(blocks), dtype=bool)
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
