"""Figures of the study behind ratios: the same bytes twice, readable in grey, described in words."""

from __future__ import annotations

import re

import msgspec
import pytest

from chart_inputs import STUDY
from depose.model import HeldOut
from depose.report.figures.error_curves import error_curves
from depose.report.render import render_html
from reports import calibrated, words
from studied_reports import studied


def held() -> HeldOut:
    """Held-out ratios of four true and five other pairs."""
    assert STUDY is not None
    return STUDY.held_out[0]


@pytest.mark.criterion(23)
def test_nothing_is_told_by_colour() -> None:
    """Every colour is a grey, and kinds differ by dash, shape or fill besides."""
    svg = error_curves(held())
    for colour in re.findall(rb"#[0-9a-f]{6}", svg):
        assert colour[1:3] == colour[3:5] == colour[5:7]
    assert svg.count(b"stroke-dasharray") >= 3


def test_bytes_are_the_same_twice() -> None:
    """Identical records give identical drawings, with a title that says what is seen in the three panels."""
    svg = error_curves(held())
    assert svg == error_curves(held())
    title = re.sub(r"\s+", " ", re.findall(rb"<title>(.*?)</title>", svg, flags=re.DOTALL)[0].decode())
    assert "1 of 4 true pairs lie below 0 and 1 of 5 other pairs above 0" in title
    assert "recalibration" in title and "cross-entropy" in title


@pytest.mark.slow
def test_curves_and_counts_of_the_study_are_printed_under_the_bounds_of_the_case() -> None:
    """The report shows Tippett, PAV and ECE of its study, with the counts, held to what the case may report."""
    findings = studied(calibrated(questions=("distilled",)))
    page = render_html(findings)
    assert "Tippett plot, recalibration (PAV), and empirical cross-entropy (ECE)." in words(page)
    assert "4 true pairs of 5 families, 5 other of 6" in words(page)
    [ratio, *rest] = findings.findings[0].ratios
    low, high = -2.0, 2.0
    wide = msgspec.structs.replace(ratio, elub_low=10**low, elub_high=10**high, lineages=10**4, cap=50.0)
    one = msgspec.structs.replace(findings.findings[0], ratios=(wide, *rest))
    assert render_html(msgspec.structs.replace(findings, findings=(one,))) != page
