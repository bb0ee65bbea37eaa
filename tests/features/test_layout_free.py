"""Layout is not wording: however an answer is set, its words and sentences are the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depose.features.compared import View, compared, view_of
from depose.features.extract import LIMIT, tokens
from depose.features.layout_free import GONE, blanked, layout_free
from depose.features.words import words
from layouts import SETTINGS

ITEMS = ("Water the roots well.", "Prune in spring, and never in frost.", "Ask a neighbour who knows.")
FORMS = {
    "## Heading\n\nText **in bold**, _leaning_ and `plain`.": "Heading\nText in bold, leaning and plain.",
    "> - [x] **1.** done": "done",
    "1.Foo\n2)Bar\n（3）Baz": "Foo\nBar\n（3）Baz",
    "- apples\n- pears": "apples pears",
    "A line that is\nwrapped here. The next\nOne is not.": "A line that is wrapped here. The next\nOne is not.",
    "| a | b |\n|---|:-:|\n| C | d |": "a b\nC d",
    "```python\nx_y = 1\n```\nDone": "x_y = 1\nDone",
    "<ul><li>One</li><li><b>Two</b></li></ul>": "One\nTwo",
    "① 東京\n一、大阪\n・京都": "東京\n大阪\n京都",
    "Title\n=====\n\n***\n\n- - -\nEnd": "Title\nEnd",
    "3.5 million in 2024. I think.": "3.5 million in 2024. I think.",
    "if a < b and b > c: 2 * 3 = 6": "if a < b and b > c: 2 3 = 6",
    "snake_case stays": "snake_case stays",
    "\\*not emphasis\\*": "not emphasis",
    "": "",
    "***": "",
}


@pytest.mark.parametrize("text", FORMS)
def test_forms(text: str) -> None:
    """Marks go, words and lines stay, and no word moves."""
    assert layout_free(text) == FORMS[text]
    assert len(blanked(text)) == len(text)
    assert blanked(text).replace(GONE, "").split() == layout_free(text).split()


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_change_no_word(setting: str) -> None:
    """Items set by any of the usual marks are the lines that they are without them."""
    lay: Callable[[list[str]], str] = SETTINGS[setting]
    assert layout_free(lay([*ITEMS])).split("\n") == [*ITEMS]
    assert words(layout_free(lay([*ITEMS]))) == words(" ".join(ITEMS))


# fmt: off
PIECES = (
    "-", "*", "1.", "2)", "**", "__", "_", "`", "```py", "#", "|", "---", "<b>", "</b>", "<br/>", "<li>", "①", "一、",
    "[x]", "\\*", "·", "~~", "Word", "word", "x", "A.", "(a)", "東京", "。", "!", "I", "é", "Ü", "3.5",
    "10", "\n", "\n\n",
    "\t",
)
# fmt: on


@given(st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join))
def test_taking_out_twice_is_taking_out_once(text: str) -> None:
    """Nothing that looks like layout is left, and every character that remains stands in order in the text."""
    bare = layout_free(text)
    assert layout_free(bare) == bare
    rest = iter(text)
    assert all(one in rest for one in bare.replace("\n", "").replace(" ", ""))


@pytest.mark.parametrize("unit", ["- ", "*", "a _", "1.", "<b", "\n", "a \n ", "| ", "(1) ", "[x] ", "`", "x\n> "])
def test_long_runs_of_marks(unit: str) -> None:
    """A hostile text is read to its end, in a time that grows as it does."""
    assert len(blanked(unit * 100_000)) == len(unit) * 100_000


def test_tokens_stand_where_they_stood() -> None:
    """Exhibits mark words in the text as it was given, as far as the detectors read it."""
    text = "\n\n".join(f"{n}. **Item** number {n}" for n in range(1, 200))
    found = tokens(text)
    assert all(text[one.start : one.end].lower() == one.text for one in found)
    assert [one.text for one in found] == words(layout_free(text)[:LIMIT].lower())


def test_who_sees_what() -> None:
    """A detector of wording sees neither layout nor names; lines are joined first, so that no break hides a name."""
    text = "- I was trained\nby OpenAI.\n- **Water** it."
    assert compared(text) == "Water it."
    assert compared(text, view_of("identity")) == "I was trained by OpenAI.\nWater it."
    assert compared(text, View(layout=True)) == text
    assert view_of("layout") == View(layout=True)
    assert view_of("one of another package") == View()
