"""Exhibits: the rule that chooses them and the passages that are marked."""

from __future__ import annotations

import numpy as np
import pytest

from depose.analysis.exhibits import choose, exhibit
from depose.features.extract import Bag
from depose.model import Prompt


@pytest.mark.criterion(12)
def test_the_rule_takes_top_median_bottom_and_random() -> None:
    """Six of a hundred: two highest, two around the median, one lowest, one at random."""
    scores = np.random.default_rng(1).permutation(100).astype(float)
    picks = choose(scores, 6, np.random.default_rng(2))
    by = {name: [p.rank for p in picks if p.chosen == name] for name in ("top", "median", "bottom", "random")}
    assert by["top"] == [1, 2]
    assert all(49 <= rank <= 53 for rank in by["median"])
    assert by["bottom"] == [100]
    assert len(by["random"]) == 1
    assert all(scores[p.index] == 100 - p.rank for p in picks)


@pytest.mark.criterion(12)
def test_the_rule_is_repeatable_and_never_takes_a_prompt_twice() -> None:
    """The same scores and seed choose the same prompts; few prompts are all shown once; unscored ones never."""
    scores = np.array([0.3, np.nan, 0.1, 0.2])
    first, again = (choose(scores, 6, np.random.default_rng(3)) for _ in range(2))
    assert first == again
    assert [p.index for p in first] == [0, 3, 2]


def test_marked_passages_are_shared_words_and_count_controls() -> None:
    """A marked span holds the same words in both answers, is not in the prompt, and counts controls that say it too."""
    prompt = Prompt(id="p", family="f", cluster="c", text="Say the quick brown thing.")
    answers = (
        ("I saw the quick brown fox; a silver moon rises over Prague tonight.",),
        ("The quick brown thing? A silver moon rises over Prague, they say.",),
        ("Here a silver moon rises over Prague as well.",),
        ("Nothing shared here at all.",),
        (),
    )
    bag = Bag(models=("S", "R", "C1", "C2", "C3"), prompts=(prompt,), answers=(answers,))
    similarity = np.array([[0.0] * 5, [0, 0, 0.9, 0.1, 0.99], *[[0.0] * 5] * 3])
    choice = choose(np.array([1.0]), 1, np.random.default_rng(0))[0]
    shown = exhibit(bag, choice, number=1, of=1, value=1.0, similarity=similarity, rng=np.random.default_rng(0))
    assert [a.model for a in shown.answers] == ["R", "S", "C1", "C2"]
    assert shown.controls == 2
    for answer in shown.answers[:2]:
        marked = [answer.text[s.start : s.end].lower() for s in answer.spans]
        assert marked == ["a silver moon rises over prague"]
        assert [s.controls for s in answer.spans] == [1]
    assert shown.answers[3].spans == ()
