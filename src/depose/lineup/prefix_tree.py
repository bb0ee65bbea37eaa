"""Sequences of tokens as a tree of their common beginnings, so that what many share goes through a model once.

In a log thousands of contexts begin with one system prompt, a turn of a conversation begins with those before it, and
the members of a bag share a context and often their first words. A beginning becomes a node of its own where that
saves enough tokens; a shorter one is read anew by each, which costs less than a node does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

WORTH = 16
"""Tokens that a node must save. A node costs as much time as a few tokens (SmolLM2-135M on a CPU)."""

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """Tokens that follow those of its parent."""

    parent: int
    """Place of the parent among the nodes, always an earlier one; -1 for none."""
    start: int
    """Tokens before it, from the root on."""
    tokens: Tokens

    @property
    def end(self) -> int:
        """Count its tokens and those before it."""
        return self.start + len(self.tokens)


@dataclass(slots=True)
class Tree:
    """Nodes in preorder: after each node come all that stem from it."""

    nodes: list[Node] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """For each sequence the node that holds its last token."""

    def path(self, node: int) -> list[int]:
        """List a node and its ancestors from the root on; empty for -1."""
        found = []
        while node >= 0:
            found.append(node)
            node = self.nodes[node].parent
        return found[::-1]

    def passes(self, room: int) -> Iterator[range]:
        """Cut the nodes into runs of at most so many tokens; no node may have more."""
        first = held = 0
        for place, node in enumerate(self.nodes):
            if held and held + len(node.tokens) > room:
                yield range(first, place)
                first, held = place, 0
            held += len(node.tokens)
        if held:
            yield range(first, len(self.nodes))


def grow(sequences: Sequence[Tokens], longest: int, worth: int = WORTH) -> Tree:
    """Put sequences, none of them empty, into a tree whose nodes have at most `longest` tokens."""
    order = sorted(range(len(sequences)), key=sequences.__getitem__)
    tree = Tree(ends=[-1] * len(sequences))
    groups = [(0, len(order), 0, -1)] if order else []
    while groups:
        low, high, start, parent = groups.pop()
        first, last = sequences[order[low]], sequences[order[high - 1]]
        common = _common(first, last, start)
        if (common - start) * (high - low - 1) >= worth or len(last) == common:
            parent, start = _chain(tree, first[:common], start, parent, longest), common
        ended = low
        while ended < high and len(sequences[order[ended]]) == common:
            ended += 1
        if ended > low:
            end = _chain(tree, first, start, parent, longest)
            for place in order[low:ended]:
                tree.ends[place] = end
        parts = []
        while ended < high:
            begun, token = ended, sequences[order[ended]][common]
            while ended < high and sequences[order[ended]][common] == token:
                ended += 1
            parts.append((begun, ended, start, parent))
        groups += reversed(parts)
    return tree


def _common(left: Tokens, right: Tokens, known: int) -> int:
    """Count the tokens that both begin with, the first `known` of which are known to be the same."""
    least = min(len(left), len(right))
    while known < least and left[known] == right[known]:
        known += 1
    return known


def _chain(tree: Tree, tokens: Tokens, start: int, parent: int, longest: int) -> int:
    """Add the tokens from `start` on as a node, or as several one after the other; return the last."""
    while start < len(tokens):
        piece = tokens[start : start + longest]
        tree.nodes.append(Node(parent, start, piece))
        parent, start = len(tree.nodes) - 1, start + len(piece)
    return parent
