"""Tables with fixed margins, who shares, and coreness."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

from depose.extraction.bipartite import Table, coreness, cores, in_common, joined, table_of, trade


def random_table(seed: int, rows: int = 60, width: int = 90, ones: int = 400) -> Table:
    """A table of so many ones at random, some columns popular."""
    rng = np.random.default_rng(seed)
    popular = (rng.pareto(1.0, ones) * 5).astype(np.int64) % width
    return table_of(rng.integers(0, rows, ones), popular, rows, width)


def traded(table: Table, seed: int, trades: int = 500) -> Table:
    """A random table with the same margins."""
    columns = table.columns.copy()
    pool = np.empty(2 * int(table.degrees().max()) + 1, dtype=np.int64)
    trade(table.starts, columns, np.zeros(table.width, dtype=np.int8), pool, trades, seed)
    return Table(starts=table.starts, columns=columns, width=table.width)


@pytest.mark.parametrize("seed", range(5))
def test_trades_keep_both_margins(seed: int) -> None:
    """Each row holds as many, each column is held by as many, and nothing stands twice in a row."""
    table = random_table(seed)
    other = traded(table, seed)
    assert (other.column_degrees() == table.column_degrees()).all()
    assert not (other.columns == table.columns).all()
    for start, end in zip(other.starts, other.starts[1:], strict=False):
        assert len(set(other.columns[start:end].tolist())) == end - start


def test_trades_reach_every_table_alike() -> None:
    """The nine tables with the margins (2, 1, 1), (2, 1, 1) of rows and columns... are drawn equally often."""
    table = table_of(np.array([0, 0, 1, 2]), np.array([0, 1, 0, 2]), 3, 3)
    seen: dict[tuple[tuple[int, ...], ...], int] = {}
    for seed in range(3_000):
        one = traded(table, seed, 30)
        key = tuple(tuple(sorted(one.columns[a:b].tolist())) for a, b in zip(one.starts, one.starts[1:], strict=False))
        seen[key] = seen.get(key, 0) + 1
    every = _tables((2, 1, 1), (2, 1, 1))
    assert set(seen) == every
    expected = 3_000 / len(every)
    chi2 = sum((seen[key] - expected) ** 2 / expected for key in every)
    assert chi2 < 30  # of len(every) - 1 degrees of freedom, fewer than 10


def _tables(rows: tuple[int, ...], columns: tuple[int, ...]) -> set[tuple[tuple[int, ...], ...]]:
    from itertools import combinations, product

    choices = [list(combinations(range(len(columns)), count)) for count in rows]
    return {
        one
        for one in product(*choices)
        if all(sum(column in row for row in one) == wanted for column, wanted in enumerate(columns))
    }


@pytest.mark.parametrize(("most", "least"), [(100, 1), (100, 2), (8, 1)])
def test_who_shares_is_counted_as_by_hand(most: int, least: int) -> None:
    """Pairs and numbers of shared columns are those of the product of the table with itself."""
    table = random_table(1)
    dense = np.zeros((table.rows, table.width), dtype=np.int64)
    dense[np.repeat(np.arange(table.rows), table.degrees()), table.columns] = 1
    few = dense[:, dense.sum(axis=0) <= most]
    wanted = few @ few.T
    left, right, shared = joined(table, most, least)
    found = {(min(a, b), max(a, b)): n for a, b, n in zip(left.tolist(), right.tolist(), shared.tolist(), strict=True)}
    assert found == {
        (i, j): wanted[i, j] for i in range(table.rows) for j in range(i + 1, table.rows) if wanted[i, j] >= least
    }


def test_who_was_acquainted_is_joined_by_nothing() -> None:
    """In whatever order pairs are given, these and no others are missing."""
    table = random_table(3)
    every = {(a, b) for a, b in zip(*(one.tolist() for one in joined(table, 100, 1)[:2]), strict=True)}
    met = np.array([pair if place % 2 else pair[::-1] for place, pair in enumerate(sorted(every)[::3])])
    left, right, _ = joined(replace(table, acquainted=met), 100, 1)
    assert set(zip(left.tolist(), right.tolist(), strict=True)) == every - {(min(a, b), max(a, b)) for a, b in met}


def test_two_partners_in_common_make_acquaintances() -> None:
    """0 and 1 know 2 and 3; 4 and 5 know only 6; a graph that is too dense is left as it is."""
    pairs = np.array([[0, 2], [0, 3], [1, 2], [1, 3], [4, 6], [5, 6]])
    assert in_common(pairs, 7).tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3], [4, 6], [5, 6]]
    assert in_common(pairs, 7, most=10) is pairs


def test_coreness_is_that_of_networkx() -> None:
    """Every row has the core number that networkx gives it."""
    table = random_table(2, rows=80, ones=900)
    left, right, _ = joined(table, 100, 2)
    graph = nx.Graph()
    graph.add_nodes_from(range(table.rows))
    graph.add_edges_from(zip(left.tolist(), right.tolist(), strict=True))
    wanted = nx.core_number(graph)
    assert coreness(table.rows, left, right).tolist() == [wanted[row] for row in range(table.rows)]
    assert cores(table, 100, 2).max() > 2
