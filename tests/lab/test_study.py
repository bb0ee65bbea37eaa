"""The study of the bundled laboratory: power where there is a dose, silence where there is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from depose.errors import CaseError
from depose.lab.study import study


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Study the bundled answers once."""
    out = tmp_path_factory.mktemp("study")
    study(None, out, lambda _: None)
    assert (out / "doses.svg").read_bytes().startswith(b"<?xml")
    return json.loads((out / "study.json").read_text())


def row(rows: list[Any], **wanted: Any) -> Any:
    """Find the row with these values."""
    return next(one for one in rows if all(one[name] == value for name, value in wanted.items()))


@pytest.mark.slow
def test_full_dose_is_found_and_none_is_not(result: Any) -> None:
    """With 50 prompts and one sample the share of draws at alpha is at least .9 at 100 % and small at 0 %."""
    assert row(result["doses"], dose=100, prompts=50, samples=1)["at_alpha"]["share"] >= 0.9
    assert row(result["doses"], dose=0, prompts=50, samples=1)["at_alpha"]["share"] <= 0.05
    assert row(result["power_at_100"], prompts=50)["power"] >= 0.9


@pytest.mark.slow
def test_p_does_not_rise_with_the_dose(result: Any) -> None:
    """The median p falls, or stays, as the dose grows."""
    medians = [row(result["doses"], dose=dose, prompts=100, samples=1)["p_median"] for dose in (0, 25, 50, 100)]
    assert medians == sorted(medians, reverse=True)


@pytest.mark.slow
def test_false_alarms_stay_at_alpha(result: Any) -> None:
    """The exact lower bound of the share of null pairs at alpha does not exceed alpha, over at least 40 of them."""
    for one in result["false_alarms"]:
        assert one["n"] >= 40
        assert one["lower95"] <= result["alpha"]


@pytest.mark.slow
def test_every_claim_has_its_row(result: Any) -> None:
    """Common base, common teacher, foil, blank, paraphrase and second hand are all tried.

    Eight teachers that are all found bound the power from below by .69, which is not enough for `no indication`.
    """
    tried = {one["claim"].partition(":")[0].partition(",")[0] for one in result["claims"]}
    assert {"common base", "common teacher", "foil", "blank", "paraphrased answers of the reference"} <= tried
    for suspect in ("foil", "other", "base"):
        assert set(row(result["claims"], suspect=suspect)["opinions"]) == {"inconclusive"}


@pytest.mark.slow
def test_a_common_teacher_is_a_relation_and_no_indication(result: Any) -> None:
    """Two students of one teacher are as alike as student and teacher; the kind is left open in most draws."""
    kinds = []
    for one in result["claims"]:
        if one["claim"] == "common teacher":
            assert set(one["opinions"]) <= {"relation, kind not resolved", "inconclusive"}
            kinds.append(one["opinions"].get("relation, kind not resolved", 0))
    assert sum(kinds) > 10 * len(kinds)


def test_a_folder_that_is_no_laboratory_is_refused(tmp_path: Path) -> None:
    """There is nothing to study in an empty folder."""
    with pytest.raises(CaseError, match="no laboratory"):
        study(tmp_path, tmp_path / "out", lambda _: None)
