"""Words and sentences of any script; where a language puts spaces between words nothing changes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depose.answers.line_ends import evened
from depose.features.extract import Features, sentence_starts, tokens
from depose.features.words import BEYOND, sentence_ends, sentences, words

TOKEN = re.compile(r"[^\W_]+")
OLD_END = re.compile(r"(?<=[.!?])\s+|\n+")
JAPANESE = "東京は日本の首都です。GPT4を使うと便利！\n\n- 次に、京都へ行く。"
PARTED = {
    JAPANESE: ["東京", "は", "日本", "の", "首都", "です", "GPT4", "を", "使う", "と", "便利"],
    "首先，我们要明白养花并不难。": ["首先", "我们", "要", "明白"],
    "ไม่สามารถตอบคำถามนี้ได้": ["ไม่", "สามารถ", "ตอบ", "คำถาม", "นี้", "ได้"],
    "हिन्दी में कहिए।": ["हिन्दी", "में", "कहिए"],
    "도와드릴 수 없습니다.": ["도와드릴", "수", "없습니다"],
}


@pytest.mark.parametrize("text", PARTED)
def test_scripts_without_spaces_have_words(text: str) -> None:
    """Words are found where none are parted by spaces, each with its place in the text."""
    assert words(text)[: len(PARTED[text])] == PARTED[text]
    assert all(text[one.start : one.end].lower() == one.text for one in tokens(text))


def test_sentences_end_without_a_space() -> None:
    """The full stop of East Asia ends a sentence by itself, and the ends tile the text."""
    assert [one.strip() for one in sentences(JAPANESE)] == [
        "東京は日本の首都です。",
        "GPT4を使うと便利！",
        "- 次に、京都へ行く。",
    ]
    assert [head[0] for head in sentence_starts(JAPANESE, 2)] == ["東京", "gpt4", "次に"]
    ends = sentence_ends(JAPANESE)
    assert ends == sorted(ends)
    assert ends[-1] == len(JAPANESE)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=80))
def test_elsewhere_a_word_is_a_run_of_letters_and_digits(text: str) -> None:
    """Calibrations were made with these tokens: without such scripts a word is a run of letters and digits."""
    plain = BEYOND.sub("a", text)
    assert words(plain) == TOKEN.findall(plain)
    assert sentences(plain) == OLD_END.split(plain)
    assert sentence_ends(plain) == [*(found.end() for found in OLD_END.finditer(plain)), len(plain)]


@given(st.text(st.sampled_from("東京都はのでﾃスト一二GPT4 a。、！\n-#ไม่ได้😀𠀀"), max_size=60))
def test_no_character_of_a_word_is_lost(text: str) -> None:
    """Whatever the mixture, the tokens hold all word characters in order."""
    assert "".join(re.findall(r"\w", "".join(words(text)))) == "".join(re.findall(r"\w", text))
    assert "".join(sentences(text)).replace("\n", "").replace(" ", "") == text.replace("\n", "").replace(" ", "")


def test_spaces_between_words_change_no_feature_of_japanese() -> None:
    """A text with spaces put in between its words has the same grams, starts and first words as the text as written."""
    raw = "首先，我们要明白养花并不难。其次，每天浇水。" + JAPANESE.replace("\n\n- ", "") * 20
    cut = " ".join(re.findall(r"[A-Za-z0-9]+|[^A-Za-z0-9]", raw))
    assert cut != raw
    features = Features()
    for left, right in ((evened(raw), evened(cut)),):
        assert features.grams(left, 2, 4).tolist() == features.grams(right, 2, 4).tolist()
        assert features.starts(left, 3).tolist() == features.starts(right, 3).tolist()
        assert features.first_words(left).tolist() == features.first_words(right).tolist()
    assert len(features.grams(evened(raw), 2, 4)) > 20


def test_what_icu_counts_as_two_is_one_character() -> None:
    """Emoji and rare characters shift neither sentences nor words behind them."""
    text = "😀日本だ。🎉そうです。𠀀語。"
    assert sentences(text) == ["😀日本だ。", "🎉そうです。", "𠀀語。"]
    assert sentence_ends(text) == [5, 11, 14]
    assert all(text[one.start : one.end].lower() == one.text for one in tokens(text))
    assert words("𠀀日本。")[-1] == words("日本。")[-1]
