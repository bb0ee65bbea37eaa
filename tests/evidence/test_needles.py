"""Many strings sought at once are found where each alone would be, and a hundred thousand cost no pass each."""

from __future__ import annotations

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from depose.evidence.compression import every
from depose.evidence.needles import Needles

SOME = st.text(alphabet="ab", min_size=1, max_size=14).map(str.encode)


@given(needles=st.lists(SOME, min_size=1, max_size=30, unique=True), data=st.text(alphabet="ab", max_size=200))
def test_places_are_those_of_each_alone(needles: list[bytes], data: str) -> None:
    """Few or many, short or long, also where one stands within another or meets itself."""
    text = data.encode()
    found = sorted(Needles(needles).places_in(text))
    assert found == sorted((one, at) for one in needles for at in every(text, one))
    assert {one for one, _ in found} == Needles(needles).standing_in(text)


def test_all_parts_of_a_long_text_are_found_in_one_pass() -> None:
    """A pass for each took minutes where the answers of a model are withheld."""
    rng = random.Random(1)
    text = bytes(rng.choices(b"abcdefghijklmnopqrstuvwxyz ", k=400_000))
    needles = Needles(text[at : at + 24] for at in range(0, len(text), 8))
    begun = time.process_time()
    assert len({one for one, _ in needles.places_in(text)}) == len(needles)
    assert time.process_time() - begun < 3
