"""What a report says beside the counts of others: which detector they examined."""

from __future__ import annotations

import msgspec

from depose.case.independent import unseen
from depose.model import Primary
from depose.report.render import render_html
from depose.report.study_counts import examined_by_another
from reports import calibrated, words


def test_a_detector_that_nobody_examined_is_named_as_such() -> None:
    """Question by question: the one of the evaluations, and the one that decides here; nothing where it is the same."""
    findings = calibrated(questions=("same", "distilled"))
    rows = unseen(findings.protocol.questions)
    assert examined_by_another(findings, rows) == [("distilled", "habits", "wording")]
    said = "There habits decided “distilled”; wording, which decides it here, was examined on no unseen family."
    assert said in words(render_html(findings))
    as_then = msgspec.structs.replace(findings.protocol, primary=Primary(distilled="habits"))
    assert examined_by_another(msgspec.structs.replace(findings, protocol=as_then), rows) == []
    assert examined_by_another(findings, ()) == []
