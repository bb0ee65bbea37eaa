"""Lineages by weights: kin together, strangers apart, a merge in both, and what is declared held against it."""

from __future__ import annotations

from pathlib import Path

import pytest

import weight_changes as changes
from depose.errors import EndpointError
from depose.weights.lineages import Lineages, lineages, models_in


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two bases, a relative of each, and a merge of both."""
    folder = tmp_path_factory.mktemp("models")
    config, ann = changes.initialised(1, num_hidden_layers=2)
    _, bob = changes.initialised(2, num_hidden_layers=2)
    made = {
        "ann": ann,
        "ann-tuned": changes.noisy(ann, 11),
        "bob": bob,
        "bob-turned": changes.rotated(changes.noisy(bob, 12), 13),
        "both": changes.merged(ann, bob),
    }
    for name, tensors in made.items():
        changes.save(folder / name, config, tensors)
    (folder / "notes").mkdir()
    return folder


@pytest.fixture(scope="module")
def measured(folder: Path) -> Lineages:
    """Their lineages, with three of them declared."""
    return lineages(models_in(folder), {"ann": "ann", "ann-tuned": "own", "bob": "ann"})


def test_kin_are_together_and_a_merge_is_in_both(measured: Lineages) -> None:
    """Two lineages are found, neither joined by the model that was merged from both."""
    assert [one.models for one in measured.lineages] == [("ann", "ann-tuned", "both"), ("bob", "bob-turned", "both")]
    assert {one.merged for one in measured.lineages} == {("both",)}
    assert measured.lineages[0].name == "ann"


def test_conflicts_with_what_is_declared_are_shown(measured: Lineages) -> None:
    """Kin declared as two lineages, and strangers declared as one, are both shown; silence is no conflict."""
    found = {one.models: one.measured for one in measured.conflicts}
    assert found == {
        ("ann", "ann-tuned"): "one lineage",
        ("ann", "bob"): "nothing against independence",
    }


def test_what_cannot_be_compared_is_listed(folder: Path, tmp_path: Path) -> None:
    """A broken model leaves the others their lineages, and is listed with its reason."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "model.safetensors").write_bytes(b"nothing")
    pair = models_in(folder)[:2]
    found = lineages([*pair, type(pair[0])(name="broken", path=broken)], {})
    assert [one.models for one in found.lineages] == [("ann", "ann-tuned"), ("broken",)]
    assert len(found.not_compared) == 2
    assert "not safetensors" in found.not_compared[0].reason


def test_fewer_than_two_models_are_an_error(tmp_path: Path) -> None:
    """An empty folder, and one that is none, say what is needed."""
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(EndpointError) as raised:
            models_in(path)
        assert raised.value.hint
