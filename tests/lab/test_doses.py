"""Doses of a laboratory as they reach a report."""

from __future__ import annotations

from pathlib import Path

import msgspec

from depose.case import calibration
from depose.lab.doses import TRUE_PAIRS, doses, with_doses
from depose.model import Calibration, Performance
from depose.model.canonical import sha256
from depose.report.power_by_dose import said, table

ROWS = [
    {"dose": dose, "prompts": 50, "samples": samples, "at_alpha": {"k": k, "n": 20, "share": k / 20}, "opinions": said}
    for dose, samples, k, said in (
        (0, 1, 0, {"inconclusive": 20}),
        (50, 1, 17, {"indication": 9, "relation, kind not resolved": 3, "inconclusive": 8}),
        (50, 3, 20, {"indication": 20}),
        (100, 1, 20, {"indication": 20}),
    )
]


def test_one_answer_to_each_prompt_counts() -> None:
    """Rows of several samples are left out; indications and relations are what the opinion called."""
    found = doses(ROWS)
    assert [(one.percent, one.k, one.n, one.indications) for one in found] == [
        (0, 0, 20, 0),
        (50, 17, 20, 12),
        (100, 20, 20, 20),
    ]


def test_error_rates_name_the_calibration_that_holds_the_dose() -> None:
    """What is written of both reads back, and the digest in the one is that of the other."""
    loaded = calibration.load("lab", Path())
    assert loaded and loaded.performance
    bare = msgspec.structs.replace(loaded.calibration, doses=())
    told, counted = with_doses(bare, loaded.performance, ROWS)
    performance = msgspec.json.decode(counted, type=Performance)
    assert performance.calibration == sha256(told)
    assert performance.doses == doses(ROWS)
    assert msgspec.json.decode(told, type=Calibration).doses[0].value == TRUE_PAIRS


def test_the_bundled_laboratory_states_doses_and_opinions() -> None:
    """What ships says from which dose on students are found, and what the opinion says of strangers and true pairs."""
    loaded = calibration.load("lab", Path())
    assert loaded and loaded.performance
    assert "distilled, 25, 50 and 100 prompts: found at 50 in 100 or more" in said(table(loaded.performance))
    kinds = {(one.question, one.kind) for one in loaded.performance.opinions}
    assert {("distilled", "true pairs"), ("distilled", "one base, another teacher")} <= kinds
    assert loaded.performance.gates == loaded.calibration.gates != ()
