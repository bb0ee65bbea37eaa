"""The validation study, end to end, on a small made population of known truth."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from depose.case import population
from depose.case.calibration import parse
from depose.errors import CaseError, UsageError
from depose.validate.run import NEEDED, validate
from populations import WORDS

FAMILIES = 6
CONTROLS = 20
PROMPTS = 16


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    """Write one table of the benchmark."""
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six teachers with a student each, and twenty models that have nothing to do with them."""
    folder = tmp_path_factory.mktemp("benchmark")
    rng = np.random.default_rng(3)
    teachers = [f"teacher{i}" for i in range(FAMILIES)]
    students = [f"student{i}" for i in range(FAMILIES)]
    others = [f"control{i}" for i in range(CONTROLS)]
    stock = {name: rng.permutation(WORDS)[:8].tolist() for name in (*teachers, *others)}
    stock |= {student: stock[teacher] for student, teacher in zip(students, teachers, strict=True)}
    everyone = [*teachers, *students, *others]
    columns: dict[str, list[Any]] = {n: [] for n in ("model", "prompt_id", "sample", "category", "prompt", "output")}
    for p in range(PROMPTS):
        for name in everyone:
            text = " ".join(" ".join(rng.choice(stock[name], 6)).capitalize() + "." for _ in range(6))
            for column, value in zip(columns, (name, p, 0, "made", f"Prompt {WORDS[p]}", text), strict=True):
                columns[column].append(value)
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "responses-made.parquet")
    plain = {"teachers": "", "teacher_models": "", "openai_teacher": "unknown", "role": "dev"}
    lineage = [{"model": n, "developer": f"of {n}", "family": f"f-{n}", "base": f"base-{n}", **plain} for n in everyone]
    for row in lineage:
        if row["model"].startswith("student"):
            row["teachers"] = row["model"].replace("student", "teacher")
    write(folder, "lineage.csv", lineage)
    write(folder, "generation.csv", [{"source": "made", "model": name} for name in everyone])
    pairs = []
    for i, student in enumerate(students):
        for j, teacher in enumerate(teachers):
            pairs.append(
                {
                    "source": "made",
                    "suspect": student,
                    "reference": teacher,
                    "relation": "distilled_from" if i == j else "unrelated",
                    "label": int(i == j),
                    "hard": "",
                    "matched": 1,
                    "confidence": "documented",
                    "suspect_family": f"f-{student}",
                    "reference_family": f"f-{teacher}",
                }
            )
    write(folder, "pairs.csv", pairs)
    task = {"source": "made", "task": "teacher", "suspect": "student2", "same_developer": ""}
    write(folder, "ranking.csv", [{**task, "candidates": ";".join(teachers), "true": "teacher2"}])
    return folder


