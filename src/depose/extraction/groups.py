"""E3, the primary test: is there a set of accounts that share rare templates more closely than margins alone explain?

Statistic: over a registered grid of graphs (pairs that share at least m templates of at most d accounts), the maximum
coreness, and with ties the size of that core. Null: tables with the same margins, each account as many templates and
each template as many accounts as were seen. The random tables come from the start of a chain that ran backwards from
what was seen, each by a run of its own as long as that (Besag and Clifford 1989, parallel): exact whatever the chain
has forgotten. The graph that stands out most, each standardised over all tables, is one statistic (max T: Westfall and
Young 1993), so that choosing it is paid for. A core that was found is taken out and the rest tested again; Holm pays
for all rounds.

Assumes that, but for collection in concert, templates fall to accounts at random given the margins. Classes, customers
of one framework and runs of one benchmark do not fall so: they are one node where they are declared, are set aside
where they stood out in the clean period, and are found where neither is known. Two nodes that some graph joined in the
clean period, or that it joined with the same two others, are acquainted, as those of one field are; no graph joins
them afterwards, in no table. That choice sees the clean period alone, so that the null stays exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from depose.extraction.bipartite import Ints, Table, acquaintances, coreness, sharing, trade
from depose.model.random_streams import stream
from depose.statistics.ranks import holm
from depose.statistics.screening import benjamini_hochberg

TRADES = 5
"""Trades for each row of the table between two tables of the null."""
MEMBER_FDR = 0.05
Grid = Sequence[tuple[int, int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """One round: the core that was found, how it stands among random tables, and who in it is borne out."""

    p: float
    """Of this round alone."""
    graph: tuple[int, int]
    """The graph that stood out most: accounts of a template at most, templates of a pair at least."""
    core: int
    """Its maximum coreness."""
    expected: float
    """Median of the maximum coreness of this graph in random tables."""
    members: Ints
    """Rows in the core, in order."""
    supported: NDArray[np.bool_]
    """Of these, those whose own templates are shared inside the core more than by chance (BH)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Groups:
    """All rounds, the last of which found nothing."""

    rounds: tuple[Round, ...]
    adjusted: tuple[float, ...]
    """p-value of each round, adjusted by Holm over all that were registered."""


