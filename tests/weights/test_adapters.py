"""What an adapter holds is merged as it is read, or refused: never left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import weight_changes as changes
from depose.errors import DeposeError
from depose.weights.stores import open_weights

CONFIG, TENSORS = changes.initialised(0, num_hidden_layers=2)
LAYER = "base_model.model.model.layers.0.mlp"

SAID: dict[str, dict[str, Any]] = {
    "the kind LOHA": {"peft_type": "LOHA"},
    "use_dora": {"use_dora": True},
    "use_qalora": {"use_qalora": True},
    "target_parameters": {"target_parameters": ["mlp.experts.gate_up_proj"]},
    "layer_replication": {"layer_replication": [[0, 2], [1, 2]]},
    "init_lora_weights = 'pissa_niter_4'": {"init_lora_weights": "pissa_niter_4"},
    "init_lora_weights = 'loftq'": {"init_lora_weights": "loftq"},
    "init_lora_weights = 'olora'": {"init_lora_weights": "olora"},
}
HELD = {
    f"{LAYER}.gate_proj.lora_magnitude_vector": torch.ones(256),
    "base_model.model.model.embed_tokens.lora_embedding_A": torch.ones(4, 640),
    "base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta": torch.ones(2, 96),
}


def adapted(folder: Path, said: dict[str, Any], held: changes.Tensors) -> None:
    """Open a model with an adapter that says and holds more than two matrices."""
    adapter = changes.save_adapter(folder / "adapter", changes.lora(TENSORS, 1)[0] | held)
    config = adapter / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | said))
    with open_weights(changes.save(folder / "model", CONFIG, TENSORS), adapter):
        pass


@pytest.mark.parametrize("what", SAID)
def test_adapters_that_add_otherwise_are_refused(what: str, tmp_path: Path) -> None:
    """What is more than a product of two matrices on the base as it is is named, with what to do."""
    with pytest.raises(DeposeError, match=f"this one has {what}") as raised:
        adapted(tmp_path, SAID[what], {})
    assert "merge_and_unload" in raised.value.hint


@pytest.mark.parametrize("name", HELD)
def test_tensors_that_would_be_left_out_are_refused(name: str, tmp_path: Path) -> None:
    """A tensor that is neither of the two matrices nor saved whole is named."""
    with pytest.raises(DeposeError, match=f"this one has the tensor '{name}'"):
        adapted(tmp_path, {}, {name: HELD[name]})


def test_what_peft_says_of_a_plain_adapter_is_read(tmp_path: Path) -> None:
    """Settings that peft always writes, and biases, which no test looks at, are no reason to refuse."""
    said = {"use_dora": False, "init_lora_weights": True, "target_parameters": None, "lora_bias": True}
    adapted(tmp_path / "plain", said, {f"{LAYER}.gate_proj.lora_B.bias": torch.ones(256)})
    adapted(tmp_path / "eva", {"init_lora_weights": "eva"}, {})
