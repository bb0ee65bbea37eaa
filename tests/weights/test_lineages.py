"""Lineages by weights: kin together, strangers apart, a merge in both, and what is declared held against it."""

from __future__ import annotations

from pathlib import Path

import pytest

import weight_changes as changes
from depose.errors import EndpointError
from depose.weights.lineages import Lineages, lineages, models_in

TABLE = "model.embed_tokens.weight"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two bases, a relative of each, a merge of both, and a stranger that took over a table of embeddings."""
    folder = tmp_path_factory.mktemp("models")
    config, ann = changes.initialised(1, num_hidden_layers=2)
    _, bob = changes.initialised(2, num_hidden_layers=2)
    made = {
        "ann": ann,
        "ann-tuned": changes.noisy(ann, 11),
        "bob": bob,
        "bob-turned": changes.rotated(changes.noisy(bob, 12), 13),
        "both": changes.merged(ann, bob),
        "taker": changes.initialised(3, num_hidden_layers=2)[1] | {TABLE: ann[TABLE]},
    }
    for name, tensors in made.items():
        changes.save(folder / name, config, tensors)
    (folder / "notes").mkdir()
    return folder


@pytest.fixture(scope="module")
def measured(folder: Path) -> Lineages:
    """Their lineages, with four of them declared."""
    return lineages(models_in(folder), {"ann": "ann", "ann-tuned": "own", "bob": "ann", "taker": "own"})


def test_kin_are_together_and_a_merge_is_in_both(measured: Lineages) -> None:
    """Two lineages are found, neither joined by the model that was merged from both."""
    assert [one.models for one in measured.lineages][:2] == [
        ("ann", "ann-tuned", "both"),
        ("bob", "bob-turned", "both"),
    ]
    assert {one.merged for one in measured.lineages[:2]} == {("both",)}


def test_no_two_lineages_have_one_name(measured: Lineages) -> None:
    """Where models of two lineages are declared as one, the other is called after its first model."""
    assert [one.name for one in measured.lineages] == ["ann", "bob", "own"]


def test_a_table_of_embeddings_makes_no_lineage(measured: Lineages) -> None:
    """Who took over embeddings alone is of a lineage of its own, and the pairs are listed as what they are."""
    assert measured.lineages[-1].models == ("taker",)
    alone = {(one.left, one.right) for one in measured.links if one.embeddings_alone}
    assert alone == {("ann", "taker"), ("ann-tuned", "taker"), ("both", "taker")}


def test_conflicts_with_what_is_declared_are_shown(measured: Lineages) -> None:
    """Kin declared as two lineages, and strangers declared as one, are both shown; silence is no conflict."""
    found = {one.models: one.measured for one in measured.conflicts}
    assert found == {
        ("ann", "ann-tuned"): "one lineage",
        ("ann", "bob"): "nothing against independence",
        ("ann-tuned", "taker"): "embeddings alone",
    }


def test_what_cannot_be_compared_is_listed_once_and_is_in_no_lineage(folder: Path, tmp_path: Path) -> None:
    """A broken model leaves the others their lineages; one that fails late or fits no other is in none either."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "model.safetensors").write_bytes(b"nothing")
    config, tensors = changes.initialised(4, num_hidden_layers=2)
    late = {name: one * float("nan") if "up_proj" in name else one for name, one in tensors.items()}
    other = changes.initialised(5, num_hidden_layers=2, hidden_size=64, vocab_size=100)
    more = {"broken": broken, "late": changes.save(tmp_path / "late", config, late),
            "narrow": changes.save(tmp_path / "narrow", *other)}  # fmt: skip
    pair = models_in(folder)[:2]
    found = lineages([*pair, *(type(pair[0])(name=name, path=path) for name, path in more.items())], {})
    assert [one.models for one in found.lineages] == [("ann", "ann-tuned")]
    assert [one.models for one in found.not_compared if "broken" in one.models] == [("broken",)]
    assert "not safetensors" in found.not_compared[0].reason
    assert {one.models for one in found.not_compared[1:]} == {
        ("ann", "late"), ("ann-tuned", "late"), ("ann", "narrow"), ("ann-tuned", "narrow"), ("late", "narrow")
    }  # fmt: skip
    assert next(one.reason for one in found.not_compared if "late" in one.models).startswith(f"{more['late']}: tensor")
    assert found.alpha == pytest.approx(1e-6 / 6), "a pair that cannot be read is no test"


def test_fewer_than_two_models_are_an_error(tmp_path: Path) -> None:
    """An empty folder, and one that is none, say what is needed."""
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(EndpointError) as raised:
            models_in(path)
        assert raised.value.hint
