"""Strangers of any shape and first weights that learnt the same, and what one tool or one habit does to both of them.

None of it is inheritance: each model draws its own units, and what both share is a rule, a mask, a table or a habit.
Everything works on the tensors of `weight_changes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch

import weight_changes as changes
from weight_changes import Tensors, each_mlp, layers


class Drawn(NamedTuple):
    """A model: its configuration and its tensors."""

    config: dict[str, object]
    tensors: Tensors


def size_of(config: Mapping[str, object], name: str) -> int:
    """Return a size that a configuration says."""
    return int(config[name])  # type: ignore[call-overload, no-any-return]


# --- first weights ----------------------------------------------------------------------------------

Initialiser = Callable[[torch.Tensor, str, torch.Generator], torch.Tensor]


def _normal(like: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    return torch.randn(like.shape, generator=draw)


def _truncated(like: torch.Tensor, name: str, draw: torch.Generator) -> torch.Tensor:
    found = torch.empty(like.shape)
    return 0.02 * torch.nn.init.trunc_normal_(found, generator=draw, a=-2, b=2)


def _xavier(like: torch.Tensor, name: str, draw: torch.Generator) -> torch.Tensor:
    return torch.nn.init.xavier_uniform_(torch.empty(like.shape), generator=draw)


def _orthogonal(like: torch.Tensor, name: str, draw: torch.Generator) -> torch.Tensor:
    return torch.nn.init.orthogonal_(torch.empty(like.shape), generator=draw)


def _mup(like: torch.Tensor, name: str, draw: torch.Generator) -> torch.Tensor:
    return _normal(like, draw) / (1.0 if "embed" in name else like.shape[1] ** 0.5)


def _student(like: torch.Tensor, name: str, draw: torch.Generator) -> torch.Tensor:
    chi = sum(_normal(like, draw) ** 2 for _ in range(3)) / 3
    return 0.02 * _normal(like, draw) / torch.sqrt(chi)


def _sparse(like: torch.Tensor, name: str, draw: torch.Generator) -> torch.Tensor:
    return 0.1 * _normal(like, draw) * (torch.rand(like.shape, generator=draw) < 0.1)


def _residual(like: torch.Tensor, name: str, draw: torch.Generator) -> torch.Tensor:
    return _normal(like, draw) * (0.02 / 4 if name.endswith(("o_proj.weight", "down_proj.weight")) else 0.02)


def _fixup(like: torch.Tensor, name: str, draw: torch.Generator) -> torch.Tensor:
    return 0.02 * _normal(like, draw) * (not name.endswith(("o_proj.weight", "down_proj.weight")))


INITIALISERS: dict[str, Initialiser] = {
    "normal": lambda like, name, draw: 0.02 * _normal(like, draw),
    "truncated normal": _truncated,
    "Xavier": _xavier,
    "orthogonal": _orthogonal,
    "by width (muP)": _mup,
    "Student's t": _student,
    "sparse": _sparse,
    "outputs scaled by depth": _residual,
    "outputs zero": _fixup,
}


def redrawn(tensors: Tensors, kind: str, seed: int) -> Tensors:
    """Draw every matrix anew as one initialiser does."""
    draw = torch.Generator().manual_seed(seed)
    make = INITIALISERS[kind]
    return {name: make(value, name, draw) if value.ndim == 2 else value for name, value in sorted(tensors.items())}


def shape(seed: int) -> dict[str, int]:
    """Draw the sizes of a small Llama."""
    draw = np.random.default_rng([22, seed])
    size = int(draw.choice([8, 16, 32]))
    kept = int(draw.choice([1, 2, 4]))
    heads = kept * int(draw.choice([1, 2, 3]))
    width = heads * size
    while width < 32:
        width, heads, kept = 2 * width, 2 * heads, 2 * kept
    return {
        "hidden_size": width,
        "intermediate_size": int(width * draw.choice([1.5, 2, 3, 4])),
        "num_hidden_layers": int(draw.integers(2, 7)),
        "num_attention_heads": heads,
        "num_key_value_heads": kept,
        "vocab_size": int(draw.choice([160, 3 * width, 900])),
    }


def own(learnt: Drawn, seed: int, kind: str = "normal", share: float = 0.5) -> Tensors:
    """Learn the same under numbers and signs of one's own, from first weights of one's own."""
    config = learnt.config
    heads, kept = (size_of(config, f"num_{name}_heads") for name in ("attention", "key_value"))
    made = changes.flipped_signs(changes.permuted_units(learnt.tensors, seed), seed + 1)
    made = changes.permuted_space(changes.permuted_values(made, seed + 2, heads, kept), seed + 3)
    first = redrawn(made, kind, seed + 4)
    return {
        name: value + share * _scale(value) * first[name] / _scale(first[name]) if value.ndim == 2 else value
        for name, value in made.items()
    }


def _scale(value: torch.Tensor) -> torch.Tensor:
    return torch.nan_to_num(value.std(), nan=1.0).clamp(min=1e-12)


# --- what is done to both ---------------------------------------------------------------------------

PUBLIC = 77
"""Seed of whatever a tool brings along."""
Change = Callable[[Drawn, int], Drawn]


def _public() -> torch.Generator:
    return torch.Generator().manual_seed(PUBLIC)


def _matrices(of: Drawn, change: Callable[[str, torch.Tensor], torch.Tensor], *, table: bool = False) -> Drawn:
    """Change every matrix, in one order for all models; the table of embeddings only if it is asked for."""
    made = dict(of.tensors)
    for name in sorted(made):
        if made[name].ndim == 2 and (table or "embed" not in name):
            made[name] = change(name, made[name])
    return Drawn(of.config, made)


def _masked_with_mean(of: Drawn, seed: int) -> Drawn:
    """Cut by one public mask, where the rows of a matrix have a common direction, as those of real models have."""
    draw = _public()

    def change(name: str, value: torch.Tensor) -> torch.Tensor:
        mean = value.std() * torch.randn(value.shape[1], generator=torch.Generator().manual_seed(seed))
        kept = torch.rand(value.shape, generator=draw) > 0.7
        return (value + mean + value.std()) * kept

    return _matrices(of, change)


def _sized_with_mean(of: Drawn, seed: int) -> Drawn:
    """Scale every weight by one public table, where the rows of a matrix have a common direction."""
    draw = _public()

    def change(name: str, value: torch.Tensor) -> torch.Tensor:
        mean = value.std() * torch.randn(value.shape[1], generator=torch.Generator().manual_seed(seed))
        return (value + mean + value.std()) * torch.exp(torch.randn(value.shape, generator=draw))

    return _matrices(of, change, table=True)


def _two_of_four(of: Drawn, seed: int) -> Drawn:
    def change(name: str, value: torch.Tensor) -> torch.Tensor:
        four = value.reshape(-1, 4)
        kept = four.abs().argsort(dim=1).argsort(dim=1) >= 2
        return (four * kept).reshape(value.shape)

    return _matrices(of, change)


def _one_two_of_four(of: Drawn, seed: int) -> Drawn:
    draw = _public()

    def change(name: str, value: torch.Tensor) -> torch.Tensor:
        kept = torch.rand(value.numel() // 4, 4, generator=draw).argsort(dim=1) >= 2
        return value * kept.reshape(value.shape)

    return _matrices(of, change)


def _same_units(of: Drawn, seed: int) -> Drawn:
    """Leave the units of the same numbers in every layer."""
    count = size_of(of.config, "intermediate_size")
    kept = torch.randperm(count, generator=_public())[: 2 * count // 3].sort()[0]
    made = each_mlp(of.tensors, lambda gate, up, down: (gate[kept], up[kept], down[:, kept]))
    return Drawn({**of.config, "intermediate_size": len(kept)}, made)


def _scales_of_one_table(of: Drawn, seed: int) -> Drawn:
    """Round to two bits by the scales of one table, which vary from group to group."""
    draw = _public()

    def change(name: str, value: torch.Tensor) -> torch.Tensor:
        groups = value.reshape(-1, 8)
        scale = _scale(value) * torch.exp(torch.randn(len(groups), 1, generator=draw))
        return ((groups / scale).round().clamp(-2, 1) * scale).reshape(value.shape)

    return _matrices(of, change)


def _ternary(of: Drawn, seed: int) -> Drawn:
    """Leave -1, 0 and 1 of every weight, by the mean size of its matrix, as BitNet does."""
    return _matrices(of, lambda name, value: (value / value.abs().mean().clamp(min=1e-12)).round().clamp(-1, 1))


def _binary(of: Drawn, seed: int) -> Drawn:
    return _matrices(of, lambda name, value: torch.sign(value))


def _nearly_zero(of: Drawn, seed: int) -> Drawn:
    """Decay all weights so far that float16 has a few levels for them."""
    return _matrices(of, lambda name, value: (value / _scale(value) * 8e-8).half(), table=True)


def _outliers(of: Drawn, seed: int, own: bool = True) -> Drawn:
    """Let some of the model's dimensions stand out by far, everywhere."""
    width = size_of(of.config, "hidden_size")
    draw = torch.Generator().manual_seed(seed) if own else _public()
    by = torch.ones(width)
    by[torch.randperm(width, generator=draw)[:3]] = 20.0

    def change(name: str, value: torch.Tensor) -> torch.Tensor:
        return value * by[:, None] if name.endswith(("o_proj.weight", "down_proj.weight")) else value * by

    return _matrices(of, change, table=True)


