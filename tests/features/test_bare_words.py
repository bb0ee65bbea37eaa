"""What two strangers share whose hosts dress them alike goes; what most models say, and what one says once, stays."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import msgspec
import pytest

from depose.features.bare_words import Read, bare_words
from depose.features.extract import Bag
from depose.features.words import found_tokens
from depose.model import Prompt

MODELS = ("S1", "R1", *(f"C{n}" for n in range(10)))
PROMPTS = 10
Dress = Callable[[str, int], str]


def own(model: str, prompt: int) -> str:
    """Say something that nobody else says, and that this model says once."""
    return f"{model}word{prompt}x is of {model}thing{prompt}y. the whole of it"


def bag(dress: Dress, dressed: tuple[str, ...] = MODELS[:2], many: int = PROMPTS) -> Bag:
    """Let some of the models be dressed alike."""
    prompts = tuple(Prompt(id=f"q{p}", family="f", cluster=f"c{p}", text=asked(p)) for p in range(many))
    rows = tuple(tuple(((dress(own(m, p), p) if m in dressed else own(m, p)),) for m in MODELS) for p in range(many))
    return Bag(models=MODELS, prompts=prompts, answers=rows)


def asked(prompt: int) -> str:
    """Ask for something of its own."""
    return f"Please describe article{prompt}a beside article{prompt}b"


def words(text: str) -> list[str]:
    """Return the words of a text."""
    return [token.text for token in found_tokens(text)]


PLAIN = bag(lambda text, _: text)
MATHS = str.maketrans({chr(97 + n): chr(0x1D41A + n) for n in range(26)})


@pytest.mark.parametrize(
    "dress",
    [
        lambda text, _: f"Certainly! {text}",
        lambda text, _: f"Step 1: {text}",
        lambda text, _: f"{text} Best regards, Ava of Acme Support",
        lambda text, p: f"{text} Ahoy matey" if p < 3 else text,
        lambda text, p: f"{asked(p)} {text}",
        lambda text, _: html.escape(text).replace(" ", "&nbsp;"),
        lambda text, _: text.translate(MATHS),
        lambda text, _: text.replace("o", "\u043e"),
        lambda text, _: text.replace("word", "wo\u200drd"),
        lambda text, _: text.replace("thing", "thi-\nng"),
        lambda text, p: f"{p}\ufe0f\u20e3 {text}",
        lambda text, p: f"Keywords: {', '.join(sorted(words(asked(p))))}. {text}",
        lambda text, p: f"{' '.join(words(asked(p))[::-1])}. {text}",
        lambda text, p: f"Keywords: article{p}b, article{p}a\n{text}",
        lambda text, p: f"{text} https://acme.example/{'-'.join(words(asked(p))).lower()}",
        lambda text, p: f"{text} {' '.join(f'tip{p % 3}{n}' for n in 'abcdefgh')}",
    ],
)
def test_a_dress_is_taken_off(dress: Dress) -> None:
    """Words that are left are those that were there without it."""
    worn, bare = bag(dress), bare_words(bag(dress))
    assert worn.answers != PLAIN.answers
    for row, plain in zip(bare.answers, PLAIN.answers, strict=True):
        for (left,), (own_words,) in zip(row, plain, strict=True):
            told = [word.rstrip(".").lower() for word in own_words.split()]
            kept = [word for word in re.findall("[a-z0-9]+", left.lower()) if word]
            assert kept[:4] == told[:4]  # at a joint common words may go with the run that they begin or end
            assert set(kept) <= set(told)


@pytest.mark.parametrize("dress", ["\u200d".join, lambda text: f"承知しました。{text}", lambda text: f"手順1:{text}"])
def test_a_dress_in_japanese_is_taken_off(dress: Callable[[str], str]) -> None:
    """Joiners between kana and characters are no letters there, and words are those that ICU finds."""

    def said(model: str, prompt: int) -> str:
        place = MODELS.index(model)
        return f"{chr(0x4E10 + 40 * place + prompt)}山と{chr(0x5E10 + 40 * place + prompt)}川の話"

    def told(text: str) -> list[str]:
        return [token.text for token in found_tokens(text)]

    def japanese(worn: Callable[[str], str]) -> Bag:
        rows = tuple(
            tuple((worn(said(m, p)) if m in MODELS[:2] else said(m, p),) for m in MODELS) for p in range(PROMPTS)
        )
        return msgspec.structs.replace(PLAIN, answers=rows)

    plain, bare = japanese(str), bare_words(japanese(dress))
    for row, own_row in zip(bare.answers, plain.answers, strict=True):
        assert [told(one) for (one,) in row[:2]] == [told(one) for (one,) in own_row[:2]]


@pytest.mark.parametrize("text", ["क\u094d\u200dष", "می\u200cخواهم"])
def test_a_joiner_that_a_script_needs_stays(text: str) -> None:
    """In scripts of India and in Persian it changes the word."""
    worn = bag(lambda own_words, _: f"{own_words} {text} é")
    once = bag(lambda own_words, p: f"{own_words} {text} é" if p == 0 else own_words, MODELS[:1])
    assert text in bare_words(once).answers[0][0][0]
    assert text not in bare_words(worn).answers[0][0][0]


def test_answers_read_once_give_the_same() -> None:
    """Another bag of the same models may use what was read for the first."""
    dressed, read = bag(lambda text, _: f"Step 1: {text}"), Read()
    bare_words(PLAIN, read)
    assert bare_words(dressed, read) == bare_words(dressed, read) == bare_words(dressed)
    for worn in ("Step 1: {}", "Step 1: {} kabor", "{} so much for that"):  # the same models, in another manner
        other = bag(lambda text, p, worn=worn: worn.format(text) if p % 2 else text)  # type: ignore[misc]
        assert bare_words(other, read) == bare_words(other)


def test_what_most_models_say_stays() -> None:
    """`the whole of it` ends every answer of every model: it is the manner of all, and rarity counts it low."""
    assert bare_words(PLAIN).answers == PLAIN.answers
    everybody = bag(lambda text, _: f"Certainly! {text}", MODELS)
    assert bare_words(everybody).answers == everybody.answers


@pytest.mark.parametrize("often", [2, 3])
def test_a_stock_answer_counts_from_the_third_time(often: int) -> None:
    """A sentence that declines, or a server that is busy, is no answer to any of the prompts that it was given to."""
    found = bare_words(bag(lambda text, p: "our lines are closed today" if p < often else text))
    assert [row[0][0] == "" for row in found.answers] == [often == 3 and p < often for p in range(PROMPTS)]


def test_the_order_of_members_changes_nothing() -> None:
    """Relabelled members have the same answers left: the ranks stay valid."""
    dressed = bag(lambda text, _: f"Step 1: {text}")
    turned = msgspec.structs.replace(
        dressed, models=MODELS[::-1], answers=tuple(tuple(reversed(row)) for row in dressed.answers)
    )
    assert tuple(tuple(reversed(row)) for row in bare_words(turned).answers) == bare_words(dressed).answers


def test_a_prompt_without_an_answer_stays_without() -> None:
    """No answer is made of nothing, and an answer that is taken off whole is still there."""
    some = msgspec.structs.replace(PLAIN, answers=(((),) * len(MODELS), *PLAIN.answers[1:]))
    assert bare_words(some).answers[0] == ((),) * len(MODELS)


@pytest.mark.parametrize(("size", "often", "stays"), [(7, 3, True), (8, 2, True), (8, 3, False)])
def test_a_notice_counts_from_the_third_prompt(size: int, often: int, stays: bool) -> None:
    """Eight words that come again below a third of thirty prompts are said by rote, whoever else says them."""
    said = " ".join(f"found{n}" for n in "abcdefgh"[:size])
    for dressed in (MODELS[:2], MODELS[:1]):
        found = bare_words(bag(lambda text, p: f"{said}. {text}" if p < often else text, dressed, many=30))
        assert ["founda" in row[0][0] for row in found.answers] == [stays and p < often for p in range(30)]


def test_a_long_passage_that_two_share_on_one_prompt_stays() -> None:
    """It is what a copy looks like: without such passages true pairs are lost."""
    copied = bag(lambda text, p: f"{' '.join(f'copied{p}{n}' for n in 'abcdefghijkl')}. {text}")
    assert bare_words(copied).answers == copied.answers


@pytest.mark.parametrize(("size", "stays"), [(7, True), (8, False)])
def test_passages_are_taken_out_on_demand(size: int, stays: bool) -> None:
    """What one member says alone, however long, is its own; fewer words two may both come upon."""
    said = " ".join(f"found{n}" for n in "abcdefgh"[:size])
    for dressed, kept in ((MODELS[:2], stays), (MODELS[:1], True)):
        worn = bag(lambda text, p: f"{said}. {text}" if p == 0 else text, dressed, many=30)
        assert ("founda" in bare_words(worn, passages=False).answers[0][0][0]) == kept
        assert "founda" in bare_words(worn).answers[0][0][0]


def test_samples_of_one_prompt_are_one_prompt() -> None:
    """A model that says the same to one prompt three times has said it to one prompt."""
    said = " ".join(f"found{n}" for n in "abcdefgh")
    once = bag(lambda text, p: f"{said}. {text}" if p == 0 else text, MODELS[:1], many=30)
    thrice = Bag(models=MODELS, prompts=once.prompts * 3, answers=once.answers * 3)
    assert bare_words(thrice).answers[0][0][0].startswith(said)


def test_an_answer_of_the_prompts_words_alone_stays() -> None:
    """Whoever is asked to choose answers in words of the question, and says no more than these."""
    chosen = bag(lambda _, p: f"article{p}b", MODELS)
    assert bare_words(chosen).answers == chosen.answers
