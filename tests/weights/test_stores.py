"""Reading weights: what is quantised comes back, and what somebody else made can do no harm."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import weight_changes as changes
from depose.errors import AnalysisError, DeposeError, ModelFileError
from depose.weights.compare import Named, compare
from depose.weights.layout import layout, units
from depose.weights.lineages import models_in
from depose.weights.stores import open_weights

CONFIG, TENSORS = changes.initialised(0, num_hidden_layers=2)
GATE = "model.layers.1.mlp.gate_proj.weight"
NORM = "model.layers.1.input_layernorm.weight"
EMBEDDINGS = "model.embed_tokens.weight"


def test_numbers_come_back_from_every_way_of_keeping_them(tmp_path: Path) -> None:
    """float32 comes back exactly, bfloat16 and int8 to their precision, and rows alone like the whole."""
    ways = {
        0.0: TENSORS,
        0.004: {name: one.bfloat16() for name, one in TENSORS.items()},
        0.02: changes.int8(TENSORS),
    }
    for place, (within, tensors) in enumerate(ways.items()):
        with open_weights(changes.save(tmp_path / str(place), CONFIG, tensors)) as store:
            found = store.read(GATE)
            rows = np.array([3, 1, 200])
            assert np.abs(found - TENSORS[GATE].numpy()).max() <= within * TENSORS[GATE].abs().max().item()
            assert np.array_equal(store.read(GATE, rows), found[rows])


def test_float8_in_blocks_is_scaled(tmp_path: Path) -> None:
    """A float8 matrix with a scale for each block of 128 by 128 comes back to its precision."""
    scales = TENSORS[GATE].reshape(2, 128, 1, 96).abs().amax(dim=(1, 3)) / 448
    packed = (TENSORS[GATE] / scales.repeat_interleave(128, 0).repeat_interleave(96, 1)).to(torch.float8_e4m3fn)
    kept = {**TENSORS, GATE: packed, f"{GATE}_scale_inv": scales}
    with open_weights(changes.save(tmp_path / "model", CONFIG, kept)) as store:
        assert np.abs(store.read(GATE) - TENSORS[GATE].numpy()).max() < 0.07 * TENSORS[GATE].abs().max().item()


def test_gguf_comes_back_with_its_tokens(tmp_path: Path) -> None:
    """Q8_0 keeps what it was made of to a hundredth, rows alone like the whole, and its layers are found by name."""
    path = changes.save_gguf(tmp_path / "model.gguf", CONFIG, TENSORS)
    with open_weights(path) as store:
        of = layout(store, "the model")
        assert (of.width, len(of.mlps), len(of.attentions), of.attentions[0].heads) == (96, 2, 2, 2)
        found = store.read("blk.1.ffn_gate.weight")
        assert np.abs(found - TENSORS[GATE].numpy()).max() < 0.01 * TENSORS[GATE].abs().max().item()
        assert np.array_equal(store.read("blk.1.ffn_gate.weight", np.array([5, 2])), found[[5, 2]])
        assert [*store.digests] == ["model.gguf"]


def fused(tensors: changes.Tensors) -> changes.Tensors:
    """Name and fuse the matrices of a Llama as Phi-3 does."""
    made = {name: one for name, one in tensors.items() if "layers" not in name or "norm" in name or "o_proj" in name}
    for layer in range(changes.layers(tensors)):
        at = f"model.layers.{layer}"
        parts = [tensors[f"{at}.self_attn.{one}_proj.weight"] for one in "qkv"]
        made[f"{at}.self_attn.qkv_proj.weight"] = torch.cat(parts)
        made[f"{at}.mlp.gate_up_proj.weight"] = torch.cat(
            [tensors[f"{at}.mlp.{one}_proj.weight"] for one in ("gate", "up")]
        )
        made[f"{at}.mlp.down_proj.weight"] = tensors[f"{at}.mlp.down_proj.weight"]
    return made


def expert(tensors: changes.Tensors) -> changes.Tensors:
    """Turn every MLP into a mixture of eight copies, as upcycling does, named as in Mixtral."""
    made = {name: one for name, one in tensors.items() if ".mlp." not in name}
    for layer in range(changes.layers(tensors)):
        for number in range(8):
            at = f"model.layers.{layer}.block_sparse_moe.experts.{number}"
            for mine, theirs in (("w1", "gate"), ("w3", "up"), ("w2", "down")):
                made[f"{at}.{mine}.weight"] = tensors[f"model.layers.{layer}.mlp.{theirs}_proj.weight"].clone()
    return made


@pytest.mark.parametrize("change", [fused, expert])
def test_matrices_are_found_under_other_names(
    change: Callable[[changes.Tensors], changes.Tensors], tmp_path: Path
) -> None:
    """A relative whose matrices are fused, or copied into experts, is found in its reference."""
    reference = changes.save(tmp_path / "reference", CONFIG, TENSORS)
    suspect = changes.save(tmp_path / "suspect", CONFIG, change(changes.noisy(TENSORS, 3)))
    found = compare(Named(name="S", path=suspect), Named(name="R", path=reference))
    assert found.log10_p < -100
    assert {one.kind for one in found.layers} == {"mlp", "attention"}


def test_a_model_without_gates_is_compared_by_what_it_has(tmp_path: Path) -> None:
    """GPT-2 has turned matrices, no gates and fused values: its order is tested, and the signs of its values."""
    from transformers import GPT2Config, GPT2LMHeadModel

    folders = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        model = GPT2LMHeadModel(GPT2Config(n_embd=64, n_layer=3, n_head=4, vocab_size=300, n_positions=32))
        model.save_pretrained(tmp_path / str(seed))
        folders.append(tmp_path / str(seed))
    own = compare(Named(name="S", path=folders[0]), Named(name="R", path=folders[0]))
    assert own.log10_p < -100
    assert {one.signs_log10_p is None for one in own.layers if one.kind == "mlp"} == {True}
    assert {one.matched for one in own.layers if one.kind == "attention"} == {32}
    other = compare(Named(name="S", path=folders[1]), Named(name="R", path=folders[0]))
    assert other.reading == "nothing against independence"


# --- what others made -------------------------------------------------------------------------------


def model(folder: Path, **tensors: torch.Tensor) -> Path:
    """Write a model, some of whose tensors are others."""
    return changes.save(folder, CONFIG, {**TENSORS, **tensors})


def _truncated(folder: Path) -> Path:
    path = model(folder) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    return folder


def _lying_head(folder: Path) -> Path:
    path = model(folder) / "model.safetensors"
    lie = {"dtype": "F32", "shape": [2**40, 2**20], "data_offsets": [0, 2**62]}
    head = json.dumps({GATE: lie, "another": lie}).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head)
    return folder


def _endless_head(folder: Path) -> Path:
    path = model(folder) / "model.safetensors"
    path.write_bytes(struct.pack("<Q", 2**63) + b"{}")
    return folder


def _pickle(folder: Path) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    torch.save({}, folder / "pytorch_model.bin")
    return folder


def _link(folder: Path) -> Path:
    secret = folder.with_name("secret.safetensors")
    save_file(TENSORS, secret)
    (model(folder) / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to(secret)
    return folder


def _pipe(folder: Path) -> Path:
    (model(folder) / "model.safetensors").unlink()
    os.mkfifo(folder / "model.safetensors")
    return folder


def _twice(folder: Path) -> Path:
    save_file({GATE: TENSORS[GATE]}, model(folder) / "other.safetensors")
    return folder


def _not_finite(folder: Path) -> Path:
    return model(folder, **{GATE: TENSORS[GATE] * torch.nan})


def _four_bits(folder: Path) -> Path:
    return model(folder, **{GATE.replace("weight", "qweight"): torch.zeros(4, 4, dtype=torch.int32)})


def _with_name(end: str) -> Callable[[Path], Path]:
    """A model one of whose matrices has this name."""
    return lambda folder: model(folder, **{GATE.replace("weight", end): torch.zeros(4, 4, dtype=torch.uint8)})


def _bytes_of_two(folder: Path) -> Path:
    """NVFP4, BitNet and others keep several weights in a byte, under the names of plain weights."""
    return model(folder, **{GATE: torch.zeros(64, 96, dtype=torch.uint8)})


def _words_of_eight(folder: Path) -> Path:
    """MLX keeps eight weights in a word, with scales and biases of its own."""
    return model(folder, **{EMBEDDINGS: torch.zeros(640, 12, dtype=torch.int32)})


def _no_units(folder: Path) -> Path:
    kept = {name: one for name, one in TENSORS.items() if "layers" not in name}
    return changes.save(folder, CONFIG, kept)


def _not_json(folder: Path) -> Path:
    (model(folder) / "config.json").write_text("[" * 100_000)
    return folder


def _short_gguf(folder: Path) -> Path:
    folder.mkdir()
    path = changes.save_gguf(folder / "model.gguf", CONFIG, TENSORS)
    path.write_bytes(path.read_bytes()[:-5_000])
    return path


def _endless_gguf(folder: Path) -> Path:
    folder.mkdir()
    path = folder / "model.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60))
    return path


def _lying_gguf(folder: Path) -> Path:
    """A tensor that is said to lie beyond the end."""
    path = _short_gguf(folder)
    path.write_bytes(path.read_bytes()[: len(path.read_bytes()) // 2])
    return path


def _with(name: str, change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Path], Path]:
    """A model of which one tensor was changed."""
    return lambda folder: model(folder, **{name: change(TENSORS[name])})


def _many_layers(folder: Path) -> Path:
    """A model of more layers than there are, each of a few bytes: every one would be matched with every other."""
    more = {f"model.layers.{layer}.mlp.up_proj.weight": torch.zeros(1, 2) for layer in range(1001)}
    return model(folder, **more)


def _scales(*shape: int) -> Callable[[Path], Path]:
    """A model one of whose matrices has scales of this shape."""
    return lambda folder: model(folder, **{f"{GATE}_scale_inv": torch.ones(shape)})


HOSTILE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "truncated": (_truncated, "not safetensors"),
    "a head that lies": (_lying_head, "not safetensors"),
    "a head without end": (_endless_head, "too much for weights of 10 bytes"),
    "a pickle": (_pickle, r"no \.safetensors or \.gguf file"),
    "a link": (_link, "symbolic link"),
    "a pipe": (_pipe, "pipe"),
    "a tensor twice": (_twice, "is in model.safetensors too"),
    "numbers that are not finite": (_not_finite, "not finite"),
    "embeddings without end": (_with(EMBEDDINGS, lambda one: one * torch.inf), "not finite"),
    "a norm that is no number": (_with(NORM, lambda one: one * torch.nan), "not finite"),
    "no scales": (_scales(0, 0), r"its scales \(0, 0\)"),
    "scales of other rows": (_scales(255), r"its scales \(255,\)"),
    "scales of broken blocks": (_scales(7, 5), r"its scales \(7, 5\)"),
    "complex numbers": (_with(GATE, lambda one: one.to(torch.complex64)), "complex numbers"),
    "layers without end": (_many_layers, "1001 layers among its tensors, more than 1000"),
    "four bits": (_four_bits, "GPTQ or AWQ"),
    "bytes of several weights": (_bytes_of_two, r"packed by its maker as U8 \(model\.layers\.1\.mlp\.gate_proj"),
    "words of several weights": (_words_of_eight, "packed by its maker as I32"),
    "HQQ": (_with_name("W_q"), "packed by HQQ"),
    "no units": (_no_units, "no hidden units that are known"),
    "a configuration that nests": (_not_json, "not JSON"),
    "a GGUF cut short": (_short_gguf, "does not lie in the file|cannot|mmap|size"),
    "a GGUF cut in half": (_lying_gguf, "does not lie in the file|cannot|mmap|size"),
    "a GGUF without end": (_endless_gguf, "."),
    "nothing": (lambda folder: folder, "no weights there"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_wrong_is_refused_with_its_reason(kind: str, tmp_path: Path) -> None:
    """Every broken or hostile model is one error that names what is wrong and what to do."""
    make, says = HOSTILE[kind]
    reference = changes.save(tmp_path / "reference", CONFIG, TENSORS)
    with pytest.raises(DeposeError, match=says) as raised:
        compare(Named(name="S", path=make(tmp_path / "suspect")), Named(name="R", path=reference))
    assert raised.value.hint


def test_a_gguf_in_parts_is_one_model(tmp_path: Path) -> None:
    """Whichever part is named, or their folder, all tensors are read, and every part has its digest."""
    whole = changes.save_gguf(tmp_path / "whole.gguf", CONFIG, TENSORS)
    (tmp_path / "parts").mkdir()
    changes.save_gguf(tmp_path / "parts" / "model.gguf", CONFIG, TENSORS, part_of=8)
    parts = sorted((tmp_path / "parts").iterdir())
    assert [part.name for part in parts] == [f"model-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
    with open_weights(whole) as one:
        for path in (parts[0], parts[2], tmp_path / "parts"):
            with open_weights(path) as store:
                assert store.shapes == one.shapes
                assert {*store.digests} == {part.name for part in parts}
                assert all(np.array_equal(store.read(name), one.read(name)) for name in one.shapes)
    other = changes.save(tmp_path / "parts" / "other", CONFIG, TENSORS)
    assert [one.path for one in models_in(tmp_path / "parts")] == [parts[0], other]
    parts[1].rename(tmp_path / "elsewhere.gguf")
    with pytest.raises(DeposeError, match=r"one of 3 parts of a model, and model-00002-of-00003\.gguf not there"):
        open_weights(parts[0]).__enter__()
    with pytest.raises(DeposeError, match="one of 3 parts of a model, and its name does not tell") as raised:
        open_weights(tmp_path / "elsewhere.gguf").__enter__()
    assert "llama-gguf-split --merge" in raised.value.hint


def test_an_adapter_of_another_model_is_refused(tmp_path: Path) -> None:
    """An adapter whose tensors are not in the model, or have other shapes, is an error and not left out."""
    _, wide = changes.initialised(0, hidden_size=128, num_hidden_layers=2)
    adapter = changes.save_adapter(tmp_path / "adapter", changes.lora(wide, 1)[0])
    path = changes.save(tmp_path / "model", CONFIG, TENSORS)
    with pytest.raises(DeposeError, match="not for this model"):
        compare(Named(name="S", path=path, adapter=adapter), Named(name="R", path=path))


def test_a_folder_that_is_no_adapter_is_named(tmp_path: Path) -> None:
    """A wrong name for an adapter is an error that says so."""
    path = changes.save(tmp_path / "model", CONFIG, TENSORS)
    with (
        pytest.raises(DeposeError, match="nowhere: not the folder of an adapter"),
        open_weights(path, tmp_path / "nowhere"),
    ):
        pass


SAID = {
    "alpha": ({"lora_alpha": "x"}, "the alpha of .* is 'x'"),
    "no alpha": ({"lora_alpha": None}, "the alpha of .* is 'None'"),
    "alpha without end": ({"lora_alpha": 1e308}, "the alpha of"),
    "rank": ({"rank_pattern": {"gate_proj": 0}}, "the rank of .* is '0'"),
    "a list for a rank": ({"rank_pattern": {"gate_proj": [1]}}, "the rank of"),
}


@pytest.mark.parametrize("kind", SAID)
def test_what_an_adapter_says_is_a_number_or_refused(kind: str, tmp_path: Path) -> None:
    """An adapter's configuration that has no number where one belongs is an error that names the field."""
    said, says = SAID[kind]
    path = changes.save(tmp_path / "model", CONFIG, TENSORS)
    adapter = changes.save_adapter(tmp_path / "adapter", changes.lora(TENSORS, 1)[0])
    config = adapter / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | said))
    with open_weights(path, adapter) as store, pytest.raises(DeposeError, match=says) as raised:
        store.read(GATE)
    assert raised.value.hint


