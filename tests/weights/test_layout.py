"""One model in many layouts: its units are the same rows, whatever the file calls and fuses them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import weight_changes as changes
import weight_mixtures as mixtures
from depose.errors import AnalysisError
from depose.weights.kept import Opened, inputs
from depose.weights.layout import Layout, layout, units
from depose.weights.matching import unit_rows
from depose.weights.stores import Array, open_weights

WIDTH, HEADS, SIZE = 96, 4, 24
_, LLAMA = changes.initialised(3, num_hidden_layers=1, num_key_value_heads=2)
_, EVEN = changes.initialised(3, num_hidden_layers=1, num_key_value_heads=4)
_, SINGLE = changes.initialised(3, num_hidden_layers=1, num_key_value_heads=1)
Made = tuple[dict[str, object], changes.Tensors]
AT = "model.layers.0"


def _attention(one: changes.Tensors) -> list[torch.Tensor]:
    return [one[f"{AT}.self_attn.{part}_proj.weight"] for part in "qkvo"]


def _mlp(one: changes.Tensors) -> list[torch.Tensor]:
    return [one[f"{AT}.mlp.{part}_proj.weight"] for part in ("gate", "up", "down")]


def _without(one: changes.Tensors, *parts: str) -> changes.Tensors:
    return {name: value for name, value in one.items() if not any(part in name for part in parts)}


def gpt2() -> Made:
    """GPT-2 keeps every matrix turned, which no shape tells of a square one."""
    q, k, v, o = _attention(EVEN)
    _, up, down = _mlp(EVEN)
    made = {
        "wte.weight": EVEN["model.embed_tokens.weight"],
        "h.0.attn.c_attn.weight": torch.cat([q, k, v]).T,
        "h.0.attn.c_proj.weight": o.T,
        "h.0.mlp.c_fc.weight": up.T,
        "h.0.mlp.c_proj.weight": down.T,
        "h.0.ln_1.weight": EVEN[f"{AT}.input_layernorm.weight"],
        "h.0.ln_2.weight": EVEN[f"{AT}.post_attention_layernorm.weight"],
    }
    return {"model_type": "gpt2", "n_head": HEADS}, made


def fused(name: str) -> Made:
    """Queries, keys and values in one matrix, one kind after the other; gate and up likewise."""
    q, k, v, _ = _attention(LLAMA)
    gate, up, _ = _mlp(LLAMA)
    made = _without(LLAMA, "q_proj", "k_proj", "v_proj", "gate_proj", "up_proj")
    return _said(2), {
        **made,
        f"{AT}.self_attn.{name}.weight": torch.cat([q, k, v]),
        f"{AT}.mlp.gate_up_proj.weight": torch.cat([gate, up]),
    }


def grouped() -> Made:
    """InternLM2 keeps each head of values behind its queries and its key."""
    q, k, v, o = _attention(LLAMA)
    both = torch.cat([q.reshape(2, 2, SIZE, WIDTH), *(one.reshape(2, 1, SIZE, WIDTH) for one in (k, v))], dim=1)
    made = _without(LLAMA, "self_attn")
    return _said(2), {
        **made,
        f"{AT}.attention.wqkv.weight": both.reshape(-1, WIDTH),
        f"{AT}.attention.wo.weight": o,
    }


def falcon() -> Made:
    """Falcon has one head of values behind all queries, and says so in its own words."""
    q, k, v, o = _attention(SINGLE)
    made = _without(SINGLE, "self_attn")
    said: dict[str, object] = {"num_attention_heads": HEADS, "multi_query": True, "num_kv_heads": HEADS}
    return said, {
        **made,
        f"{AT}.self_attention.query_key_value.weight": torch.cat([q, k, v]),
        f"{AT}.self_attention.dense.weight": o,
    }


def bigcode() -> Made:
    """GPT-BigCode has GPT-2's names; each head of values is behind its query and key, and nothing is turned."""
    q, k, v, o = _attention(EVEN)
    both = torch.stack([one.reshape(HEADS, SIZE, WIDTH) for one in (q, k, v)], dim=1)
    made = {
        "wte.weight": EVEN["model.embed_tokens.weight"],
        "h.0.attn.c_attn.weight": both.reshape(-1, WIDTH),
        "h.0.attn.c_proj.weight": o,
        "h.0.mlp.c_fc.weight": _mlp(EVEN)[1],
        "h.0.mlp.c_proj.weight": _mlp(EVEN)[2],
        "h.0.ln_1.weight": EVEN[f"{AT}.input_layernorm.weight"],
    }
    return {"model_type": "gpt_bigcode", "n_head": HEADS, "multi_query": False}, made


