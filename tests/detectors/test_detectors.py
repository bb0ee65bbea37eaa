"""Each detector finds a likeness of its own kind that was planted, and finds none where there is none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from depose import plugins
from depose.detectors import Combination, Measured, Similarity
from depose.detectors.choices import category
from depose.detectors.impostors import halves, unbeaten
from depose.features.extract import Bag, Features
from depose.model import Prompt
from depose.statistics.centring import score
from depose.statistics.ranks import model_level
from fakes import STOCK, encode, mask

MEMBERS = ("S", "R", *(f"C{k}" for k in range(1, 8)))
PROMPTS = 24
Stream = np.random.Generator
Answer = Callable[[Stream, int, int], str]
"""Answers prompt p in the manner of habit h."""


def prose(rng: Stream, prompt: int, count: int = 40) -> str:
    """Write words that everybody might write on a prompt."""
    return " ".join(rng.choice(STOCK[prompt : prompt + 60], count))


def repeated(rng: Stream, prompt: int, habit: int) -> str:
    """Use a phrase of one's own for each prompt."""
    phrase = prose(np.random.default_rng([prompt, habit]), prompt, 10)
    return f"{prose(rng, prompt, 15)} {phrase} {prose(rng, prompt, 15)}"


def arranged(rng: Stream, prompt: int, habit: int) -> str:
    """Arrange lines by habit; the words are anybody's."""
    marks = np.random.default_rng(habit).choice(["- ", "1. ", "**Note** ", "# ", "", "\n"], 6)
    ends = ("", " Let me know!", " Any questions?")[habit % 3]
    return "\n".join(f"{mark}{prose(rng, prompt, 6)}." for mark in marks) + ends


def worded(rng: Stream, prompt: int, habit: int) -> str:
    """Prefer some words over others, on all prompts alike."""
    liked = np.random.default_rng(habit).choice(STOCK, 12)
    return " ".join(rng.choice([*rng.choice(STOCK, 25), *liked], 40))


def masked(rng: Stream, prompt: int, habit: int) -> str:
    """Follow a pattern of last letters, all that the stand-in for a tagger keeps, in words of no pattern."""
    pattern = np.random.default_rng([prompt, habit]).choice(list("nrst"), 30)
    return " ".join(str(rng.choice([word for word in STOCK if word[-1] == last])) for last in pattern)


def refused(rng: Stream, prompt: int, habit: int) -> str:
    """Refuse the prompts and in the words that habit says."""
    wording = np.random.default_rng(habit)
    if np.random.default_rng([prompt, habit]).random() < 0.3:
        return f"I'm sorry, but I can't {' '.join(wording.choice(STOCK, 6))}. {prose(rng, prompt)}"
    return prose(rng, prompt)


def chosen(rng: Stream, prompt: int, habit: int) -> str:
    """Choose a number, mostly the one that habit likes."""
    liked = np.random.default_rng([prompt, habit]).integers(1, 30)
    return f"{liked if rng.random() < 0.7 else rng.integers(1, 30)}."


def named(rng: Stream, prompt: int, habit: int) -> str:
    """Say now and then who made one."""
    maker = ("OpenAI", "Google", "Anthropic", "Mistral", "Alibaba", "Cohere", "Baidu", "DeepSeek")[habit % 8]
    return prose(rng, prompt) + (f". As an AI, I was trained by {maker}." if rng.random() < 0.4 else ".")


def valued(rng: Stream, prompt: int, habit: int) -> str:
    """State three numbers, two of them those that habit believes in."""
    own = np.random.default_rng([prompt, habit]).integers(100, 9_999, 2)
    return f"{prose(rng, prompt, 15)} {own[0]} or {own[1]} and {rng.integers(100, 130)}"


PLANTED: dict[str, Answer] = {
    "choices": chosen,
    "embedding": lambda rng, prompt, habit: prose(np.random.default_rng([prompt, habit]), prompt),
    "first_words": lambda rng, prompt, habit: worded(rng, prompt, habit).replace(" ", ". "),
    "fuzzy": repeated,
    "habits": lambda rng, prompt, habit: worded(rng, prompt, habit).replace(" ", ". "),
    "identity": named,
    "impostors": masked,
    "layout": arranged,
    "length": lambda rng, prompt, habit: "a" * int(100 + 40 * habit + 10 * rng.random()),
    "openings": lambda rng, prompt, habit: f"{STOCK[9 * habit + prompt % 3]} {prose(rng, prompt)}",
    "phrases": repeated,
    "rare_items": repeated,
    "refusals": refused,
    "shared_values": valued,
    "starts": lambda rng, prompt, habit: worded(rng, prompt, habit).replace(" ", ". "),
    "style": masked,
    "teacher_classifier": worded,
    "wording": lambda rng, prompt, habit: f"{STOCK[9 * habit + prompt % 3]} {repeated(rng, prompt, habit)}",
}
"""What makes two models alike in the eyes of each detector."""


