"""`depose init` as somebody types it: slips are asked again, own tables are read, local addresses are taken."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from depose.case import casefile
from depose.case.origins import origins
from depose.errors import DeposeError
from fakes import depose
from working_days import given, journeys

OPTIONS = ("--suspect", "quill", "--reference", "harbour", "--yes")


def test_a_slip_of_the_hand_costs_one_line(tmp_path: Path) -> None:
    """A wrong folder, an unknown model, the suspect again and a table that is not there are asked again."""
    made = journeys()
    given(tmp_path / "answers", "quill", "harbour", "meadow")
    files, model, table = "Files of answers", "A number or name", "Table of who made"
    typed = (
        (files, "answer"),
        (files, "answers"),
        (model, "qill"),
        (model, "quill"),
        (model, "quill"),
        (model, "1"),
        (table, "lineage.csv"),
        (table, ""),
        ("Title", ""),
        ("On what right", "mine"),
    )
    seen = made.run(made.Step(command="depose init acme", typed=typed), tmp_path)
    said = " ".join(seen.text.split())
    assert seen.code == 0, seen.text
    for part in (
        "error: answer: no such",
        "did you mean 'quill'",
        "quill is the suspect already",
        "lineage.csv: no such",
    ):
        assert part in said
    assert "suspect: S1 quill" in said and "reference: R1 harbour" in said


def test_a_folder_that_holds_something_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    """Nobody answers five questions to be told that the folder is taken."""
    given(tmp_path / "taken", "quill")
    ran = depose("init", tmp_path / "taken")
    assert (ran.code, "exists and is not an empty folder" in ran.err) == (2, True)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_table_of_ones_own_says_where_models_come_from(suffix: str, tmp_path: Path) -> None:
    """The columns of models.csv, or their other names, do: nobody needs the benchmark's table to begin."""
    rows = [
        ["model", "maker", "base", "data", "teachers", "date"],
        ["quill", "Quill Ltd", "quill-1", "own", "", "2025-01"],
        ["meadow", "Meadow", "meadow-1", "meadow chats", "Quill Ltd;Harbour", "2025-02"],
    ]
    table = tmp_path / f"makers{suffix}"
    if suffix == ".csv":
        table.write_text("\n".join(";".join(f'"{cell}"' for cell in row) for row in rows))
    else:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(table)
    answers = given(tmp_path / "answers", "quill", "harbour", "meadow")
    ran = depose("init", tmp_path / "acme", "--answers", answers, "--lineage", table, *OPTIONS)
    assert ran.code == 0, ran.err
    meadow = casefile.read(tmp_path / "acme").models[2]
    assert (meadow.developer, meadow.weight_lineage, meadow.data_lineage) == ("Meadow", "meadow-1", "meadow chats")
    assert (meadow.trained_on, meadow.released) == (("Quill Ltd", "Harbour"), "2025-02")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("none.csv", None, "no such file"),
        ("made.txt", "model,developer\nquill,Q\n", "is no table"),
        ("made.csv", "modell,developer\nquill,Q\n", "'modell' is no field of a model; did you mean 'model'?"),
        ("made.csv", "developer,base\nQ,q\n", "no column 'model'"),
        ("made.csv", "", "no rows"),
        ("made.csv", "model,developer\nquill,Q,more\n", "another number of fields"),
    ],
)
def test_what_is_no_table_of_makers_says_which_columns_it_would_have(
    name: str, text: str | None, said: str, tmp_path: Path
) -> None:
    """What, where, and the columns that do; never a word of another command's options."""
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DeposeError) as caught:
        origins(tmp_path / name)
    assert said in caught.value.message and name in caught.value.message
    assert "model, developer, base" in caught.value.hint


def test_a_model_on_this_machine_can_be_begun_with(tmp_path: Path) -> None:
    """The address was typed by the user: `allow_private` is written down and said; plain http to others is refused."""
    local = [f"--ask={role}=m@http://localhost:11434/v1" for role in ("suspect", "control")]
    remote = "--ask=reference=r@https://api.example.com/v1"
    ran = depose("init", tmp_path / "acme", *local, remote, "--yes", "--key-env", "A_KEY")
    assert ran.code == 0, ran.err
    assert "(allow_private): S1, C1" in ran.out
    assert [one.allow_private for one in casefile.read(tmp_path / "acme").models] == [True, False, True]
    plain = "--ask=reference=r@http://api.example.com/v1"
    ran = depose("init", tmp_path / "other", *local, plain, "--yes", "--key-env", "A_KEY")
    assert (ran.code != 0, "models.csv: row" in ran.err, ".tmp" in ran.err) == (True, True, False)


def test_one_model_is_not_both(tmp_path: Path) -> None:
    """Suspect and reference by one name: said so, and not that no suspect was named."""
    answers = given(tmp_path / "answers", "quill", "harbour")
    ran = depose("init", tmp_path / "acme", "--answers", answers, "--suspect", "quill", "--reference", "quill", "--yes")
    assert (ran.code, "quill is the suspect already" in ran.err) == (2, True)


def test_models_that_hold_what_was_typed_are_listed_first(tmp_path: Path) -> None:
    """Of fifty models, those meant by `river` are shown, and not the first twelve."""
    answers = given(tmp_path / "answers", *(f"meadow {n}" for n in range(13)), "river one", "river two")
    ran = depose(
        "init", tmp_path / "acme", "--answers", answers, "--suspect", "river", "--reference", "meadow 1", "--yes"
    )
    assert "hint: models: river one, river two\n" in ran.err


def test_the_study_is_one_that_the_suspect_took_no_part_in(tmp_path: Path) -> None:
    """A suspect that the usual study was made of gets the other one, said and with its reason; others the usual one."""
    answers = given(tmp_path / "answers", "phi-2-sft", "quill", "harbour")
    for suspect, study in (("phi-2-sft", "shaberi_w"), ("quill", "alpaca_eval")):
        options = ("--suspect", suspect, "--reference", "harbour", "--yes")
        ran = depose("init", tmp_path / suspect, "--answers", answers, *options)
        assert ran.code == 0, ran.err
        assert casefile.read(tmp_path / suspect).protocol.calibration == study
        named = study == "shaberi_w"
        assert ("study of the ratios: shaberi_w" in ran.out) is named
        assert ("took no part in it" in (tmp_path / suspect / "case.toml").read_text()) is named
