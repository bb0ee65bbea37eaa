"""What local weights say of themselves: what depose has them say passes, and nothing that a signer adds does."""

from __future__ import annotations

from pathlib import Path

import pytest

from attacks_on_askers import facts_of_local
from attacks_on_models import told
from depose.endpoints import local
from depose.endpoints.weights import PACKAGED, Weights
from depose.features import packaged
from depose.model import Fact, ModelSpec

SPEC = ModelSpec(code="S1", role="suspect", provider="transformers", model="weights")
TUNED = ModelSpec(code="S1", role="suspect", provider="transformers", model="weights", adapter="lora")


@pytest.mark.parametrize(
    "device",
    [
        *("mps", "NVIDIA H200", "NVIDIA GeForce RTX 4090 Laptop GPU", "Tesla T4", "Orin"),
        *("AMD Instinct MI250X / MI250", "NVIDIA A100-SXM4-80GB MIG 1g.10gb", "Intel(R) Arc(TM) A770 Graphics"),
        "NVIDIA GeForce RTX 2070 with Max-Q Design",
    ],
)
def test_devices_have_the_names_that_their_makers_give_them(device: str) -> None:
    """Names as drivers give them pass."""
    assert told(SPEC, Fact(name="device", value=device)) is None


def test_what_depose_has_a_folder_say_passes() -> None:
    """Weights in shards, files of a tokenizer with a space in a name, and an adapter where the case names one."""
    more = (
        Fact(name="weights model-00002-of-00002.safetensors", value="c" * 64),
        Fact(name="file tokenizer (1).json", value="d" * 64),
        Fact(name="adapter adapter_config.json", value="e" * 64),
        Fact(name="peft", value="0.19.0"),
    )
    assert told(TUNED, *more) is None


def test_what_a_packaged_model_says_is_what_is_pinned() -> None:
    """Its licence and origin stand here; the same words under the name of another model do not."""
    spec = ModelSpec(code="S1", role="suspect", provider="transformers", model=next(iter(PACKAGED)))
    facts = packaged.facts(PACKAGED[spec.model])
    assert told(spec, *facts) is None
    assert told(SPEC, *facts) is not None
    assert told(spec, *facts, Fact(name="licence", value="none")) is not None


@pytest.mark.parametrize("spec", [SPEC, TUNED], ids=["alone", "with an adapter"])
def test_the_words_are_those_of_the_endpoint(spec: ModelSpec, tmp_path: Path) -> None:
    """A local endpoint says these things and no others."""
    tuned = {"adapter_config.json": "c" * 64, "adapter_model.safetensors": "d" * 64} if spec.adapter else {}
    files = {"config.json": "a" * 64, "model.safetensors": "b" * 64}
    made = Weights(folder=str(tmp_path), files=files, adapter=spec.adapter, adapter_files=tuned)
    endpoint = local.Local(spec, made, "cpu", "float32")
    endpoint.load = lambda: local._Loaded(None, _Silent(), (), 0, None, b"")  # type: ignore[method-assign]
    assert told(spec, *endpoint.facts()) is None
    assert {fact.name for fact in facts_of_local()} <= {fact.name for fact in endpoint.facts()}


class _Silent:
    chat_template = None
