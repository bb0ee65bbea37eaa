"""Two models on disk: kin are found through everything that is done to weights, twins of one shape never are."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

import weight_changes as changes
import weight_mixtures as mixtures
import weight_rules as rules
from depose.errors import AnalysisError
from depose.model.weights import WeightFinding
from depose.weights.compare import Named, compare
from depose.weights.stores import open_weights
from weight_strangers import redrawn

CONFIG, REFERENCE = changes.initialised(0)
TUNED = changes.noisy(REFERENCE, 5)
_, STRANGER = changes.initialised(1)
Changed = Callable[[], tuple[object, changes.Tensors]]

KIN: dict[str, Changed] = {
    "tuned": lambda: (CONFIG, TUNED),
    "bfloat16": lambda: (CONFIG, {name: one.bfloat16() for name, one in TUNED.items()}),
    "int8": lambda: (CONFIG, changes.int8(TUNED)),
    "units permuted": lambda: (CONFIG, changes.permuted_units(TUNED, 3)),
    "units permuted and rescaled": lambda: (CONFIG, changes.rescaled_units(changes.permuted_units(TUNED, 3), 4)),
    "signs flipped": lambda: (CONFIG, changes.flipped_signs(TUNED, 3)),
    "space rotated": lambda: (CONFIG, changes.rotated(TUNED, 6)),
    "space rotated, units permuted": lambda: (CONFIG, changes.permuted_units(changes.rotated(TUNED, 6), 7)),
    "space and units permuted": lambda: (CONFIG, changes.permuted_units(changes.permuted_space(TUNED, 6), 7)),
    "units permuted, signs flipped": lambda: (CONFIG, changes.flipped_signs(changes.permuted_units(TUNED, 1), 2)),
    "half a stranger": lambda: (CONFIG, changes.merged(TUNED, STRANGER)),
    "30 % of the weights pruned": lambda: (CONFIG, changes.pruned_weights(TUNED)),
    "30 % of the units pruned": lambda: changes.pruned_units(CONFIG, TUNED),
    "narrowed by a quarter": lambda: changes.narrowed(CONFIG, TUNED),
    "half of the layers dropped": lambda: changes.kept_layers(CONFIG, TUNED, [0, 2, 4]),
    "layers doubled": lambda: changes.kept_layers(CONFIG, TUNED, [0, 1, 2, 1, 2, 3, 4, 5]),
    "turned as for few bits": lambda: (CONFIG, rules.hadamard_turned(TUNED)),
    "upcycled": lambda: (CONFIG, mixtures.upcycled(TUNED, 3)),
    "split into experts": lambda: (CONFIG, mixtures.split(TUNED)),
    "heads of values halved": lambda: changes.fewer_heads(CONFIG, TUNED),
    "embeddings made longer, space rotated": lambda: changes.longer(CONFIG, changes.rotated(TUNED, 6)),
    "adapter merged": lambda: (CONFIG, changes.lora(REFERENCE, 3)[1]),
}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reference on disk."""
    return changes.save(tmp_path_factory.mktemp("weights") / "reference", CONFIG, REFERENCE)


def compared(suspect: Path, reference: Path, adapter: Path | None = None) -> WeightFinding:
    """Compare two folders."""
    return compare(Named(name="S1", path=suspect, adapter=adapter), Named(name="R1", path=reference))


@pytest.mark.parametrize("kind", KIN)
def test_kin_are_found_through_what_is_done_to_weights(kind: str, reference: Path, tmp_path: Path) -> None:
    """A relative is called not independent at p < 1e-10, whatever was done to it."""
    config, tensors = KIN[kind]()
    found = compared(changes.save(tmp_path / "suspect", config, tensors), reference)  # type: ignore[arg-type]
    assert found.reading == "not independent"
    assert found.log10_p < -10


def test_an_adapter_is_merged_as_it_is_read(reference: Path, tmp_path: Path) -> None:
    """The base with its adapter beside it has the same tests as the model into which it was merged."""
    adapter, tensors = changes.lora(REFERENCE, 3)
    merged = compared(changes.save(tmp_path / "merged", CONFIG, tensors), reference)
    beside = compared(reference, reference, changes.save_adapter(tmp_path / "adapter", adapter))
    assert beside.layers == merged.layers
    assert "adapter/adapter_model.safetensors" in beside.suspect_files
    assert all(one.cosine < 0.9999 for one in beside.layers if one.kind == "mlp"), "the adapter must have changed it"