@pytest.mark.parametrize("change", ["flat", "cut", "empty"])
def test_matrices_of_an_adapter_that_do_not_fit_each_other_are_refused(change: str, tmp_path: Path) -> None:
    """Whatever shapes two matrices of an adapter have, they are multiplied or refused."""
    drawn = changes.lora(TENSORS, 1)[0]
    for name, one in drawn.items():
        if "lora_A" in name:
            drawn[name] = {"flat": one.flatten(), "cut": one[:2], "empty": one[:0]}[change].contiguous()
    adapter = changes.save_adapter(tmp_path / "adapter", drawn)
    path = changes.save(tmp_path / "model", CONFIG, TENSORS)
    with open_weights(path, adapter) as store, pytest.raises(DeposeError, match="not for this model"):
        store.read(GATE)


def test_a_tensor_that_an_adapter_saves_whole_stands_for_that_of_the_model(tmp_path: Path) -> None:
    """What was trained beside the adapter, such as embeddings with more tokens, is read from it."""
    more = torch.randn(700, 96)
    saved = {**changes.lora(TENSORS, 1)[0], f"base_model.model.{EMBEDDINGS}": more}
    adapter = changes.save_adapter(tmp_path / "adapter", saved)
    with open_weights(changes.save(tmp_path / "model", CONFIG, TENSORS), adapter) as store:
        assert store.shapes[EMBEDDINGS] == (700, 96)
        assert np.array_equal(store.read(EMBEDDINGS), more.numpy())
        assert np.array_equal(store.read(NORM), TENSORS[NORM].numpy())


