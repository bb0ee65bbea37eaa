"""Orders and signs that one tool gives to any model: more of them than the checks of `depose.weights` were made with.

Tools group units for speed, put the busiest first, cluster them into experts, or decompose values head by head.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.cluster.vq import kmeans2

import weight_changes as changes
from weight_changes import Tensors, each_mlp, layers
from weight_strangers import Change, Drawn, size_of

Key = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""What units are sorted by, of what they read, multiply with and write: rows are units."""


def _by(key: Key) -> Change:
    def change(of: Drawn, seed: int) -> Drawn:
        def each(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> tuple[torch.Tensor, ...]:
            order = key(gate, up, down.T).argsort(descending=True, stable=True)
            return gate[order], up[order], down[:, order]

        return Drawn(of.config, each_mlp(of.tensors, each))

    return change


def _fourth(rows: torch.Tensor) -> torch.Tensor:
    return (rows**4).mean(dim=1) / (rows**2).mean(dim=1).clamp(min=1e-30) ** 2


def _busy(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    return gate.norm(dim=1) * up.norm(dim=1) * down.norm(dim=1)


def _first_tenth(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor, share: float = 0.1) -> torch.Tensor:
    """The busiest first, the others as they were."""
    busy = _busy(gate, up, down)
    return (busy >= busy.quantile(1 - share)).float()


def _buckets(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    ranks = _busy(gate, up, down).argsort().argsort()
    return (ranks * 8 // len(ranks)).float()


def _clusters(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    """Eight groups of units that read alike, the largest first."""
    rows = (gate / gate.norm(dim=1, keepdim=True).clamp(min=1e-12)).numpy()
    _, labels = kmeans2(rows, 8, seed=7, minit="++")
    counts = np.bincount(labels, minlength=8)
    return torch.tensor(counts[labels] + labels / 100)


def _seriated(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    """Units that read alike beside each other, by the second eigenvector of their graph."""
    rows = gate / gate.norm(dim=1, keepdim=True).clamp(min=1e-12)
    likeness = (rows @ rows.T).clamp(min=0)
    values = torch.linalg.eigh(torch.diag(likeness.sum(dim=1)) - likeness)[1][:, 1]
    return values * torch.sign(values[values.abs().argmax()])


def _tree(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    leaves = leaves_list(linkage(up.numpy(), "average"))
    return -torch.tensor(leaves).argsort().float()


def _first_component(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    left, _, _ = torch.linalg.svd(down, full_matrices=False)
    return left[:, 0] * torch.sign(left[:, 0].sum())


def _interleaved(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    """Busy and idle ones in turn, so that every part of a machine has both."""
    ranks = _busy(gate, up, down).argsort().argsort()
    half = len(ranks) // 2
    return torch.where(ranks < half, 2 * ranks, 2 * (ranks - half) + 1).float()


def _signed(by: Key) -> Change:
    """Flip units so that something of what they multiply with and write is positive."""

    def change(of: Drawn, seed: int) -> Drawn:
        def each(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> tuple[torch.Tensor, ...]:
            sign = torch.sign(by(gate, up, down.T))
            sign = torch.where(sign == 0, 1.0, sign)
            return gate, up * sign[:, None], down * sign

        return Drawn(of.config, each_mlp(of.tensors, each))

    return change


def _peak(rows: torch.Tensor) -> torch.Tensor:
    return rows[torch.arange(len(rows)), rows.abs().argmax(dim=1)]


def _values(rule: str) -> Change:
    """Sort the value dimensions of every head, or decompose what each head computes, largest first."""

    def change(of: Drawn, seed: int) -> Drawn:
        heads, kept = (size_of(of.config, f"num_{name}_heads") for name in ("attention", "key_value"))
        made: Tensors = dict(of.tensors)
        for layer in range(layers(made)):
            read, write = (f"model.layers.{layer}.self_attn.{part}_proj.weight" for part in "vo")
            size, width = len(made[read]) // kept, made[read].shape[1]
            rows = made[read].reshape(kept, size, width)
            columns = made[write].reshape(-1, kept, heads // kept, size)
            for head in range(kept):
                value, output = rows[head].clone(), columns[:, head].reshape(-1, size).clone()
                if rule == "svd":
                    left, sizes, right = torch.linalg.svd(output @ value, full_matrices=False)
                    sign = torch.sign(right[torch.arange(size), right[:size].abs().argmax(dim=1)])
                    root = sizes[:size].sqrt() * sign
                    value, output = root[:, None] * right[:size], left[:, :size] * root
                else:
                    sizes = value.norm(dim=1) * output.norm(dim=0) if rule == "product" else _fourth(output.T)
                    order = sizes.argsort(descending=True)
                    value, output = value[order], output[:, order]
                rows[head], columns[:, head] = value, output.reshape(-1, heads // kept, size)
            made[read], made[write] = rows.reshape(made[read].shape), columns.reshape(made[write].shape)
        return Drawn(of.config, made)

    return change


def _space(of: Drawn, key: Callable[[Tensors], torch.Tensor]) -> Drawn:
    return Drawn(of.config, changes.reordered_space(of.tensors, key(of.tensors).argsort(descending=True)))


ORDERS: dict[str, Change] = {
    "units by the fourth moment of what they read": _by(lambda gate, up, down: _fourth(gate)),
    "units by the fourth moment of what they write": _by(lambda gate, up, down: _fourth(down)),
    "units by the product of their sizes": _by(_busy),
    "units by the likeness of gate and up": _by(lambda gate, up, down: (gate * up).sum(dim=1)),
    "units by the sum of what they read": _by(lambda gate, up, down: gate.sum(dim=1)),
    "units by the size of that sum": _by(lambda gate, up, down: gate.sum(dim=1).abs()),
    "units by the smallest of what they write": _by(lambda gate, up, down: down.min(dim=1).values),
    "units by where they write most": _by(lambda gate, up, down: down.abs().argmax(dim=1).float()),
    "units by a principal component": _by(_first_component),
    "the busiest tenth first": _by(_first_tenth),
    "the busiest third first": _by(lambda gate, up, down: _first_tenth(gate, up, down, 0.3)),
    "units in eight buckets": _by(_buckets),
    "units in eight clusters": _by(_clusters),
    "units beside those that read alike": _by(_seriated),
    "units along a tree": _by(_tree),
    "busy and idle units in turn": _by(_interleaved),
    "signs by the first weight": _signed(lambda gate, up, down: up[:, 0]),
    "signs by the largest of what is written": _signed(lambda gate, up, down: _peak(down)),
    "signs by the sum of up and down": _signed(lambda gate, up, down: (up * down).sum(dim=1)),
    "signs by the cubes of up": _signed(lambda gate, up, down: (up**3).sum(dim=1)),
    "signs by a product of two weights": _signed(lambda gate, up, down: up[:, 0] * gate[:, 1]),
    "values by the product of sizes": _values("product"),
    "values by the fourth moment": _values("fourth"),
    "values decomposed head by head": _values("svd"),
    "dimensions by the fourth moment": lambda of, seed: _space(
        of, lambda one: _fourth(one["model.embed_tokens.weight"].T)
    ),
    "dimensions by what MLPs write": lambda of, seed: _space(
        of,
        lambda one: sum(value.norm(dim=1) for name, value in one.items() if name.endswith("down_proj.weight")),
    ),
    "dimensions by the mean of embeddings": lambda of, seed: _space(
        of, lambda one: one["model.embed_tokens.weight"].mean(dim=0)
    ),
}  # fmt: skip