def test_an_adapter_is_merged_into_a_gguf_too(tmp_path: Path) -> None:
    """The base as GGUF, whose tensors have other names, takes the adapter that was made on its safetensors."""
    drawn, tensors = changes.lora(REFERENCE, 3)
    queries = {f"base_model.model.model.layers.0.self_attn.q_proj.lora_{side}.weight": one
               for side, one in (("A", torch.ones(4, 96)), ("B", torch.ones(96, 4)))}  # fmt: skip
    adapter = changes.save_adapter(tmp_path / "adapter", {**drawn, **queries})
    base = changes.save_gguf(tmp_path / "base.gguf", CONFIG, REFERENCE)
    with open_weights(base, adapter) as beside, open_weights(base) as plain:
        for name, called in (("mlp.gate_proj", "ffn_gate"), ("self_attn.v_proj", "attn_v")):
            merged = tensors[f"model.layers.2.{name}.weight"].numpy()
            assert np.abs(beside.read(f"blk.2.{called}.weight") - merged).max() < 0.001
            assert np.abs(plain.read(f"blk.2.{called}.weight") - merged).max() > 0.001
        assert np.array_equal(beside.read("blk.0.attn_q.weight"), plain.read("blk.0.attn_q.weight"))


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_0"])
def test_a_gguf_is_read_as_what_it_was_made_of(kind: str, reference: Path, tmp_path: Path) -> None:
    """A quantised GGUF of a relative, whose tensors have other names, is found like the relative."""
    found = compared(changes.save_gguf(tmp_path / "suspect.gguf", CONFIG, TUNED, kind), reference)
    assert found.log10_p < -10
    assert [one.closest for one in found.layers if one.kind == "mlp"] == [*"012345"]


def test_shards_are_one_model(reference: Path, tmp_path: Path) -> None:
    """A model in three files has the finding of the same model in one."""
    whole = compared(changes.save(tmp_path / "whole", CONFIG, TUNED), reference)
    shards = compared(changes.save(tmp_path / "shards", CONFIG, TUNED, shards=3), reference)
    assert (shards.layers, shards.log10_p) == (whole.layers, whole.log10_p)
    assert len([name for name in shards.suspect_files if name.endswith("safetensors")]) == 3


def test_layers_of_two_models_are_told_apart(reference: Path, tmp_path: Path) -> None:
    """Of a model whose later half is a stranger's, the map shows which layers come from where."""
    names = [f"model.layers.{layer}." for layer in (3, 4, 5)]
    mixed = {name: (STRANGER if name.startswith(tuple(names)) else TUNED)[name] for name in TUNED}
    found = compared(changes.save(tmp_path / "mixed", CONFIG, mixed), reference)
    mlps = {one.label: one for one in found.layers if one.kind == "mlp"}
    assert all(mlps[label].order_log10_p < -50 and mlps[label].closest == label for label in "012")
    assert all(mlps[label].order_log10_p > -4 for label in "345")
    assert all(np.argmax(found.map.margins[layer]) == layer for layer in range(3))


def test_another_vocabulary_is_no_obstacle(reference: Path, tmp_path: Path) -> None:
    """With fewer tokens in another order a rotated relative is still laid over its reference, by their texts."""
    tokens = {f"t{place}": place for place in range(640)}
    order = np.random.default_rng(1).permutation(640)[:400]
    turned = changes.rotated(TUNED, 6)
    turned["model.embed_tokens.weight"] = turned["model.embed_tokens.weight"][order.tolist()]
    config = {**CONFIG, "vocab_size": 400}
    suspect = changes.with_tokens(
        changes.save(tmp_path / "suspect", config, turned),
        {f"t{place}": row for row, place in enumerate(order.tolist())},
    )
    named = changes.with_tokens(changes.save(tmp_path / "reference", CONFIG, REFERENCE), tokens)
    found = compared(suspect, named)
    assert found.log10_p < -10
    assert found.alignment == "rotated by the embeddings of shared tokens"
    assert found.support["tokens shared"] == "400 of 400 and 640"


