"""The cap of a likelihood ratio: what the number of independent lineages can carry, and no more."""

from __future__ import annotations

import pytest
from scipy.stats import binom

from depose.statistics.likelihood_ratio_cap import lineage_cap


@pytest.mark.criterion(6)
def test_the_lineage_cap_is_the_one_of_the_design() -> None:
    """K = 19 caps at 6.9, 23 at 8.2, 37 at 12.9; LR 100 needs about 299 lineages; one exceedance lowers it."""
    assert [round(lineage_cap(0, n), 1) for n in (19, 23, 37)] == [6.9, 8.2, 12.9]
    assert lineage_cap(0, 298) < 100 < lineage_cap(0, 300)
    assert lineage_cap(1, 23) < lineage_cap(0, 23)
    assert lineage_cap(23, 23) == 1.0
    assert lineage_cap(0, 0) == 1.0
    assert lineage_cap(0, 23) == pytest.approx(1 / (1 - 0.05 ** (1 / 23)))


def test_the_cap_is_an_exact_bound() -> None:
    """With a rate of 1 / cap, k or fewer of n would be seen in exactly 5 % of studies."""
    assert binom.cdf(2, 40, 1 / lineage_cap(2, 40)) == pytest.approx(0.05)
