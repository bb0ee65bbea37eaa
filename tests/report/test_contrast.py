"""Contrast, measured on what is drawn and set: text at 4.5 to 1 and marks at 3 to 1, in grey as in colour (WCAG AA)."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files
from itertools import product
from xml.etree import ElementTree

import pytest

from chart_inputs import STUDY
from curve_inputs import drawn
from depose.report.figures.error_curves import error_curves
from depose.report.figures.specification_curve import specification_curve
from depose.report.figures.strip_plot import strip_plot
from rated_cases import case

TEXT, MARK = 4.5, 3.0
PAPER = "#ffffff"
CSS = sorted(f.name for f in files("depose.templates").iterdir() if f.name.endswith(".css"))


def luminance(colour: str) -> float:
    """Relative luminance of a colour, as WCAG 2 defines it; of a grey it is that of its one channel."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Ratio of two colours."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def grey(colour: str) -> bool:
    """Whether a colour prints as itself without colour."""
    return colour[1:3] == colour[3:5] == colour[5:7]


def strip() -> bytes:
    """A strip plot."""
    return strip_plot(*case("C1", "C2", "C3"))


def curves() -> bytes:
    """Curves of errors."""
    assert STUDY is not None
    return error_curves(STUDY.held_out[0])


def specifications() -> bytes:
    """A curve of specifications."""
    one, curve, _ = drawn()
    return specification_curve(one, curve, 0.05)


def test_ratios_are_those_of_the_standard() -> None:
    """Black on white is 21, a colour on itself 1, and the example of the standard's technique G18 is as printed."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == 1
    assert contrast("#767676", "#ffffff") >= TEXT > contrast("#777777", "#ffffff")


@pytest.mark.criterion(23)
@pytest.mark.parametrize("name", CSS)
def test_every_text_on_every_background_of_a_style_sheet(name: str) -> None:
    """Whichever colour of text meets whichever background, the pair reaches 4.5, and all are greys."""
    shared = "report.css\n" if name == "batch.css" else ""  # the page of a matrix has both
    folder = files("depose.templates")
    style = "\n".join(folder.joinpath(one).read_text("utf-8") for one in (*shared.split(), name))
    assert not re.findall(r"(?<![\w-])(?:color|background):(?!\s*(?:inherit|#[0-9a-f]{6}\b))[^;}]*", style)
    texts = set(re.findall(r"(?<![\w-])color\s*:\s*(#[0-9a-f]{6})", style))
    grounds = {PAPER, *re.findall(r"(?<![\w-])background\s*:\s*(#[0-9a-f]{6})", style)}
    assert texts and all(map(grey, texts | grounds))
    assert {pair: contrast(*pair) for pair in product(texts, grounds) if contrast(*pair) < TEXT} == {}


@pytest.mark.criterion(23)
@pytest.mark.parametrize("draw", [strip, curves, specifications])
def test_every_text_and_mark_on_every_ground_of_a_figure(draw: Callable[[], bytes]) -> None:
    """Texts reach 4.5 and lines and fills 3 on paper and on every shade of the figure; nothing is see-through."""
    texts: set[str] = set()
    marks: set[str] = set()
    for element in ElementTree.fromstring(draw()).iter():  # noqa: S314 - our own
        tag = element.tag.rpartition("}")[2]
        for field in ("fill", "stroke"):
            colour = element.get(field, "#000000" if tag == "text" and field == "fill" else "none")
            if element.get(f"{field}-opacity", "1") == "0":
                continue
            if colour != "none":
                (texts if tag in ("text", "tspan") else marks).add(colour)
        assert {element.get(f"{field}opacity", "1") for field in ("", "fill-", "stroke-")} <= {"0", "1"}
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) and grey(colour) for colour in texts | marks)
    grounds = {PAPER, *(colour for colour in marks if luminance(colour) > 0.5)}
    assert texts and marks - grounds
    assert {pair: contrast(*pair) for pair in product(texts, grounds) if contrast(*pair) < TEXT} == {}
    assert {pair: contrast(*pair) for pair in product(marks - grounds, grounds) if contrast(*pair) < MARK} == {}