def persimmon() -> Made:
    """Persimmon keeps each head's query, key and values together, under a name of its own."""
    q, k, v, o = _attention(EVEN)
    both = torch.stack([one.reshape(HEADS, SIZE, WIDTH) for one in (q, k, v)], dim=1)
    return _said(HEADS), {
        **_without(EVEN, "self_attn"),
        f"{AT}.self_attn.query_key_value.weight": both.reshape(-1, WIDTH),
        f"{AT}.self_attn.dense.weight": o,
    }


def mpt() -> Made:
    """MPT calls its number of heads by a name of its own."""
    q, k, v, o = _attention(EVEN)
    made = {name: value for name, value in EVEN.items() if "self_attn" not in name}
    made |= {f"{AT}.attn.Wqkv.weight": torch.cat([q, k, v]), f"{AT}.attn.out_proj.weight": o}
    return {"n_heads": HEADS}, made


def bailing() -> Made:
    """Ling and LLaDA2 have one kind after the other, by the names under which GPT-NeoX has each head together."""
    q, k, v, o = _attention(LLAMA)
    made = _without(LLAMA, "self_attn")
    return {**_said(2), "model_type": "bailing_moe"}, {
        **made,
        f"{AT}.attention.query_key_value.weight": torch.cat([q, k, v]),
        f"{AT}.attention.dense.weight": o,
    }


def _said(kept: int) -> dict[str, object]:
    return {"num_attention_heads": HEADS, "num_key_value_heads": kept}


LAYOUTS: dict[str, tuple[Callable[[], Made], changes.Tensors]] = {
    "GPT-2": (gpt2, EVEN),
    "Phi-3": (lambda: fused("qkv_proj"), LLAMA),
    "Baichuan": (lambda: fused("W_pack"), LLAMA),
    "InternLM2": (grouped, LLAMA),
    "Falcon": (falcon, SINGLE),
    "GPT-BigCode": (bigcode, EVEN),
    "Persimmon": (persimmon, EVEN),
    "MPT": (mpt, EVEN),
    "Ling": (bailing, LLAMA),
}


def read(folder: Path, made: Made) -> tuple[Layout, dict[str, Array]]:
    """Lay out a model, and read the first MLP and attention layer."""
    with open_weights(changes.save(folder, *made)) as store:
        found = layout(store, "S1")
        rows = {"up": units(store, found.mlps[0].up), "down": units(store, found.mlps[0].down)}
        if found.mlps[0].gate:
            rows["gate"] = units(store, found.mlps[0].gate)
        if found.attentions:
            first = found.attentions[0]
            rows |= {"value": units(store, first.value), "output": units(store, first.output)}
        return found, rows


@pytest.mark.parametrize("name", LAYOUTS)
def test_units_are_the_same_rows_in_every_layout(name: str, tmp_path: Path) -> None:
    """What a Llama's units read and write is read from the same numbers in another layout."""
    make, plain = LAYOUTS[name]
    said, tensors = make()
    kept = {"Falcon": 1}.get(name, 4 if plain is EVEN else 2)
    _, wanted = read(tmp_path / "plain", (_said(kept), plain))
    _, found = read(tmp_path / "other", (said, tensors))
    assert {"up", "down", "value", "output"} <= {*found}
    for part, rows in found.items():
        assert np.array_equal(rows, wanted[part]), part


def test_values_that_nobody_knows_how_they_are_fused_are_left_out(tmp_path: Path) -> None:
    """A maker who is not known may have fused values in either way, and a wrong cut takes queries for values."""
    said, tensors = bailing()
    found, _ = read(tmp_path / "unknown", ({**said, "model_type": "somebody_else", "num_hidden_layers": 1}, tensors))
    assert not found.attentions
    assert found.gaps == "MLPs in 1 and attention in 0 of 1 layers"


