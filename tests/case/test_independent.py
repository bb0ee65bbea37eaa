"""Independent evaluations: read strictly, printed in every report, and nothing printed that they refute."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from depose.case.independent import FORMAT, Evaluation, evaluations, unseen
from depose.report.render import Setting, render_html
from reports import build, words

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "evaluation.json"


def test_every_evaluation_that_ships_is_whole() -> None:
    """Each has three questions, areas inside their intervals, and counts that can be."""
    assert len(evaluations()) >= 2 and len({one.name for one in evaluations()}) == len(evaluations())
    for one in evaluations():
        assert one.format == FORMAT
        assert [found.question for found in one.questions] == ["same", "derived", "distilled"]
        for found in one.questions:
            for area in (found.documented, found.every):
                assert 0 <= area.low <= area.value <= area.high <= 1
            for share in (found.true_called, found.unrelated_called):
                assert 0 <= share.k <= share.n and 0 <= share.k_families <= share.n_families


def test_an_unknown_field_is_refused() -> None:
    """A file of another form is no evaluation of ours."""
    data = msgspec.to_builtins(evaluations()[0]) | {"verdict": "fine"}
    with pytest.raises(msgspec.ValidationError, match="verdict"):
        msgspec.convert(data, Evaluation)


def test_both_flavours_print_what_was_found_on_unseen_families() -> None:
    """Every count of the questions asked stands in the report, and the summary has them in a sentence."""
    findings = build()
    expert = words(render_html(findings))
    short = words(render_html(findings, Setting(flavour="compliance")))
    rows = unseen(findings.protocol.questions)
    assert len(rows) == len(evaluations()) * len(findings.protocol.questions) > 0
    for one in rows:
        called = f"{one.found.true_called.k} of {one.found.true_called.n}"
        assert f"{one.found.documented.value:.3f} ({one.found.documented.low:.3f} to" in expert
        assert called in expert and called in short
        assert f"{called} and {one.found.unrelated_called.k} of {one.found.unrelated_called.n}" in short


def test_no_document_says_what_they_refute() -> None:
    """The forecast for unseen families that was made from the development families is gone."""
    text = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    assert ".93 to .945" not in text and "For families never seen expect" not in text
    for one in evaluations():
        for found in one.questions:
            assert f"{found.documented.value:.3f}" in text and f"{found.cllr:.3f}" in text


@pytest.mark.data
@pytest.mark.skipif(not SHARED.is_file(), reason="../shared/evaluation.json is not there")
def test_what_ships_is_what_was_handed_out() -> None:
    """Counts, areas and costs are those of the evaluators' file."""
    given = {one["name"]: one for one in json.loads(SHARED.read_text())["evaluations"]}
    for one in evaluations():
        if one.name in given:
            for found in one.questions:
                source = given[one.name]["questions"][found.question]
                assert found.cllr == source["cllr"]
                assert found.documented.value == source["auc_within_reference"]["documented"]["value"]
                assert found.true_called.k == source["rule"]["true"]["larger"]["k"]
                assert found.unrelated_called.n == given[one.name]["type_one_error"][found.question]["0.05"]["n"]
