"""A study of one's own: from plain tables to a population that `validate` reads, and from its file to a case."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from depose.case import holdings, population
from depose.errors import CaseError
from depose.validate.own_answers import HINT, LaidOut, lay_out
from fakes import depose

MODELS = {
    "acme-1": ("Acme", "llama", "acme", ""),
    "acme-1-host": ("Acme", "llama", "acme", ""),
    "birch": ("Birch", "qwen", "birch", "Acme"),
    "cedar": ("Cedar", "llama", "cedar", ""),
    "dune": ("Dune", "gemma", "dune", ""),
    "elm": ("Elm", "olmo", "elm", "OpenAI"),
    "fir": ("", "", "", ""),
}


def write(path: Path, rows: list[tuple[Any, ...]]) -> Path:
    """Write a table."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Seven files of answers, one of them of a model of which nothing is stated, and two tables."""
    (tmp_path / "answers").mkdir()
    for name in MODELS:
        rows = [(f"Tell me about {word}.", f"{name} says {word} in its way.") for word in ("rain", "salt", "tin")]
        write(tmp_path / "answers" / f"{name}.csv", [("question", "answer"), *rows, (*rows[0][:1], f"{name} again")])
    head = ("model", "developer", "base", "data_lineage", "teachers")
    write(tmp_path / "models.csv", [head, *((name, *cells) for name, cells in MODELS.items())])
    write(
        tmp_path / "pairs.csv",
        [
            ("suspect", "reference", "relation"),
            ("acme-1-host", "acme-1", "same"),
            ("birch", "acme-1", "distilled_from"),
        ],
    )
    return tmp_path


def laid(folder: Path) -> LaidOut:
    """Lay out the population of a folder."""
    held = holdings.look([folder / "answers"])
    return lay_out(held, folder / "models.csv", folder / "pairs.csv", folder / "population")


def test_plain_tables_become_a_population(tables: Path) -> None:
    """True pairs are those listed; unrelated ones share no maker, lineage or teaching with the reference of one."""
    done = laid(tables)
    assert (done.models, done.prompts, done.unstated) == (6, 3, ("fir",))
    assert done.true == {"same_model": 1, "fine_tune_of": 0, "distilled_from": 1}
    read = population.read(tables / "population", "own")
    found = {(one.suspect, one.relation, one.label, one.documented) for one in read.pairs}
    assert found == {
        ("acme-1-host", "same_model", 1, True),
        ("birch", "distilled_from", 1, True),
        ("dune", "unrelated", 0, True),  # cedar has the weights of the reference
        ("elm", "unrelated", 0, True),
    }
    taught = {one.name: one.trained_on for one in read.members}
    assert (taught["birch"], taught["elm"], taught["dune"]) == (("Acme",), ("OpenAI",), ())
    assert len(read.rows) == 4  # one prompt was answered twice
    assert set(read.kinds) == {"listed"}


def test_on_one_base_weights_tell_nobody_apart(tables: Path) -> None:
    """Where all models carry one base, those of other makers and data are unrelated."""
    rows = [(name, maker, "base", data, taught) for name, (maker, base, data, taught) in MODELS.items() if base]
    write(tables / "models.csv", [("model", "developer", "base", "data_lineage", "teachers"), *rows])
    assert laid(tables).unrelated == 3


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((), "pairs.csv: lists no true pair"),
        (("elm", "acme-1", "unrelated"), "pairs.csv: lists no true pair"),
        (("birch", "acme-1", ""), "row 1 has no relation"),
        (("birch", "acme-1", "distiled"), "row 1: relation 'distiled'; did you mean 'distilled'?"),
        (("fir", "acme-1", "same"), "row 1: suspect 'fir': its maker or lineages are not stated"),
        (("birch", "acme", "same"), "row 1: reference 'acme': no file of answers is its; did you mean 'acme-1'?"),
        (("x" * 500_000, "acme-1", "same"), f"row 1: suspect '{'x' * 60}': no file"),
    ],
)
def test_a_row_that_is_not_understood_is_named(tables: Path, row: tuple[str, ...], said: str) -> None:
    """What is wrong, in which row, and what may have been meant."""
    write(tables / "pairs.csv", [("suspect", "reference", "relation"), row])
    with pytest.raises(CaseError) as caught:
        laid(tables)
    assert said in caught.value.message
    assert len(caught.value.message) < 400
    assert caught.value.hint == HINT
    assert not (tables / "population").exists()


def test_a_study_without_its_tables_says_what_it_needs(tables: Path) -> None:
    """Answers alone are no study, and nothing at all is none either."""
    ran = depose("validate", tables / "answers", "--out", tables / "out")
    assert (ran.code, "needs --lineage and --pairs" in ran.err) == (2, True)
    assert depose("validate", "--out", tables / "out").code == 2
    (tables / "none").mkdir()
    ran = depose(
        "validate",
        tables / "none",
        "--lineage",
        tables / "models.csv",
        "--pairs",
        tables / "pairs.csv",
        "--out",
        tables / "out",
    )
    assert (ran.code, "no file of answers is understood" in ran.err) == (2, True)


def test_a_case_begins_with_a_study(tables: Path, tmp_path: Path) -> None:
    """The study is copied with its error rates and named; what is no study stops the draft."""
    from depose.case import calibration, casefile

    for name, data in (
        ("calibration.json", calibration.raw("lab", Path())),
        ("performance.json", calibration.beside("lab", Path())),
    ):
        (tables / name).write_bytes(data or b"")
    options = (
        "--answers",
        tables / "answers",
        "--suspect",
        "birch",
        "--reference",
        "acme-1",
        "--yes",
        "--authority",
        "ours",
    )
    made = depose("init", tables / "case", *options, "--study", tables / "calibration.json")
    assert made.code == 0, made.err
    case = casefile.read(tables / "case")
    found = calibration.load(case.protocol.calibration, tables / "case")
    assert found is not None
    assert (case.protocol.calibration, found.calibration.source) == ("study/calibration.json", "lab")
    assert found.performance is not None
    assert depose("init", tables / "other", *options, "--study", tables / "models.csv").code == 1
    assert not (tables / "other").exists()
