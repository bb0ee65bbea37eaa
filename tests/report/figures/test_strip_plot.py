"""The strip plot: deterministic, every control in it, readable without colour."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import msgspec
import pytest

from depose.model import Scale
from depose.report.figures.drawing import WIDTH
from depose.report.figures.ratio_bands import ratio_alt, ratio_bands
from depose.report.figures.strip_plot import crowded, spread, strip_alt, strip_plot
from depose.report.typography import number
from depose.statistics.verbal import SCALES
from rated_cases import RATED, SVG, case, rated, texts


def test_bytes_are_the_same_twice() -> None:
    """The same records give the same bytes, whatever was drawn before."""
    first = strip_plot(*case("C1", "C2", "C3"))
    strip_plot(*case("X1", value=-1))
    assert strip_plot(*case("C1", "C2", "C3")) == first


def test_every_control_is_named_on_both_sides() -> None:
    """Each control stands once in each row, and the suspect with its score and the n of each row are written out."""
    names = tuple(f"C{i}-model" for i in range(24))
    written = texts(strip_plot(*case(*names)))
    assert all(written.count(name) == 2 for name in names)
    assert "S1 and R1: 2.50" in written
    assert sum("n = 24" in line for line in written) == 2
    assert any("1 is typical of two models of the bag (120 prompts)" in line for line in written)


def test_drawing_nests_in_a_page() -> None:
    """The SVG stands alone: no prologue, script, style sheet, image or reference out, and it carries its alt text."""
    finding, result = case("C1", "C2")
    svg = strip_plot(finding, result)
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own
    assert svg.startswith(b"<svg ")
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == strip_alt(finding, result)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "defs", "g", "path", "use", "text", "clipPath", "rect", "tspan"}
    assert all(link.startswith(b"#") for link in re.findall(rb'href="([^"]*)', svg))
    used = set(re.findall(rb'(?:href="|url\()#([^")]+)', svg))
    assert used == set(re.findall(rb' id="([^"]*)"', svg))


@pytest.mark.criterion(23)
def test_nothing_is_told_by_colour() -> None:
    """All ink is grey or black, and the suspect has a shape of its own: filled, where controls are open."""
    svg = strip_plot(*case("C1", "C2", "C3")).decode()
    for red, green, blue in re.findall(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})\b", svg):
        assert red == green == blue


def test_ids_differ_between_findings() -> None:
    """Two drawings in one page share no id."""
    first = set(re.findall(rb' id="([^"]*)"', strip_plot(*case("C1", "C2"))))
    second = set(re.findall(rb' id="([^"]*)"', strip_plot(*case("C1", "C2", suspect="S2"))))
    assert first
    assert not first & second


@pytest.mark.parametrize("names", [(), ("C1",), tuple(f"C{i}" for i in range(49))])
def test_none_one_and_many_controls_are_drawn(names: tuple[str, ...]) -> None:
    """No control leaves an empty row; more than fit are drawn but not named."""
    finding, result = case(*names)
    written = texts(strip_plot(finding, result))
    assert ("C0" in written) is False
    assert crowded(result) is (len(names) == 49)
    assert f"n = {len(names)}" in " ".join(written)


@pytest.mark.parametrize("value", [227.0, -3.0, 0.0, 1.4])
@pytest.mark.parametrize("around", [0.01, 0.6, 40.0])
def test_extreme_scores_stay_inside(value: float, around: float) -> None:
    """A score far outside of the controls, or with a wide interval, is drawn inside, its label whole."""
    finding, result = case("C1", "C2", value=value)
    wide = msgspec.structs.replace(result, low=value - around, high=value + around)
    svg = strip_plot(finding, wide).decode()
    found = re.search(r'text-anchor="(\w+)"[^>]* x="([\d.]+)"[^>]*>(S1 and R1: [^<]*)<', svg)
    assert found is not None and found[3] == f"S1 and R1: {number(value)}"
    length = 4.6 * len(found[3])
    start = float(found[2]) - {"start": 0, "middle": length / 2, "end": length}[found[1]]
    assert start > 0.17 * WIDTH * 72 and start + length < WIDTH * 72


def test_markup_in_names_is_text() -> None:
    """A name is never read as markup or mathematics."""
    written = texts(strip_plot(*case("<b>&$x^2$", "a_b^c")))
    assert "<b>&$x^2$" in written
    assert "a_b^c" in written


def test_alt_text_gives_the_numbers() -> None:
    """The alt text says the score, its interval and the range of the controls on each side."""
    alt = strip_alt(*case("C1", "C2"))
    assert "scores 2.50 (95 % interval 1.90 to 3.10)" in alt
    assert "n = 2: from -1.00 (C1) to 0.40 (C2)" in alt
    assert "none" in strip_alt(*case())


def test_labels_are_moved_apart_and_stay_in_order() -> None:
    """Neighbouring labels are a step apart, within the bounds, and none moves when there is room."""
    assert spread([0.0, 5.0, 9.0], 1.0, 0.0, 10.0) == [0.0, 5.0, 9.0]
    close = spread([5.0] * 4, 1.0, 0.0, 10.0)
    assert close == [3.5, 4.5, 5.5, 6.5]
    edge = spread([9.9, 9.95, 10.0], 1.0, 0.0, 10.0)
    assert edge == [8.0, 9.0, 10.0]
    assert spread([], 1.0, 0.0, 1.0) == []


def test_ratios_are_written_with_their_bands() -> None:
    """Each alternative has a row, its number, interval and cap, and every band that is reached has its name."""
    written = texts(ratio_bands(RATED))
    assert "3: unrelated" in written
    assert "5.10 [3.20 to 6.80]" in written
    assert "cap 6.86" in written
    assert "not evaluated" in written
    assert {"weak", "for H1", "for H2"} <= set(written)
    assert "moderate" not in written
    assert {"0.1", "1", "10"} <= set(written)


@pytest.mark.parametrize("scale", SCALES.values(), ids=list(SCALES))
@pytest.mark.parametrize("value", [50.0, 3e6, 2.0])
def test_axis_reaches_every_ratio(scale: Scale, value: float) -> None:
    """Bands are added, whole, until the ratio lies inside, in both directions, and those reached are named."""
    names = {band.words.removesuffix(" support").split()[0] for band in scale.bands if band.above < value}
    assert names <= set(texts(ratio_bands(rated(("unrelated", value, value, value, value)), scale)))
    mirror = rated(("unrelated", 1 / value, 1 / value, 1 / value, 1.0))
    assert names <= set(" ".join(texts(ratio_bands(mirror, scale))).split())


@pytest.mark.criterion(23)
def test_ratio_drawing_is_the_same_twice_and_grey() -> None:
    """The same records give the same bytes; all ink is grey; the drawing nests, with ids of its own."""
    svg = ratio_bands(RATED)
    assert svg == ratio_bands(RATED)
    for red, green, blue in re.findall(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})\b", svg.decode()):
        assert red == green == blue
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own
    assert root[0].text == ratio_alt(RATED)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "defs", "g", "path", "use", "text", "clipPath", "rect", "tspan"}
    ids = set(re.findall(rb' id="([^"]*)"', svg))
    assert not ids & set(re.findall(rb' id="([^"]*)"', strip_plot(*case("C1", "C2"))))


def test_ratio_alt_text_gives_the_numbers() -> None:
    """The alt text says each ratio with interval and cap, and which was not evaluated."""
    alt = ratio_alt(RATED)
    assert "Finding 3 against unrelated: 5.10 (95 % interval 3.20 to 6.80, cap 6.86)." in alt
    assert "Finding 3 against same base, other teacher: not evaluated." in alt
    assert "ENFSI Guideline" in alt


def test_a_ratio_below_one_has_the_bound_below() -> None:
    """Beside a ratio for H2 stands the least that the lineages carry, not the cap that it is nowhere near."""
    low = rated(("unrelated", 0.25, 0.2, 0.4, 1.06))
    assert "least 0.200" in texts(ratio_bands(low))
    assert "cap" not in " ".join(texts(ratio_bands(low)))
    assert "0.250 (95 % interval 0.200 to 0.400, least 0.200)." in ratio_alt(low)
