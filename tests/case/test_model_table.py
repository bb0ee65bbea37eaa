"""Models as a table: the same case as [[models]], errors with line and code, files matched by names."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from depose.case import bundled, casefile, model_table
from depose.errors import CaseError
from fakes import case_of, depose, model, to_toml

HEAD = "code,role,maker,base,Data Lineage,released,trained_on,temperature,notes\n"
ROWS = "S1,suspect,Acme,,,2025-03,,,ours\nR1,reference,Big,b,d,2024,,0.5,\nC1,control,Other,w,x,unknown,Big;Acme,,\n"


def table_case(folder: Path, table: str | bytes = HEAD + ROWS, name: str = "models.csv") -> Path:
    """Write a case whose models stand in a table."""
    folder.mkdir(parents=True, exist_ok=True)
    case: dict[str, Any] = case_of([])
    del case["models"]
    (folder / "case.toml").write_text(f'models = "{name}"\n' + to_toml(case))
    (folder / name).write_bytes(table.encode() if isinstance(table, str) else table)
    return folder


def test_a_table_says_what_blocks_say(tmp_path: Path) -> None:
    """Names of columns, lists, numbers and empty cells come out as the same models written in TOML."""
    found = casefile.read(table_case(tmp_path / "case"))
    models = [
        {"code": "S1", "role": "suspect", "provider": "recorded", "developer": "Acme", "released": "2025-03"},
        model("R1", "reference", developer="Big", weight_lineage="b", data_lineage="d", released="2024")
        | {"temperature": 0.5},
        model("C1", "control", developer="Other", weight_lineage="w", data_lineage="x", released="unknown")
        | {"trained_on": ["Big", "Acme"]},
    ]
    assert found == casefile.parse(to_toml(case_of(models)))


def test_a_workbook_is_a_table_too(tmp_path: Path) -> None:
    """The same rows in Excel, a date among them, give the same case but for that date."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in (HEAD + ROWS).splitlines():
        sheet.append([cell or None for cell in line.split(",")])
    folder = table_case(tmp_path / "case", b"", "models.xlsx")
    book.save(folder / "models.xlsx")
    assert casefile.read(folder) == casefile.read(table_case(tmp_path / "csv"))


WRONG = {
    "role": (
        ROWS.replace("control", "defendant"),
        "not known: 'defendant'; one of ",
        "row 4, column 'role' (model C1)",
    ),
    "number": (ROWS.replace("0.5", "warm"), "'warm' is not a number", "row 3, column 'temperature' (model R1)"),
    "twice": (ROWS.replace("C1", "R1"), "'R1' is already the code", "row 4, column 'code' (model R1)"),
    "range": (ROWS.replace("0.5", "9"), "Expected a number <= 2.0", "row 3, column 'temperature' (model R1)"),
    "empty": (ROWS.replace("control", ""), "is empty, or no column", "row 4, column 'role' (model C1)"),
    "ragged": (ROWS + "C2,control\n", "another number of fields", ""),
    "date": (ROWS.replace("2024", "spring"), "not a date", "row 3, column 'released' (model R1)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_in_a_table_is_said_with_its_line_and_code(tmp_path: Path, name: str) -> None:
    """Each mistake names the table, the line and the code of the model."""
    rows, says, where = WRONG[name]
    with pytest.raises(CaseError) as error:
        casefile.read(table_case(tmp_path / "case", HEAD + rows))
    assert says in error.value.message
    assert where in error.value.message
    assert error.value.message.startswith(f"{tmp_path / 'case' / 'models.csv'}: ")
    assert "columns: code, role" in error.value.hint or " = " not in error.value.hint


def test_an_unknown_column_has_a_suggestion(tmp_path: Path) -> None:
    """`develloper` is pointed to developer, and the value of no cell is repeated."""
    with pytest.raises(CaseError, match="column 'develloper' is no field of a model; did you mean 'developer'"):
        casefile.read(table_case(tmp_path / "case", (HEAD + ROWS).replace("maker", "develloper")))


@pytest.mark.parametrize("name", ["../models.csv", "/etc/passwd", "models.txt", "none.csv", "case.toml"])
def test_a_table_stands_below_its_case(tmp_path: Path, name: str) -> None:
    """A name that leads elsewhere, to no table or to nothing is refused before anything is read."""
    folder = table_case(tmp_path / "case")
    text = (folder / "case.toml").read_text().replace("models.csv", name)
    (folder / "case.toml").write_text(text)
    with pytest.raises(CaseError, match=r"\$\.models: "):
        casefile.read(folder)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"code\n", b'code,"role\n', b"code,code\nS1,S1\n", b"PK\x03\x04"])
