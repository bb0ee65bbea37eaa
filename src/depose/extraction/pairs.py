"""E2: which two accounts share more rare templates than their numbers of templates explain?

Where templates fall to accounts at random given both margins, a pair that holds a and b templates shares about

    a b S / (E (E - 1)),   S = sum over templates of n (n - 1), n its number of accounts, E = sum of n

of them, and the number is nearly Poisson. The hypergeometric law (Tumminello et al. 2011) takes all templates for
equally popular, and calls pairs of strangers, since popular prompts are shared by all.
Benjamini and Hochberg over **all** pairs, not only those that share something. Pairs that were acquainted before are
paid for, and called by nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from depose.extraction.bipartite import Ints, Table, joined


@dataclass(frozen=True, kw_only=True, slots=True)
class Pairs:
    """The pairs that share two templates or more, with p and whether the false-discovery rate keeps them."""

    left: Ints
    right: Ints
    shared: Ints
    p: NDArray[np.float64]
    kept: NDArray[np.bool_]
    tests: int
    """Pairs that there are, all of which are paid for."""


def validated(table: Table, most: int, fdr: float) -> Pairs:
    """Test every pair of rows on columns of at most `most` rows."""
    degrees = table.column_degrees()
    left, right, shared = joined(table, most, 2)
    usable = (degrees >= 2) & (degrees <= most)
    rows = np.repeat(np.arange(table.rows), table.degrees())
    held = np.bincount(rows[usable[table.columns]], minlength=table.rows)
    uses = float(degrees[usable].sum())
    popular = float((degrees[usable] * (degrees[usable] - 1)).sum()) / max(uses * (uses - 1), 1.0)
    p = np.asarray(poisson.sf(shared - 1, popular * held[left] * held[right]), dtype=np.float64)
    tests = table.rows * (table.rows - 1) // 2
    return Pairs(left=left, right=right, shared=shared, p=p, kept=stepped(p, fdr, tests), tests=tests)


def stepped(p: NDArray[np.float64], fdr: float, tests: int) -> NDArray[np.bool_]:
    """Keep what Benjamini and Hochberg (1995) keep of `tests` p-values of which all that are not given are 1."""
    order = np.argsort(p, kind="stable")
    below = np.flatnonzero(p[order] <= fdr * np.arange(1, len(p) + 1) / max(tests, 1))
    kept = np.zeros(len(p), dtype=bool)
    if len(below):
        kept[order[: below[-1] + 1]] = True
    return kept
