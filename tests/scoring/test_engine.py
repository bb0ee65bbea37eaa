"""The engine of the validation study gives the numbers of the detectors themselves."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from depose import plugins
from depose.case.population import Pair, Population
from depose.features.extract import Bag, Features
from depose.model import Prompt
from depose.scoring import engine
from depose.statistics.centring import score
from depose.statistics.ranks import model_level
from depose.validate.scoring import prepare, score_population, subsets
from populations import population

DETECTORS = (
    "phrases",
    "openings",
    "starts",
    "first_words",
    "habits",
    "wording",
    "length",
    "fuzzy",
    "layout",
    "rare_items",
)


def bag_of(made: Population, members: list[int]) -> Bag:
    """Put some members into a bag as a case would."""
    prompts = tuple(
        Prompt(id=key[0], family="", cluster=key[0], text=text)
        for key, text in zip(made.rows, made.prompts, strict=True)
    )
    answers = tuple(tuple(() if row[m] is None else (str(row[m]),) for m in members) for row in made.answers)
    return Bag(models=tuple(f"m{m}" for m in members), prompts=prompts, answers=answers)


@pytest.mark.parametrize("members", [[1, 0, *range(2, 24)], [69, 64, 3, 4, 63, 65, 12, 40]])
def test_the_engine_equals_the_detectors(members: list[int]) -> None:
    """On bags that cross word borders and miss an answer, every T is the detector's own to single precision."""
    made = population()
    found, sizes = prepare(made, DETECTORS, 7, None, 2)
    scores = engine.score_bag(found, members)
    assert sizes == (14, 10)
    assert set(scores) >= set(DETECTORS) - {"length"}
    for name in scores:
        direct = score(plugins.load("detectors", name)(bag_of(made, members), Features())).t
        np.testing.assert_allclose(scores[name][0], direct, rtol=2e-4, atol=2e-4, err_msg=name)


def test_subsets_are_scored_as_if_only_they_had_been_asked() -> None:
    """The score on ten prompts equals that of a case with these ten prompts."""
    made = population()
    found, _ = prepare(made, ("phrases", "length"), 7, None, 1)
    members = [1, 0, *range(5, 24)]
    kept = np.flatnonzero(found.weights[1])
    bag = bag_of(made, members)
    part = Bag(
        models=bag.models,
        prompts=tuple(bag.prompts[i] for i in kept),
        answers=tuple(bag.answers[i] for i in kept),
    )
    direct = score(plugins.load("detectors", "phrases")(part, Features())).t
    np.testing.assert_allclose(engine.score_bag(found, members)["phrases"][1], direct, rtol=2e-4, atol=2e-4)


def test_a_copy_is_found_and_ranked_first() -> None:
    """The scripted copy reaches the floor, the unrelated pair does not, and the true teacher is ranked first."""
    made = population()

    def pair(suspect: str, reference: str, label: int) -> Pair:
        return Pair(
            suspect=suspect,
            reference=reference,
            relation="distilled_from" if label else "unrelated",
            label=label,
            hard="",
            matched=True,
            documented=True,
            suspect_family=f"f-{suspect}",
            reference_family=f"f-{reference}",
        )

    scored = score_population(
        made,
        [pair("m1", "m0", 1), pair("m8", "m9", 0)],
        ("phrases", "habits", "length"),
        {"teacher": "phrases"},
        seed=7,
        encode=None,
        progress=lambda line: None,
    )
    true, other = scored.pairs
    assert true.k == true.k_eff == 68
    assert true.p["phrases"][0].max() == pytest.approx(1 / 69)
    assert other.p["phrases"][0].max() > 0.05
    assert scored.ranked[0][1][0] == "m0"
    members = [1, 0, *range(2, 70)]
    direct = model_level(score(plugins.load("detectors", "phrases")(bag_of(made, members), Features())).t)
    assert true.p["phrases"][0].tolist() == [direct.p_reference, direct.p_suspect]


def test_subsets_come_from_the_seed() -> None:
    """The same seed chooses the same prompts, another seed others."""
    made = population()
    assert (subsets(made, 7)[0] == subsets(made, 7)[0]).all()
    assert (subsets(made, 7)[0] != subsets(made, 8)[0]).any()


def test_layout_moves_no_score_of_wording() -> None:
    """Two strangers who set their answers as lists score as they did in plain lines; only `layout` sees it."""
    plain = population(24, 6)
    listed = tuple(
        tuple(f"- **{text}".replace("\n", "\n- ").replace(" ", "** ", 2) if m in (2, 3) and text else text
              for m, text in enumerate(row))
        for row in plain.answers
    )  # fmt: skip
    names = ("phrases", "wording", "habits", "fuzzy", "layout")
    scores = []
    for one in (plain, msgspec.structs.replace(plain, answers=listed)):
        found, _ = prepare(one, names, 7, None, 1)
        scores.append(engine.score_bag(found, [2, 3, *range(4, 24)]))
    for name in names[:-1]:
        np.testing.assert_array_equal(scores[0][name], scores[1][name], err_msg=name)
    assert scores[1]["layout"][0, 0, 1] > scores[0]["layout"][0, 0, 1] + 1
