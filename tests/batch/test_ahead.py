"""A dry run of a batch says which cells can never speak, what would open them, and ends as the run would."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from batch_runs import go
from batches import labelled, spec, write
from depose.batch import plan
from depose.batch.ahead import ahead
from depose.case.representatives import in_turn
from depose.model import Fact
from depose.scoring.bags import Bags
from fakes import Clock, depose

LINEAGE = ("C0", "C1", "C2")


def batch(folder: Path, controls: str) -> Path:
    """Write a batch over the answers of the laboratory that ship."""
    lines = [
        '[batch]\ntitle = "Vendors"\nauthority = "contracts"',
        '[screening]\nquestions = ["same", "derived", "distilled"]',
        f'[data]\nfolder = "{files("depose.kit")}"\nsource = "lab"',
        f'suspects = ["dose-100", "other"]\nreferences = ["reporter"]\ncontrols = {controls}',
    ]
    folder.mkdir()
    (folder / "vendors.toml").write_text("\n".join(lines) + "\n")
    return folder / "vendors.toml"


@pytest.mark.slow
def test_cells_without_controls_are_told_before_anything_is_scored(tmp_path: Path) -> None:
    """Too few lineages, and a study that is too small: exit 5 with the reason; allowed, it is 0; nothing is written."""
    file = batch(tmp_path / "few", '["a*", "b*"]')
    ran = depose("batch", file, "--dry-run")
    said = " ".join(ran.out.split())
    assert ran.code == 5
    assert "independent control lineages; 19 are needed" in said
    assert "would open them: 1" in said
    assert "none of maker of dose-100" in said
    assert "nobody is asked: all answers stand in files" in said
    assert ran.err.splitlines()[-1] == "exit 5: 6 of 6 cells that were asked for cannot speak; meant so: --allow-blind"
    assert sorted(one.name for one in file.parent.iterdir()) == ["vendors.toml"]
    ran = depose("batch", batch(tmp_path / "many", '["*"]'), "--dry-run", "--allow-blind", "--json")
    whole = json.loads(ran.out)
    assert ran.code == 0
    (first, *_) = whole["blind"]
    assert (first["reason"], first["cells"]) == ("models of one base; validated for models of different bases", 4)


def test_cells_whose_controls_are_of_other_years_are_told_before_anything_is_scored(tmp_path: Path) -> None:
    """A reference of 2020 beside controls of 2026: each cell with controls enough is blind by its years."""
    kit = tmp_path / "kit"
    kit.mkdir()
    for one in Path(str(files("depose.kit"))).iterdir():
        if one.suffix in (".csv", ".parquet"):
            shutil.copy(one, kit / one.name)
    table = (kit / "lineage.csv").read_text()
    old = "".join(
        line.replace("2026-11", "2020-01") if line.startswith(("reporter,", "other,")) else line
        for line in table.splitlines(keepends=True)
    )
    (kit / "lineage.csv").write_text(old)
    file = batch(tmp_path / "old", '["*"]')
    file.write_text(file.read_text().replace(str(files("depose.kit")), str(kit)).replace('"dose-100", ', ""))
    ran = depose("batch", file, "--dry-run", "--json", "--allow-blind")
    (years,) = json.loads(ran.out)["blind"]
    assert years["reason"].startswith("era: 0 of the controls are of the years of the two;")
    assert (years["cells"], years["questions"]) == (3, ["same", "derived", "distilled"])
    assert "no more than 6 months before the earlier and after the later of the two" in years["opens"]
    assert depose("batch", file, "--dry-run").code == 5


def test_what_is_foreseen_is_what_the_matrix_says(tmp_path: Path) -> None:
    """Few lineages for one reference, a question that the study does not carry, an entry against itself: as the run."""
    controls = [spec(f"C{n}", "control", developer=f"developer {'R2' if n < 2 else n}") for n in range(20)]
    listed = [spec("S1", "suspect"), spec("S2", "suspect", data_lineage="data_lineage C5")]
    pair = [spec("R1", "reference"), spec("R2", "reference")]
    file = write(tmp_path / "few", {"S1": "R1", "S2": "S2"}, models=[*listed, *pair, *controls])
    held = file.with_name("screening.json")
    held.write_bytes(msgspec.json.encode(labelled(refused=(Fact(name="same", value="not given: it costs too much"),))))
    foreseen = ahead(plan.read(file), tmp_path / "asked", Clock())
    found = go(file, tmp_path / "out").matrix
    assert foreseen.blind == found.blind
    assert (foreseen.cells, foreseen.silent) == (len(found.cells), sum(one.cells for one in found.blind))
    assert [one.reason for one in foreseen.blind] == [
        "17 to 18 independent control lineages; 19 are needed",
        "not given: it costs too much",
    ]


def test_the_seed_draws_who_stands_for_a_lineage(tmp_path: Path) -> None:
    """Three controls of one lineage: the seed draws one, as in a case, in whatever order they are listed."""
    shared = [spec(code, "control", data_lineage="shared") for code in LINEAGE]
    listed = [*shared, *(spec(f"C{n}", "control") for n in range(3, 22))]
    pair = [spec("S1", "suspect"), spec("R1", "reference")]
    for seed in (7, 8, 9):
        used = []
        for name, controls in (("listed", listed), ("reversed", listed[::-1])):
            file = write(tmp_path / f"{name}-{seed}", {"S1": "R1"}, models=[*pair, *controls], seed=seed)
            found = plan.read(file)
            used.append([one.code for one in Bags(found.population, found.controls).controls("S1", "R1").used])
        first = next(code for code in in_turn([one["code"] for one in listed], f"seed {seed}") if code in LINEAGE)
        assert used[0] == used[1]
        assert [code for code in used[0] if code in LINEAGE] == [first]