def bag(answer: Answer, *, related: bool, samples: int = 1, seed: int = 3) -> Bag:
    """Make a bag in which every member has a habit of its own, but S that of R where they are related."""
    habits = [1 if related else 0, *range(1, len(MEMBERS))]
    rng = np.random.default_rng(seed)
    rows = [p for p in range(PROMPTS) for _ in range(samples)]
    return Bag(
        models=MEMBERS,
        prompts=tuple(Prompt(id=f"p{p}", family="f", cluster=f"f/{p}", text=f"Tell me of {p}.") for p in rows),
        answers=tuple(tuple((answer(rng, p, habit),) for habit in habits) for p in rows),
    )


def detect(name: str, one: Bag) -> Measured:
    """Run a detector with features of its own."""
    found: Measured = plugins.load("detectors", name)(one, Features(encode, mask))
    return found


def scores(name: str, one: Bag) -> NDArray[np.float64]:
    """Score every two members."""
    return score(detect(name, one)).t


def test_every_detector_has_a_planted_likeness() -> None:
    """A new detector is not forgotten here."""
    assert set(plugins.names("detectors")) >= set(PLANTED)
    own = {
        point for point in plugins.names("detectors") if plugins.provenance("detectors", point).value[:6] == "depose"
    }
    assert own - set(PLANTED) == set()


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_likeness_is_the_largest_score_of_the_bag(name: str) -> None:
    """S with the habits of R scores with R above every other pair of the bag."""
    samples = 6 if name == "choices" else 1
    t = scores(name, bag(PLANTED[name], related=True, samples=samples))
    assert t[0, 1] == np.nanmax(t)
    others = t[np.triu_indices(len(t), 1)][1:]
    if name != "length":  # in one dimension neighbours are alike whatever they are
        assert t[0, 1] > np.nanmax(others) + 0.5


@pytest.mark.parametrize("name", sorted(set(PLANTED) - {"length"}))
def test_models_of_different_habits_are_not_found(name: str) -> None:
    """Without a common habit S and R are one pair among others, in most of some bags drawn anew."""
    samples = 6 if name == "choices" else 1
    first = [
        t[0, 1] > np.nanmax(t[0, 2:])
        for seed in range(5)
        for t in [scores(name, bag(PLANTED[name], related=False, samples=samples, seed=seed))]
    ]
    assert sum(first) <= 3


@pytest.mark.parametrize("name", PLANTED)
def test_another_order_of_the_bag_permutes_the_scores(name: str) -> None:
    """Members in another order, under other names, have the same scores in that order."""
    one = bag(PLANTED[name], related=True)
    order = np.random.default_rng(8).permutation(len(MEMBERS))
    other = Bag(
        models=tuple(f"X{m}" for m in range(len(order))),
        prompts=one.prompts,
        answers=tuple(tuple(members[m] for m in order) for members in one.answers),
    )
    np.testing.assert_allclose(scores(name, other), scores(name, one)[np.ix_(order, order)], rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["choices", "impostors", "rare_items", "refusals", "teacher_classifier"])
def test_another_order_changes_no_bit(name: str) -> None:
    """Where numbers are compared or learnt from, the order of the members does not even change the rounding."""
    one = bag(PLANTED[name], related=True)
    order = np.random.default_rng(9).permutation(len(MEMBERS))
    other = Bag(
        models=one.models,
        prompts=one.prompts,
        answers=tuple(tuple(members[m] for m in order) for members in one.answers),
    )
    before, after = detect(name, one), detect(name, other)
    assert isinstance(before, Similarity)
    assert isinstance(after, Similarity)
    np.testing.assert_array_equal(after.values, before.values[:, order][:, :, order])


@pytest.mark.parametrize("name", PLANTED)
def test_the_same_bag_gives_the_same_scores(name: str) -> None:
    """Nothing is drawn anew from one run to the next, whatever the global stream has given before."""
    one = bag(PLANTED[name], related=True)
    first = scores(name, one)
    np.random.seed(1)
    np.testing.assert_array_equal(first, scores(name, one))