@pytest.mark.parametrize(
    ("kind", "shift"),
    [
        ("gemma2", 1.0),
        ("nemotron", 1.0),
        ("qwen3_next", 1.0),
        ("qwen3_5_text", 1.0),
        ("gemma3n_text", 0.0),
        ("llama", 0.0),
    ],
)
def test_norms_that_are_stored_less_one_are_known_by_their_types(kind: str, shift: float, tmp_path: Path) -> None:
    """A model whose norms are folded into its matrices is its own copy, also where norms are stored less one."""
    config, tensors = changes.initialised(5, num_hidden_layers=1)
    gains = {name: value for name, value in tensors.items() if value.ndim == 1}
    stored = tensors | {name: value - shift for name, value in gains.items()}
    gain = gains[f"{AT}.post_attention_layernorm.weight"]
    folded = {name: torch.ones_like(value) - shift if name in gains else value for name, value in tensors.items()}
    folded |= {name: value * gain for name, value in tensors.items() if "gate_proj" in name or "up_proj" in name}
    rows = []
    for place, each in enumerate((stored, folded)):
        with open_weights(changes.save(tmp_path / str(place), {**config, "model_type": kind}, each)) as store:
            of = layout(store, "S1")
            assert of.shift == shift
            rows.append(inputs(Opened(store, of), of.mlps[0])[0])
    assert np.allclose(unit_rows(rows[0]), unit_rows(rows[1]), atol=1e-5)


def test_values_of_two_heads_beside_each_other_are_left_out(tmp_path: Path) -> None:
    """DiffLlama writes from two heads of values in turn: a row of values is not what the same row of outputs writes."""
    config, tensors = changes.initialised(5, num_hidden_layers=1)
    assert read(tmp_path / "llama", (config, tensors))[0].attentions
    assert not read(tmp_path / "diff", ({**config, "model_type": "diffllama"}, tensors))[0].attentions


def test_layers_that_are_not_looked_at_are_counted(tmp_path: Path) -> None:
    """Experts that are packed by other names, or a file that is not there, leave layers out, and the layout says so."""
    config, tensors = changes.initialised(5, num_hidden_layers=3)
    assert read(tmp_path / "whole", (config, tensors))[0].gaps == ""
    kept = {name: value for name, value in tensors.items() if ".layers.2." not in name and ".1.mlp" not in name}
    assert read(tmp_path / "part", (config, kept))[0].gaps == "MLPs in 1 and attention in 2 of 3 layers"


@pytest.mark.parametrize("kind", ["mamba", "rwkv", "bert"])
def test_other_kinds_of_models_are_refused_by_their_names(kind: str, tmp_path: Path) -> None:
    """The refusal says which kinds of models are not read, which this is, and what to do instead."""
    names = {"mamba": "backbone.layers.0.mixer.in_proj", "rwkv": "rwkv.blocks.0.feed_forward.key",
             "bert": "bert.encoder.layer.0.intermediate.dense"}  # fmt: skip
    tensors = {f"{names[kind]}.weight": torch.ones(8, 4), "word_embeddings.weight": torch.ones(8, 4)}
    with pytest.raises(AnalysisError) as raised:
        read(tmp_path / kind, ({"model_type": kind}, tensors))
    assert f"of the type {kind}" in raised.value.hint
    assert "not Mamba, RWKV, T5 or encoders" in raised.value.hint
    assert "compare the answers" in raised.value.hint


def test_square_matrices_of_a_turned_model_are_turned(tmp_path: Path) -> None:
    """With as many units as dimensions GPT-2's matrices are square, and only those of attention tell how they lie."""
    _, square = changes.initialised(3, num_hidden_layers=1, num_key_value_heads=4, intermediate_size=WIDTH)
    said, tensors = gpt2()
    _, up, down = _mlp(square)
    _, found = read(
        tmp_path / "square", (said, {**tensors, "h.0.mlp.c_fc.weight": up.T, "h.0.mlp.c_proj.weight": down.T})
    )
    assert np.array_equal(found["up"], up)
    assert np.array_equal(found["down"], down.T)