def quiet(line: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def found(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Run the study once."""
    out = tmp_path_factory.mktemp("out")
    validate(data, "made", out, progress=quiet)
    return out, json.loads((out / "validation.json").read_text())


def test_the_keys_are_the_published_ones(found: tuple[Path, dict[str, Any]]) -> None:
    """`validation.json` has the keys that its readers rely on, at every level."""
    result = found[1]
    assert set(result) == {
        "source", "seconds", "questions", "type_one_error", "cross", "ranking", "detectors", "calibration", "judged_by",
    }  # fmt: skip
    assert set(result["questions"]["distilled"]) == {
        "relation", "detector", "n_pos", "n_pos_families", "auc_within_reference", "auc_within_reference_macro",
        "auc_within_reference_length_matched", "auc_within_suspect", "auc_pooled", "rule", "cllr", "cllr_min",
        "cllr_capped", "misleading_h1", "misleading_h2",
    }  # fmt: skip
    assert set(result["questions"]["distilled"]["auc_within_reference"]["documented"]) == {
        "value", "lo", "hi", "n_neg", "n_neg_families",
    }  # fmt: skip
    assert set(result["questions"]["distilled"]["rule"]) == {"h1", "h2"}


def test_planted_students_are_found(found: tuple[Path, dict[str, Any]]) -> None:
    """Students that write in their teacher's words are separated, ranked and called; the others are not."""
    q = found[1]["questions"]["distilled"]
    assert q["n_pos"] == q["n_pos_families"] == FAMILIES
    assert q["auc_within_reference"]["documented"]["value"] > 0.95
    assert q["rule"]["h1"]["indication"]["larger"]["k"] >= 4
    assert q["rule"]["h2"]["indication"]["larger"]["n"] == FAMILIES * (FAMILIES - 1)
    assert q["rule"]["h2"]["indication"]["larger"]["k"] <= 3
    assert q["cllr"] < 1
    assert q["cllr_min"] <= q["cllr"]
    assert found[1]["ranking"]["teacher"] == {"n": 1, "top1": 1, "same_developer": 1}


def test_what_rests_on_too_few_families_is_null_with_a_reason(found: tuple[Path, dict[str, Any]]) -> None:
    """No figure is given for a question without five families; the reason stands beside it, and no line is fitted."""
    q = found[1]["questions"]["same"]
    assert q["auc_within_reference"]["documented"]["value"] is None
    assert "0 positive families" in q["auc_within_reference"]["documented"]["reason"]
    assert q["cllr"] is None
    assert "5 are needed" in q["reason"]
    calibration = found[1]["calibration"]
    assert {c["question"] for c in calibration["calibrators"]} == {"distilled"}
    assert "same / unrelated" in {fact["name"] for fact in calibration["missing"]}


@pytest.mark.slow
def test_the_calibration_reads_back_and_is_repeatable(
    found: tuple[Path, dict[str, Any]], data: Path, tmp_path: Path
) -> None:
    """The calibration file is what `analyze` reads, and a second run writes the same bytes."""
    out = found[0]
    loaded = parse((out / "calibration.json").read_bytes(), "made")
    assert json.loads(msgspec.json.encode(loaded.calibration)) == found[1]["calibration"]
    validate(data, "made", tmp_path, progress=quiet)
    assert (tmp_path / "calibration.json").read_bytes() == (out / "calibration.json").read_bytes()
    for image in out.glob("*.svg"):
        assert (tmp_path / image.name).read_bytes() == image.read_bytes(), image.name


@pytest.mark.slow
def test_a_calibration_of_elsewhere_can_be_applied(
    found: tuple[Path, dict[str, Any]], data: Path, tmp_path: Path
) -> None:
    """With --calibration the costs are those of the given lines, here fitted on the same pairs: not above held-out."""
    validate(data, "made", tmp_path, applied=found[0] / "calibration.json", progress=quiet)
    applied = json.loads((tmp_path / "validation.json").read_text())["questions"]["distilled"]
    assert applied["cllr"] <= found[1]["questions"]["distilled"]["cllr"] + 1e-9


def test_students_are_no_controls_of_their_teacher(data: Path) -> None:
    """A model taught by the reference's developer is not clean for that reference."""
    members = {one.name: one for one in population.members(data, "made")}
    assert members["student1"].trained_on == ("of teacher1",)
    assert members["control0"].trained_on == ()


@pytest.mark.parametrize(
    ("broken", "source", "message"),
    [
        ("lineage.csv", "made", "lineage.csv"),
        ("pairs.csv", "made", "pairs.csv"),
        ("", "nothing", "no models of source"),
    ],
)
def test_a_broken_benchmark_is_named(data: Path, tmp_path: Path, broken: str, source: str, message: str) -> None:
    """A missing table or an unknown source is one error that says what is there."""
    for file in data.iterdir():
        if file.name != broken:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(CaseError, match=message):
        validate(tmp_path, source, tmp_path / "out", progress=quiet)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("table", "old", "new", "message"),
    [
        ("lineage.csv", "model", "name", r"lineage\.csv: row 1 has no model"),
        ("lineage.csv", "unknown,dev", "unknown", r"lineage\.csv: row 1 has no role"),
        ("generation.csv", "source", "from", r"generation\.csv: row 1 has no source"),
        ("pairs.csv", "label", "truth", r"pairs\.csv: row 1 has no label"),
        ("pairs.csv", "distilled_from,1", "distilled_from,yes", r"pairs\.csv: row 1: label 'yes' is not 0, 1"),
    ],
)
def test_a_table_of_other_columns_is_named(
    data: Path, tmp_path: Path, table: str, old: str, new: str, message: str
) -> None:
    """A table without a column that is read, a row that is too short and a label that is none are named by row."""
    for file in data.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / table).write_text((data / table).read_text().replace(old, new, 1))
    with pytest.raises(CaseError, match=message):
        population.read(tmp_path, "made")


def test_the_deciding_detectors_cannot_be_left_out(data: Path, tmp_path: Path) -> None:
    """A study without the confound or a primary detector is refused by name."""
    with pytest.raises(UsageError, match="wording, length cannot be left out"):
        validate(data, "made", tmp_path, detectors=("phrases",), progress=quiet)


@pytest.mark.slow
def test_ratios_must_hold_on_another_population(data: Path, tmp_path: Path) -> None:
    """They pass on a population of their own kind; where the fit misleads they are withheld, with the figure."""
    out = tmp_path / "first"
    validate(data, "made", out, detectors=NEEDED, progress=lambda line: None)
    own = json.loads((out / "calibration.json").read_bytes())
    assert [(one["population"], one["left_out"], one["passed"]) for one in own["gates"]] == [("made", "lineages", True)]
    found = json.loads((out / "screening.json").read_bytes())
    for name, sign in (("alike", 1), ("contrary", -1)):
        turned = [{**one, "t": {d: [sign * t for t in ts] for d, ts in one["t"].items()}} for one in found["pairs"]]
        (tmp_path / f"{name}.json").write_text(json.dumps({**found, "source": name, "pairs": turned}))
        validate(
            data,
            "made",
            tmp_path / name,
            detectors=NEEDED,
            others=[tmp_path / f"{name}.json"],
            progress=lambda line: None,
        )
        made = json.loads((tmp_path / name / "calibration.json").read_bytes())
        assert [one["population"] for one in made["gates"]] == ["made", name]
        kept = {one["question"] for one in made["calibrators"]}
        screened = json.loads((tmp_path / name / "screening.json").read_bytes())["refused"]
        if sign > 0:
            assert "distilled" in kept
            assert not screened
        else:
            assert "distilled" not in kept
            reason = next(one["value"] for one in made["missing"] if one["name"] == "distilled / unrelated")
            assert reason.startswith("not given: on contrary, population left out, it costs (Cllr) ")
            assert [one["name"] for one in screened] == ["distilled"]
