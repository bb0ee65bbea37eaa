"""The strip plot: deterministic, every control in it, readable without colour."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import msgspec
import pytest

from depose.model import NullPair, NullPairs
from depose.report.figures.drawing import WIDTH
from depose.report.figures.strip_plot import NAMED, spread, strip_alt, strip_plot
from depose.report.typography import number
from rated_cases import SVG, case, texts


def test_bytes_are_the_same_twice() -> None:
    """The same records give the same bytes, whatever was drawn before."""
    first = strip_plot(*case("C1", "C2", "C3"))
    strip_plot(*case("X1", value=-1))
    assert strip_plot(*case("C1", "C2", "C3")) == first


def test_the_highest_controls_are_named_on_both_sides() -> None:
    """The three highest of each row are named, the others are points; score and n of each row are written out."""
    names = tuple(f"C{i}-model" for i in range(24))
    finding, result = case(*names)
    written = texts(strip_plot(finding, result))
    for side in (result.reference_side, result.suspect_side):
        highest = [one.model for one in sorted(side, key=lambda one: (one.value, one.model))[-NAMED:]]
        assert all(name in written for name in highest)
    assert sum(name in written for name in names) <= 2 * NAMED
    assert "S1 and R1: 2.50" in written
    assert sum("24 controls" in line for line in written) == 2
    assert any("1 is typical of two models of the bag (120 prompts)" in line for line in written)


def test_every_two_controls_are_a_row_of_their_own() -> None:
    """Where pairs of controls were scored, each is a tick, and the row says how many there are."""
    finding, result = case("C1", "C2", "C3")
    pairs = tuple(
        NullPair(left=a, right=b, value=v, p=0.5, ratio=None)
        for a, b, v in (("C1", "C2", 1.2), ("C1", "C3", 0.3), ("C2", "C3", -0.8))
    )
    nulls = NullPairs(n=3, at_alpha=0, as_close=0, largest=1.2, rated=0, mean_ratio=None, as_large=0, pairs=pairs)
    shown = msgspec.structs.replace(finding, null_pairs=nulls)
    assert "controls, 3" in texts(strip_plot(shown, result))
    assert "Every two controls, n = 3: up to 1.20" in strip_alt(shown, result)
    assert "every two" not in texts(strip_plot(finding, result))


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
    """No control leaves an empty row, and any number is counted."""
    finding, result = case(*names)
    assert " ".join(texts(strip_plot(finding, result))).count(f"{len(names)} controls") == 2


@pytest.mark.parametrize("value", [227.0, -3.0, 0.0, 1.4])
@pytest.mark.parametrize("around", [0.01, 0.6, 40.0])
def test_extreme_scores_stay_inside(value: float, around: float) -> None:
    """A score far outside of the controls, or with a wide interval, is drawn inside, its label whole."""
    finding, result = case("C1", "C2", value=value)
    wide = msgspec.structs.replace(result, low=value - around, high=value + around)
    svg = strip_plot(finding, wide).decode()
    found = re.search(r'text-anchor="(\w+)"[^>]* x="([\d.]+)"[^>]*>(S1 and R1: [^<]*)<', svg)
    assert found is not None and found[3] == f"S1 and R1: {number(value)}"
    length = 5.0 * len(found[3])
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


def test_a_plot_of_many_marks_has_few_nodes() -> None:
    """What lays a page out pays for every node: hundreds of marks are a handful of paths."""
    names = tuple(f"C{i}-model" for i in range(150))
    svg = strip_plot(*case(*names))
    assert len(re.findall(b"<[a-zA-Z]", svg)) < 90