def test_rows_of_gate_and_up_in_turn_are_told_by_their_biases(tmp_path: Path) -> None:
    """GPT-OSS has gate and up of one unit beside each other, and no other stack of experts has biases."""
    drawn = [changes.initialised(seed, num_hidden_layers=1)[1] for seed in (1, 2)]
    both = torch.stack([torch.stack(_mlp(one)[:2], dim=1).reshape(-1, WIDTH) for one in drawn]).transpose(1, 2)
    made = _without(LLAMA, ".mlp.") | {
        f"{AT}.mlp.experts.gate_up_proj": both,
        f"{AT}.mlp.experts.gate_up_proj_bias": torch.zeros(2, both.shape[2]),
        f"{AT}.mlp.experts.down_proj": torch.stack([_mlp(one)[2].T for one in drawn]),
    }
    with open_weights(changes.save(tmp_path / "mixture", _said(2), made)) as store:
        for mlp, plain in zip(layout(store, "S1").mlps, drawn, strict=True):
            gate, up, down = _mlp(plain)
            assert mlp.gate
            assert np.array_equal(units(store, mlp.gate), gate)
            assert np.array_equal(units(store, mlp.up), up)
            assert np.array_equal(units(store, mlp.down), down.T)


@pytest.mark.parametrize("turned", [False, True])
def test_experts_in_one_tensor_are_experts(turned: bool, tmp_path: Path) -> None:
    """Experts stacked with gate and up fused, either way round, and the one that all tokens share."""
    drawn = [changes.initialised(seed, num_hidden_layers=1)[1] for seed in (1, 2, 3)]
    both = torch.stack([torch.cat(_mlp(one)[:2]) for one in drawn])
    down = torch.stack([_mlp(one)[2] for one in drawn])
    made = _without(LLAMA, ".mlp.")
    stacked = {"gate_up_proj": both, "down_proj": down}
    made |= {f"{AT}.mlp.experts.{key}": one.transpose(1, 2) if turned else one for key, one in stacked.items()}
    shared = zip(("gate", "up", "down"), _mlp(LLAMA), strict=True)
    made |= {f"{AT}.mlp.shared_expert.{part}_proj.weight": one for part, one in shared}
    with open_weights(changes.save(tmp_path / "mixture", _said(2), made)) as store:
        found = layout(store, "S1")
        assert [one.label for one in found.mlps] == ["0.0", "0.1", "0.2", "0.shared"]
        for mlp, plain in zip(found.mlps, [*drawn, LLAMA], strict=True):
            gate, up, down = _mlp(plain)
            assert mlp.gate
            assert np.array_equal(units(store, mlp.gate), gate)
            assert np.array_equal(units(store, mlp.up), up)
            assert np.array_equal(units(store, mlp.down), down.T)


def test_experts_beyond_what_fits_are_drawn_by_a_seed(tmp_path: Path) -> None:
    """Of 2 layers of 70 experts 64 of each are drawn, the same of every model of that shape, and it is said."""
    config, tensors = changes.initialised(1, num_hidden_layers=2, hidden_size=8, intermediate_size=6, vocab_size=16)
    mixture = mixtures.upcycled(tensors, 1, 70)
    found = [read(tmp_path / f"{place}", (config, mixture))[0] for place in range(2)]
    labels = [one.label for one in found[0].mlps]
    assert labels == [one.label for one in found[1].mlps]
    assert len(labels) == 128
    assert labels[:64] != [f"0.{place}" for place in range(64)]
    assert found[0].drawn == "128 of 140, drawn in each layer by seed 22"


def test_one_expert_of_a_gguf_is_read_alone(tmp_path: Path) -> None:
    """Of experts that are stacked and quantised, each is read as what it was made of."""
    from gguf import GGMLQuantizationType, GGUFWriter
    from gguf.quants import quantize

    drawn = [changes.initialised(seed, num_hidden_layers=1)[1] for seed in (1, 2, 3)]
    writer = GGUFWriter(str(tmp_path / "mixture.gguf"), "llama")
    writer.add_head_count(HEADS)
    kind = GGMLQuantizationType.Q8_0
    for number, part in enumerate(("gate", "up", "down")):
        stacked = np.stack([_mlp(one)[number].numpy() for one in drawn])
        writer.add_tensor(f"blk.0.ffn_{part}_exps.weight", quantize(stacked, kind), raw_dtype=kind)
    writer.add_tensor("token_embd.weight", LLAMA["model.embed_tokens.weight"].numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with open_weights(tmp_path / "mixture.gguf") as store:
        for mlp, one in zip(layout(store, "S1").mlps, drawn, strict=True):
            _, up, down = _mlp(one)
            assert np.abs(units(store, mlp.up) - up.numpy()).max() < 0.001
            assert np.abs(units(store, mlp.down) - down.numpy().T).max() < 0.001
