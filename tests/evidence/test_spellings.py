"""A secret is found however a server or an accident spells it; what is none is not taken for one."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable

import pytest

from depose.evidence.search import Sought, find
from spellings_in_bases import in_bases
from spellings_in_layouts import in_layouts
from spellings_tried import tried
from thinned import thinned

CANARY = "ghu-canary+/81~Zt.4472_19"
KEY = "sk-live_9fK2mQx7Vb3LrT8y/Wn5+Zp"
OPEN = {
    "zlib dict": "its dictionary is not in the data",
    "brotli no magic big": "found where it is all of the data: nothing tells where it begins among other text",
}
"""Spellings that are not found, and why."""
WRITTEN = {
    **{("tried", name): data for name, data in tried(CANARY).items()},
    **{("bases", name): data for name, data in in_bases(KEY).items()},
    **{("layouts", name): data for name, data in in_layouts(KEY).items()},
}
SOUGHT = {value: Sought({"K": value.encode()}, secret=True) for value in (CANARY, KEY)}
BEFORE = b"notes " * 200
AROUND: dict[str, Callable[[bytes], bytes]] = {
    "alone": lambda data: data,
    "among text": lambda data: b"notes and more " * 100 + b"\n\n" + data + b"\n\n tail",
}


@pytest.mark.parametrize("spelling", thinned(WRITTEN, 7), ids=":".join)
def test_a_secret_is_found_in_every_spelling(spelling: tuple[str, str]) -> None:
    """Alone and among other text, but for those that are named as open."""
    table, name = spelling
    sought = SOUGHT[CANARY if table == "tried" else KEY]
    for around, put in AROUND.items():
        found = next(find(put(WRITTEN[spelling]), sought), None)
        assert (found is None) == (name == "zlib dict" or (name in OPEN and around == "among text")), (around, found)


def test_the_table_is_counted() -> None:
    """So many spellings are tried, and so many are open."""
    assert len(WRITTEN) >= 340
    assert {name for _, name in WRITTEN} >= OPEN.keys()


def test_a_key_with_other_letters_is_not_found() -> None:
    """One letter off in every spelling is another value: the search takes no likeness for a find."""
    other = Sought({"K": b"sk-live_9fK2mQx7Vb3LrT8x/Wn5+Zp"}, secret=True)
    assert [name for name, data in {**in_bases(KEY), **in_layouts(KEY)}.items() if next(find(data, other), None)] == []


ROWS: dict[str, Callable[[int], bytes]] = {
    "lines of JSON": lambda count: b"".join(
        b'{"seq":%d,"text":"The answer is %d, as they say.","id":"%032x"}\n' % (n, n * 7, n * 2**90 // 7)
        for n in range(count)
    ),
    "rows of a table": lambda count: b"".join(b"%d,word%d,0.%d\n" % (n, n % 97, n * 31 % 997) for n in range(count)),
    "noise": lambda count: random.Random(5).randbytes(40 * count),
    "runs of base64": lambda count: b"QUJD+/x9" * 5 * count,
    "first letters of the key": lambda count: b"sk-live_ sk-l " * count,
    "pieces that break off": lambda count: b"sk-xlivx_9fxK2m " * count,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_the_cost_grows_with_the_data(name: str) -> None:
    """Four times the rows take no more than eight times the processor time."""

    def spent(count: int) -> float:
        data = ROWS[name](count)
        begun = time.process_time()
        assert next(find(data, SOUGHT[KEY]), None) is None
        return time.process_time() - begun

    assert spent(100_000) < 8 * max(spent(25_000), 0.05)


@pytest.mark.parametrize("word", ["orchid", "Smith", "rhododendron", "Müller"])
def test_short_words_are_found_in_hex_and_in_lists_of_numbers(word: str) -> None:
    """A name of five letters stands in ten hex digits, which no chance makes; so it does in a list of its bytes."""
    sought, data = Sought({"a word": word.encode()}), word.encode()
    for written in (data.hex(), data.hex().upper(), " ".join(map(str, data)), json.dumps(list(data))):
        assert next(find(f"It said {written} and no more.".encode(), sought), None) is not None
    assert next(find(f"It said {b'orchard'.hex()} and {[*range(90, 120)]}".encode(), sought), None) is None
