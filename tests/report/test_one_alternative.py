"""Wherever a likeness report says a ratio or its word, it names the one alternative that it is against."""

from __future__ import annotations

import msgspec
import pytest

from depose.model import Curve, Findings, Rank, Share, Specification, WordShare
from depose.report.arrange import silent
from depose.report.render import render_html
from reports import build, calibrated, words


def with_curve(findings: Findings) -> Findings:
    """Give the first finding a specification curve whose ratios fall into two bands."""
    one = Specification(detector="phrases", answers="whole", prompts="all", controls="all", value=1.0, p=0.05, lr=3.0)
    curve = Curve(
        specifications=(one,),
        registered=one,
        shares=(Share(axis="all", choice="all analyses", n=1, able=1, at_alpha=1, at_tenth=0, above=0, median_p=0.05),),
        words=(
            WordShare(words="weak support for H2 over H1", k=1, n=3),
            WordShare(words="weak support for H1 over H2", k=2, n=3),
        ),
        impossible=0,
        left_out=(),
    )
    rank = Rank(among_controls=1, controls=23, among_candidates=None, candidates=0, reason="none was named")
    first, *rest = findings.findings
    first = msgspec.structs.replace(first, curve=curve, rank=rank)
    return msgspec.structs.replace(findings, findings=(first, *rest))


def test_no_ratio_is_set_against_h2_as_a_whole() -> None:
    """No sentence, table or curve of a whole report weighs H1 against H2: parts of H2 are never evaluated."""
    text = words(render_html(with_curve(calibrated())))
    assert "weak support for “unrelated” over H1 in 1 of 3, weak support for H1 over “unrelated” in 2 of 3" in text
    assert "favours H1 over the one alternative that it is against" in text
    assert "H1 over H2" not in text
    assert "H2 over H1" not in text


@pytest.mark.parametrize("scored", [True, False])
def test_why_there_is_no_ratio_is_the_true_reason(scored: bool) -> None:
    """A finding without a score has none since nothing was scored, whatever study the case names."""
    [one, *_] = build().findings
    found = silent([msgspec.structs.replace(one, ratios=(), results=one.results if scored else ())])
    assert [row.reason for row in found] == [
        "no validation study calibrates this case" if scored else "nothing was scored"
    ]