def test_hostile_tables_are_errors(tmp_path: Path, data: bytes) -> None:
    """Empty, binary, cut and double-headed tables end in an error of depose, as a workbook too."""
    for name in ("models.csv", "models.xlsx"):
        with pytest.raises(CaseError):
            casefile.read(table_case(tmp_path / name, data, name))


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    """XML with entities of its own is not read."""
    folder = table_case(tmp_path / "case", b"", "models.xlsx")
    with zipfile.ZipFile(folder / "models.xlsx", "w") as file:
        file.writestr("xl/workbook.xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")
    with pytest.raises(CaseError, match="entities"):
        casefile.read(folder)


def test_lines_are_counted_over_cells_with_line_ends(tmp_path: Path) -> None:
    """A note of two lines moves the line of the next row."""
    folder = table_case(tmp_path / "case", (HEAD + ROWS).replace("ours", '"ours\nonly"'))
    assert [one.line for one in model_table.read(folder / "models.csv")] == [2, 4, 5]


def test_a_copied_case_has_its_table(tmp_path: Path) -> None:
    """`new --from` takes the table along, by folder and by file."""
    folder = table_case(tmp_path / "case")
    for source in (folder, folder / "case.toml"):
        goal = tmp_path / f"copy of {source.name}"
        bundled.copy(str(source), goal)
        assert casefile.read(goal) == casefile.read(folder)


def _answers(folder: Path, *names: str) -> list[Path]:
    folder.mkdir()
    for name in names:
        lines = [f"{n},Say {n} please,{name} says {n} in words of its own" for n in range(4)]
        (folder / name).write_text("\n".join(["id,prompt,reply", *lines]) + "\n")
    return [folder / name for name in names]


def test_files_are_matched_to_codes_by_table_code_and_name(tmp_path: Path) -> None:
    """One command imports all: by the column `answers`, by the code, and by the name of the model."""
    table = "code,role,name,maker,released,answers\nS1,suspect,,A,2025,sus 1.csv\nR1,reference,,B,2025,\n"
    folder = table_case(tmp_path / "case", table + "C1,control,Quill 7B,C,2025,\n")
    files = _answers(tmp_path / "given", "sus 1.csv", "r1.csv", "quill-7b.csv")
    text = (folder / "case.toml").read_text().replace('probes = ["open_howto:4"]', 'prompts = "prompts.csv"')
    (folder / "case.toml").write_text(text)
    (folder / "prompts.csv").write_text("id,prompt\n" + "".join(f"{n},Say {n} please\n" for n in range(4)))
    assert depose("register", folder).code == 0
    ran = depose("import", folder, *files)
    assert ran.code == 0, ran.err
    assert [line.split(":")[0] for line in ran.out.splitlines() if "recorded" in line] == ["S1", "R1", "C1"]


def test_a_file_of_nobody_stops_before_anything_is_recorded(tmp_path: Path) -> None:
    """An unknown name, with the nearest known one, and two files of one model are refused whole."""
    folder = table_case(
        tmp_path / "case", "code,role,name,released\nS1,suspect,quill,2025\nR1,reference,harbour,2025\n"
    )
    assert depose("register", folder).code == 0
    before = (folder / "evidence" / "log.jsonl").read_bytes()
    files = _answers(tmp_path / "given", "quill.csv", "harbor.csv", "s1.csv")
    ran = depose("import", folder, files[0], files[1])
    assert (ran.code, "did you mean 'harbour'?" in ran.err) == (2, True)
    ran = depose("import", folder, files[0], files[2])
    assert (ran.code, "S1: two files fit it" in ran.err) == (2, True)
    assert (folder / "evidence" / "log.jsonl").read_bytes() == before
