"""Transport forms: one form for all of them, reached once."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from depose.answers.line_ends import evened

PARAGRAPHS = "Première idée:\n\n- café\n- thé\n\nÇa suffit."


def test_every_form_comes_out_alike() -> None:
    """Line ends, byte order mark, Unicode form, no-break spaces, trailing blanks: all are made equal."""
    for form in (
        PARAGRAPHS.replace("\n", "\r\n"),
        PARAGRAPHS.replace("\n", "\r"),
        PARAGRAPHS.replace("\n", "\u2028"),
        "\ufeff" + PARAGRAPHS,
        unicodedata.normalize("NFD", PARAGRAPHS),
        PARAGRAPHS.replace(" ", "\u00a0"),
        PARAGRAPHS.replace(" ", "\u202f"),
        PARAGRAPHS.replace("\n", " \t\n") + " \n\n",
        PARAGRAPHS.replace("suffit", "suf\u00adfit\u200b"),
    ):
        assert evened(form) == PARAGRAPHS


def test_what_belongs_to_the_writing_stays() -> None:
    """Joiners, indents and the spaces between words of Korean inside a text are no transport."""
    for text in ("한국 漢字 문화", "# 見出し", "| 列 | 列 |", "می\u200cخواهم", "a\n    b", "x  y"):
        assert evened(text) == text


def test_spaces_between_east_asian_words_are_no_evidence() -> None:
    """What a tool put between words of Chinese or Japanese, also beside a Latin name, leaves no trace."""
    for cut in ("東京 は GPT 4 の 首都 です 。", "東京\u3000は GPT 4の首都です。", "東京はGPT 4の首都です。"):
        assert evened(cut) == "東京はGPT 4の首都です。"


def test_a_mark_that_a_tool_cut_off_is_joined_again() -> None:
    """A voicing mark behind a space becomes one character with its kana; blanks at a line's end go, wide ones too."""
    assert evened("か \u3099") == evened(evened("か \u3099")) == "が"
    assert evened("一行\u3000\n二行") == "一行\n二行"


@given(st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(" か\u3099\u3000中\n\u0301a")), max_size=60))
def test_once_is_enough(text: str) -> None:
    """Making a text equal twice is making it equal once."""
    assert evened(evened(text)) == evened(text)
