"""Quality and bounds of likelihood ratios, against golden values of the Netherlands Forensic Institute's `lir`.

The golden values were made by `benchmarks/golden_lir.py` with lir 1.3.1 (two commands, in its docstring).
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from depose.statistics.likelihood import cllr, cllr_min, dev_pav, ece, elub, pav

Array = NDArray[np.float64]

GOLDEN = [
    (0, (40, 300, 1.5), 0.46475477988736136, 0.3267742547511398, (-1.04, 1.34)),
    (1, (15, 80, 0.7), 0.6493353599490723, 0.4720915224743294, (-0.57, 0.60)),
    (2, (200, 200, 4.0), 0.12146305507013483, 0.06089618754320188, (-1.93, 1.91)),
]


def made(seed: int, n1: int, n2: int, shift: float) -> tuple[Array, Array]:
    """Make the same sets as `benchmarks/golden_lir.py`."""
    rng = np.random.default_rng(seed)
    return rng.normal(shift, 1.0 + shift / 4, n1), rng.normal(-shift, 1.0 + shift / 4, n2)


@pytest.mark.parametrize(("seed", "shape", "cost", "least", "bounds"), GOLDEN)
def test_golden_values(
    seed: int, shape: tuple[int, int, float], cost: float, least: float, bounds: tuple[float, float]
) -> None:
    """Cllr, Cllr_min and ELUB equal those of `lir`."""
    h1, h2 = made(seed, *shape)
    assert cllr(h1, h2) == pytest.approx(cost, rel=1e-12)
    assert cllr_min(h1, h2) == pytest.approx(least, rel=1e-9)
    found = elub(h1, h2)
    assert (found.low, found.high) == pytest.approx(bounds, abs=1e-9)


def test_worthless_and_perfect_systems() -> None:
    """LR = 1 everywhere costs 1; large true LRs cost nearly 0; misleading ones cost more than 1."""
    nothing = np.zeros(10)
    assert cllr(nothing, nothing) == pytest.approx(1.0)
    assert cllr(nothing + 20, nothing - 20) < 1e-8
    assert cllr(nothing - 3, nothing + 3) > 1
    assert (elub(nothing - 3, nothing + 3).low, elub(nothing - 3, nothing + 3).high) == (0.0, 0.0)


def test_pav_never_makes_it_worse_and_keeps_the_order() -> None:
    """Recalibration is monotone in the score and costs no more than the scores did."""
    h1, h2 = made(1, 15, 80, 0.7)
    a, b = pav(h1, h2)
    order = np.argsort(np.concatenate([h1, h2]))
    fitted = np.concatenate([a, b])[order]
    assert (fitted[1:] >= fitted[:-1]).all()
    assert cllr(a, b) <= cllr(h1, h2)


def test_ece_at_even_odds_is_cllr() -> None:
    """At prior odds 1 the empirical cross-entropy equals Cllr; far from it, it tends to 0."""
    h1, h2 = made(0, 40, 300, 1.5)
    values = ece(h1, h2, np.array([-8.0, 0.0, 8.0]))
    assert values[1] == pytest.approx(cllr(h1, h2))
    assert values[0] < 0.01
    assert values[2] < 0.01


def test_one_kind_alone_is_refused() -> None:
    """Without both kinds of pairs there is no cost."""
    with pytest.raises(ValueError, match="both kinds"):
        cllr(np.zeros(0), np.zeros(3))


def test_dev_pav_is_the_area_between_ratios_and_their_recalibration() -> None:
    """By hand: ratios of 0 and of 2 that are both even odds lie 0 and 2 off, 1 on average; twice too large is seen."""
    h1, h2 = np.array([0.0, 0.0, 2.0, 2.0]), np.array([0.0, 0.0, 2.0, 2.0])
    assert dev_pav(h1, h2) == pytest.approx(1.0)
    assert dev_pav(np.array([1.0, 2.0]), np.array([-2.0, -1.0])) == 0.0
    rng = np.random.default_rng(5)
    fine1, fine2 = rng.normal(1.0, np.sqrt(2.0), 4_000), rng.normal(-1.0, np.sqrt(2.0), 4_000)
    assert dev_pav(fine1, fine2) < 0.3
    assert dev_pav(3 * fine1, 3 * fine2) > 2.0
    crossing = np.array([-1.0, 1.0])
    assert dev_pav(crossing, crossing) == pytest.approx(0.5)
