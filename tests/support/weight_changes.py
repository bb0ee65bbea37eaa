"""Small models of random weights, and what people do to weights: changes that keep what a model computes, and others.

Everything works on plain tensors by name, as a Llama has them, so that a changed model is as real a folder as any.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

Tensors = dict[str, torch.Tensor]

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 96,
    "intermediate_size": 256,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 640,
}


def initialised(seed: int, **other: int) -> tuple[dict[str, object], Tensors]:
    """Draw a Llama as transformers initialises it, with norms that are not all alike, as after some training."""
    config = {**CONFIG, **other}
    draw = torch.Generator().manual_seed(seed)
    width, inner = int(config["hidden_size"]), int(config["intermediate_size"])  # type: ignore[call-overload]
    heads, kept = int(config["num_attention_heads"]), int(config["num_key_value_heads"])  # type: ignore[call-overload]
    size = width // heads

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=draw) * 0.02

    def around_one() -> torch.Tensor:
        return 1 + 0.1 * torch.randn(width, generator=draw)

    tensors = {
        "model.embed_tokens.weight": normal(int(config["vocab_size"]), width),  # type: ignore[call-overload]
        "model.norm.weight": around_one(),
    }
    for layer in range(int(config["num_hidden_layers"])):  # type: ignore[call-overload]
        at = f"model.layers.{layer}"
        tensors |= {
            f"{at}.self_attn.q_proj.weight": normal(heads * size, width),
            f"{at}.self_attn.k_proj.weight": normal(kept * size, width),
            f"{at}.self_attn.v_proj.weight": normal(kept * size, width),
            f"{at}.self_attn.o_proj.weight": normal(width, heads * size),
            f"{at}.mlp.gate_proj.weight": normal(inner, width),
            f"{at}.mlp.up_proj.weight": normal(inner, width),
            f"{at}.mlp.down_proj.weight": normal(width, inner),
            f"{at}.input_layernorm.weight": around_one(),
            f"{at}.post_attention_layernorm.weight": around_one(),
        }
    return config, tensors


def save(folder: Path, config: Mapping[str, object], tensors: Tensors, shards: int = 1) -> Path:
    """Write a model as transformers does, in one file or in shards."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    names = sorted(tensors)
    if shards == 1:
        save_file({name: tensors[name].contiguous() for name in names}, folder / "model.safetensors")
        return folder
    weight_map: dict[str, str] = {}
    for shard in range(shards):
        file = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        mine = names[shard::shards]
        save_file({name: tensors[name].contiguous() for name in mine}, folder / file)
        weight_map |= dict.fromkeys(mine, file)
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    return folder


def load(folder: Path) -> tuple[dict[str, object], Tensors]:
    """Read a model that `save` or transformers wrote in one file, as float32."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    read = load_file(folder / "model.safetensors")
    return config, {name: value.float() for name, value in read.items()}


def with_tokens(folder: Path, tokens: Mapping[str, int]) -> Path:
    """Put a tokenizer file beside a model that names these tokens."""
    said = {"version": "1.0", "model": {"type": "BPE", "vocab": dict(tokens), "merges": []}}
    (folder / "tokenizer.json").write_text(json.dumps(said), encoding="utf-8")
    return folder


# --- what is done to weights ------------------------------------------------------------------------


def layers(tensors: Tensors) -> int:
    """Count the layers."""
    return 1 + max(int(name.split(".")[2]) for name in tensors if name.startswith("model.layers."))


def each_mlp(
    tensors: Tensors, change: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], tuple[torch.Tensor, ...]]
) -> Tensors:
    """Change the three matrices of every MLP."""
    made = dict(tensors)
    for layer in range(layers(tensors)):
        names = [f"model.layers.{layer}.mlp.{part}_proj.weight" for part in ("gate", "up", "down")]
        for name, value in zip(names, change(*(tensors[name] for name in names)), strict=True):
            made[name] = value
    return made


def noisy(tensors: Tensors, seed: int, share: float = 0.3) -> Tensors:
    """Move every weight as training does, by noise of a share of its matrix's standard deviation."""
    draw = torch.Generator().manual_seed(seed)
    return {
        name: value + share * value.std() * torch.randn(value.shape, generator=draw)
        if value.ndim == 2
        else value + 0.01 * torch.randn(value.shape, generator=draw)
        for name, value in tensors.items()
    }


