"""A dry run of a batch says which cells can never speak, what would open them, and ends as the run would."""

from __future__ import annotations

import json
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
