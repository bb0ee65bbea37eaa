"""Mixtures of experts that were made from one model's MLPs, and what is done to them."""

from __future__ import annotations

import torch

from weight_changes import Tensors, noisy


def upcycled(tensors: Tensors, seed: int, experts: int = 4) -> Tensors:
    """Make every MLP into a mixture of its copies, which some training has moved."""
    made = {name: value for name, value in tensors.items() if ".mlp." not in name}
    dense = {name: value for name, value in tensors.items() if ".mlp." in name}
    for expert in range(experts):
        moved = noisy(dense, seed + expert)
        made |= {name.replace(".mlp.", f".mlp.experts.{expert}."): value for name, value in moved.items()}
    return made


def drawn_experts(tensors: Tensors, seed: int) -> Tensors:
    """Leave each expert of a mixture half of its units, drawn for it and in an order of its own."""
    draw = torch.Generator().manual_seed(seed)
    made = dict(tensors)
    for name, value in tensors.items():
        if ".experts." in name and name.endswith("gate_proj.weight"):
            order = torch.randperm(len(value), generator=draw)[: len(value) // 2]
            up, down = (name.replace("gate_proj", f"{part}_proj") for part in ("up", "down"))
            made |= {name: value[order], up: tensors[up][order], down: tensors[down][:, order]}
    return made


def split(tensors: Tensors, experts: int = 4) -> Tensors:
    """Make every MLP into a mixture of its parts: each expert has some of its units and no other has them."""
    made = {name: value for name, value in tensors.items() if ".mlp." not in name}
    for name in (name for name in tensors if ".mlp." in name):
        parts = tensors[name].chunk(experts, dim=1 if "down_proj" in name else 0)
        made |= {name.replace(".mlp.", f".mlp.experts.{place}."): one.clone() for place, one in enumerate(parts)}
    return made
