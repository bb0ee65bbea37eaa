"""A tree of common beginnings holds every sequence, and each beginning once where that is worth a node."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depose.lineup.prefix_tree import Tree, grow

few = st.lists(st.integers(0, 2), min_size=1, max_size=12).map(tuple)


def read(tree: Tree, end: int) -> tuple[int, ...]:
    """Read a sequence back from the root to where it ends."""
    return tuple(token for node in tree.path(end) for token in tree.nodes[node].tokens)


@given(st.lists(few, max_size=20), st.integers(1, 5), st.integers(1, 9))
def test_every_sequence_can_be_read_back(sequences: list[tuple[int, ...]], longest: int, worth: int) -> None:
    """From root to end stand its tokens; nodes come after their parents and begin where those end."""
    tree = grow(sequences, longest, worth)
    assert [read(tree, end) for end in tree.ends] == sequences
    for place, node in enumerate(tree.nodes):
        assert node.parent < place
        assert node.start == (tree.nodes[node.parent].end if node.parent >= 0 else 0)
        assert 0 < len(node.tokens) <= longest


@given(st.lists(few, min_size=1, max_size=20))
def test_where_every_token_is_worth_a_node_each_beginning_is_held_once(sequences: list[tuple[int, ...]]) -> None:
    """As many tokens are held as there are different beginnings."""
    beginnings = {one[:length] for one in sequences for length in range(1, len(one) + 1)}
    assert sum(len(node.tokens) for node in grow(sequences, 99, worth=1).nodes) == len(beginnings)


@given(st.lists(few, max_size=20), st.integers(3, 9))
def test_passes_take_every_node_once_in_order(sequences: list[tuple[int, ...]], room: int) -> None:
    """Passes follow one another without gap and hold at most what was asked."""
    tree = grow(sequences, 3, 2)
    passes = list(tree.passes(room))
    assert [place for run in passes for place in run] == list(range(len(tree.nodes)))
    assert all(sum(len(tree.nodes[place].tokens) for place in run) <= room for run in passes)


@given(st.permutations(range(6)))
def test_the_order_of_the_sequences_does_not_matter(order: list[int]) -> None:
    """The same nodes come of the same sequences in another order."""
    sequences = [(1, 1, 1, 2), (1, 1, 1, 3, 4), (1, 1, 1), (2,), (1, 1, 1, 3, 5), (2, 2)]
    one, other = grow(sequences, 9, 2), grow([sequences[place] for place in order], 9, 2)
    assert one.nodes == other.nodes
    assert [one.ends[place] for place in order] == other.ends


def test_a_beginning_that_saves_too_little_is_read_by_each() -> None:
    """Three tokens shared by three save six: a node at six, none at seven; what two share further on is still found."""
    deep = tuple(range(20, 30))
    sequences = [(1, 2, 3, 7), (1, 2, 3, *deep, 8), (1, 2, 3, *deep, 9)]
    assert [node.tokens for node in grow(sequences, 99, 6).nodes] == [(1, 2, 3), (7,), deep, (8,), (9,)]
    assert [node.tokens for node in grow(sequences, 99, 7).nodes] == [(1, 2, 3, 7), (1, 2, 3, *deep), (8,), (9,)]


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one(count: int) -> None:
    """Of nothing comes nothing; one sequence is one node."""
    tree = grow([(4, 5)] * count, 9)
    assert [node.tokens for node in tree.nodes] == [(4, 5)] * count
    assert len(list(tree.passes(9))) == count


def test_conversations_of_many_turns_need_no_deep_stack() -> None:
    """A thousand turns, each behind all before it, become a chain."""
    sequences = [(1,) * length for length in range(1, 1_200)]
    tree = grow(sequences, 5_000, worth=1)
    assert [read(tree, tree.ends[place])[-1:] for place in (0, 600, 1_198)] == [(1,)] * 3
    assert sum(len(node.tokens) for node in tree.nodes) == 1_199