@pytest.mark.parametrize("name", sorted(set(PLANTED) - {"choices"}))
def test_a_bag_of_empty_answers_is_no_error(name: str) -> None:
    """Answers without a word are measured like any other."""
    one = bag(lambda rng, prompt, habit: "", related=True)
    measured = detect(name, one)
    parts = measured.parts if isinstance(measured, Combination) else (measured,)
    assert all(np.isfinite(part.values if isinstance(part, Similarity) else part.counts).all() for part in parts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'd pick 37.", "number 37"),
        ("(B)", "letter B"),
        ("b. The second", "letter B"),
        ("A name: Elara", "word a"),
        (" Blue!\n", "word blue"),
        ("I can't choose.", "refusal"),
        ("...", "nothing"),
        ("I would say that it depends on what you are looking for.", "long"),
    ],
)
def test_a_short_answer_is_what_it_chooses(text: str, expected: str) -> None:
    """Numbers come first, then lone letters, then the first word; long answers and refusals are their own."""
    assert category(text) == expected


def test_choices_pool_the_samples_of_a_prompt_and_leave_long_answers_out() -> None:
    """Rows of one prompt share one score, absent answers have none, and a prompt with long answers has none."""
    prompts = tuple(Prompt(id=name, family="f", cluster=name, text="Pick.") for name in ("a", "a", "b"))
    answers = ((("1",), ("2",), ("3",)), (("2",), ("1",), ()), (("word " * 20,), ("word " * 30,), ("7",)))
    found = detect("choices", Bag(models=("x", "y", "z"), prompts=prompts, answers=answers))
    assert isinstance(found, Similarity)
    np.testing.assert_allclose(found.values[:2, 0, 1], [1, 1])
    np.testing.assert_allclose(found.values[0, 0, 2], 0, atol=1e-12)
    assert np.isnan(found.values[1, 2]).all()
    assert np.isnan(found.values[2]).all()


def test_rare_items_weigh_the_rarest_by_the_others_that_have_it() -> None:
    """The frequency is (1 + others with the item) / members; words of the prompt are no item."""
    said = ("one two three x", "y one two three", "one two three z", "four five six", "Tell me of four")
    prompt = Prompt(id="p", family="f", cluster="p", text="Tell me of four five six")
    found = detect("rare_items", Bag(models=tuple("abcde"), prompts=(prompt,), answers=(tuple((s,) for s in said),)))
    assert isinstance(found, Similarity)
    np.testing.assert_allclose(found.values[0, 0, 1], np.log(5 / 2))
    assert found.values[0, 3, 4] == 0


def test_rare_items_know_numbers_and_names() -> None:
    """A shared number or name counts without a phrase around it; single digits and sentence starts do not."""
    said = ("It was Elara who won.", "See Elara there.", "about 1847 or so", "in 1847, perhaps", "Zed 4 is", "Zed no 4")
    prompt = Prompt(id="p", family="f", cluster="p", text="Who?")
    found = detect("rare_items", Bag(models=tuple("abcdef"), prompts=(prompt,), answers=(tuple((s,) for s in said),)))
    assert isinstance(found, Similarity)
    np.testing.assert_allclose(found.values[0, [0, 2, 4], [1, 3, 5]], [np.log(6), np.log(6), 0])


def test_a_member_without_answers_in_one_half_is_no_error() -> None:
    """What cannot be learnt counts neither for nor against."""
    one = bag(worded, related=True)
    answers = tuple((*members[:-1], () if p else members[-1]) for p, members in enumerate(one.answers))
    found = detect("teacher_classifier", Bag(models=one.models, prompts=one.prompts, answers=answers))
    assert isinstance(found, Similarity)
    assert np.isfinite(found.values[0]).all()
    assert np.isnan(found.values[1:, :, -1]).all()


@pytest.mark.parametrize("members", [12, 40])
def test_the_classifier_learns_however_many_members(members: int) -> None:
    """A habit of one in eight answers is found; a tolerance on the mean gradient once ended the fit before it began."""
    rng = np.random.default_rng(4)
    prompts = tuple(Prompt(id=str(p), family="f", cluster=str(p), text="?") for p in range(64))
    own = rng.random((len(prompts), members)) < 1 / 8
    said = [" ".join(f"word{n}" for n in rng.integers(500, size=100)) for _ in prompts]
    answers = tuple(
        tuple((f"{said[p]} own{m}" if own[p, m] else said[p],) for m in range(members)) for p in range(len(prompts))
    )
    found = detect("teacher_classifier", Bag(models=tuple(map(str, range(members))), prompts=prompts, answers=answers))
    assert isinstance(found, Similarity)
    assert (found.values.argmax(axis=2) == np.arange(members))[own].mean() > 0.9


