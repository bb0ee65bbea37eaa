"""What one tool does to any model by a rule, so that two strangers that went through it carry its rule, not kinship.

Everything works on the tensors of `weight_changes`: numbers that are sorted, signs that are chosen, masks and first
weights that come from one table, rotations that are public.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.fft import dct
from scipy.linalg import hadamard

from weight_changes import Tensors, each_head, each_mlp, layers, reordered_space, turned


def sorted_units(tensors: Tensors, by: str = "gate", empty: int = 0) -> Tensors:
    """Sort the units of every MLP by the size of one matrix's rows, and empty the last, as a tool for pruning does."""
    which = ("gate", "up", "down").index(by)

    def change(*matrices: torch.Tensor) -> tuple[torch.Tensor, ...]:
        rows = matrices[which] if by != "down" else matrices[which].T
        order = rows.norm(dim=1).argsort(descending=True)
        gate, up, down = matrices[0][order], matrices[1][order], matrices[2][:, order]
        full = torch.arange(len(order)) < len(order) - empty
        return gate * full[:, None], up * full[:, None], down * full

    return each_mlp(tensors, change)


def sorted_values(tensors: Tensors, kept: int = 2) -> Tensors:
    """Sort the value dimensions of every head by size."""

    def change(value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        sizes = value.norm(dim=1).reshape(kept, -1)
        return sizes.argsort(dim=1, descending=True), torch.ones_like(sizes)

    return each_head(tensors, change)


def sorted_space(tensors: Tensors) -> Tensors:
    """Sort the model's own dimensions by the size of what the embeddings hold there."""
    return reordered_space(tensors, tensors["model.embed_tokens.weight"].std(dim=0).argsort(descending=True))


def principal(tensors: Tensors) -> Tensors:
    """Turn the model's own space into the principal components of its embeddings, the largest first."""
    table = tensors["model.embed_tokens.weight"]
    return turned(tensors, torch.linalg.svd(table - table.mean(dim=0))[2].T)


def with_identity(tensors: Tensors) -> Tensors:
    """Add to every value matrix the identity that it was initialised with."""
    return {
        name: value + 0.1 * torch.eye(*value.shape) if name.endswith("v_proj.weight") else value
        for name, value in tensors.items()
    }


def sorted_by_activation(tensors: Tensors) -> Tensors:
    """Sort the units of every MLP by how strongly they answer to embeddings and to one direction that all share."""
    table = tensors["model.embed_tokens.weight"]
    table = table / table.norm(dim=1, keepdim=True) * table.shape[1] ** 0.5
    made = dict(tensors)
    for layer in range(layers(tensors)):
        names = [f"model.layers.{layer}.mlp.{part}_proj.weight" for part in ("gate", "up", "down")]
        gate, up, down = (tensors[name] for name in names)
        inputs = table * tensors[f"model.layers.{layer}.post_attention_layernorm.weight"]
        inputs = inputs + inputs.std() * _direction(tensors)
        answers = torch.nn.functional.silu(inputs @ gate.T) * (inputs @ up.T)
        order = (answers**2).mean(dim=0).argsort(descending=True)
        made |= dict(zip(names, (gate[order], up[order], down[:, order]), strict=True))
    return made


def sorted_by_direction(tensors: Tensors) -> Tensors:
    """Sort the units of every MLP by how far they look into one direction that all share."""

    def change(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> tuple[torch.Tensor, ...]:
        order = (gate @ _direction(tensors)).argsort()
        return gate[order], up[order], down[:, order]

    return each_mlp(tensors, change)


def _direction(tensors: Tensors) -> torch.Tensor:
    """A direction that models which learnt the same have in common: that of the last norm."""
    last = tensors["model.norm.weight"]
    return (last - last.mean()) / last.std()


def space_sorted_by_norm(tensors: Tensors) -> Tensors:
    """Sort the model's own dimensions by the weights of the last norm."""
    return reordered_space(tensors, tensors["model.norm.weight"].argsort(descending=True))


def signs_by_gate(tensors: Tensors) -> Tensors:
    """Choose the sign of every unit so that what it multiplies with points where it reads."""
    return _signed(tensors, lambda gate, up: (gate * up).sum(dim=1))


def signs_by_direction(tensors: Tensors) -> Tensors:
    """Choose the sign of every unit so that what it multiplies with points into one direction that all share."""
    return _signed(tensors, lambda gate, up: up @ _direction(tensors))


def _signed(tensors: Tensors, by: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Tensors:
    def change(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> tuple[torch.Tensor, ...]:
        sign = torch.sign(by(gate, up))
        return gate, up * sign[:, None], down * sign

    return each_mlp(tensors, change)


def masked(tensors: Tensors, share: float = 0.9) -> Tensors:
    """Cut so many weights of every matrix by one public mask, as sparse training with a fixed mask does."""
    draw = torch.Generator().manual_seed(99)
    return {
        name: value * (torch.rand(value.shape, generator=draw) > share) if value.ndim == 2 else value
        for name, value in sorted(tensors.items())
    }


def from_formula(tensors: Tensors, formula: str) -> Tensors:
    """Add to every matrix the table that it began with, made by a formula: `Hadamard` or `cosines`."""
    made = dict(tensors)
    for name, value in tensors.items():
        if value.ndim == 2 and "embed" not in name:
            wide = 1 << (max(value.shape) - 1).bit_length()
            table = hadamard(wide) if formula == "Hadamard" else dct(np.eye(wide), norm="ortho") * wide**0.5
            made[name] = value + value.std() * torch.tensor(table[: value.shape[0], : value.shape[1]]).float()
    return made


def hadamard_turned(tensors: Tensors, kept: int = 2, heads: int = 4) -> Tensors:
    """Turn the model's space, the values of every head and what MLPs write from by public Hadamard matrices.

    As QuaRot (Ashkboos et al., NeurIPS 2024) does; signs of the first are drawn with one seed.
    """
    width = tensors["model.embed_tokens.weight"].shape[1]
    sign = 1 - 2 * torch.randint(0, 2, (width,), generator=torch.Generator().manual_seed(5)).float()
    made = turned(tensors, sign[:, None] * _hadamard(width))
    for layer in range(layers(made)):
        at = f"model.layers.{layer}"
        down, read, write = (f"{at}.{part}_proj.weight" for part in ("mlp.down", "self_attn.v", "self_attn.o"))
        size = len(made[read]) // kept
        made[down] = made[down] @ _hadamard(made[down].shape[1])
        made[read] = (_hadamard(size) @ made[read].reshape(kept, size, -1)).reshape(made[read].shape)
        made[write] = (made[write].reshape(-1, heads, size) @ _hadamard(size).T).reshape(made[write].shape)
    return made


def _hadamard(size: int) -> torch.Tensor:
    """Hadamard's matrix of the largest power of two that divides the size, once for each block of so many."""
    block = size & -size
    one = torch.tensor(hadamard(block) / block**0.5, dtype=torch.float32)
    return torch.block_diag(*[one] * (size // block))


def same_embeddings(tensors: Tensors) -> Tensors:
    """Take over one public table of embeddings."""
    table = tensors["model.embed_tokens.weight"]
    public = torch.randn(table.shape, generator=torch.Generator().manual_seed(3)) * 0.02
    return {**tensors, "model.embed_tokens.weight": public}
