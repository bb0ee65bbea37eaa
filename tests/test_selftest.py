"""The self-test: known samples are judged as they should be, and a changed sample is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path

import msgspec
import pyarrow
import pyarrow.parquet
import pytest

from depose.errors import CaseError, DeposeError
from depose.model import SelfTest
from depose.selftest import KIT, Kit, selftest
from fakes import depose, passed

RESPONSES = "responses-lab.parquet"


def quiet(line: str) -> None:
    """Say nothing."""


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """Copy the bundled kit."""
    with as_file(files("depose.kit")) as bundled:
        shutil.copytree(bundled, tmp_path / "kit", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "kit"


def changed(kit: Path, change: Callable[[list[dict[str, object]]], list[dict[str, object]]]) -> None:
    """Change the rows of the kit's answers."""
    table = pyarrow.parquet.read_table(kit / RESPONSES)
    rows = change(table.to_pylist())
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=table.schema), kit / RESPONSES)


def failed(found: SelfTest) -> dict[str, str]:
    """Name the tests that failed, with what they found."""
    return {one.name: one.found for one in found.tests if not one.passed}


def test_every_recorded_sample_is_judged_as_it_should_be() -> None:
    """The student is found; the student of another teacher, the base and the foil are not."""
    found = passed()
    said = {one.name: one.found for one in found.tests}
    assert said["positive control"] in ("indication", "relation, kind not resolved (kind)")
    for name in ("negative", "blank", "foil"):
        assert said[f"{name} control"] in ("no indication", "inconclusive (power)")


@pytest.mark.live
@pytest.mark.slow
def test_live_models_answer_as_they_did() -> None:
    """Reference and student, asked live, are closest to their own recorded answers."""
    found = selftest(None, quiet)
    assert found.passed, failed(found)
    assert sum(one.name.endswith("asked live") for one in found.tests) == 2


@pytest.mark.slow
@pytest.mark.parametrize("models", [{"dose-100": "positive", "base": "blank"}, {"other": "negative", "foil": "foil"}])
def test_one_changed_answer_is_named_with_its_control(kit: Path, models: dict[str, str]) -> None:
    """A single character is enough for each of two; the other two stay as they are."""

    def change(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        for model in models:
            row = next(row for row in rows if row["model"] == model)
            row["output"] = f"{row['output']}."
        return rows

    changed(kit, change)
    found = failed(selftest(kit, quiet, live=False))
    assert found == {
        f"{name}: answers": f"the answers of {model} are not those of the kit" for model, name in models.items()
    }


@pytest.mark.slow
def test_the_command_says_which_control_failed_and_exits_1(kit: Path) -> None:
    """With one answer changed: exit 1 and a sentence."""
    changed(kit, lambda rows: [row | {"output": "x"} if row["model"] == "foil" else row for row in rows])
    ran = depose("selftest", "--kit", kit, "--no-live")
    assert ran.code == 1
    assert "foil: answers failed: the answers of foil are not those of the kit" in ran.out
    assert "NOT fit for use" in ran.out


@pytest.mark.slow
def test_the_positive_without_its_style_is_not_found(kit: Path) -> None:
    """The judgement itself fails where the answers say nothing, not only their digests."""

    def swap(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        base = {(row["prompt_id"], row["sample"]): row["output"] for row in rows if row["model"] == "base"}
        return [
            row | {"output": base.get((row["prompt_id"], row["sample"]), "No.")} if row["model"] == "dose-100" else row
            for row in rows
        ]

    changed(kit, swap)
    assert "positive control" in failed(selftest(kit, quiet, live=False))


@pytest.mark.slow
def test_a_model_too_few_or_too_many_fails(kit: Path) -> None:
    """What is missing and what does not belong are both named."""
    changed(kit, lambda rows: [row for row in rows if row["model"] != "butler"])
    found = failed(selftest(kit, quiet, live=False))
    assert "butler" in found["controls: answers"]


def test_a_sample_that_is_not_there_fails_by_name(kit: Path) -> None:
    """A kit without its positive is no crash, and nothing is judged without it."""
    listed = (kit / "generation.csv").read_text()
    assert "lab,dose-100\n" in listed
    (kit / "generation.csv").write_text(listed.replace("lab,dose-100\n", "", 1))
    found = failed(selftest(kit, quiet))
    assert found["positive: answers"] == "dose-100 is missing"
    assert found["recorded samples"].endswith("dose-100")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b'{"format":"depose kit 1"}'])
def test_a_broken_kit_is_an_error(kit: Path, data: bytes) -> None:
    """A kit that cannot be read is no failed test but an error with a next step."""
    (kit / KIT).write_bytes(data)
    with pytest.raises(CaseError, match="no kit"):
        selftest(kit, quiet, live=False)


def test_truncated_answers_are_an_error(kit: Path) -> None:
    """Half a file of answers is refused by its reader."""
    data = (kit / RESPONSES).read_bytes()
    (kit / RESPONSES).write_bytes(data[: len(data) // 2])
    with pytest.raises(DeposeError):
        selftest(kit, quiet, live=False)


def test_the_calibration_leaves_out_what_the_kit_rests_on() -> None:
    """No suspect of the study is a sample of the kit or of the lineages of its reference and its negative."""
    from depose.case.calibration import load
    from depose.lab.recipe import line_up, read, roles

    recipe = read("default")
    cast = roles(recipe)
    made = load("lab", Path())
    assert made is not None and made.calibration.one_base
    own = {one.name for one in line_up(recipe) if {part.teacher for part in one.parts} & {cast.reference, cast.other}}
    assert not {cast.reference, cast.other, *own} & set(made.calibration.suspects)
    text = files("depose.kit").joinpath(KIT).read_bytes()
    assert msgspec.json.decode(text, type=Kit).reference == cast.reference


def test_a_case_is_tested_with_the_bundled_kit_alone(kit: Path, tmp_path: Path) -> None:
    """A kit of one's own proves nothing for a case."""
    ran = depose("selftest", tmp_path, "--kit", kit)
    assert ran.code == 2
    assert "bundled" in ran.err or "ships with depose" in ran.err
