"""Tiny causal models of many architectures as transformers makes and saves them, and some training of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

WIDE = {
    "hidden_size": 64,
    "intermediate_size": 160,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "vocab_size": 256,
}
_GROUPED = {**WIDE, "num_key_value_heads": 2}
_MIXTURE = {**_GROUPED, "moe_intermediate_size": 96, "num_experts_per_tok": 2}
_OLD = {"n_embd": 64, "n_layer": 3, "n_head": 4, "vocab_size": 256, "n_positions": 64}
ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {**_GROUPED, "tie_word_embeddings": True}),
    "mistral": ("mistral", _GROUPED),
    "qwen2": ("qwen2", _GROUPED),
    "qwen3": ("qwen3", {**_GROUPED, "head_dim": 24}),
    "gemma": ("gemma", {**_GROUPED, "head_dim": 32}),
    "gemma2": ("gemma2", {**_GROUPED, "head_dim": 32}),
    "phi": ("phi", WIDE),
    "phi3": ("phi3", {**_GROUPED, "pad_token_id": 0}),
    "gpt2": ("gpt2", _OLD),
    "gpt2, as many units as dimensions": ("gpt2", {**_OLD, "n_inner": 64}),
    "gpt_bigcode, many heads of values": ("gpt_bigcode", {**_OLD, "multi_query": False}),
    "gpt_neox": ("gpt_neox", WIDE),
    "gptj": ("gptj", {**_OLD, "rotary_dim": 8}),
    "falcon": ("falcon", WIDE),
    "bloom": ("bloom", {"hidden_size": 64, "n_layer": 3, "n_head": 4, "vocab_size": 256}),
    "opt": ("opt", {**WIDE, "ffn_dim": 160, "word_embed_proj_dim": 64, "max_position_embeddings": 64}),
    "mpt": ("mpt", {"d_model": 64, "n_layers": 3, "n_heads": 4, "vocab_size": 256}),
    "stablelm": ("stablelm", _GROUPED),
    "starcoder2": ("starcoder2", _GROUPED),
    "olmo2": ("olmo2", {**_GROUPED, "pad_token_id": 0}),
    "cohere": ("cohere", {**_GROUPED, "pad_token_id": 0}),
    "granite": ("granite", _GROUPED),
    "nemotron": ("nemotron", _GROUPED),
    "persimmon": ("persimmon", WIDE),
    "mixtral": ("mixtral", {**_MIXTURE, "num_local_experts": 4}),
    "qwen3_moe": ("qwen3_moe", {**_MIXTURE, "num_experts": 4}),
    "gpt_oss": ("gpt_oss", {**_MIXTURE, "num_local_experts": 4, "head_dim": 16}),
}


def made(name: str, seed: int) -> PreTrainedModel:
    """Draw a model of an architecture as transformers initialises it."""
    kind, sizes = ARCHITECTURES[name]
    torch.manual_seed(seed)
    # Special tokens within the small vocabulary; the defaults of most lie beyond it.
    config = AutoConfig.for_model(kind, **{"bos_token_id": 1, "eos_token_id": 2, **sizes})
    model: PreTrainedModel = AutoModelForCausalLM.from_config(config).float()
    return model


def texts(seed: int, count: int, length: int = 24, tokens: int = 256) -> torch.Tensor:
    """Draw texts of a language with frequent and rare tokens, in which each token has a few that follow it often."""
    draw = torch.Generator().manual_seed(seed)
    rare = 1 / torch.arange(3, tokens + 3).float()
    follow = torch.randint(0, tokens, (tokens, 4), generator=torch.Generator().manual_seed(0))
    found = torch.multinomial(rare, count * length, replacement=True, generator=draw).reshape(count, length)
    for place in range(1, length):
        choice = torch.randint(0, 4, (count,), generator=draw)
        goes_on = torch.rand(count, generator=draw) < 0.8
        found[:, place] = torch.where(goes_on, follow[found[:, place - 1], choice], found[:, place])
    return found


Loss = Callable[[PreTrainedModel, torch.Tensor], torch.Tensor]


def from_texts(model: PreTrainedModel, batch: torch.Tensor) -> torch.Tensor:
    """Learn what comes next."""
    found: torch.Tensor = model(input_ids=batch, labels=batch).loss
    return found


def from_answers(teacher: PreTrainedModel) -> Loss:
    """Learn what a teacher says comes next."""

    def loss(model: PreTrainedModel, batch: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            said = teacher(input_ids=batch).logits.log_softmax(dim=-1)
        mine = model(input_ids=batch).logits.log_softmax(dim=-1)
        return torch.nn.functional.kl_div(mine, said, log_target=True, reduction="batchmean")

    return loss


def from_states(teacher: PreTrainedModel) -> Loss:
    """Learn a teacher's hidden states, dimension by dimension."""

    def loss(model: PreTrainedModel, batch: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            said = teacher(input_ids=batch, output_hidden_states=True).hidden_states
        mine = model(input_ids=batch, output_hidden_states=True).hidden_states
        near = sum((((a - b) ** 2).mean() / (b**2).mean() for a, b in zip(mine, said, strict=True)), torch.zeros(()))
        return from_texts(model, batch) + near

    return loss


def train(
    model: PreTrainedModel,
    data: Sequence[torch.Tensor],
    rate: float = 3e-3,
    decay: float = 0.1,
    loss_of: Loss = from_texts,
    moments_of: PreTrainedModel | None = None,
) -> PreTrainedModel:
    """Train on each batch once, in this order, by AdamW, whose moments may begin as another model's have become."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    if moments_of is not None:
        other = torch.optim.AdamW(moments_of.parameters(), lr=0.0)
        for batch in data[:20]:
            other.zero_grad()
            from_texts(moments_of, batch).backward()
            other.step()
        optimiser.load_state_dict({**optimiser.state_dict(), "state": other.state_dict()["state"]})
    model.train()
    for batch in data:
        optimiser.zero_grad()
        loss = loss_of(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return model.eval()


def saved(model: PreTrainedModel, folder: Path) -> Path:
    """Save a model as transformers does."""
    model.save_pretrained(folder)
    return folder
