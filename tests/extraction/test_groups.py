"""E3: level, power and invariance of the primary test; p-values of its parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from depose.extraction import groups
from depose.extraction.bipartite import Table, table_of

GRID = ((10, 1), (10, 2), (10, 4))


POOL = 3_000


def ordinary(rng: np.random.Generator, rows: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Rows of heavy-tailed length, columns of a pool of which some are popular."""
    length = np.minimum((rng.pareto(1.2, rows) + 1) * 4, 60).astype(int)
    who = np.repeat(np.arange(rows), length)
    head = (rng.pareto(0.9, len(who)) * 10).astype(np.int64) % POOL
    return who, np.where(rng.random(len(who)) < 0.3, head, rng.integers(0, POOL, len(who)))


def planted(rng: np.random.Generator) -> Table:
    """The same, and twenty rows that draw fifteen columns each from forty of their own."""
    who, what = ordinary(rng, 200)
    mine = np.repeat(np.arange(20), 15)
    theirs = POOL + rng.integers(0, 40, len(mine))
    return table_of(np.concatenate([who, mine]), np.concatenate([what, theirs]), 200, POOL + 40)


def first(table: Table, swaps: int = 39, seed: int = 1) -> groups.Groups:
    """One round."""
    rest, _ = groups.without(table, np.ones(table.rows, dtype=bool))
    return groups.find(rest, GRID, swaps=swaps, rounds=1, alpha=0.05, seed=seed)


@pytest.mark.slow
def test_p_is_uniform_where_templates_fall_at_random() -> None:
    """Of 120 tables without a campaign about 1 in 20 and 1 in 5 fall below, and no more than chance allows."""
    rng = np.random.default_rng(3)
    p = []
    for _ in range(120):
        who, what = ordinary(rng)
        p.append(first(table_of(who, what, 200, POOL), swaps=19).rounds[0].p)
    for level in (0.05, 0.2, 0.5):
        below = int((np.array(p) <= level + 1e-9).sum())
        assert binomtest(below, len(p), level, alternative="greater").pvalue > 0.01, (level, below)
    assert np.mean(p) < 0.75


def test_a_campaign_is_found_and_named() -> None:
    """Twenty rows that share a set of their own stand at the floor, and are who is named."""
    found = first(planted(np.random.default_rng(5)))
    assert found.rounds[0].p == 1 / 40
    assert len(set(found.rounds[0].members.tolist()) & set(range(20))) >= 16
    borne_out = set(found.rounds[0].members[found.rounds[0].supported].tolist())
    assert len(borne_out & set(range(20))) >= 15
    assert found.rounds[0].core > found.rounds[0].expected


def test_p_knows_no_names_of_rows_and_columns() -> None:
    """The statistic of a table is the same whatever its rows and columns are called."""
    table = planted(np.random.default_rng(6))
    rng = np.random.default_rng(7)
    rows, columns = rng.permutation(table.rows), rng.permutation(table.width)
    other = table_of(
        rows[np.repeat(np.arange(table.rows), table.degrees())], columns[table.columns], table.rows, table.width
    )
    one, two = first(table).rounds[0], first(other).rounds[0]
    assert (one.core, one.graph, len(one.members)) == (two.core, two.graph, len(two.members))
    assert sorted(rows[one.members].tolist()) == two.members.tolist()


def test_the_same_seed_gives_the_same_whatever_the_number_of_workers() -> None:
    """Draws have seeds of their own."""
    table = planted(np.random.default_rng(8))
    rest, _ = groups.without(table, np.ones(table.rows, dtype=bool))
    runs = [groups.find(rest, GRID, swaps=30, rounds=2, alpha=0.05, seed=4, workers=n) for n in (1, 3)]
    assert [one.p for one in runs[0].rounds] == [one.p for one in runs[1].rounds]
    assert runs[0].adjusted == runs[1].adjusted


@pytest.mark.parametrize("rows", [1, 5, 40])
def test_the_best_of_several_ranks_is_uniform(rows: int) -> None:
    """The best rank of the first of rows that are exchangeable is no smaller than chance, however many graphs."""
    rng = np.random.default_rng(rows)
    p = [groups.combined(rng.integers(0, 50, size=(20, rows)))[0] for _ in range(2_000)]
    assert binomtest(int((np.array(p) <= 0.05).sum()), 2_000, 0.05, alternative="greater").pvalue > 1e-3


def test_a_found_core_is_taken_out_before_the_next_round() -> None:
    """Two campaigns are two groups, and Holm pays for the rounds."""
    rng = np.random.default_rng(9)
    who, what = ordinary(rng, 200)
    mine = np.repeat(np.arange(40), 15)
    theirs = POOL + 40 * (mine // 20) + rng.integers(0, 40, len(mine))
    table, _ = groups.without(
        table_of(np.concatenate([who, mine]), np.concatenate([what, theirs]), 200, POOL + 80), np.ones(200, dtype=bool)
    )
    found = groups.find(table, GRID, swaps=119, rounds=3, alpha=0.05, seed=1)
    assert [round(p, 4) for p in found.adjusted[:2]] == [0.025, 0.025]
    assert not set(found.rounds[0].members.tolist()) & set(found.rounds[1].members.tolist())


def test_those_of_one_field_are_no_group_once_they_are_acquainted() -> None:
    """Rows that shared a field before are found as strangers and not as acquaintances; a campaign beside them is."""
    rng = np.random.default_rng(10)

    def fields() -> tuple[np.ndarray, np.ndarray]:
        who, what = ordinary(rng, 200)
        inside = rng.random(len(who)) < 0.6
        return who, np.where(inside, 60 * (who % 20) + rng.integers(0, 60, len(who)), what)

    met = np.array([(one, other) for one in range(200) for other in range(one + 20, 200, 20)])
    after = table_of(*fields(), 200, POOL)
    assert first(after).rounds[0].p == 1 / 40
    assert first(replace(after, acquainted=met)).rounds[0].p > 0.05
    who, what = fields()
    mine = np.repeat(np.arange(20), 15)
    theirs = POOL + rng.integers(0, 40, len(mine))
    both = table_of(np.concatenate([who, mine]), np.concatenate([what, theirs]), 200, POOL + 40)
    found = first(replace(both, acquainted=met)).rounds[0]
    assert found.p == 1 / 40
    assert len(set(found.members.tolist()) & set(range(20))) >= 15
