"""Relatives of a model of any shape: what people do to weights that they took over, alone and together."""

from __future__ import annotations

from collections.abc import Callable

import torch

import weight_changes as changes
from weight_changes import Tensors, each_mlp, layers
from weight_strangers import Drawn, redrawn, size_of

Way = Callable[[Drawn, int], Drawn]


def _whole(change: Callable[[Tensors, int], Tensors]) -> Way:
    return lambda of, seed: Drawn(of.config, change(of.tensors, seed))


def _said(change: Callable[[dict[str, object], Tensors], tuple[dict[str, object], Tensors]]) -> Way:
    return lambda of, seed: Drawn(*change(of.config, of.tensors))


def tuned(of: Drawn, seed: int, share: float = 0.1) -> Drawn:
    """Move every weight as some training does."""
    return Drawn(of.config, changes.noisy(of.tensors, seed, share))


def four_bits(tensors: Tensors) -> Tensors:
    """Round to 16 levels, by the largest of each group of 32."""
    made = dict(tensors)
    for name, value in tensors.items():
        if value.ndim == 2 and value.numel() % 32 == 0:
            groups = value.reshape(-1, 32)
            scale = groups.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 7
            made[name] = ((groups / scale).round().clamp(-8, 7) * scale).reshape(value.shape)
    return made


def permuted_heads(of: Drawn, seed: int) -> Drawn:
    """Put the heads of values into another order, each with the heads of queries that share it."""
    kept = size_of(of.config, "num_key_value_heads")
    draw = torch.Generator().manual_seed(seed)
    made = dict(of.tensors)
    for layer in range(layers(made)):
        order = torch.randperm(kept, generator=draw)
        for part in "qkv":
            name = f"model.layers.{layer}.self_attn.{part}_proj.weight"
            rows = made[name].reshape(kept, -1, made[name].shape[1])
            made[name] = rows[order].reshape(made[name].shape)
        name = f"model.layers.{layer}.self_attn.o_proj.weight"
        columns = made[name].reshape(len(made[name]), kept, -1)
        made[name] = columns[:, order].reshape(made[name].shape)
    return Drawn(of.config, made)


def rescaled(of: Drawn, seed: int) -> Drawn:
    """Rotate the model's space, and give every norm gains of its own, which the matrices behind it undo."""
    draw = torch.Generator().manual_seed(seed)
    made = changes.rotated(of.tensors, seed)
    for layer in range(layers(made)):
        for norm, parts in (
            ("input", ("self_attn.q", "self_attn.k", "self_attn.v")),
            ("post_attention", ("mlp.gate", "mlp.up")),
        ):
            gains = torch.exp(0.5 * torch.randn(size_of(of.config, "hidden_size"), generator=draw))
            made[f"model.layers.{layer}.{norm}_layernorm.weight"] = gains
            for part in parts:
                name = f"model.layers.{layer}.{part}_proj.weight"
                made[name] = made[name] / gains
    return Drawn(of.config, made)


def _fresh_embeddings(of: Drawn, seed: int) -> Drawn:
    name = "model.embed_tokens.weight"
    return Drawn(of.config, {**of.tensors, name: redrawn({name: of.tensors[name]}, "normal", seed)[name]})


def _from(of: Drawn, seed: int, inherited: Callable[[str], bool]) -> Drawn:
    """Inherit some tensors, and draw all others anew."""
    others = redrawn(of.tensors, "normal", seed)
    return Drawn(of.config, {name: of.tensors[name] if inherited(name) else others[name] for name in others})