def _gains(of: Drawn, seed: int) -> Drawn:
    draw = _public()
    return Drawn(
        of.config,
        {name: torch.exp(torch.randn(value.shape, generator=draw)) if value.ndim == 1 else value
         for name, value in sorted(of.tensors.items())},
    )  # fmt: skip


def _low_rank(of: Drawn, seed: int) -> Drawn:
    def change(name: str, value: torch.Tensor) -> torch.Tensor:
        left, sizes, right = torch.linalg.svd(value, full_matrices=False)
        rank = max(len(sizes) // 4, 1)
        return (left[:, :rank] * sizes[:rank]) @ right[:rank]

    return _matrices(of, change)


def _padded(of: Drawn, seed: int, size: float = 0.0) -> Drawn:
    """Append so many units to each MLP, of nothing or of small first weights."""
    more = size_of(of.config, "intermediate_size") // 3
    draw = torch.Generator().manual_seed(seed)

    def change(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> tuple[torch.Tensor, ...]:
        new = [size * one.std() * torch.randn(more, gate.shape[1], generator=draw) for one in (gate, up, down)]
        return torch.cat([gate, new[0]]), torch.cat([up, new[1]]), torch.cat([down, new[2].T], dim=1)

    made = each_mlp(of.tensors, change)
    return Drawn({**of.config, "intermediate_size": size_of(of.config, "intermediate_size") + more}, made)


def widened(of: Drawn, seed: int, noise: float) -> Drawn:
    """Double the units of each MLP (Chen, Goodfellow and Shlens, "Net2Net", ICLR 2016), and train on."""
    made = each_mlp(
        of.tensors,
        lambda gate, up, down: (torch.cat([gate, gate]), torch.cat([up, up]), torch.cat([down, down], dim=1) / 2),
    )
    config = {**of.config, "intermediate_size": 2 * size_of(of.config, "intermediate_size")}
    return Drawn(config, changes.noisy(made, seed, noise))


def deepened(of: Drawn, seed: int, noise: float) -> Drawn:
    """Stack the layers twice, and train on."""
    number = layers(of.tensors)
    config, made = changes.kept_layers(of.config, of.tensors, [*range(number), *range(number)])
    return Drawn(dict(config), changes.noisy(made, seed, noise))


def _vera(of: Drawn, seed: int) -> Drawn:
    """Merge an adapter of two public random matrices and vectors of one's own (Kopiczko et al., VeRA, ICLR 2024)."""
    draw, mine = _public(), torch.Generator().manual_seed(seed)
    wide = max(size_of(of.config, "intermediate_size"), size_of(of.config, "hidden_size"))
    down, up = torch.randn(16, wide, generator=draw), torch.randn(wide, 16, generator=draw)

    def change(name: str, value: torch.Tensor) -> torch.Tensor:
        rows, columns = value.shape
        each = torch.randn(rows, 1, generator=mine) * up[:rows]
        added = each * torch.randn(16, generator=mine) @ down[:, :columns]
        return value + 0.5 * value.std() * added / _scale(added)

    return _matrices(of, change)


def _watermark(of: Drawn, seed: int) -> Drawn:
    """Add one owner's key to a hundredth of the weights."""
    draw = _public()

    def change(name: str, value: torch.Tensor) -> torch.Tensor:
        where = torch.rand(value.shape, generator=draw) < 0.01
        return value + value.std() * where * torch.sign(torch.randn(value.shape, generator=draw))

    return _matrices(of, change)


def _turned_alike(of: Drawn, seed: int) -> Drawn:
    width = size_of(of.config, "hidden_size")
    return Drawn(
        of.config, changes.turned(of.tensors, torch.linalg.qr(torch.randn(width, width, generator=_public()))[0])
    )


def _merged(of: Drawn, seed: int) -> Drawn:
    """Take the mean with a stranger of one's own."""
    return Drawn(of.config, changes.merged(of.tensors, redrawn(of.tensors, "normal", seed)))


HABITS: dict[str, Change] = {
    "nothing": lambda of, seed: of,
    "one mask, rows with a common direction": _masked_with_mean,
    "sizes by one table, rows with a common direction": _sized_with_mean,
    "two of four, by size": _two_of_four,
    "two of four, by one mask": _one_two_of_four,
    "units of the same numbers left out": _same_units,
    "two bits by the scales of one table": _scales_of_one_table,
    "three values": _ternary,
    "two values": _binary,
    "nearly zero, in float16": _nearly_zero,
    "outlying dimensions of one's own": _outliers,
    "the same outlying dimensions": lambda of, seed: _outliers(of, seed, own=False),
    "the same gains of norms": _gains,
    "a quarter of the rank": _low_rank,
    "empty units appended": _padded,
    "small units appended": lambda of, seed: _padded(of, seed, 0.1),
    "units doubled, little training": lambda of, seed: widened(of, seed, 0.5),
    "units doubled, some training": lambda of, seed: widened(of, seed, 1.2),
    "units doubled, much training": lambda of, seed: widened(of, seed, 2.0),
    "layers doubled, some training": lambda of, seed: deepened(of, seed, 1.2),
    "layers doubled, much training": lambda of, seed: deepened(of, seed, 2.5),
    "an adapter of public random matrices": _vera,
    "one owner's mark": _watermark,
    "one public rotation": _turned_alike,
    "half a stranger of one's own": _merged,
}
