"""Local false-discovery rates mean what they say where the truth is known, and nothing is found where nothing is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, norm

from depose.statistics.screening import benjamini_hochberg, local_fdr, related_share

Array = NDArray[np.float64]
SHIFT = 3.0


def drawn(rng: np.random.Generator, cells: int, share: float) -> tuple[Array, NDArray[np.bool_]]:
    """Draw scores of a known two-group model: log likelihood ratios, and which cells are related."""
    related = rng.random(cells) < share
    score = rng.normal(size=cells) + SHIFT * related
    return norm.logpdf(score, SHIFT) - norm.logpdf(score), related


def names(cells: int, each: int = 1) -> list[str]:
    """Name the suspect of every cell."""
    return [f"s{place // each}" for place in range(cells)]


def test_the_realised_rate_is_the_declared_one() -> None:
    """Among cells flagged at a local rate, the share of null ones is the mean of their local rates, and below .1."""
    rng = np.random.default_rng(1)
    flagged = false = 0
    expected = 0.0
    for _ in range(60):
        log_lr, related = drawn(rng, 2_000, 0.05)
        rates = local_fdr(log_lr, related_share(log_lr, names(2_000)).low)
        hits = rates <= 0.1
        flagged, false, expected = flagged + hits.sum(), false + (hits & ~related).sum(), expected + rates[hits].sum()
    assert flagged > 2_000
    assert false / flagged < 0.1
    assert abs(false - expected) / flagged < 0.015


def test_the_share_is_found() -> None:
    """The estimate is near the true share, and the lower end lies below it in about 95 of 100 batches."""
    rng = np.random.default_rng(2)
    shares = [related_share(drawn(rng, 1_000, 0.1)[0], names(1_000)) for _ in range(300)]
    assert abs(np.mean([one.value for one in shares]) - 0.1) < 0.005
    covered = sum(one.low < 0.1 for one in shares)
    assert 0.92 <= covered / 300 <= 0.98


def test_the_estimate_is_the_fixed_point_of_em() -> None:
    """EM, started anywhere, ends where the maximum was found."""
    log_lr, _ = drawn(np.random.default_rng(3), 500, 0.2)
    share = related_share(log_lr, names(500)).value
    moved = 0.9
    for _ in range(3_000):
        moved = float((moved * np.exp(log_lr) / (1 - moved + moved * np.exp(log_lr))).mean())
    assert share == pytest.approx(moved, abs=1e-8)


def test_nothing_is_found_where_nothing_is() -> None:
    """In 200 batches of unrelated cells hardly one has a hit."""
    rng = np.random.default_rng(4)
    batches = 0
    for _ in range(200):
        log_lr, _ = drawn(rng, 500, 0.0)
        batches += bool((local_fdr(log_lr, related_share(log_lr, names(500)).low) <= 0.1).any())
    assert batches <= 4


def test_one_suspect_is_hardly_a_batch() -> None:
    """All cells of one suspect count as one: thirty moderate ratios of one model make no hit, those of thirty do."""
    log_lr = np.full(30, 2.0)
    alone, many = (local_fdr(log_lr, related_share(log_lr, names(30, each)).low) for each in (30, 1))
    assert alone.min() > 0.4
    assert many.max() < 0.1
    weak = np.array([1.3])
    assert local_fdr(weak, related_share(weak, ["s"]).low).tolist() == [1.0]


def test_dependent_cells_are_not_counted_twice() -> None:
    """Ten cells that say the same of each suspect leave the estimate and its lower end where one cell has them."""
    log_lr, _ = drawn(np.random.default_rng(5), 600, 0.1)
    once, often = related_share(log_lr, names(600)), related_share(np.repeat(log_lr, 10), names(6_000, each=10))
    assert often.value == pytest.approx(once.value)
    assert often.low == pytest.approx(once.low, rel=1e-6)
    apart = related_share(log_lr, names(600, each=10))
    assert apart.low == pytest.approx(once.low, rel=0.15)


def test_no_cells_have_no_share() -> None:
    """An empty batch has a share of 0."""
    assert related_share(np.zeros(0), []).low == 0.0


def test_benjamini_hochberg_is_that_of_scipy() -> None:
    """q-values equal scipy's, ties and all."""
    p = np.round(np.random.default_rng(6).random(200), 2).clip(0.01)
    np.testing.assert_allclose(benjamini_hochberg(p.tolist()), false_discovery_control(p))
    assert benjamini_hochberg([]) == []
