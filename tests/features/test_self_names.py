"""Sentences in which a model names itself are taken out, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depose.features.self_names import names_itself, without_names
from depose.features.words import sentences


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("I am ChatGPT, made by OpenAI. Tahini is sesame paste.", "Tahini is sesame paste."),
        ("Tahini is sesame paste. I'm Claude.", "Tahini is sesame paste. "),
        ("First line\nAs an AI language model, I have no taste.\nLast line", "First line\nLast line"),
        ("My developer is Anthropic", ""),
        ("Google was founded in 1998. I like it.", "Google was founded in 1998. I like it."),
        ("ChatGPT is made by OpenAI.", "ChatGPT is made by OpenAI."),
        ("I would toast the sesame seeds first.", "I would toast the sesame seeds first."),
        ("", ""),
    ],
)
def test_only_the_sentence_that_names_the_speaker_goes(text: str, left: str) -> None:
    """A maker named in the third person stays, and so does the first person without a name."""
    assert without_names(text) == left


PARTS = ("I am GPT-4. ", "Plain words. ", "My name is Bard!\n", "\n\n", "me? ", "x")


@given(st.lists(st.sampled_from(PARTS), max_size=9))
def test_what_is_left_names_nobody_and_taking_out_again_changes_nothing(parts: list[str]) -> None:
    """The result is a part of the text in order, and a second run finds nothing more."""
    text = "".join(parts)
    left = without_names(text)
    rest = iter(text)
    assert all(character in rest for character in left)
    assert without_names(left) == left
    assert not any(map(names_itself, sentences(left)))
