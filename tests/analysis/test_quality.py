"""Quality control: without a passing self-test, or with a batch effect, there is no opinion (criterion 30)."""

from __future__ import annotations

import msgspec
import pytest

from depose.analysis.analyze import analyze
from depose.analysis.quality import passed
from depose.features.extract import Features
from depose.model import Check, ControlTest, Dossier, SelfTest, Transcript
from dossiers import CONTROLS, dossier, quiet, spec

SPECS = [spec("S1", "suspect"), spec("R1", "reference"), *CONTROLS]
GOOD = SelfTest(software="", kit="", tests=(), passed=True)
BAD = ControlTest(name="foil control", expected="no indication", found="indication", passed=False)


def reasons(found: Dossier) -> set[str]:
    """Collect the reason codes of all opinions."""
    return {reason for one in analyze(found, Features(), quiet).findings.findings for reason in one.opinion.reasons}


@pytest.mark.criterion(30)
def test_a_passing_self_test_of_this_version_is_needed() -> None:
    """None, a failed one and one of another version each give `quality`."""
    made = dossier(SPECS, {"S1": "R1"})
    assert "quality" not in reasons(made)
    for kept in (None, msgspec.structs.replace(GOOD, passed=False), msgspec.structs.replace(GOOD, software="0.0")):
        assert "quality" in reasons(msgspec.structs.replace(made, selftest=kept))


def test_the_failed_sample_is_named() -> None:
    """The check says which known sample was judged wrongly."""
    made = dossier(SPECS, {"S1": "R1"})
    failed = msgspec.structs.replace(GOOD, tests=(BAD,), passed=False)
    found = analyze(msgspec.structs.replace(made, selftest=failed), Features(), quiet).findings.quality
    assert any("foil control" in one.seen and not one.passed for one in found)


def test_a_check_of_one_model_leaves_the_others_alone() -> None:
    """What a model failed bars its own findings; what the case failed bars all."""
    own = Check(name="answered", model="S2", limit="", seen="", passed=False)
    every = Check(name="self-test", model="", limit="", seen="", passed=False)
    assert passed((own,), "S1", "R1")
    assert not passed((own,), "S2", "R1")
    assert not passed((every,), "S1", "R1")


def repeated(copies: dict[str, str], within: tuple[float, float] | None) -> Dossier:
    """Make a case in which C0 is asked again live as L0, whose answers are those of `copies`."""
    live = msgspec.structs.replace(spec("L0", "control"), repeats="C0", provider="transformers", within=within)
    return dossier([*SPECS, live], copies)


def test_a_control_that_answers_as_it_did_passes_and_is_no_second_lineage() -> None:
    """The live control agrees with its record; it is not counted among the controls of a pair."""
    found = analyze(repeated({"L0": "C0"}, None), Features(), quiet).findings
    assert [one.passed for one in found.quality if one.name == "batch"] == [True]
    assert all("L0" not in one.controls or "C0" not in one.controls for one in found.findings)


@pytest.mark.parametrize("copies", [{"L0": "C1"}, {}])
def test_a_control_that_answers_otherwise_is_a_batch_effect(copies: dict[str, str]) -> None:
    """Another model behind the same name, or a stranger, fails the check and bars every opinion."""
    assert "quality" in reasons(repeated(copies, None))


@pytest.mark.slow
def test_the_registered_range_is_kept() -> None:
    """T outside of the range fails even where the control is closest to itself."""
    made = analyze(repeated({"L0": "C0"}, None), Features(), quiet).findings
    seen = next(one for one in made.quality if one.name == "batch").seen
    t = float(seen.partition("T ")[2].partition(";")[0])
    assert "quality" not in reasons(repeated({"L0": "C0"}, (t - 1, t + 1)))
    assert "quality" in reasons(repeated({"L0": "C0"}, (t + 1, t + 2)))
    assert "quality" in reasons(repeated({"L0": "C0"}, (t - 2, t - 1)))


def test_a_suspect_that_did_not_answer_enough_fails() -> None:
    """Below four fifths of its questions there is no opinion on it."""
    made = dossier(SPECS, {"S1": "R1"})
    few = [one for one in made.transcripts if one.model == "S1"][: len(made.registration.prompts) // 2]
    kept: list[Transcript] = [one for one in made.transcripts if one.model != "S1"] + few
    assert "quality" in reasons(msgspec.structs.replace(made, transcripts=tuple(kept)))
