"""A Merkle tree over the records of a log (RFC 6962, section 2.1), so that a single record can be produced.

A leaf is the SHA-256 of a zero byte and the line; a node that of a one byte and its two halves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from depose.errors import EvidenceError


def leaf(line: bytes) -> bytes:
    """Hash one line, without its line feed."""
    return hashlib.sha256(b"\x00" + line).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Hash two halves together."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Hash all leaves together: pairs from the left, an odd one is carried up as it is."""
    level = list(leaves)
    if not level:
        raise EvidenceError("a tree without leaves has no root", hint="nothing was recorded")
    while len(level) > 1:
        level = [node(*level[n : n + 2]) if n + 1 < len(level) else level[n] for n in range(0, len(level), 2)]
    return level[0]


def path(leaves: Sequence[bytes], index: int) -> tuple[tuple[str, str], ...]:
    """Return what leads from a leaf to the root: `left` or `right`, where the sibling stands, and its hash in hex."""
    steps: list[tuple[str, str]] = []
    level, place = list(leaves), index
    while len(level) > 1:
        sibling = place ^ 1
        if sibling < len(level):
            steps.append(("left" if sibling < place else "right", level[sibling].hex()))
        level = [node(*level[n : n + 2]) if n + 1 < len(level) else level[n] for n in range(0, len(level), 2)]
        place //= 2
    return tuple(steps)


def sides(index: int, size: int) -> tuple[str, ...]:
    """Say on which sides the siblings of a leaf stand, from it up to the root of a tree of `size` leaves."""
    found, place, width = list[str](), index, size
    while width > 1:
        if place ^ 1 < width:
            found.append("left" if place & 1 else "right")
        place, width = place // 2, (width + 1) // 2
    return tuple(found)


def leads_from(index: int, steps: Sequence[tuple[str, str]]) -> bool:
    """Tell whether a path is that of leaf `index` in a tree of any size, and so not of a node above leaves.

    Up to some height every place has a sibling, which the bits of the index tell left from right; from there on the
    place is the last of its level, and has a sibling only to its left. A node over 2**j leaves that is passed off as
    the last of them would need j more steps to the left than its own path has.
    """
    sides = [side for side, _ in steps]
    for height in range(len(sides) + 1):
        if height and index >> (height - 1) & 1:
            continue  # the last of a level cannot have become one by a sibling to its left
        told = ["left" if index >> bit & 1 else "right" for bit in range(height)]
        if told + ["left"] * (index >> height).bit_count() == sides:
            return True
    return False


def climb(start: bytes, steps: Sequence[tuple[str, str]]) -> bytes:
    """Return the root to which a path leads from a leaf."""
    found = start
    for side, sibling in steps:
        found = node(bytes.fromhex(sibling), found) if side == "left" else node(found, bytes.fromhex(sibling))
    return found
