"""Values that an answer states: their kinds, that writings do not matter, and texts meant to break it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depose.features.stated_values import KEY, keys, stated, whole_number


@pytest.mark.parametrize(
    ("first", "second", "key"),
    [
        ("It has 1,234 pipes.", "Es hat 1.234 Pfeifen.", "number 1234"),
        ("1’234’567.5 in all", "1,234,567.5 in all", "number 1234567.5"),
        ("It is 12,5 km long", "It is 12.5 km long", "number 12.5"),
        ("first lit in 1887 there", "in １８８７ there", "year 1887"),
        ("born on 3 May 1874", "born on May 3rd, 1874", "date 1874-05-03"),
        ("am 3. Mai 1874 geboren", "nació el 3 de mayo de 1874", "date 1874-05-03"),
        ("since 1874-05-03", "1874年5月3日から", "date 1874-05-03"),
        ("He called it “The Last Proof”.", "es hieß „The last proof“", "title last proof"),
        ("It was shown by Johann W. Velmar.", "that Johann W. Velmar showed it", "name johann w velmar"),
        ("Johann Brinkhoff.", "It was Johann Brinkhoff", "name johann brinkhoff"),
        ("The Duke of York did.", "as did the Duke of York", "name duke of york"),
        ("Brinkhoff", "It was Brinkhoff in the end, as all agree that have read it", "name brinkhoff"),
        ("7", "7.", "number 7"),
    ],
)
def test_one_value_in_two_writings_has_one_key(first: str, second: str, key: str) -> None:
    """Separators, order of a date, script of digits, quotation marks and articles do not matter."""
    assert key in keys(first)
    assert key in keys(second)


def test_what_begins_a_sentence_is_no_name_and_a_digit_no_number() -> None:
    """A capital at the beginning of a sentence or item says nothing, nor does one digit in a long answer."""
    text = "However, nothing of the kind is known. There are 3 of them.\nPerhaps not: Who can tell?\n• Nobody"
    assert stated(text) == ()


def test_a_date_gives_its_year_and_no_other_number() -> None:
    """Day and month of a date are no values of their own; impossible dates are none."""
    assert keys("on 31 May 1874, they say, in the end") == ("date 1874-05-31", "year 1874")
    assert keys("on 1874-13-45 as they all say, in the end") == ("year 1874", "number 13", "number 45")


HOSTILE = (
    "1,",
    "A ",
    '"',
    "A. ",
    "“",
    "1 May 1999 ",
    "𝟗",
    "²½",
    "A-",
    "1.1.1 of ",
    "\u202e\x00",
    "「",
    "May ",
    "A de ",
)


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_texts_give_few_values_of_limited_length(bad: str) -> None:
    """Eight thousand characters of one trick end at once, and every value stands where it says."""
    text = (bad * 8_000)[:8_000]
    for one in stated(text):
        assert 0 < len(one.key) <= KEY
        assert 0 <= one.start < one.end <= len(text)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    """Whatever the characters, values stand within the text, in order, and the same text gives the same."""
    found = stated(text)
    assert found == stated(text)
    assert [*found] == sorted(found, key=lambda one: (one.start, one.end, one.kind))
    assert all(0 <= one.start < one.end <= len(text) and one.key for one in found)


@pytest.mark.parametrize(
    ("text", "wholes"),
    [
        ("about 5.2 million people", ["5.2 million"]),
        ("etwa 5,2 Millionen", ["5.2 million"]),
        ("5.2 billion", ["5.2 billion"]),
        ("5,2 Mrd.", ["5.2 milliard"]),
        ("some 12 thousand", ["12 thousand"]),
        ("exactly 10^3 of them", ["10^3"]),
        ("10³", ["10^3"]),
        ("10**6", ["10^6"]),
        ("10⁻⁶ m", ["10^-6"]),
        ("6.02 × 10^23", ["6.02 x 10^23"]),
        ("6.02e23 in all of the gas that there is here", ["6.02 x 10^23"]),
        ("at -40 degrees", ["-40"]),
        ("minus: −40", ["-40"]),
        ("rooms 12-40 on the left of the corridor as seen", ["12", "40"]),
        ("the number 120万", ["120 万"]),
        ("12 millimetres and 30 milk cows", ["12", "30"]),
        ("1,000 sheep", ["1000"]),
    ],
)
def test_a_number_is_whole_with_its_sign_its_power_and_its_word(text: str, wholes: list[str]) -> None:
    """The same digits with another sign, another power of ten or another word are another value; exponents are none."""
    found = [whole_number(text, one) for one in stated(text) if one.kind in ("number", "year")]
    assert [key for key in found if key and len(key) > 1] == wholes
