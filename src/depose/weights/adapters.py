"""LoRA adapters, merged into a model's tensors as they are read.

What an adapter holds is merged or refused, never left out: a model that is compared is the one that answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from depose.errors import EndpointError, UsageError

if TYPE_CHECKING:
    from depose.weights.stores import Array, Places, SafetensorsFolder, Store

LARGEST_FACTOR = 1e6
"""Alpha or rank of an adapter at most."""

_OF_GGUF = {
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip
"""What llama.cpp calls the matrices of a Llama, but for queries and keys, whose rows it keeps in another order."""
_LAYER = re.compile(r"^model\.layers\.(?P<layer>\d+)\.(?P<module>.+)\.weight\Z")


def _called(name: str, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Say what a tensor that transformers calls so is called in a model; nothing where a GGUF has it otherwise."""
    if name in shapes or "token_embd.weight" not in shapes:
        return name
    found = _LAYER.match(name)
    if found is None:
        return {"model.embed_tokens.weight": "token_embd.weight", "lm_head.weight": "output.weight"}.get(name, "")
    module = _OF_GGUF.get(found["module"])
    return f"blk.{found['layer']}.{module}.weight" if module else ""


_BASE_CHANGED = ("pissa", "olora", "corda", "loftq", "lora_ga")
"""Beginnings of what `init_lora_weights` says where the base's own weights are changed before the adapter is added."""
_OTHERWISE = ("use_dora", "use_qalora", "use_bdlora", "layer_replication", "target_parameters", "arrow_config",
              "kasa_config", "monteclora_config", "alora_invocation_tokens")  # fmt: skip
"""Settings with which something else is added than the product of two matrices, elsewhere, or not always."""
_OWN = re.compile(r"\.(lora_(?!(A|B)(\.\w+)?\.(weight|bias)\Z)\w+|trainable_tokens_\w+)")
"""Tensors of an adapter that are neither of the two matrices nor saved whole."""


def _not_plain(said: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Say what an adapter has besides products of two matrices that are always added to the base as it is."""
    if (kind := said.get("peft_type", "LORA")) != "LORA":
        return f"the kind {str(kind)[:40]}"
    for name in _OTHERWISE:
        if said.get(name):
            return name
    first = said.get("init_lora_weights")
    if isinstance(first, str) and first.lower().startswith(_BASE_CHANGED):
        return f"init_lora_weights = {first[:40]!r}, which changes the base too"
    own = next((name for name in sorted(shapes) if _OWN.search(name)), "")
    return f"the tensor {own[:80]!r}" if own else ""


_LORA = re.compile(r"^base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])(?:\.\w+)?\.weight\Z")


class Adapted:
    """A model with a LoRA adapter that is merged as it is read (Hu et al., "LoRA", ICLR 2022)."""

    def __init__(self, base: Store, adapter: SafetensorsFolder, folder: Path) -> None:
        self._base, self._adapter = base, adapter
        self.path = base.path
        self.digests = base.digests | {f"adapter/{name}": one for name, one in adapter.digests.items()}
        self.settings, self.packed = base.settings, base.packed
        said = adapter.said("adapter_config.json")
        if what := _not_plain(said, adapter.shapes):
            raise EndpointError(
                f"{folder}: only plain LoRA adapters are merged as they are read, and this one has {what}",
                hint="merge it into its base with peft (merge_and_unload), save that, and name it as the model",
            )
        self._said = said
        pairs: dict[str, dict[str, str]] = {}
        for name in adapter.shapes:
            found = _LORA.match(name)
            called = _called(f"{found['module']}.weight", base.shapes) if found else ""
            if found and called:
                pairs.setdefault(called, {"module": found["module"]})[found["side"]] = name
        self._pairs = {name: pair for name, pair in pairs.items() if {"A", "B"} <= set(pair)}
        named = {_called(name.removeprefix("base_model.model."), base.shapes): name for name in adapter.shapes}
        self._whole = {called: name for called, name in named.items() if called in base.shapes}
        """Tensors that were trained as they are, and are saved whole (`modules_to_save`): they stand for the base's."""
        self.shapes = base.shapes | {name: adapter.shapes[saved] for name, saved in self._whole.items()}
        missing = sorted(set(self._pairs) - set(self.shapes))
        if missing or not self._pairs:
            what = f"{missing[0]} is not in the model" if missing else "it holds no pair of matrices"
            raise UsageError(
                f"{folder}: the adapter is not for this model: {what}", hint="name the base it was made on"
            )

    def read(self, name: str, rows: Places | None = None) -> Array:
        """Return one tensor with what the adapter adds to it."""
        if name in self._whole:
            return self._adapter.read(self._whole[name], rows)
        if name not in self._pairs:
            return self._base.read(name, rows)
        if rows is not None:
            return self.read(name)[rows]
        found = self._base.read(name)
        down, up = (self._adapter.read(self._pairs[name][side]) for side in "AB")
        shapes = f"{up.shape} by {down.shape}"
        turned = bool(self._said.get("fan_in_fan_out"))
        if down.ndim == up.ndim == 2 and up.shape[1] == len(down) > 0:
            added = up @ down
            if (added.T if turned else added).shape == found.shape:
                added *= np.float32(self._factor(self._pairs[name]["module"], len(down)))
                return found + (added.T if turned else added)
        raise UsageError(
            f"the adapter is not for this model: {name} is {found.shape}, its change {shapes}",
            hint="name the base it was made on",
        )

    def _factor(self, module: str, rank: int) -> float:
        """What the product of two matrices is multiplied with: alpha by rank, or by its root."""
        said = self._said
        alpha = _patterned(said.get("alpha_pattern"), module, said.get("lora_alpha", rank))
        by = _patterned(said.get("rank_pattern"), module, rank)
        for what, value in (("alpha", alpha), ("rank", by)):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < abs(value) <= LARGEST_FACTOR:
                raise EndpointError(
                    f"adapter_config.json: the {what} of {module} is {str(value)[:40]!r}",
                    hint="is it as peft wrote it? Merge the adapter into the model with peft, and name the result",
                )
        return float(alpha / (abs(by) ** 0.5 if said.get("use_rslora") else by))

    def vocabulary(self) -> dict[str, int]:
        """Return the tokens of the model."""
        return self._base.vocabulary()


def _patterned(said: Any, module: str, otherwise: Any) -> Any:
    for end, value in said.items() if isinstance(said, dict) else ():
        if module == end or module.endswith(f".{end}"):
            return value
    return otherwise
