"""The two-way bootstrap interval."""

from __future__ import annotations

import numpy as np
import pytest

from depose.statistics.bootstrap import interval
from depose.statistics.centring import centre

from test_ranks import null_bag


def test_the_interval_holds_the_estimate() -> None:
    """On a plain bag the interval lies around T and has a width."""
    values = null_bag(np.random.default_rng(1), 20, 60)
    centred = centre(values)
    found = interval(values, centred.scale[:, 0, 1], [str(i) for i in range(60)], 999, np.random.default_rng(2))
    assert found.low < centred.t[0, 1] < found.high


def test_duplicated_prompts_do_not_shrink_the_interval() -> None:
    """Asking everything three times under one cluster name gives the same interval, not a narrower one."""
    values = null_bag(np.random.default_rng(3), 20, 40)
    scale = centre(values).scale[:, 0, 1]
    names = [str(i) for i in range(40)]
    once = interval(values, scale, names, 1_999, np.random.default_rng(4))
    thrice = interval(
        np.repeat(values, 3, axis=0), np.repeat(scale, 3), np.repeat(names, 3).tolist(), 1_999, np.random.default_rng(4)
    )
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high), rel=1e-9)


def test_more_controls_narrow_the_interval() -> None:
    """Control lineages are sampled too: with few of them the interval is wider."""
    values = null_bag(np.random.default_rng(5), 60, 40)
    names = [str(i) for i in range(40)]

    def width(k: int) -> float:
        part = values[:, : k + 2, : k + 2]
        found = interval(part, centre(values).scale[:, 0, 1], names, 1_999, np.random.default_rng(6))
        return found.high - found.low

    assert width(6) > 1.5 * width(60)


def test_coverage_of_a_known_mean() -> None:
    """Over simulated cases the 95 % interval covers the true T at least nine times in ten."""
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        prompts, k = 50, 25
        noise = rng.normal(size=(prompts, k + 2, k + 2))
        place = rng.normal(size=(1, k + 2))
        values = 0.5 * place[..., None] + 0.5 * place[:, None, :] + (noise + noise.transpose(0, 2, 1)) / 2
        values[:, 0, 1] += 1.0
        values[:, 1, 0] += 1.0
        found = interval(values, np.ones(prompts), [str(i) for i in range(prompts)], 499, np.random.default_rng(1))
        hits += found.low <= 1.0 <= found.high
    assert hits >= 54


def test_nothing_scored_is_an_error() -> None:
    """Without a single scored prompt there is no interval."""
    with pytest.raises(ValueError, match="no prompt"):
        interval(np.ones((2, 5, 5)), np.full(2, np.nan), ["a", "b"], 99, np.random.default_rng(0))
