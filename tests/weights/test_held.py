"""Weights of a case: each pair is compared, and one that no test can be made of leaves the others answered."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import weight_changes as changes
from depose.custody.weights_again import compared_alike
from depose.custody.weights_follow import _not_following
from depose.errors import DeposeError
from depose.report.figures.layer_map import layer_map
from depose.weights.compare import Named
from depose.weights.held import examined

CONFIG, TENSORS = changes.initialised(0, num_hidden_layers=1)
OTHERS: dict[str, tuple[changes.Tensors, str]] = {
    "another kind": ({"backbone.embeddings.weight": torch.ones(9, 4)}, "no table of token embeddings"),
    "packed": (TENSORS | {"model.layers.0.mlp.up_proj.qweight": torch.zeros(4, 4)}, "packed by GPTQ or AWQ"),
    "too narrow": (changes.initialised(0, num_hidden_layers=1, hidden_size=64, vocab_size=32)[1], "wide and share 0"),
    "not finite": (TENSORS | {"model.embed_tokens.weight": torch.full((640, 96), torch.nan)}, "not finite"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_cannot_be_tested_is_a_finding_that_says_why(kind: str, tmp_path: Path) -> None:
    """It names the files that were read, follows from its statistics, is the same again, and has a reason."""
    tensors, says = OTHERS[kind]
    one = Named(name="S1", path=changes.save(tmp_path / "S1", CONFIG, tensors))
    other = Named(name="R1", path=changes.save(tmp_path / "R1", CONFIG, TENSORS))
    for pair in ((one, other), (other, one)):
        found = examined(*pair)
        assert (found.reading, found.log10_p, found.layers) == ("not testable", 0.0, ())
        assert len(found.cautions) == 1
        assert found.cautions[0].startswith("not compared: ")
        assert says in found.cautions[0]
        assert str(tmp_path) not in found.cautions[0]
        assert {*found.suspect_files} == {*found.reference_files} == {"config.json", "model.safetensors"}
        assert list(_not_following(found)) == []
        compared_alike(found, examined(*pair))
        assert layer_map(found).startswith(b"<")


def test_files_that_are_not_there_are_an_error_still(tmp_path: Path) -> None:
    """A wrong place is the user's to mend, and no finding."""
    there = Named(name="R1", path=changes.save(tmp_path / "R1", CONFIG, TENSORS))
    with pytest.raises(DeposeError, match="no weights there"):
        examined(Named(name="S1", path=tmp_path / "nowhere"), there)
