"""What a declaration says is what is measured."""

from __future__ import annotations

import numpy as np

from depose.detectors.declaration import Habit, Shared
from depose.features.extract import Bag, Features
from depose.model import Prompt

SAID = ("red sky blue", "red sky pink", "gray", "blue gray")
BAG = Bag(
    models=("S", "R", "C1", "C2"),
    prompts=(Prompt(id="p", family="f", cluster="c", text="red sky"),),
    answers=(tuple((text,) for text in SAID),),
)


def test_features_of_the_prompt_count_unless_they_are_dropped() -> None:
    """Two answers that share nothing but the words of the prompt are alike only where these count."""
    values = {}
    for dropped in (True, False):
        one = Shared(detector="words", of=lambda features, text: features.numbers(text.split()), drop_prompt=dropped)
        values[dropped] = one(BAG, Features()).values[0]
    assert values[True][0, 1] == 0
    assert values[False][0, 1] > 0.5
    assert values[True][0, 3] > values[False][0, 3] > 0


def test_a_profile_holds_the_commonest_features_and_the_total_all_of_them() -> None:
    """Of equals the one with the smaller number is taken; each answer's total counts what was left out too."""
    one = Habit(detector="words", of=lambda features, text: features.ids(text), most=2)
    found = one(BAG, Features())
    assert found.counts.shape == (1, 4, 2)
    assert found.totals.tolist() == [[3, 3, 1, 2]]
    # Shares: gray 1 + 1/2, blue 1/3 + 1/2, red and sky 2/3 each.
    assert found.counts[0].tolist() == [[0, 1], [0, 0], [1, 0], [1, 1]]


def test_a_model_reads_all_answers_at_once_and_first() -> None:
    """What reads ahead is called once for a bag, with every answer, before any is looked at."""
    heard: list[tuple[str, ...]] = []

    def features_of(features: Features, text: str) -> np.typing.NDArray[np.uint64]:
        assert heard == [SAID]
        return features.numbers(text.split())

    one = Shared(
        detector="read", of=features_of, drop_prompt=False, ahead=lambda features, texts: heard.append(tuple(texts))
    )
    assert np.isfinite(one(BAG, Features()).values).all()
    assert heard == [SAID]
