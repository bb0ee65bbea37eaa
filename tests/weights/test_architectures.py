"""Architectures as transformers makes them: what is called a unit or a value dimension is free to be renumbered.

Only then are the tests exact. A matrix that is cut in the wrong place mixes queries, keys or gates among them, whose
numbers and signs mean something in every model alike.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

import weight_architectures as tiny
from depose.weights.layout import Layout, layout
from depose.weights.parts import Rows
from depose.weights.stores import open_weights
from weight_changes import Tensors

pytestmark = pytest.mark.slow
TURNED = ("gpt2",)
"""Models whose square matrices have rows of what is read."""


def places(tensors: Tensors, rows: Rows) -> NDArray[np.intp]:
    """Say where the numbers of each unit are in a flattened tensor: [units, width]."""
    of = tensors[rows.name]
    every = np.arange(of.numel(), dtype=np.float32).reshape(of.shape)
    start = 0 if rows.expert is None else rows.expert
    found: NDArray[np.intp] = rows.cut(every if rows.expert is None else every[start]).astype(np.intp)
    return found


def renumbered(tensors: Tensors, of: Layout) -> Tensors:
    """Put the units of every MLP into another order, each with its biases."""
    made = {name: value.clone() for name, value in tensors.items()}
    for mlp in of.mlps:
        order = torch.randperm(mlp.units)
        for rows in (mlp.gate, mlp.up, mlp.down):
            if rows is None:
                continue
            where = torch.from_numpy(places(tensors, rows))
            made[rows.name].view(-1)[where] = tensors[rows.name].view(-1)[where[order]]
            bias = f"{rows.name.removesuffix('.weight')}.bias"
            stacked = f"{rows.name}_bias"
            if rows is not mlp.down and bias in tensors:
                made[bias] = tensors[bias][order]
            elif rows is not mlp.down and stacked in tensors:
                each = made[stacked][rows.expert].view(-1, 2)
                made[stacked][rows.expert] = torch.stack(
                    [tensors[stacked][rows.expert].view(-1, 2)[order, place] for place in (0, 1)], dim=1
                ).reshape(each.numel())
    return made


def flipped(tensors: Tensors, of: Layout, kind: str) -> Tensors:
    """Flip the signs of some value dimensions, in what they read, their biases and what they write."""
    made = {name: value.clone() for name, value in tensors.items()}
    for one in of.attentions:
        sign = torch.randint(0, 2, (one.heads, one.size)) * 2.0 - 1
        where = torch.from_numpy(places(tensors, one.value)).reshape(one.heads, one.size, -1)
        made[one.value.name].view(-1)[where] *= sign[:, :, None]
        read, bias = tensors[one.value.name], f"{one.value.name.removesuffix('.weight')}.bias"
        if bias in tensors:
            by_rows = len(tensors[bias]) == read.shape[0] and read.shape[1] == of.width
            made[bias][where[..., 0] // read.shape[1] if by_rows else where[..., 0] % read.shape[1]] *= sign
        write = made[one.output.name]
        turned = write.shape[0] != of.width or kind in TURNED
        shared = write.shape[0 if turned else 1] // sign.numel()
        every = sign[:, None].expand(-1, shared, -1).reshape(-1)
        made[one.output.name] = write * (every[:, None] if turned else every)
    return made


@pytest.mark.parametrize("name", tiny.ARCHITECTURES)
def test_units_and_signs_of_values_are_free_in_every_architecture(name: str, tmp_path: Path) -> None:
    """Renumbering all units and flipping value dimensions leaves what the model computes as it was."""
    from transformers import AutoModelForCausalLM

    model = tiny.made(name, 3)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.05 * torch.randn(value.shape)) if value.ndim == 1 else value.mul_(3)
    folder = tiny.saved(model, tmp_path / "model")
    tokens = torch.randint(3, 250, (2, 12))

    def answers(at: Path) -> torch.Tensor:
        with torch.no_grad():
            found: torch.Tensor = AutoModelForCausalLM.from_pretrained(at).eval().float()(tokens).logits
        return found

    before = answers(folder)
    with open_weights(folder) as store:
        found = layout(store, name)
    assert len({one.layer for one in found.mlps}) == len(found.attentions) == 3
    tensors = load_file(folder / "model.safetensors")
    for place, made in enumerate((renumbered(tensors, found), flipped(tensors, found, tiny.ARCHITECTURES[name][0]))):
        other = shutil.copytree(folder, tmp_path / str(place))
        save_file(made, other / "model.safetensors", metadata={"format": "pt"})
        assert (answers(other) - before).abs().max() < 1e-3 * before.abs().max()
