"""A batch of vendors some of whose weights are open: the matrix says which cells weights answer."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import weight_changes as changes
from batch_runs import go
from batches import write


def test_cells_that_weights_answer_are_marked_everywhere(tmp_path: Path) -> None:
    """A relative and a stranger of an open reference are named in matrix, table and page; other cells keep silent."""
    config, base = changes.initialised(1, num_hidden_layers=2)
    held = {
        "R1": changes.save(tmp_path / "R1", config, base),
        "S1": changes.save(tmp_path / "S1", config, changes.noisy(base, 9)),
        "S2": changes.save(tmp_path / "S2", config, changes.initialised(2, num_hidden_layers=2)[1]),
    }
    file = write(tmp_path / "vendors")
    lines = [f"{code} = {json.dumps(str(path))}" for code, path in held.items()]
    file.write_text("\n".join([file.read_text(), "[weights.files]", *lines, ""]))
    out = tmp_path / "out"
    found = go(file, out).matrix
    assert {(one.suspect, one.reference): one.reading for one in found.weights} == {
        ("S1", "R1"): "not independent",
        ("S2", "R1"): "nothing against independence",
    }
    cells = list(csv.DictReader(io.StringIO((out / "matrix.csv").read_text(encoding="utf-8-sig"))))
    said = {(one["suspect"], one["reference"]): one["weights"] for one in cells}
    assert (said["S1", "R1"], said["S2", "R1"], said["S3", "R1"]) == (
        "not independent",
        "nothing against independence",
        "",
    )
    html = (out / "matrix.html").read_text()
    assert "S1, R1: not independent, p &lt; 1e-100" in html
    assert html.count(" W+") == 1 + html.count("derived</i>: W+")
    assert "answered by weights: nothing against independence" in html