def permuted_units(tensors: Tensors, seed: int) -> Tensors:
    """Put the hidden units of every MLP into another order; the model computes the same."""
    draw = torch.Generator().manual_seed(seed)

    def change(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> tuple[torch.Tensor, ...]:
        order = torch.randperm(len(gate), generator=draw)
        return gate[order], up[order], down[:, order]

    return each_mlp(tensors, change)


def flipped_signs(tensors: Tensors, seed: int) -> Tensors:
    """Flip the signs of half of the units; the model computes the same."""
    draw = torch.Generator().manual_seed(seed)

    def change(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> tuple[torch.Tensor, ...]:
        sign = 1 - 2 * torch.randint(0, 2, (len(gate),), generator=draw).float()
        return gate, up * sign[:, None], down * sign[None]

    return each_mlp(tensors, change)


def permuted_values(tensors: Tensors, seed: int, heads: int = 4, kept: int = 2) -> Tensors:
    """Put the value dimensions of every head into another order with other signs; the model computes the same."""
    draw = torch.Generator().manual_seed(seed)

    def change(value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        size = len(value) // kept
        sign = 1 - 2 * torch.randint(0, 2, (kept, size), generator=draw).float()
        return torch.stack([torch.randperm(size, generator=draw) for _ in range(kept)]), sign

    return each_head(tensors, change, heads, kept)


def each_head(
    tensors: Tensors, change: Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]], heads: int = 4, kept: int = 2
) -> Tensors:
    """Reorder the value dimensions of every head and multiply them by signs: [heads, size] each."""
    made = dict(tensors)
    for layer in range(layers(tensors)):
        read, write = (f"model.layers.{layer}.self_attn.{part}_proj.weight" for part in "vo")
        value = tensors[read]
        width, size = value.shape[1], len(value) // kept
        order, sign = change(value)
        rows = value.reshape(kept, size, width)
        columns = tensors[write].reshape(width, kept, heads // kept, size)
        wanted = order[None, :, None, :].expand_as(columns)
        made[read] = (rows.gather(1, order[:, :, None].expand_as(rows)) * sign[:, :, None]).reshape(value.shape)
        made[write] = (columns.gather(3, wanted) * sign[None, :, None, :]).reshape(tensors[write].shape)
    return made


def alike(tensors: Tensors, seed: int) -> Tensors:
    """Draw a model that has learnt the same, independently: numbers and signs are its own, and so is half of each row.

    Of two of these nothing is left that tells of a common initialisation, though nearly every unit has its match.
    """
    own = permuted_values(flipped_signs(permuted_units(tensors, seed), seed + 1), seed + 2)
    return noisy(permuted_space(own, seed + 3), seed + 4, 0.5)


def rescaled_units(tensors: Tensors, seed: int) -> Tensors:
    """Scale what units multiply with up, and what they write down, each by a factor of its own."""
    draw = torch.Generator().manual_seed(seed)

    def change(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> tuple[torch.Tensor, ...]:
        by = torch.exp(torch.randn(len(gate), generator=draw))
        return gate, up * by[:, None], down / by[None]

    return each_mlp(tensors, change)


def rotated(tensors: Tensors, seed: int) -> Tensors:
    """Rotate the model's own space, with the norms moved into the matrices; the model computes the same."""
    width = tensors["model.embed_tokens.weight"].shape[1]
    draw = torch.Generator().manual_seed(seed)
    return turned(tensors, torch.linalg.qr(torch.randn(width, width, generator=draw))[0])


def turned(tensors: Tensors, turn: torch.Tensor) -> Tensors:
    """Multiply the model's own space by a rotation."""
    made = {}
    for name, value in tensors.items():
        before = name.rpartition(".")[0].rpartition(".")[0].rpartition(".")[0]
        if value.ndim == 1:
            made[name] = torch.ones_like(value)
        elif "embed_tokens" in name:
            made[name] = value @ turn
        elif name.endswith(("o_proj.weight", "down_proj.weight")):
            made[name] = turn.T @ value
        else:
            norm = "input" if "self_attn" in name else "post_attention"
            made[name] = value * tensors[f"{before}.{norm}_layernorm.weight"] @ turn
    return made


def permuted_space(tensors: Tensors, seed: int) -> Tensors:
    """Put the model's own dimensions into another order; the model computes the same."""
    width = tensors["model.embed_tokens.weight"].shape[1]
    return reordered_space(tensors, torch.randperm(width, generator=torch.Generator().manual_seed(seed)))


def reordered_space(tensors: Tensors, order: torch.Tensor) -> Tensors:
    """Number the model's own dimensions anew."""
    return {
        name: value[order]
        if value.ndim == 1 or name.endswith(("o_proj.weight", "down_proj.weight"))
        else value[:, order]
        for name, value in tensors.items()
    }


def fewer_heads(config: Mapping[str, object], tensors: Tensors) -> tuple[dict[str, object], Tensors]:
    """Let every two heads of values share their mean, as models are made to answer faster."""
    kept = int(config["num_key_value_heads"]) // 2  # type: ignore[call-overload]
    made = dict(tensors)
    for name in tensors:
        if name.endswith(("self_attn.k_proj.weight", "self_attn.v_proj.weight")):
            value = tensors[name]
            made[name] = value.reshape(kept, 2, -1, value.shape[1]).mean(dim=1).reshape(-1, value.shape[1])
    return {**config, "num_key_value_heads": kept}, made


def longer(config: Mapping[str, object], tensors: Tensors, more: int = 64) -> tuple[dict[str, object], Tensors]:
    """Add tokens at the end of the table of embeddings."""
    table = tensors["model.embed_tokens.weight"]
    new = torch.cat([table, table.mean(dim=0).expand(more, -1)])
    return {**config, "vocab_size": len(new)}, {**tensors, "model.embed_tokens.weight": new}


def merged(tensors: Tensors, stranger: Tensors, share: float = 0.5) -> Tensors:
    """Take the mean with another model, weight by weight."""
    return {name: (1 - share) * value + share * stranger[name] for name, value in tensors.items()}


def pruned_weights(tensors: Tensors, share: float = 0.3) -> Tensors:
    """Set the smallest weights of every matrix to zero."""
    made = {}
    for name, value in tensors.items():
        if value.ndim == 2 and "embed" not in name:
            limit = value.abs().flatten().kthvalue(int(share * value.numel()))[0]
            value = value * (value.abs() > limit)
        made[name] = value
    return made


def pruned_units(
    config: Mapping[str, object], tensors: Tensors, share: float = 0.3
) -> tuple[dict[str, object], Tensors]:
    """Leave out the hidden units with the smallest gates."""
    kept = int(next(iter(tensors[name] for name in tensors if "gate_proj" in name)).shape[0] * (1 - share))

    def change(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> tuple[torch.Tensor, ...]:
        chosen = gate.norm(dim=1).topk(kept)[1].sort()[0]
        return gate[chosen], up[chosen], down[:, chosen]

    return {**config, "intermediate_size": kept}, each_mlp(tensors, change)


def narrowed(config: Mapping[str, object], tensors: Tensors, share: float = 0.25) -> tuple[dict[str, object], Tensors]:
    """Leave out dimensions of the model's own space."""
    width = tensors["model.embed_tokens.weight"].shape[1]
    size = tensors["model.embed_tokens.weight"].std(dim=0)
    chosen = size.topk(int(width * (1 - share)))[1].sort()[0]
    made = {
        name: value[chosen]
        if value.ndim == 1 or name.endswith(("o_proj.weight", "down_proj.weight"))
        else value[:, chosen]
        for name, value in tensors.items()
    }
    return {**config, "hidden_size": len(chosen)}, made


def kept_layers(config: Mapping[str, object], tensors: Tensors, keep: list[int]) -> tuple[dict[str, object], Tensors]:
    """Keep some layers, in this order; a layer may come twice."""
    made = {name: value for name, value in tensors.items() if not name.startswith("model.layers.")}
    for place, layer in enumerate(keep):
        start = f"model.layers.{layer}."
        made |= {
            f"model.layers.{place}.{name.removeprefix(start)}": value.clone()
            for name, value in tensors.items()
            if name.startswith(start)
        }
    return {**config, "num_hidden_layers": len(keep)}, made


def int8(tensors: Tensors) -> Tensors:
    """Quantise every matrix to 8 bits with one scale for each row, as bitsandbytes stores it."""
    made = {}
    for name, value in tensors.items():
        if value.ndim == 2 and "embed" not in name:
            most = value.abs().amax(dim=1)
            made[name] = torch.round(value / most[:, None] * 127).to(torch.int8)
            made[f"{name.removesuffix('.weight')}.SCB"] = most
        else:
            made[name] = value
    return made


def lora(tensors: Tensors, seed: int, rank: int = 4, size: float = 0.02) -> tuple[Tensors, Tensors]:
    """Draw an adapter for the MLPs and values: its tensors, and the model with it merged (alpha is twice the rank)."""
    draw = torch.Generator().manual_seed(seed)
    adapter: Tensors = {}
    made = dict(tensors)
    for name, value in tensors.items():
        if name.endswith(("v_proj.weight", "up_proj.weight", "gate_proj.weight", "down_proj.weight")):
            down = torch.randn(rank, value.shape[1], generator=draw) * size
            up = torch.randn(value.shape[0], rank, generator=draw) * size
            module = f"base_model.model.{name.removesuffix('.weight')}"
            adapter |= {f"{module}.lora_A.weight": down, f"{module}.lora_B.weight": up}
            made[name] = value + 2 * up @ down
    return adapter, made


def save_adapter(folder: Path, adapter: Tensors, rank: int = 4) -> Path:
    """Write an adapter as peft does."""
    folder.mkdir(parents=True)
    said = {"peft_type": "LORA", "r": rank, "lora_alpha": 2 * rank, "base_model_name_or_path": ""}
    (folder / "adapter_config.json").write_text(json.dumps(said), encoding="utf-8")
    save_file(adapter, folder / "adapter_model.safetensors")
    return folder


def save_gguf(path: Path, config: Mapping[str, object], tensors: Tensors, kind: str = "Q8_0", part_of: int = 0) -> Path:
    """Write a Llama as llama.cpp names it, its matrices quantised; in parts of so many tensors, where it is not 0."""
    from gguf import GGMLQuantizationType, GGUFWriter
    from gguf.quants import quantize

    writer = GGUFWriter(str(path), "llama", split_max_tensors=part_of)
    writer.add_head_count(int(config["num_attention_heads"]))  # type: ignore[call-overload]
    writer.add_head_count_kv(int(config["num_key_value_heads"]))  # type: ignore[call-overload]
    writer.add_embedding_length(int(config["hidden_size"]))  # type: ignore[call-overload]
    names = {
        "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    }  # fmt: skip
    quantised = GGMLQuantizationType[kind]
    for name, value in tensors.items():
        if name.startswith("model.layers."):
            _, _, layer, *inside = name.split(".")
            called = f"blk.{layer}.{names['.'.join(inside[:-1])]}.weight"
        else:
            called = {"model.embed_tokens.weight": "token_embd.weight"}.get(name, "output_norm.weight")
        array: NDArray[np.float32] = value.numpy().astype(np.float32)
        if array.ndim == 2 and array.shape[1] % 32 == 0:  # a row is whole blocks, as in llama.cpp
            writer.add_tensor(called, quantize(array, quantised), raw_dtype=quantised)
        else:
            writer.add_tensor(called, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