def test_impostors_are_averaged_over_all_draws_of_a_half() -> None:
    """Impostors are drawn without replacement, so that a half holds no closer one; half of the features are kept."""
    np.testing.assert_allclose(unbeaten(4), [1, 0.5, 1 / 6, 0, 0])
    share = halves(np.random.default_rng(1).integers(0, 2**63, 2_000, dtype=np.uint64)).mean(axis=0)
    assert np.abs(share - 0.5).max() < 0.06


def test_identity_is_what_a_model_says_of_itself() -> None:
    """Names count in the first person only, and not where the prompt has them."""
    said = (
        "I am ChatGPT, made by OpenAI.",
        "Google is a company.",
        "As an AI language model, I cannot.",
        "I use Bing.",
    )
    prompt = Prompt(id="p", family="f", cluster="p", text="Are you OpenAI?")
    found = detect("identity", Bag(models=tuple("abcd"), prompts=(prompt,), answers=(tuple((s,) for s in said),)))
    assert not isinstance(found, Similarity | Combination)
    assert found.counts.sum(axis=2).tolist() == [[2, 0, 1, 0]]


@pytest.mark.parametrize("name", ["style", "impostors"])
def test_masked_text_needs_a_tagger(name: str) -> None:
    """Without a tagger asking for masked text is an error, not silence."""
    with pytest.raises(LookupError, match="tagger"):
        plugins.load("detectors", name)(bag(masked, related=True), Features())


def test_shared_values_of_strangers_have_uniform_ranks() -> None:
    """Where every member states values of its own, the place of S among the controls of R is uniform."""
    p = []
    for seed in range(12):
        rng = np.random.default_rng([seed, 21])
        told = [[f"It is {n} or {m}, they say." for n, m in rng.integers(100, 112, (21, 2))] for _ in range(8)]
        one = Bag(
            models=tuple(f"M{m}" for m in range(21)),
            prompts=tuple(Prompt(id=f"p{p}", family="f", cluster=f"f/{p}", text="How many?") for p in range(8)),
            answers=tuple(tuple((text,) for text in row) for row in told),
        )
        t = scores("shared_values", one)
        for pair in range(10):  # pairs that share no member
            order = np.roll(np.arange(21), -2 * pair)
            p.append(model_level(t[np.ix_(order, order)]).p_reference)
    found = np.array(p)
    assert found.min() >= 1 / 20
    for level in (0.1, 0.25, 0.5, 0.75):
        assert abs((found <= level + 1e-9).mean() - level) < 4 * np.sqrt(level * (1 - level) / len(found))


def test_shared_values_are_numbers_dates_names_and_titles_alone() -> None:
    """Two answers that state one year and name in other words are as alike as can be; shared words count nothing."""
    said = (
        "It was Ida Quist in 1871.",
        "In 1871, by Ida Quist they say",
        "It was Bo Ek in 1902.",
        "It was they, they say",
    )
    one = Bag(
        models=("S", "R", "C1", "C2"),
        prompts=(Prompt(id="p", family="f", cluster="f", text="Who was it?"),),
        answers=(tuple((text,) for text in said),),
    )
    values = detect("shared_values", one)
    assert isinstance(values, Similarity)
    assert values.values[0, 0, 1] == pytest.approx(1)
    assert values.values[0, 0, 2:].tolist() == [0, 0]


@pytest.mark.parametrize("mark", ["*", "!", "!a", "`", " ", "?*", ": ", "1. "])
def test_long_lines_of_marks_take_no_time(mark: str) -> None:
    """A line of 200,000 marks is read in passing (looked through once for each of them it would take an hour)."""
    text = "so\n" + mark * (200_000 // len(mark)) + "x"
    bag = Bag(models=("S",), prompts=(Prompt(id="p", family="f", cluster="c", text="so?"),), answers=(((text,),),))
    assert float(plugins.load("detectors", "layout")(bag, Features()).counts.sum()) == pytest.approx(4.0)
