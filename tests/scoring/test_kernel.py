"""Bags that share controls: visiting only the masks of suspect and reference gives what visiting all masks gives."""

from __future__ import annotations

import numpy as np
import pytest

from depose.case.population import Pair, Population
from depose.scoring.bags import Bags
from depose.scoring.engine import Material, score_bag, shared_among
from depose.scoring.kernel import holders
from depose.validate.scoring import prepare, score_population
from populations import population

NAMES = ("phrases", "starts", "openings", "length")


@pytest.fixture(scope="module")
def made() -> tuple[Population, Material]:
    """Prepare a made population over two words of bits, in which one answer is missing."""
    models = population()
    return models, prepare(models, NAMES, 7, None, 1)[0]


@pytest.mark.parametrize("pair", [(1, 0), (69, 64), (4, 12), (12, 4), (63, 65)])
def test_shared_sums_change_nothing(made: tuple[Population, Material], pair: tuple[int, int]) -> None:
    """Whatever the pair, and where one of it did not answer, the scores are the same to rounding; so in any order."""
    _, found = made
    controls = [66, 2, 3, 5, 40, 67, 41, 30, 8]
    plain = score_bag(found, [*pair, *controls])
    known = score_bag(found, [*pair, *controls], shared_among(found, controls))
    turned = score_bag(found, [*pair, *controls[::-1]], shared_among(found, controls[::-1]))
    back = [0, 1, *range(len(controls) + 1, 1, -1)]
    for name in ("phrases", "starts", "openings"):
        np.testing.assert_allclose(known[name], plain[name], rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(turned[name][:, back][:, :, back], plain[name], rtol=1e-9, atol=1e-10)


def test_a_model_is_listed_with_every_mask_that_it_is_in(made: tuple[Population, Material]) -> None:
    """The lists hold each set bit once, in order."""
    models, found = made
    held = found.held["phrases"]
    index = held.index
    starts, numbers = holders(index.words, index.ends, len(models.members))
    assert len(numbers) == int(np.bitwise_count(index.words).sum())
    for row, model in ((0, 0), (3, 4), (5, 66)):
        mine = numbers[starts[row, model] : starts[row, model + 1]]
        inside = range(index.ends[row], index.ends[row + 1])
        bit = np.uint64(1) << np.uint64(model % 64)
        assert mine.tolist() == [m for m in inside if index.words[m, model // 64] & bit]


def test_pairs_with_the_same_controls_come_back_in_their_own_order(made: tuple[Population, Material]) -> None:
    """Scoring pairs in groups returns each where it was asked for."""
    models, _ = made
    pairs = [
        Pair(
            suspect=f"m{s}",
            reference=f"m{r}",
            relation="unrelated",
            label=0,
            hard="",
            matched=False,
            documented=True,
            suspect_family=f"f{s}",
            reference_family=f"f{r}",
        )
        for s, r in ((1, 0), (7, 9), (0, 1), (9, 7), (20, 0))
    ]
    scored = score_population(
        models, pairs, NAMES, {"teacher": "phrases"}, seed=7, encode=None, progress=lambda _: None
    )
    assert [one.pair for one in scored.pairs] == pairs
    bags = Bags(models)
    groups = {tuple(one.code for one in bags.controls(p.suspect, p.reference).used) for p in pairs}
    assert len(groups) < len(pairs)
