"""The black box: likeness of members to a suspect's answers: worked out by hand, even-handed, exact under chance."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kstest

from depose.detectors.fuzzy import ratios
from depose.features.extract import Features
from depose.lineup.answer_likeness import _fuzzy, _grams, likeness
from depose.lineup.rank_test import opened, rank_sum
from depose.model.lineup import Bag, Context, Turn

WORDS = [
    "river",
    "stone",
    "lamp",
    "wheel",
    "garden",
    "paper",
    "silver",
    "winter",
    "north",
    "bread",
    "iron",
    "cloth",
    "music",
    "salt",
    "candle",
]


def bag(name: str, asked: str, *members: str) -> Bag:
    """Make a bag of one prompt."""
    return Bag(bag=name, context=Context(messages=(Turn(role="user", content=asked),)), members=members)


def drawn(rng: np.random.Generator, bags: int, learnt: float) -> tuple[list[Bag], list[list[str]], NDArray[np.bool_]]:
    """Draw bags of four answers and two of a suspect, which takes each word from the first answer with this chance."""
    made, said, key = [], [], np.zeros((bags, 4), dtype=bool)
    key[np.arange(bags), rng.integers(4, size=bags)] = True
    for row in range(bags):
        members = [list(rng.choice(WORDS, size=12)) for _ in range(4)]
        mine = members[int(key[row].argmax())]
        own = [[mine[at] if rng.random() < learnt else str(rng.choice(WORDS)) for at in range(12)] for _ in range(2)]
        made.append(bag(f"b{row}", "Say twelve words.", *(" ".join(one) for one in members)))
        said.append([" ".join(one) for one in own])
    return made, said, key


def test_fuzzy_counts_words() -> None:
    """Of six words and of four, two in common and in order: twice two by ten; whole words, not letters."""
    one = bag("b0", "?", "the cat sat on a mat", "theca tsat onam at")
    (row,) = _fuzzy([one], [[["the dog ran on"]] * 2], None)
    assert row == pytest.approx([2 * 2 / 10, 0.0])


def test_the_gpu_path_gives_the_same_ratios() -> None:
    """A matcher that compares whole groups, as the GPU's does, changes nothing."""
    made, said, _ = drawn(np.random.default_rng(1), 6, 0.3)
    each = [[texts] * 4 for texts in said]
    for one, other in zip(_fuzzy(made, each, None), _fuzzy(made, each, ratios), strict=True):
        assert one == pytest.approx(other)


def test_rare_runs_are_weighed_by_bag_and_by_other_bags() -> None:
    """A run of one member alone weighs log 3/1.5, and by the bags log 3/.5; what the context says weighs nothing."""
    bags = [bag("b0", "green apple", "green apple pie", "red pear"), bag("b1", "?", "red pear", "blue plum")]
    first, second = _grams(bags, [[["apple pie", "red pear"]] * 2, [["blue plum"]] * 2], Features())
    # `apple pie` and `green apple pie` weigh the same; only the first is said, by one answer of two.
    assert first[0] == pytest.approx(0.5 / 2)
    assert first[1] == pytest.approx(0.5)
    assert second == pytest.approx([0.0, 1.0])
    more = [bag("b0", "?", "red pear red fig", "red pear"), bag("b1", "?", "red pear", "blue plum")]
    (row, _) = _grams(more, [[["red pear"]] * 2, [["x"]] * 2], Features())
    common = log(3 / 2.5) * log(3 / 1.5)
    alone = log(3 / 1.5) * log(3 / 0.5)
    assert row[0] == pytest.approx(common / (common + 5 * alone))


def test_p_is_uniform_for_a_suspect_that_learnt_nothing() -> None:
    """Answers drawn apart from the deliveries give uniform p over 60 line-ups."""
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        made, said, key = drawn(rng, 25, 0.0)
        bags = opened(np.array(likeness()(made, said)), key)
        total = rank_sum(bags).log10_p
        found.append(10**total)
    assert kstest(found, "uniform").pvalue > 0.01


def test_a_suspect_that_leans_to_the_wording_is_found() -> None:
    """One word in four of the delivered answer is enough at 150 prompts, p below a millionth."""
    made, said, key = drawn(np.random.default_rng(2), 150, 0.25)
    assert rank_sum(opened(np.array(likeness()(made, said)), key)).log10_p < -6


def test_order_changes_nothing() -> None:
    """Bags, members and answers in another order have the same scores."""
    made, said, _ = drawn(np.random.default_rng(3), 10, 0.3)
    first = likeness()(made, said)
    turned = [bag(one.bag, "Say twelve words.", *one.members[::-1]) for one in made[::-1]]
    again = likeness()(turned, [one[::-1] for one in said[::-1]])
    for row, other in zip(first, again[::-1], strict=True):
        assert row == pytest.approx(other[::-1])


def test_a_bag_without_answers_says_nothing() -> None:
    """Where the suspect said nothing, or nothing with words in it, all members are level."""
    made, said, _ = drawn(np.random.default_rng(4), 4, 0.5)
    found = likeness()(made, [[], ["..."], *said[2:]])
    assert len(set(found[0])) == len(set(found[1])) == 1
    assert len(set(found[2])) > 1


def test_vectors_count_where_an_encoder_is_given() -> None:
    """With weights on vectors alone the member whose vector is nearest leads."""
    vectors = {"east": (1.0, 0.0), "north": (0.0, 1.0), "near east": (0.9, 0.1)}

    def encode(texts: object) -> NDArray[np.float32]:
        return np.array([vectors[text] for text in texts], dtype=np.float32)  # type: ignore[attr-defined]

    (row,) = likeness({"vectors": 1.0}, encode=encode)([bag("b0", "?", "north", "near east")], [["east"]])
    assert row[1] > row[0]


@pytest.mark.parametrize(
    ("weights", "why"),
    [({"tone": 1.0}, "tone: no part"), ({"fuzzy": 0.0}, "not all zero"), ({"vectors": 1.0}, "no sentence encoder")],
)
def test_weights_that_mean_nothing_are_refused(weights: dict[str, float], why: str) -> None:
    """Unknown parts, nothing to weigh, and vectors without an encoder are told."""
    with pytest.raises(ValueError, match=why):
        likeness(weights)
