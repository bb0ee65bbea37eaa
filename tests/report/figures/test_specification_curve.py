"""The picture of a specification curve: all analyses in it, described in words, the same bytes every time."""

from __future__ import annotations

import re

import msgspec

from curve_inputs import drawn
from depose.report.figures.specification_curve import curve_alt, specification_curve


def test_the_picture_says_in_words_what_it_shows() -> None:
    """Number of analyses, bands and the registered one stand in the title, and every choice beside its row."""
    one, curve, svg = drawn()
    every = curve.shares[0]
    title = re.search(r"<title>(.*?)</title>", svg, re.DOTALL)
    assert title is not None
    assert title[1] == curve_alt(one, curve, 0.05)
    assert f"{every.n} analyses" in title[1]
    assert f"{every.at_alpha} at or below 0.05" in title[1]
    for share in curve.shares[1:]:
        assert f">{share.choice}</text>" in svg
        assert f">{share.at_alpha} of {share.n}</text>" in svg


def test_it_is_grey_and_the_same_every_time() -> None:
    """No colour carries meaning, and two drawings are equal to the byte."""
    one, curve, svg = drawn()
    assert specification_curve(one, curve, 0.05).decode() == svg
    colours = {value.lower() for value in re.findall(r"#[0-9a-fA-F]{6}", svg)}
    assert all(c[1:3] == c[3:5] == c[5:7] for c in colours)


def test_names_are_text_and_nothing_else() -> None:
    """A hostile code of a control or a detector is drawn as it is written, and cut if it is long."""
    one, curve, _ = drawn()
    bad = "<script>alert(1)</script> $x^2$"
    shares = tuple(msgspec.structs.replace(s, choice=bad if s.choice == "fuzzy" else s.choice) for s in curve.shares)
    svg = specification_curve(one, msgspec.structs.replace(curve, shares=shares), 0.05).decode()
    assert "<script" not in svg
    assert "&lt;script&gt;alert(1)&lt;/scrip" in svg
