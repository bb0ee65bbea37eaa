"""Tokens, n-grams, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from depose.features.extract import LIMIT, Features, is_refusal, tokens


def test_tokens_know_their_places() -> None:
    """Every token is the text between its start and its end, lower-cased."""
    text = "**Bold** move — it's\n\nDone: naïve Ω"
    assert [t.text for t in tokens(text)] == ["bold", "move", "it", "s", "done", "naïve", "ω"]
    assert all(text[t.start : t.end].lower() == t.text for t in tokens(text))


def test_grams_count_distinct_runs() -> None:
    """Two texts share exactly the n-grams that stand in both."""
    features = Features()
    a, b = features.grams("a b c d", 2, 3), features.grams("x b c d", 2, 3)
    assert (len(a), len(b)) == (5, 5)
    assert len(np.intersect1d(a, b)) == 3


def test_grams_keep_order_apart() -> None:
    """The same words in another order are other phrases."""
    features = Features()
    assert len(np.intersect1d(features.grams("a b", 2, 2), features.grams("b a", 2, 2))) == 0


def test_only_the_first_characters_count() -> None:
    """Text beyond the limit changes nothing, so that length cannot win."""
    features = Features()
    text = "word " * (LIMIT // 5)
    np.testing.assert_array_equal(features.grams(text, 1, 2), features.grams(text + "other things", 1, 2))


def test_short_and_empty_texts_have_few_features() -> None:
    """A text shorter than n has no n-grams, and prefixes stop where the text does."""
    features = Features()
    assert len(features.grams("", 1, 2)) == 0
    assert len(features.grams("one", 2, 4)) == 0
    assert len(features.prefixes("one two", 4)) == 2


def test_a_run_has_one_number_alone_and_among_others() -> None:
    """What a text begins with is numbered as the n-gram that it is."""
    features = Features()
    for text in ("one", "one two three four", "all words of a line"):
        for n, number in enumerate(features.prefixes(text, 4), start=1):
            [first] = features.grams(" ".join(text.split()[:n]), n, n)
            assert number == first


@pytest.mark.slow
def test_no_collisions_in_a_large_vocabulary() -> None:
    """A hundred thousand different bigrams have a hundred thousand numbers."""
    features = Features()
    seen = np.concatenate([features.grams(f"w{i} v{i % 317}", 2, 2) for i in range(100_000)])
    assert len(np.unique(seen)) == 100_000


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("As an AI language model, I do not have feelings.", True),
        ("I cannot provide that information.", True),
        ("You can't go wrong with basil. Sorry for the delay!", False),
        ("Sure! Here is a list.", False),
        ("x" * 400 + " I'm sorry, but I can't", False),
    ],
)
def test_refusals_are_known_by_their_first_words(text: str, refused: bool) -> None:
    """Only an answer that begins as a refusal does is one."""
    assert is_refusal(text) is refused


def test_vectors_need_an_encoder() -> None:
    """Without an encoder asking for vectors is an error, not silence."""
    with pytest.raises(LookupError, match="encoder"):
        Features().vectors(["a"])
