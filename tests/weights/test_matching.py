"""Matching units: exact under the null whatever two models have learnt alike, and blind to what it must not see."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from depose.weights import matching

Array = NDArray[np.float32]
Layer = tuple[Array, Array, Array]
DRAW = np.random.default_rng(11)
CONCEPTS = DRAW.normal(size=(60, 48)).astype(np.float32)
"""Directions that every model learns: units of strangers resemble each other through them."""


def layer(seed: int) -> Layer:
    """Draw the units of a trained layer, each with a gate, an up and a down row that have the same concept in them.

    Units are large or small as a whole, and have a common direction, as those of trained models. Signs of up and down
    go together. Nothing but the numbers of the units, and these signs, is independent between two seeds.
    """
    draw = np.random.default_rng(seed)
    concept = CONCEPTS[draw.integers(0, len(CONCEPTS), 160)]
    size = draw.lognormal(size=(160, 1))
    sign = draw.choice([-1.0, 1.0], size=(160, 1))
    gate, up, down = (draw.normal(size=(160, 48)) + 1.5 * concept + 0.5 for _ in range(3))
    return tuple(np.asarray(one, dtype=np.float32) for one in (size * gate, size * sign * up, sign * down))  # type: ignore[return-value]


def outcomes(mine: Layer, theirs: Layer) -> tuple[tuple[float, float], matching.Match]:
    """Match two layers and test order and signs: two logarithms."""
    found = matching.match(matching.centred_rows(mine[0]) @ matching.centred_rows(theirs[0]).T)
    signs = matching.sign_test(
        (matching.unit_rows(mine[1])[found.mine], matching.unit_rows(mine[2])[found.mine]),
        (matching.unit_rows(theirs[1])[found.theirs], matching.unit_rows(theirs[2])[found.theirs]),
    )
    return (matching.order_test(found), signs), found


def test_p_values_are_uniform_for_layers_that_learnt_the_same() -> None:
    """Over 400 pairs of independent layers that share what they learnt, orders and signs have uniform p-values."""
    layers = [layer(seed) for seed in range(100)]
    pairs = [(layers[i], layers[(i + gap) % 100]) for gap in (1, 7, 20, 41) for i in range(100)]
    found = [outcomes(one, other) for one, other in pairs]
    strong = [match.margin for _, match in found]
    assert np.median([np.median(match.cosines) for _, match in found]) > 0.5, "the layers must be alike for this"
    assert min(strong) > 0
    for kind in (0, 1):
        assert stats.kstest([10 ** both[kind] for both, _ in found], "uniform").pvalue > 0.01


def test_a_tuned_layer_is_found_by_its_order_and_by_its_signs() -> None:
    """Noise of half the size of the weights leaves both tests far below a millionth."""
    mine = layer(1)
    draw = np.random.default_rng(2)
    theirs = tuple(np.asarray(one + 0.5 * one.std() * draw.normal(size=one.shape), np.float32) for one in mine)
    (order, signs), _ = outcomes(mine, theirs)  # type: ignore[arg-type]
    assert order < -10
    assert signs < -10


def test_permuting_units_changes_nothing_but_their_order() -> None:
    """Matches, cosines, signs and the margin are those of the same units, whatever numbers they have."""
    mine, theirs = layer(1), layer(2)
    order = np.random.default_rng(3).permutation(160)
    (_, signs), found = outcomes(mine, theirs)
    (_, signs_then), then = outcomes(mine, tuple(one[order] for one in theirs))  # type: ignore[arg-type]
    assert signs == signs_then
    assert found.margin == then.margin
    assert np.array_equal(found.mine, then.mine)
    assert np.array_equal(found.theirs, order[then.theirs])


def test_the_size_of_a_unit_changes_nothing() -> None:
    """Units that somebody made large or small beyond measure are matched as before, and none hides the others."""
    (gate, up, down), theirs = layer(1), layer(2)
    by = np.float32(10) ** np.random.default_rng(4).integers(-36, 36, (160, 1)).astype(np.float32)
    (order, signs), found = outcomes((gate, up, down), theirs)
    (order_then, signs_then), then = outcomes((gate * by, up * by, down / by), theirs)
    assert np.array_equal(found.mine, then.mine)
    assert (order, signs) == (order_then, signs_then)


def test_flipping_signs_changes_nothing_but_the_signs() -> None:
    """Which units are matched, and their order, does not depend on the signs of what they multiply and write."""
    mine, theirs = layer(1), layer(1)
    sign = np.random.default_rng(3).choice([-1.0, 1.0], size=(160, 1)).astype(np.float32)
    (order, signs), _ = outcomes(mine, theirs)
    (order_then, signs_then), _ = outcomes(mine, (theirs[0], theirs[1] * sign, theirs[2] * sign))
    assert order == order_then
    assert signs < -20 < signs_then


def masked(seed: int, share: float = 0.7) -> Array:
    """Draw what units read, with a direction that all of them have, and cut it by one mask for every seed."""
    draw = np.random.default_rng(seed)
    mask = np.random.default_rng(99).random((160, 48)) > share
    rows = mask * (draw.normal(size=(160, 48)) + draw.normal(size=48) + 1.0)
    return np.asarray(rows, dtype=np.float32)


def test_one_mask_and_a_common_direction_leave_the_second_look_uniform() -> None:
    """Strangers that one mask cut have one order for the first look, and none for the second, over 200 pairs."""
    first, second = [], []
    for seed in range(0, 400, 2):
        mine, theirs = masked(seed), masked(seed + 1)
        first.append(matching.order_test(matching.match(matching.centred_rows(mine) @ matching.centred_rows(theirs).T)))
        second.append(matching.second_look(mine, theirs))
    assert np.median(first) < -6, "else this shows nothing"
    assert stats.kstest(10.0 ** np.array(second), "uniform", alternative="greater").pvalue > 0.01
    assert min(second) > -4


def test_the_second_look_sees_a_tuned_layer_whichever_model_comes_first() -> None:
    """Noise of half the weights leaves signs enough, under a mask too; swapping the models says as much."""
    draw = np.random.default_rng(2)
    for mine in (layer(1)[0], masked(1)):
        theirs = np.asarray(mine + (mine != 0) * 0.5 * mine.std() * draw.normal(size=mine.shape), np.float32)
        assert matching.second_look(mine, theirs) < -10
        assert matching.second_look(theirs, mine) < -10
        order = draw.permutation(160)
        assert matching.second_look(mine, theirs[order]) > -4


def test_units_that_are_equally_close_are_no_match() -> None:
    """Of units that are one and the same the first would be taken, by its number alone, in both models alike."""
    draw = np.random.default_rng(5)
    kinds = np.repeat(np.eye(20, dtype=np.float32), np.arange(1, 21), axis=0)
    mine, theirs = (kinds[draw.permutation(len(kinds))] for _ in range(2))
    assert len(matching.match(mine @ theirs.T).mine) <= 1, "one kind alone has one unit"
    nothing = np.zeros((30, 8), np.float32)
    assert len(matching.match(nothing @ nothing.T).mine) == 0