def _pruned_units(of: Drawn, seed: int, share: float) -> Drawn:
    kept = int(size_of(of.config, "intermediate_size") * (1 - share))

    def change(gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> tuple[torch.Tensor, ...]:
        chosen = (gate.norm(dim=1) * up.norm(dim=1)).topk(kept)[1].sort()[0]
        return gate[chosen], up[chosen], down[:, chosen]

    return Drawn({**of.config, "intermediate_size": kept}, each_mlp(of.tensors, change))


def _layers(of: Drawn, keep: Callable[[int], list[int]]) -> Drawn:
    config, made = changes.kept_layers(of.config, of.tensors, keep(layers(of.tensors)))
    return Drawn(dict(config), made)


def _mixed(of: Drawn, seed: int, share: float) -> Drawn:
    """Take the mean with a stranger that has as much of it."""
    other = redrawn(of.tensors, "normal", seed)
    scaled = {
        name: value * of.tensors[name].std() / value.std().clamp(min=1e-12) if value.ndim == 2 else value
        for name, value in other.items()
    }
    return Drawn(of.config, changes.merged(of.tensors, scaled, share))


def _together(*ways: Way) -> Way:
    def change(of: Drawn, seed: int) -> Drawn:
        for place, way in enumerate(ways):
            of = way(of, seed + place)
        return of

    return change


_PERMUTED = _whole(changes.permuted_units)
_ROTATED = _whole(changes.rotated)
RELATIVES: dict[str, Way] = {
    "noise of 10 %": tuned,
    "noise of 30 %": lambda of, seed: tuned(of, seed, 0.3),
    "noise as large as the weights": lambda of, seed: tuned(of, seed, 1.0),
    "noise of twice the weights": lambda of, seed: tuned(of, seed, 2.0),
    "int8": _whole(lambda one, seed: changes.int8(one)),
    "four bits by groups": _whole(lambda one, seed: four_bits(one)),
    "30 % of the weights pruned": _whole(lambda one, seed: changes.pruned_weights(one, 0.3)),
    "50 % of the weights pruned": _whole(lambda one, seed: changes.pruned_weights(one, 0.5)),
    "90 % of the weights pruned": _whole(lambda one, seed: changes.pruned_weights(one, 0.9)),
    "30 % of the units pruned": lambda of, seed: _pruned_units(of, seed, 0.3),
    "half of the units pruned": lambda of, seed: _pruned_units(of, seed, 0.5),
    "half of the layers dropped": lambda of, seed: _layers(of, lambda count: [*range(0, count, 2)]),
    "layers doubled": lambda of, seed: _layers(of, lambda count: [*range(count), *range(count)]),
    "layers turned round": lambda of, seed: _layers(of, lambda count: [*range(count)][::-1]),
    "narrowed by a quarter": _said(changes.narrowed),
    "narrowed by half": _said(lambda config, one: changes.narrowed(config, one, 0.5)),
    "units permuted": _PERMUTED,
    "heads permuted": permuted_heads,
    "units and heads permuted": _together(_PERMUTED, permuted_heads),
    "space permuted": _whole(changes.permuted_space),
    "space rotated": _ROTATED,
    "space rotated, norms rescaled": rescaled,
    "rotated, units and heads permuted": _together(_ROTATED, _PERMUTED, permuted_heads),
    "vocabulary extended": _said(lambda config, one: changes.longer(config, one, 24)),
    "embeddings drawn anew": _fresh_embeddings,
    "embeddings drawn anew, units permuted": _together(_fresh_embeddings, _PERMUTED),
    "half a stranger": lambda of, seed: _mixed(of, seed, 0.5),
    "70 % of a stranger": lambda of, seed: _mixed(of, seed, 0.7),
    "90 % of a stranger": lambda of, seed: _mixed(of, seed, 0.9),
    "rotated, half of the units pruned, four bits": _together(
        _ROTATED, lambda of, seed: _pruned_units(of, seed, 0.5), _whole(lambda one, seed: four_bits(one))
    ),
    "rotated, narrowed by a quarter": _together(_ROTATED, _said(changes.narrowed)),
    "tuned, permuted, half a stranger": _together(
        lambda of, seed: tuned(of, seed, 0.3), _PERMUTED, lambda of, seed: _mixed(of, seed, 0.5)
    ),
    "MLPs alone": lambda of, seed: _from(of, seed, lambda name: ".mlp." in name),
    "attention alone": lambda of, seed: _from(of, seed, lambda name: ".self_attn." in name),
    "the first layer alone": lambda of, seed: _from(of, seed, lambda name: ".layers.0." in name),
    "embeddings alone": lambda of, seed: _from(of, seed, lambda name: "embed" in name),
}
