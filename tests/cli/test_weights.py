"""The commands on weights: what they print, write and exit with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import weight_changes as changes


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base, a relative whose layers are in another order, and a stranger."""
    folder = tmp_path_factory.mktemp("models")
    config, base = changes.initialised(1, num_hidden_layers=3)
    changes.save(folder / "base", config, base)
    changes.save(folder / "kin", *changes.kept_layers(config, changes.noisy(base, 9), [0, 2, 1]))
    changes.save(folder / "stranger", config, changes.initialised(2, num_hidden_layers=3)[1])
    return folder


def depose(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    command = [sys.executable, "-m", "depose", "weights", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_kin_exit_4_on_demand_with_a_map_of_their_layers(models: Path, tmp_path: Path) -> None:
    """The relative is not independent; --fail-on tells by exit 4, and two files are written."""
    done = depose(models / "kin", models / "base", "--fail-on", "indication", "--out", tmp_path / "out")
    assert done.returncode == 4, done.stderr
    assert "not independent, p < 1e-100 (level 1e-06)" in done.stdout
    assert "not who copied whom" in done.stdout
    found = json.loads((tmp_path / "out" / "weights.json").read_text())
    assert [one["closest"] for one in found["layers"] if one["kind"] == "mlp"] == ["0", "2", "1"]
    drawn = (tmp_path / "out" / "weights.svg").read_text()
    assert "0 to 0, 1 to 2, 2 to 1" in drawn


@pytest.mark.slow
def test_strangers_exit_0_and_json_is_all_of_stdout(models: Path) -> None:
    """For strangers of one shape the JSON says that nothing speaks against independence, with digests of all files."""
    done = depose("--json", models / "stranger", models / "base", "--fail-on", "indication")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["reading"] == "nothing against independence"
    assert set(found["suspect_files"]) == {"config.json", "model.safetensors"}


@pytest.mark.slow
def test_a_map_shows_lineages_and_conflicts(models: Path, tmp_path: Path) -> None:
    """The map puts kin together, and says where a case declares otherwise."""
    entries = [("S1", "suspect", "kin", "own"), ("R1", "reference", "base", "base"), ("C1", "control", "stranger", "")]
    text = '[case]\ntitle = "t"\nauthority = "a"\n[protocol]\nprobes = ["open_howto:4"]\n'
    for code, role, name, lineage in entries:
        text += (
            f'[[models]]\ncode = "{code}"\nrole = "{role}"\nprovider = "transformers"\nmodel = "{models / name}"\n'
            f'weight_lineage = "{lineage}"\n'
        )
    (tmp_path / "case.toml").write_text(text)
    done = depose("map", models, "--case", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3 models, 3 pairs compared, 1 linked" in done.stdout
    assert "conflict: base and kin are declared base and own; measured: one lineage" in done.stdout


def test_a_missing_model_is_one_error_with_a_next_step(models: Path) -> None:
    """A name that leads nowhere is named, with what would do instead; no traceback."""
    done = depose(models / "nowhere", models / "base")
    assert done.returncode == 1
    assert "nowhere: no weights there" in done.stderr
    assert "hint: name a folder of safetensors" in done.stderr
    assert "Traceback" not in done.stderr
