"""How large a likelihood ratio may be: no data set of n lineages can carry more.

The cap is 1 / U(k, n), U the one-sided 95 % Clopper-Pearson bound for k of n independent lineages that reach the score
(design.md). A ratio that is printed is the smallest of its estimate, this cap, and the bounds of the study (`elub`).
"""

from __future__ import annotations

from depose.statistics.rates import upper_bound


def lineage_cap(k: int, n: int) -> float:
    """Largest likelihood ratio that n independent lineages carry when k of them reach the score; 1 without any."""
    return 1.0 if n < 1 else 1.0 / upper_bound(k, n)
