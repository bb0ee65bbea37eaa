"""Sets of features turned round: who has which."""

from __future__ import annotations

import numpy as np
import pytest

from depose.detectors.holders import who_has
from depose.detectors.rarity import rarity
from depose.features.extract import Grams


def sets_of(holders: int) -> list[Grams]:
    """Draw sets of up to 40 of 90 features; the last has none."""
    rng = np.random.default_rng(holders)
    drawn = [np.sort(rng.choice(90, rng.integers(1, 40), replace=False)).astype(np.uint64) for _ in range(holders)]
    return [*drawn[:-1], np.zeros(0, np.uint64)]


@pytest.mark.parametrize("holders", [1, 2, 63, 64, 65, 130])
def test_each_feature_knows_its_holders(holders: int) -> None:
    """Whatever the number of words of bits, the table holds a 1 where a set has a feature, and features are sorted."""
    sets = sets_of(holders)
    found = who_has(sets, range(holders), holders, np.zeros(0, np.uint64))
    assert found.features.tolist() == sorted({int(one) for had in sets for one in had})
    assert found.table(holders).tolist() == [
        [float(one in set(had.tolist())) for one in found.features] for had in sets
    ]
    assert found.count().tolist() == found.table(holders).sum(axis=0).tolist()


def test_a_holder_of_several_sets_has_all_of_them_and_what_stops_is_left_out() -> None:
    """Owners may repeat and skip; a feature to be left out has no holder."""
    sets = [np.array(one, np.uint64) for one in ([1, 2], [2, 3], [3, 9])]
    found = who_has(sets, [0, 0, 4], 5, np.array([9, 2], np.uint64))
    assert found.features.tolist() == [1, 3]
    assert found.words.tolist() == [[0b00001], [0b10001]]


def test_rarity_falls_with_the_members_that_have_a_feature() -> None:
    """log((n + 1) / (df + 0.5)), the weight of design.md with n = K + 2."""
    np.testing.assert_allclose(rarity(21, np.array([2, 21])), [np.log(22 / 2.5), np.log(22 / 21.5)])
