"""Who used which template, as a table of ones: random tables with the same margins, and the graph of those who share.

A table is rows of columns that are one: `starts` [rows + 1] says where each row begins in `columns`. Random tables keep
what every row and every column holds: trades between two rows (Strona et al. 2014; Carstens 2015 shows that they reach
every table alike). Pairs of rows that were acquainted before are joined in no graph, of no table. Coreness is that of
Seidman (1983), by the buckets of Batagelj and Zaversnik (2003).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def nobody() -> Ints:
    """Return no pairs."""
    return np.zeros((0, 2), dtype=np.int64)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a loop, let go of the interpreter while it runs, and keep what was compiled."""
    made: Callable[..., Any] = numba.njit(nogil=True, cache=True)(function)
    return made


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Rows of columns that are one, each row sorted in no order."""

    starts: Ints
    columns: Ints
    width: int
    """How many columns there are."""
    acquainted: Ints = field(default_factory=nobody)
    """Pairs of rows [pairs, 2] that no graph joins, each once."""

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.starts) - 1

    def degrees(self) -> Ints:
        """Ones of each row."""
        return np.diff(self.starts)

    def column_degrees(self) -> Ints:
        """Ones of each column."""
        return np.bincount(self.columns, minlength=self.width).astype(np.int64)


def table_of(rows: Ints, columns: Ints, height: int, width: int) -> Table:
    """Make a table of places; a place that stands twice is one."""
    place = np.unique(rows.astype(np.int64) * max(width, 1) + columns.astype(np.int64))
    row = place // max(width, 1)
    starts = np.zeros(height + 1, dtype=np.int64)
    np.cumsum(np.bincount(row, minlength=height), out=starts[1:])
    return Table(starts=starts, columns=place % max(width, 1), width=width)


@compiled
def trade(starts, columns, mark, pool, trades, seed):  # type: ignore[no-untyped-def]
    """Make so many trades between two random rows, in place; `mark` [columns] is zero before and after."""
    np.random.seed(seed)
    rows = len(starts) - 1
    for _ in range(trades):
        i = np.random.randint(0, rows)
        j = np.random.randint(0, rows - 1)
        if j >= i:
            j += 1
        for at in range(starts[i], starts[i + 1]):
            mark[columns[at]] = 1
        size = 0
        for at in range(starts[j], starts[j + 1]):
            column = columns[at]
            if mark[column] == 1:
                mark[column] = 3
            else:
                mark[column] = 2
                pool[size] = column
                size += 1
        if size > 0 and size < starts[j + 1] - starts[j] + 1:
            for at in range(starts[i], starts[i + 1]):
                if mark[columns[at]] == 1:
                    pool[size] = columns[at]
                    size += 1
            for last in range(size - 1, 0, -1):
                other = np.random.randint(0, last + 1)
                pool[last], pool[other] = pool[other], pool[last]
            given = 0
            for row in (i, j):
                own = 1 if row == i else 2
                for at in range(starts[row], starts[row + 1]):
                    if mark[columns[at]] == own:
                        mark[columns[at]] = 0
                        columns[at] = -1 - pool[given]
                        given += 1
            for row in (i, j):
                for at in range(starts[row], starts[row + 1]):
                    if columns[at] < 0:
                        columns[at] = -1 - columns[at]
                    else:
                        mark[columns[at]] = 0
        else:
            for row in (i, j):
                for at in range(starts[row], starts[row + 1]):
                    mark[columns[at]] = 0


def in_common(pairs: Ints, rows: int, least: int = 2, most: int = 200_000_000) -> Ints:
    """Return the pairs [pairs, 2] and those that have `least` partners in common, each once, the smaller row first.

    Of more than `most` paths of two pairs nothing is added.
    """
    from scipy.sparse import coo_matrix, triu

    degrees = np.bincount(pairs.ravel(), minlength=rows).astype(np.float64)
    if not len(pairs) or float((degrees**2).sum()) > most:
        return pairs
    half = coo_matrix((np.ones(len(pairs), dtype=np.int32), (pairs[:, 0], pairs[:, 1])), shape=(rows, rows)).tocsr()
    whole = half + half.T
    paths = triu(whole @ whole, 1).tocoo()
    more = paths.data >= least
    both = np.concatenate([pairs, np.stack([paths.row[more], paths.col[more]], axis=1)])
    return np.asarray(np.unique(both, axis=0), dtype=np.int64)


def acquaintances(table: Table) -> tuple[Ints, Ints]:
    """Return with whom each row is acquainted: where each begins, and the rows that come after it."""
    pairs = np.sort(table.acquainted, axis=1)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    begins = np.zeros(table.rows + 1, dtype=np.int64)
    np.cumsum(np.bincount(pairs[:, 0], minlength=table.rows), out=begins[1:])
    return begins, np.ascontiguousarray(pairs[:, 1])


def joined(table: Table, most: int, least: int) -> tuple[Ints, Ints, Ints]:
    """Return each two rows that share `least` columns of at most `most` rows, how many, and were not acquainted."""
    met = acquaintances(table)
    found: tuple[Ints, Ints, Ints] = sharing(table.starts, table.columns, table.column_degrees(), most, least, *met)
    return found


@compiled
def sharing(starts, columns, degrees, most, least, begins_met, met):  # type: ignore[no-untyped-def]
    """Return each two rows that share at least `least` columns of at most `most` rows, and how many they share."""
    rows, width = len(starts) - 1, len(degrees)
    begins = np.zeros(width + 1, dtype=np.int64)
    for at in range(len(columns)):
        if degrees[columns[at]] <= most:
            begins[columns[at] + 1] += 1
    for column in range(width):
        begins[column + 1] += begins[column]
    fill = begins[:-1].copy()
    holders = np.empty(begins[width], dtype=np.int64)
    for row in range(rows):
        for at in range(starts[row], starts[row + 1]):
            column = columns[at]
            if degrees[column] <= most:
                holders[fill[column]] = row
                fill[column] += 1
    count = np.zeros(rows, dtype=np.int64)
    touched = np.empty(rows, dtype=np.int64)
    apart = np.full(rows, -1, dtype=np.int64)
    left = np.empty(1024, dtype=np.int64)
    right = np.empty(1024, dtype=np.int64)
    shared = np.empty(1024, dtype=np.int64)
    size = 0
    done = begins[:-1].copy()
    for row in range(rows):
        seen = 0
        for at in range(starts[row], starts[row + 1]):
            column = columns[at]
            if degrees[column] > most:
                continue
            done[column] += 1
            for place in range(done[column], begins[column + 1]):
                other = holders[place]
                if count[other] == 0:
                    touched[seen] = other
                    seen += 1
                count[other] += 1
        for place in range(begins_met[row], begins_met[row + 1]):
            apart[met[place]] = row
        for place in range(seen):
            other = touched[place]
            if count[other] >= least and apart[other] != row:
                if size == len(left):
                    left = np.concatenate((left, np.empty_like(left)))
                    right = np.concatenate((right, np.empty_like(right)))
                    shared = np.concatenate((shared, np.empty_like(shared)))
                left[size], right[size], shared[size] = row, other, count[other]
                size += 1
            count[other] = 0
    return left[:size].copy(), right[:size].copy(), shared[:size].copy()


@compiled
def coreness(rows, left, right):  # type: ignore[no-untyped-def]
    """Return the coreness of each row in the graph of these pairs."""
    degree = np.zeros(rows, dtype=np.int64)
    for edge in range(len(left)):
        degree[left[edge]] += 1
        degree[right[edge]] += 1
    begins = np.zeros(rows + 1, dtype=np.int64)
    for row in range(rows):
        begins[row + 1] = begins[row] + degree[row]
    fill = begins[:-1].copy()
    near = np.empty(begins[rows], dtype=np.int64)
    for edge in range(len(left)):
        near[fill[left[edge]]] = right[edge]
        fill[left[edge]] += 1
        near[fill[right[edge]]] = left[edge]
        fill[right[edge]] += 1
    most = degree.max() if rows > 0 else 0
    bins = np.zeros(most + 2, dtype=np.int64)
    for row in range(rows):
        bins[degree[row] + 1] += 1
    for value in range(most + 1):
        bins[value + 1] += bins[value]
    start = bins[:-1].copy()
    place = np.empty(rows, dtype=np.int64)
    order = np.empty(rows, dtype=np.int64)
    for row in range(rows):
        place[row] = start[degree[row]]
        order[place[row]] = row
        start[degree[row]] += 1
    start = bins[:-1].copy()
    for at in range(rows):
        row = order[at]
        for edge in range(begins[row], begins[row + 1]):
            other = near[edge]
            if degree[other] > degree[row]:
                first = start[degree[other]]
                if first <= at:
                    first = at + 1
                    start[degree[other]] = first
                swapped = order[first]
                if swapped != other:
                    order[first], order[place[other]] = other, swapped
                    place[swapped], place[other] = place[other], first
                start[degree[other]] += 1
                degree[other] -= 1
    return degree


def cores(table: Table, most: int, least: int) -> Ints:
    """Return the coreness of each row among those who share `least` columns of at most `most` rows."""
    left, right, _ = joined(table, most, least)
    found: Ints = coreness(table.rows, left, right)
    return found
