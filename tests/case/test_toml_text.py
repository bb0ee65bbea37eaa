"""TOML of somebody else's: read as Python reads it, and refused where that takes more than it may."""

from __future__ import annotations

import time
import tomllib

import pytest

from depose.case import toml_text
from depose.case.untrusted_files import TooMuch


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".a" * 100_000 + " = 1",
        "[" + "a." * 50_000 + "a]\n" + "".join(f"k{n} = 1\n" for n in range(20_000)),
        "".join("a." * 4_000 + f"k{n} = 1\n" for n in range(500)),
        "x = {" + '"a".' * 100_000 + "b = 1}",
    ],
    ids=["a dotted key", "a dotted head over many keys", "many dotted keys", "quoted parts in an inline table"],
)
def test_what_takes_too_much_is_refused_in_time(text: str) -> None:
    """Each takes gigabytes or minutes of whoever reads it; here it ends within the limits of a child."""
    start = time.monotonic()
    with pytest.raises(TooMuch):
        toml_text.loads(text)
    assert time.monotonic() - start < 60


def test_lines_without_end_are_refused() -> None:
    """A file of empty comments takes as long to seal as one of so many lines."""
    with pytest.raises(ValueError, match="300001 lines, more than"):
        toml_text.loads("#\n" * 300_000)


def test_long_honest_texts_are_read() -> None:
    """A paragraph on one line, dots of a table of contents, and a long list are what Python reads."""
    text = 'system = "' + "One. Two... e.g. three. " * 500 + '"\nlist = [' + "0.5, " * 5_000 + "]\n"
    assert toml_text.loads(text) == tomllib.loads(text)
