"""The wrong file, as a new user meets it: refused or withdrawn, the right one imported, and all of it in the report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from depose.evidence import ledger
from fakes import Ran, depose, recorded_case


def waiting(folder: Path) -> dict[str, Path]:
    """Register a case whose suspect and reference wait for files, and write these files beside it."""
    recorded_case(folder, suspect="somebody else", controls=3, prompts=6)
    rows = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
    files = {}
    for code in ("S1", "R1"):
        files[code] = folder.parent / f"{code}.csv"
        mine = [row for row in rows if row["model"] == code]
        lines = ["prompt_id,output", *(f"{row['prompt_id']},{row['output']}" for row in mine)]
        files[code].write_text("\n".join(lines) + "\n")
    case = folder / "case.toml"
    text = case.read_text().replace('file = "answers.jsonl"\n', "", 2)
    case.write_text(text.replace('model = "S1"\n', "").replace('model = "R1"\n', ""))
    assert depose("register", folder).code == 0
    return files


def importing(folder: Path, code: str, file: Path, *options: str) -> Ran:
    """Import a file."""
    return depose("import", folder, "--model", code, file, *options)


def test_a_wrong_file_is_refused_or_withdrawn_and_the_report_says_so(tmp_path: Path) -> None:
    """From the mistake to the report: nothing is lost, nothing is silent, and the right answers count."""
    folder = tmp_path / "acme"
    files = waiting(folder)
    assert depose("probe", folder).code == 0
    assert importing(folder, "S1", files["S1"]).code == 0
    before = ledger.entries(folder).records
    refused = importing(folder, "R1", files["S1"])
    assert refused.code == 1
    assert "this file, whose answers stand under S1 already; nothing was recorded under R1" in refused.err
    copied = tmp_path / "a copy under another name.csv"
    copied.write_text(files["S1"].read_text().replace("\n", "\r\n"))
    assert "6 of 6 answers, which stand under S1 already" in importing(folder, "R1", copied).err
    assert ledger.entries(folder).records == before

    assert importing(folder, "R1", files["S1"], "--same-on-purpose").code == 0
    assert "identical answers" in analyzed(folder)["failed"]
    other = importing(folder, "R1", files["R1"])
    assert other.code == 1
    assert "6 of 6 answers differ from those on record for R1" in other.err
    assert f"depose withdraw {folder} --model R1 --reason TEXT" in other.err

    assert depose("withdraw", folder, "--model", "R1", "--reason", " ").code == 2
    taken = depose("withdraw", folder, "--model", "R1", "--reason", "it was the file of S1")
    assert (taken.code, taken.out.startswith("R1: 6 answers withdrawn, sha256 ")) == (0, True)
    assert depose("withdraw", folder, "--model", "R1", "--reason", "again").code == 1
    assert importing(folder, "R1", files["R1"]).out.startswith("R1: 6 recorded, 0 missing")
    assert "identical answers" not in analyzed(folder)["failed"]

    assert depose("report", folder, "--format", "html").code == 0
    page = re.sub(r"<[^>]+>", "", (folder / "out" / "report.html").read_text())
    assert "6 answers of R1 withdrawn, from S1.csv (sha256" in page
    assert "it was the file of S1; after scores were computed" in page
    assert "Answers were taken back 1 time" in page
    facts = {(fact.name, fact.value) for fact in ledger.entries(folder).endpoints["R1"]}
    assert ("file", "R1.csv") in facts
    assert ("file", "S1.csv") not in facts


def analyzed(folder: Path) -> dict[str, list[str]]:
    """Analyze a case, and name the checks that failed."""
    assert depose("analyze", folder).code == 0
    quality = json.loads((folder / "out" / "findings.json").read_text())["quality"]
    assert any(one["name"] == "identical answers" for one in quality)
    return {"failed": [one["name"] for one in quality if not one["passed"]]}


def test_a_file_that_the_case_names_is_changed_there_and_not_withdrawn(tmp_path: Path) -> None:
    """What would be read again at the next run is not taken back by a record."""
    folder = recorded_case(tmp_path / "case", suspect="same", controls=1, prompts=3)
    assert depose("register", folder).code == 0
    ran = depose("withdraw", folder, "--model", "R1", "--reason", "wrong")
    assert (ran.code, "is named in the case, and would be read again" in ran.err) == (1, True)
    ran = depose("withdraw", folder, "--model", "X1", "--reason", "wrong")
    assert (ran.code, "X1: no such model in the case" in ran.err) == (2, True)


@pytest.mark.parametrize("named", [False, True])
def test_two_snapshots_under_one_code_are_refused_or_both_are_named(tmp_path: Path, named: bool) -> None:
    """The second file of another model name needs that name; then findings and report name both files."""
    folder = tmp_path / "case"
    waiting(folder)
    for number, (month, places) in enumerate((("01", (0, 1, 2)), ("06", (3, 4, 5)))):
        lines = [json.dumps({"id": f"q{n}", "output": f"words {n}", "model": f"acme-2026-{month}"}) for n in places]
        file = tmp_path / f"{number}.jsonl"
        file.write_text("\n".join(lines))
        options = ("--name", f"acme-2026-{month}") if named else ()
        ran = importing(folder, "S1", file, *options)
        assert ran.code == (0 if named or not number else 1), ran.err
    assert ("acme-2026-01" in ran.err and "acme-2026-06" in ran.err) is not named
    if named:
        facts = [fact.value for fact in ledger.entries(folder).endpoints["S1"]]
        assert [value for value in facts if len(value) < 30] == ["0.jsonl", "acme-2026-01", "1.jsonl", "acme-2026-06"]


def test_a_file_of_which_the_user_said_how_to_read_it_is_looked_up_again(tmp_path: Path) -> None:
    """Columns and encoding that were named at import are on record, so that `verify` reads the file as it was read."""
    folder = tmp_path / "acme"
    files = waiting(folder)
    rows = [line.split(",", 1) for line in files["S1"].read_text().splitlines()[1:]]
    other = tmp_path / "other.csv"
    other.write_bytes(
        "\n".join(["prompt_id,reply,judged", *(f"{name},é {text},4" for name, text in rows)]).encode("cp1252")
    )
    assert depose("probe", folder).code == 0
    options = ("--column", "text=reply", "--encoding", "cp1252")
    assert importing(folder, "S1", other, *options).code == 0
    assert importing(folder, "R1", files["R1"]).code == 0
    assert depose("analyze", folder).code == 0
    assert depose("keygen", tmp_path / "key.pem").code == 0
    sealed = depose("seal", folder, "--key", tmp_path / "key.pem")
    assert sealed.code == 0, sealed.err
    (bundle,) = (folder / "sealed").iterdir()
    found = depose("verify", bundle)
    assert (found.code, "cannot be read again" in found.out + found.err) == (0, False), found.err
