"""Steps of reasoning: self-talk, marks, order, and texts meant to break it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depose.features.trace_steps import marks, order, places, self_talk, steps

TRACE = """Okay, so the user asks for two numbers.
First, I need to set up an equation.
1. x + y = 30
2. x = 2 * y
So 3 * y = 30.
Wait, that is wrong: in six years they are thirty.
Let me check again: 2 * y + y + 12 = 30.
Therefore the answer is 6 and 12."""


def test_kinds_of_steps_stand_in_their_order() -> None:
    """Restating, plan, computing, doubt, verification and conclusion, runs counted once."""
    assert order(TRACE) == "rpcdve"


def test_self_talk_and_marks_are_counted_by_name() -> None:
    """Words to oneself and beginnings of steps have names, and places that hold them."""
    assert dict(self_talk(TRACE)) == {"okay": 1, "wait": 1, "let me": 1, "I need": 1, "the user": 1, "check": 1}
    assert dict(marks(TRACE)) == {"first": 1, "number": 2, "so": 2}
    marked = [TRACE[low:high] for low, high in places(TRACE)]
    assert marked == ["Okay", "the user", "First", "I need to", "1.", "2.", "So", "Wait", "Let me", "Therefore"]


@pytest.mark.parametrize(
    ("trace", "kinds"),
    [
        ("首先，我们需要设方程。等等，不对。所以答案是六。", "pde"),
        ("Zunächst die Gleichung. Moment mal, das ist falsch. Daher sind es sechs.", "pde"),
        ("D'abord l'équation. Mais non. Donc six.", "pde"),
        ("Primero la ecuación. Pero no. Por lo tanto seis.", "pde"),
    ],
)
def test_other_languages_have_steps_too(trace: str, kinds: str) -> None:
    """Chinese, German, French and Spanish reasoning is read."""
    assert order(trace) == kinds


@pytest.mark.parametrize(
    "bad", ["wait ", "1. ", "**a** ", "\u202e\x00", "第", "#", "so\n", " ", "=1", "。", "*" * 61 + "\n"]
)
def test_hostile_traces_are_read_at_once(bad: str) -> None:
    """A trace of one trick, however long, gives places that stand in it, in order and apart."""
    text = bad * 4_000
    found = places(text)
    assert all(0 <= low < high <= len(text) for low, high in found)
    assert all(first[1] <= second[0] for first, second in pairwise(found))
    assert len(order(text)) <= len(steps(text))


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200))
def test_any_trace_is_read(trace: str) -> None:
    """Whatever the characters, steps cover only what stands there."""
    assert all(0 <= one.start < one.end <= len(trace) for one in steps(trace))
    assert sum(marks(trace).values()) + sum(self_talk(trace).values()) >= 0