def test_a_turned_space_is_found_where_chance_alone_has_margins(tmp_path: Path) -> None:
    """Few sparse weights have sure matches in any space: what lies over nothing is not taken for what lies well."""
    config, drawn = changes.initialised(8, num_hidden_layers=3, hidden_size=48, intermediate_size=72, vocab_size=160,
                                        num_attention_heads=6, num_key_value_heads=2)  # fmt: skip
    sparse = redrawn(drawn, "sparse", 9)
    suspect = changes.save(tmp_path / "suspect", config, changes.permuted_space(sparse, 3))
    found = compared(suspect, changes.save(tmp_path / "reference", config, sparse))
    assert found.alignment == "rotated by the embeddings of shared tokens"
    assert found.log10_p < -10


def test_attention_is_found_beside_mlps_and_embeddings_of_a_stranger(tmp_path: Path) -> None:
    """Where MLPs match in no space, spaces stay as they are, and no table of a stranger's embeddings turns them."""
    for seed in range(30, 60, 10):
        drawn = [changes.initialised(seed + place, num_hidden_layers=2, hidden_size=64) for place in (0, 1)]
        (config, mine), (_, other) = drawn
        taken = {name: mine[name] if "self_attn" in name else other[name] for name in mine}
        paths = [changes.save(tmp_path / f"{seed}-{place}", config, one) for place, one in enumerate((taken, mine))]
        found = compared(*paths)
        assert found.alignment == "as they are"
        assert found.log10_p < -10


def twins(folder: Path, count: int) -> list[WeightFinding]:
    """Compare all pairs of so many models of one configuration and vocabulary, each initialised on its own."""
    made = [changes.initialised(seed, num_hidden_layers=3) for seed in range(count)]
    folders = [changes.save(folder / str(seed), *one) for seed, one in enumerate(made)]
    return [compared(one, other) for one, other in combinations(folders, 2)]


def test_twins_of_one_shape_and_tokenizer_are_not_kin(tmp_path: Path) -> None:
    """Models that differ in nothing but their seeds are never called kin, though their shapes and tokens agree."""
    found = twins(tmp_path, 4)
    assert {one.reading for one in found} == {"nothing against independence"}
    assert all(one.log10_p > -3 for one in found)
    assert all("640 of 640 and 640" in one.support["tokens shared"] for one in found)


@pytest.mark.slow
def test_independent_pairs_have_uniform_p_values(tmp_path: Path) -> None:
    """Over all 120 pairs of 16 twins, more than 500 layer tests: each kind is uniform, and no pair's p is too small.

    Three tests, at .01 together; pairs share their twins, so that each is a little too strict as it is. The p-value of
    a pair is the larger of two looks at its orders, and so it is too large as a rule.
    """
    found = twins(tmp_path, 16)
    assert {one.reading for one in found} == {"nothing against independence"}
    layers = [layer for one in found for layer in one.layers if layer.counted and layer.kind == "mlp"]
    orders = [10**one.order_log10_p for one in layers]
    signs = [10**one.signs_log10_p for one in layers if one.signs_log10_p is not None]
    assert len(orders) + len(signs) >= 500
    pairs = [10**one.log10_p for one in found]
    assert min(stats.kstest(each, "uniform").pvalue for each in (orders, signs)) > 0.01 / 3
    assert stats.kstest(pairs, "uniform", alternative="greater").pvalue > 0.01 / 3


def test_models_that_nothing_lays_over_each_other_are_an_error(reference: Path, tmp_path: Path) -> None:
    """Another width without shared tokens has no comparison, and the message says what would help."""
    config, tensors = changes.initialised(2, hidden_size=64, vocab_size=100)
    with pytest.raises(AnalysisError, match=r"64 and 96 wide and share 0 tokens") as raised:
        compared(changes.save(tmp_path / "narrow", config, tensors), reference)
    assert "tokenizer.json" in raised.value.hint