def find(
    table: Table,
    grid: Grid,
    *,
    swaps: int,
    rounds: int,
    alpha: float,
    seed: int,
    name: str = "groups",
    corrected: bool = True,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Groups:
    """Look for groups until a round finds none: its p, by Holm if `corrected`, is above alpha."""
    alive = np.ones(table.rows, dtype=bool)
    found: list[Round] = []
    for number in range(rounds):
        rest, rows = without(table, alive)
        if rest.rows < 3 or not len(rest.columns):
            break
        values, members = _ranked(rest, grid, swaps, seed, f"{name}-{number}", workers, progress)
        p, best = combined(values)
        one = Round(
            p=p,
            graph=grid[best],
            core=int(values[0, best] // (rest.rows + 1)),
            expected=float(np.median(values[1:, best] // (rest.rows + 1))),
            members=rows[members[best]],
            supported=supported(rest, members[best], grid[best][0]),
        )
        found.append(one)
        if p * (rounds - number if corrected else 1) > alpha:
            break
        alive[one.members] = False
    every = [one.p for one in found] + [1.0] * (rounds - len(found))
    return Groups(rounds=tuple(found), adjusted=tuple(holm(every)[: len(found)]))


def without(table: Table, alive: NDArray[np.bool_]) -> tuple[Table, Ints]:
    """Return the table of the rows that are alive, of columns that two of them hold; and which rows these are."""
    row_of = np.repeat(np.arange(table.rows), table.degrees())
    kept = alive[row_of]
    degrees = np.bincount(table.columns[kept], minlength=table.width)
    kept &= degrees[table.columns] >= 2
    rows, place = np.unique(row_of[kept], return_inverse=True)
    columns, new = np.unique(table.columns[kept], return_inverse=True)
    starts = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(np.bincount(place, minlength=len(rows)), out=starts[1:])
    into = np.full(table.rows, -1, dtype=np.int64)
    into[rows] = np.arange(len(rows))
    met = into[table.acquainted]
    left = Table(
        starts=starts, columns=new.astype(np.int64), width=len(columns), acquainted=met[(met >= 0).all(axis=1)]
    )
    return left, rows.astype(np.int64)


def combined(values: NDArray[np.int64]) -> tuple[float, int]:
    """Return p of the first row of values [tables, graphs] by its largest standardised value, and that graph.

    Mean and spread are those of all tables, the first among them, so that all tables are treated alike.
    """
    spread = values.std(axis=0)
    scores = np.where(spread > 0, (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1), 0)
    best = np.round(scores.max(axis=1), 9)
    return float((best >= best[0]).mean()), int(scores[0].argmax())


def _ranked(
    table: Table,
    grid: Grid,
    swaps: int,
    seed: int,
    name: str,
    workers: int,
    progress: Callable[[int, int], None],
) -> tuple[NDArray[np.int64], list[Ints]]:
    """Return the statistic of every graph, of the table and of random ones, and the core of each graph of the table."""
    seeds = stream(seed, name).integers(0, 2**32, size=swaps + 1).tolist()
    degrees = table.column_degrees()
    widest = 2 * int(table.degrees().max()) + 1
    met = acquaintances(table)

    def moved(columns: Ints, own: int) -> Ints:
        found = columns.copy()
        mark, pool = np.zeros(table.width, dtype=np.int8), np.empty(widest, dtype=np.int64)
        trade(table.starts, found, mark, pool, TRADES * table.rows, own)
        return found

    def measured(columns: Ints) -> tuple[list[int], list[Ints]]:
        values, members = [], []
        edges: dict[int, tuple[Ints, Ints, Ints]] = {}
        for most, least in grid:
            if most not in edges:
                fewest = min(one for width, one in grid if width == most)
                edges[most] = sharing(table.starts, columns, degrees, most, fewest, *met)
            left, right, shared = edges[most]
            kept = shared >= least
            core = coreness(table.rows, left[kept], right[kept])
            inside = np.flatnonzero(core == core.max()) if core.max() > 0 else np.zeros(0, dtype=np.int64)
            values.append(int(core.max()) * (table.rows + 1) + len(inside))
            members.append(inside)
        return values, members

    observed, members = measured(table.columns)
    values = np.empty((swaps + 1, len(grid)), dtype=np.int64)
    values[0] = observed
    start = moved(table.columns, seeds[0])

    def draw(number: int) -> list[int]:
        return measured(moved(start, seeds[number]))[0]

    with ThreadPoolExecutor(workers) as pool:
        for number, one in enumerate(pool.map(draw, range(1, swaps + 1)), 1):
            values[number] = one
            if number % 50 == 0 or number == swaps:
                progress(number, swaps)
    return values, members


def supported(table: Table, members: Ints, most: int) -> NDArray[np.bool_]:
    """Tell who in a core shares more of its templates inside it than by chance, BH at 5 %.

    The chance of a template is its share of all uses; the templates that two others in the core hold make the chance of
    one hit, and hits are binomial. The core was chosen by the same templates, so that this describes and does not test.
    """
    if not len(members):
        return np.zeros(0, dtype=bool)
    degrees = table.column_degrees()
    usable = degrees <= most
    total = max(int(degrees[usable].sum()), 1)
    inside = np.zeros(table.width, dtype=np.int64)
    own = [table.columns[table.starts[one] : table.starts[one + 1]] for one in members]
    own = [one[usable[one]] for one in own]
    for one in own:
        inside[one] += 1
    p = []
    for one in own:
        others = inside.copy()
        others[one] -= 1
        hits = int((others[one] > 1).sum())
        chance = min(1.0, float(degrees[(others > 1) & usable].sum()) / total)
        p.append(float(binom.sf(hits - 1, len(one), chance)) if len(one) else 1.0)
    return np.array(benjamini_hochberg(p)) <= MEMBER_FDR
