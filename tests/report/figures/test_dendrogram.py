"""The tree of likeness as a figure: every model in it, no line crossed, support where it is worth reading."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import msgspec
import pytest

from depose.report.figures.dendrogram import dendrogram, dendrogram_alt, members
from depose.report.render import render_html
from rated_cases import SVG, texts
from reports import build, words
from trees import ROLES, TREE


def test_every_model_and_every_support_above_half_is_written() -> None:
    """Codes with their roles, the share of draws of each clade that at least half of them hold, and no other."""
    written = texts(dendrogram(TREE, ROLES))
    assert {"S1 suspect", "R1 reference", "T1 candidate", "C1", "C2"} <= set(written)
    assert [text for text in written if re.fullmatch(r"[01]\.\d\d", text)] == ["0.99", "0.60"]


def test_clades_stand_together() -> None:
    """From top to bottom the models of each clade are neighbours, so that no line crosses another."""
    order = [t.split()[0] for t in texts(dendrogram(TREE, ROLES)) if t.split()[0] in TREE.models]
    for clade in members(TREE)[len(TREE.models) :]:
        places = sorted(order.index(model) for model in clade)
        assert places == list(range(places[0], places[0] + len(clade)))


def test_drawing_is_the_same_twice_and_nests() -> None:
    """The same tree gives the same bytes, described in words, with no element that a page could trip over."""
    svg = dendrogram(TREE, ROLES)
    assert svg == dendrogram(TREE, ROLES)
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own
    assert root[0].text == dendrogram_alt(TREE, ROLES)
    assert "S1 with R1 at T 4.25, in 198 of 200 draws" in dendrogram_alt(TREE, ROLES)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "defs", "g", "path", "use", "text", "clipPath", "rect", "tspan"}


@pytest.mark.criterion(11, 23)
def test_report_shows_it_as_an_illustration() -> None:
    """Class I, the word, n, the digest of its source and who was left out; or no figure where there is no tree."""
    findings = build(questions=("same",), exhibits=0)
    page = render_html(msgspec.structs.replace(findings, tree=TREE))
    text = words(page)
    assert "Tree of likeness, an illustration." in text
    assert re.search(r"Fig\. \d+\. Illustrative: tree of likeness by habits", text)
    assert re.search(r"I n = 5 models, 40 clusters of prompts; \$\.tree [0-9a-f]{12}", text)
    assert "since they share no prompt with some other: C9." in text
    assert "200 draws" in text
    assert "Tree of likeness" not in words(render_html(findings))