def test_a_last_block_of_float8_may_be_smaller(tmp_path: Path) -> None:
    """Of 300 rows in blocks of 128 the last 44 have a scale of their own."""
    scales = torch.tensor([[1.0], [2.0], [4.0]])
    kept = {**TENSORS, GATE: torch.ones(300, 96).to(torch.float8_e4m3fn), f"{GATE}_scale_inv": scales}
    with open_weights(changes.save(tmp_path / "model", CONFIG, kept)) as store:
        assert np.array_equal(store.read(GATE)[:, 0], np.repeat([1, 2, 4], [128, 128, 44]))


def test_a_file_that_changes_meanwhile_is_an_error(tmp_path: Path) -> None:
    """Weights that somebody writes while they are read have no finding."""
    path = changes.save(tmp_path / "model", CONFIG, TENSORS)

    def meddle(done: int, total: int) -> None:
        if done == 1:
            with (path / "model.safetensors").open("ab") as file:
                file.write(b" ")

    other = changes.save(tmp_path / "other", CONFIG, TENSORS)
    with pytest.raises(ModelFileError, match="changed while it was"):
        compare(Named(name="S", path=path), Named(name="R", path=other), meddle)


def test_units_of_infinite_size_are_not_read(tmp_path: Path) -> None:
    """One infinite number in a matrix is an error that names the tensor."""
    broken = TENSORS[GATE].clone()
    broken[5, 5] = torch.inf
    with open_weights(model(tmp_path / "model", **{GATE: broken})) as store:
        of = layout(store, "the model")
        assert of.mlps[1].gate is not None
        with pytest.raises(AnalysisError, match=r"layers\.1\.mlp\.gate_proj"):
            units(store, of.mlps[1].gate)
