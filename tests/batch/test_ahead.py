"""A dry run of a batch says which cells can never speak, what would open them, and ends as the run would."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path

from fakes import depose


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


def test_cells_without_controls_are_told_before_anything_is_scored(tmp_path: Path) -> None:
    """Too few lineages, and two models of one base: exit 5 with both reasons; allowed, it is 0; nothing is written."""
    file = batch(tmp_path / "few", '["a*", "b*"]')
    ran = depose("batch", file, "--dry-run")
    said = " ".join(ran.out.split())
    assert ran.code == 5
    assert "independent control lineages; 19 are needed" in said
    assert "would open them: 1" in said
    assert "none of maker of dose-100" in said
    assert "the two share a base" in said
    assert "nobody is asked: all answers stand in files" in said
    assert ran.err.splitlines()[-1] == "exit 5: 6 of 6 cells that were asked for cannot speak; meant so: --allow-blind"
    assert sorted(one.name for one in file.parent.iterdir()) == ["vendors.toml"]
    ran = depose("batch", batch(tmp_path / "many", '["*"]'), "--dry-run", "--allow-blind", "--json")
    whole = json.loads(ran.out)
    assert ran.code == 0
    assert [(one["reason"], one["cells"]) for one in whole["blind"]] == [("the two share a base", 2)]


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
    (years, base) = json.loads(ran.out)["blind"]
    assert years["reason"].startswith("era: 0 of the controls are of the years of the two;")
    assert (years["cells"], years["questions"]) == (2, ["same", "distilled"])
    assert "no more than 6 months before the earlier and after the later of the two" in years["opens"]
    assert base["reason"] == "the two share a base"
    assert depose("batch", file, "--dry-run").code == 5
