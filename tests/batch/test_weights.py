"""A batch of vendors some of whose weights are open: the matrix says which cells weights answer."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

import weight_changes as changes
from batch_runs import go
from batches import write
from depose.cli.matrices import leave

TABLE = "model.embed_tokens.weight"


def test_cells_that_weights_answer_are_marked_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A relative and a stranger of an open reference are named in matrix, table and page; other cells keep silent."""
    config, base = changes.initialised(1, num_hidden_layers=2)
    held = {
        "R1": changes.save(tmp_path / "R1", config, base),
        "S1": changes.save(tmp_path / "S1", config, changes.noisy(base, 9)),
        "S2": changes.save(tmp_path / "S2", config, changes.initialised(2, num_hidden_layers=2)[1]),
        "S4": changes.save(
            tmp_path / "S4", config, changes.initialised(3, num_hidden_layers=2)[1] | {TABLE: base[TABLE]}
        ),
    }
    named = {
        "backbone.embeddings.weight": torch.ones(640, 96),
        "backbone.layers.0.mixer.in_proj.weight": torch.ones(8, 96),
    }
    held["S5"] = changes.save(tmp_path / "S5", {"model_type": "mamba"}, named)
    file = write(tmp_path / "vendors")
    lines = [f"{code} = {json.dumps(str(path))}" for code, path in held.items()]
    file.write_text("\n".join([file.read_text(), "[weights.files]", *lines, ""]))
    out = tmp_path / "out"
    found = go(file, out).matrix
    assert {(one.suspect, one.reference): one.reading for one in found.weights} == {
        ("S1", "R1"): "not independent",
        ("S2", "R1"): "nothing against independence",
        ("S4", "R1"): "not independent",
        ("S5", "R1"): "not testable",
    }
    assert found.weights[3].cautions == ("not compared: S5: no table of token embeddings among its tensors",)
    assert [one.embeddings_alone for one in found.weights] == [False, False, True, False]
    cells = list(csv.DictReader(io.StringIO((out / "matrix.csv").read_text(encoding="utf-8-sig"))))
    said = {(one["suspect"], one["reference"]): one["weights"] for one in cells if one["question"] == "derived"}
    assert {one["question"] for one in cells if one["weights"]} == {"derived"}
    assert (said["S1", "R1"], said["S2", "R1"], said["S3", "R1"]) == (
        "not independent",
        "nothing against independence",
        "",
    )
    html = (out / "matrix.html").read_text()
    assert "S1, R1: not independent, p &lt; 1e-100" in html
    assert html.count(" W+") == 1 + html.count("derived</i>: W+")
    assert "answered by weights: nothing against independence" in html
    assert html.count(" We<") == 1
    assert "S5, R1: not testable" in html
    assert "no table of token embeddings" in html
    assert "answered by weights: not independent, by embeddings alone" in html
    tests = ElementTree.fromstring((out / "matrix.junit.xml").read_bytes())  # noqa: S314
    failed = {(case.get("classname"), case.get("name")): one.get("message")
              for case in tests.iter("testcase") for one in case.iter("failure")}  # fmt: skip
    assert failed["S1.R1", "derived"] == "weights: not independent"
    assert failed["S4.R1", "derived"] == "weights: not independent; embeddings alone"
    assert ("S4.R1", "distilled") not in failed
    with pytest.raises(SystemExit) as left:
        leave(found, ["indication"], confirmed=True, allow_blind=True)
    assert left.value.code == 4
    assert "the weights of 2 pairs are not independent" in capsys.readouterr().err
