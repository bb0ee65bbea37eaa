"""Traps in weights and adapters that a loader would fill in by chance, or work out without end."""

from __future__ import annotations

from typing import Any

from safetensors.torch import load_file

import weight_changes as changes
from attacks_on_models import adapter
from depose.endpoints.local import open_transformers
from depose.model import ModelSpec
from strange_models import stranger
from traps import Place, Traps

ON_LOADERS = Traps("a model that its loader makes up, or works out without end")


def _adapter(name: str, says: str, **config: Any) -> None:
    ON_LOADERS.add(f"an adapter with {name}", says)(adapter(config))


_begins = "begins by .*merge the adapter into the model"
_adapter("a beginning of a billion rounds", _begins, init_lora_weights="pissa_niter_1000000000")
_adapter("a beginning by the values of the model", _begins, init_lora_weights="olora")
_adapter("a beginning that is none", _begins, init_lora_weights=["eva"])
_adapter(
    "two hundred thousand parts",
    "target_modules has 200000 entries, and the model 3 parts",
    target_modules=[f"m{n}" for n in range(200_000)],
)
_adapter("a million layers", "layers_to_transform has 200000 entries", layers_to_transform=list(range(200_000)))
_adapter(
    "blocks by patterns of their own", "use_bdlora is not taken up", use_bdlora={"target_modules_bd_a": ["(a+)+$"]}
)
_adapter("a billion samples", "monteclora_config is not taken up", monteclora_config={"num_samples": 10**9})
_adapter("settings of ten million letters", "larger than 4194304 bytes", revision="x" * 10**7)


def _lacking(name: str, lacks: str) -> None:
    def spring(place: Place) -> object:
        folder = stranger(place.folder / "model", lacks=lacks)
        return open_transformers(
            ModelSpec(code="S1", role="suspect", provider="transformers", model=str(folder)), folder
        )

    ON_LOADERS.add(f"weights without {name}, which would be made up", "the weights lack ", slow=True)(spring)


_lacking("a head", "lm_head")
_lacking("the values of attention", "v_proj")
_lacking("a norm", "post_attention")


@ON_LOADERS.add("an adapter without half of its matrices, which would be made up", "missing adapter keys", slow=True)
def _(place: Place) -> object:
    folder = stranger(place.folder / "model")
    whole = changes.lora(load_file(folder / "model.safetensors"), 1)[0]
    adapter = changes.save_adapter(place.folder / "adapter", {n: one for n, one in whole.items() if "lora_B" not in n})
    spec = ModelSpec(code="S1", role="suspect", provider="transformers", model=str(folder), adapter=str(adapter))
    return open_transformers(spec, place.folder)
