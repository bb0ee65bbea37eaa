"""Figures beside the scores: the same bytes twice, readable in grey, described in words."""

from __future__ import annotations

import re

import msgspec
import pytest

from chart_inputs import EVENTS, RIVALS, STUDY
from depose.report.figures.candidate_ranking import ranking
from depose.report.figures.error_curves import error_curves
from depose.report.figures.timeline import timeline
from depose.report.render import render_html
from reports import build, finding, words
from studied_reports import studied


def drawings() -> list[bytes]:
    """One of each kind."""
    assert STUDY is not None
    one = msgspec.structs.replace(finding("distilled", "S1", "R1"), candidates=RIVALS)
    return [error_curves(STUDY.held_out[0]), ranking(one), timeline(EVENTS)]


@pytest.mark.criterion(23)
def test_nothing_is_told_by_colour() -> None:
    """Every colour is a grey, and kinds differ by dash, shape or fill besides."""
    for svg in drawings():
        for colour in re.findall(rb"#[0-9a-f]{6}", svg):
            assert colour[1:3] == colour[3:5] == colour[5:7]
    assert drawings()[0].count(b"stroke-dasharray") >= 3


def test_bytes_are_the_same_twice() -> None:
    """Identical records give identical drawings, each with a title that says what is seen."""
    assert drawings() == drawings()
    titles = [re.findall(rb"<title>(.*?)</title>", svg, flags=re.DOTALL)[0].decode() for svg in drawings()]
    assert "1 of 4 true pairs lie below 0 and 1 of 5 other pairs above 0" in re.sub(r"\s+", " ", titles[0])
    assert "T2 1.70, R1 1.50 (tested), T3 -0.40, less close" in re.sub(r"\s+", " ", titles[1])
    assert "protocol registered 2026-11-24 06:00:00; last question" in re.sub(r"\s+", " ", titles[2])


def test_times_stand_in_order_with_their_gaps() -> None:
    """Whatever order they are given in, events are drawn by time, with the time between them."""
    assert b"+ 0:09:41" in timeline(EVENTS)


def test_curves_and_counts_of_the_study_are_printed() -> None:
    """The report shows Tippett and ECE of its study with the counts of pairs and families."""
    text = words(render_html(studied(build(questions=("distilled",)))))
    assert "Tippett plot and empirical cross-entropy (ECE). Cllr 0.500" in text
    assert "4 true pairs of 5 families, 5 other of 6" in text
