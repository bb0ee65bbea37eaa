"""Drawings with few nodes: what is merged, what is kept apart, and that nothing is lost."""

from __future__ import annotations

import re

from depose.report.figures.few_nodes import few_nodes

HOLLOW = 'fill="none" stroke="#1a1a1a"'
SOLID = 'fill="#1a1a1a" stroke="#1a1a1a"'
TWO = 'fill="#ffffff" stroke="#1a1a1a"'
THROUGH = 'fill="#1a1a1a" stroke="#1a1a1a" opacity="0.5"'


def drawn(look: str, *places: tuple[float, float], shape: str = "M 0 4.5 \nL 0 -4.5 \n") -> str:
    """A drawing of marks in a row, as matplotlib nests it."""
    uses = "\n".join(f'<use xlink:href="#m1" x="{x}" y="{y}" {look}/>' for x, y in places)
    return (
        f'<svg><g><g><defs>\n<path id="m1" d="{shape}" stroke-width="0.7"/>\n</defs>'
        f'<g clip-path="url(#p1)">\n{uses}\n</g></g></g>'
        '<defs><clipPath id="p1"><rect x="1.000001"/></clipPath></defs></svg>'
    )


def test_marks_of_one_look_are_one_path_in_their_places() -> None:
    """Three hollow or solid marks are one clipped path with three strokes, each where it was."""
    for look in (HOLLOW, SOLID):
        made = few_nodes(drawn(look, (1.004, 2), (3, 4), (5.5, 6)))
        assert re.findall(' d="([^"]*)"', made) == ["M 1 6.5 L 1 -2.5 M 3 8.5 L 3 -0.5 M 5.5 10.5 L 5.5 1.5"]
        assert 'clip-path="url(#p1)"' in made
        assert "<use" not in made
        assert "<g" not in made


def test_marks_whose_overlap_shows_stay_apart() -> None:
    """Marks of two colours, or that one sees through, get a path each."""
    for look in (TWO, THROUGH):
        assert few_nodes(drawn(look, (1, 2), (1.5, 2))).count("<path") == 2


def test_a_mark_in_the_same_place_is_drawn_once() -> None:
    """Marks that lie on each other to a hundredth of a point are one."""
    assert few_nodes(drawn(HOLLOW, (1, 2), (1.001, 2), (3, 2))).count("M ") == 2


def test_a_circle_keeps_its_edge() -> None:
    """Four curves for eight: every quarter begins and ends on the circle."""
    eight = "M 0 2.5 " + "C 1 1 1 1 1 1 " * 8 + "z"
    made = few_nodes(drawn(HOLLOW, (10, 20), shape=eight))
    path = re.search(' d="([^"]*)"', made)
    assert path is not None
    ends = [tuple(map(float, step.split()[-2:])) for step in re.findall("[MC]([^MCz]*)", path[1])]
    assert ends == [(10, 22.5), (12.5, 20), (10, 17.5), (7.5, 20), (10, 22.5)]


def test_a_line_keeps_its_corners_alone() -> None:
    """Stops on an upright or level way go; corners, ends and the way back stay."""
    stairs = '<svg><path d="M 0 0 L 0 0 L 0 1.001 L 0 2 L 3 2 L 4 2 L 4 1 L 4 5"/></svg>'
    assert few_nodes(stairs) == '<svg><path d="M 0 0 L 0 0 L 0 2 L 4 2 L 4 1 L 4 5"/></svg>'


def test_groups_that_say_something_and_texts_are_kept() -> None:
    """A group with an attribute, a title and a turned text come through; an upright text needs no turn."""
    svg = (
        '<svg><title>A &lt;g&gt; title.</title><g><g opacity="0.5">'
        '<text x="1.5" transform="rotate(-90 1 2)">a  b</text>'
        '<text x="2.0" transform="rotate(-0 1 2)">c</text></g></g></svg>'
    )
    assert few_nodes(svg) == (
        '<svg><title>A &lt;g&gt; title.</title><g opacity="0.5"><text x="1.5" transform="rotate(-90 1 2)">a  b</text>'
        '<text x="2">c</text></g></svg>'
    )


def test_a_name_that_looks_like_an_attribute_is_left_alone() -> None:
    """What a model is called is text: no number in it is rounded, nothing taken out of it."""
    svg = '<svg><text x="1.5">C x="1.23456" transform="rotate(-0 1 2)"</text></svg>'
    assert few_nodes(svg) == svg
