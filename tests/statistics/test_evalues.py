"""e-values: a choice among many holds its false-discovery rate under any dependence, and finds what is large."""

from __future__ import annotations

import numpy as np
import pytest

from depose.statistics.evalues import calibrated, e_bh


def test_e_values_choose_among_many_groups() -> None:
    """One large e-value among twenty passes at 10 %; values that all are small choose nothing."""
    assert e_bh([3.0, *[0.1] * 19], 0.1) == (0,)
    assert e_bh([1.0] * 20, 0.1) == tuple(range(20))
    assert e_bh([0.5] * 20, 0.1) == ()
    with pytest.raises(ValueError, match="rate"):
        e_bh([1.0], 0.0)


def test_the_rate_of_false_discoveries_holds_under_dependence_and_a_shift_is_found() -> None:
    """Of ten endpoints that share their noise six are as they were: at most a tenth of what is chosen, on average."""
    shares, found = [], []
    for seed in range(2_000):
        rng = np.random.default_rng(seed)
        common = rng.random()  # half of the endpoints of the null have one p together
        p = np.array([common, common, common, *rng.random(3), *(10.0 ** -rng.uniform(2, 8, 4))])
        chosen = e_bh([float(np.log10(calibrated(max(one, 1e-12)))) for one in p], 0.1)
        shares.append(sum(one < 6 for one in chosen) / max(len(chosen), 1))
        found.append(sum(one >= 6 for one in chosen) / 4)
    assert np.mean(shares) <= 0.1
    assert np.mean(found) > 0.5


def test_nothing_but_the_values_decides() -> None:
    """Another order of the endpoints chooses the same ones."""
    values = np.random.default_rng(3).uniform(-1, 4, 12)
    order = np.random.default_rng(4).permutation(12)
    chosen = {int(order[one]) for one in e_bh(values[order].tolist(), 0.1)}
    assert chosen == set(e_bh(values.tolist(), 0.1))
    assert 0 < len(chosen) < 12
