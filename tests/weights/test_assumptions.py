"""What breaks the null on both sides: strangers are not called for it, and kin are still found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.linalg import hadamard

import weight_changes as changes
import weight_mixtures as mixtures
import weight_rules as rules
from depose.cli.weights import lines
from depose.model.weights import WeightFinding
from depose.weights import copies, matching
from depose.weights.assumptions import Assumptions
from depose.weights.compare import Named, compare
from depose.weights.rules import looked_at, order_rules
from weight_orders import ORDERS
from weight_strangers import HABITS, Drawn, own

CONFIG, LEARNT = changes.initialised(1000, num_hidden_layers=3)
ONE, OTHER = changes.alike(LEARNT, 10), changes.alike(LEARNT, 20)
"""Strangers that learnt the same."""
RULES: dict[str, tuple[Callable[[changes.Tensors], changes.Tensors], str]] = {
    "units sorted by what they read": (rules.sorted_units, "order of units"),
    "units sorted by what they multiply with": (lambda one: rules.sorted_units(one, "up"), "order of units"),
    "units sorted by what they write": (lambda one: rules.sorted_units(one, "down"), "order of units"),
    "units sorted, some of them empty": (lambda one: rules.sorted_units(one, "gate", 8), "order of units"),
    "value dimensions sorted": (rules.sorted_values, "order of value dimensions"),
    "dimensions sorted": (rules.sorted_space, "order of the model's dimensions"),
    "principal components": (rules.principal, "order of the model's dimensions"),
    "units sorted by how they answer": (rules.sorted_by_activation, "order of units"),
    "units sorted by one direction": (rules.sorted_by_direction, "order of units"),
    "dimensions sorted by a norm": (rules.space_sorted_by_norm, "order of the model's dimensions"),
    "signs chosen by what units read": (rules.signs_by_gate, "signs of units"),
    "signs chosen by one direction": (rules.signs_by_direction, "signs of units"),
    "one mask": (rules.masked, "order of value dimensions"),
}


def compared(folder: Path, one: changes.Tensors, other: changes.Tensors) -> WeightFinding:
    """Write two models and compare them."""
    paths = [changes.save(folder / name, CONFIG, each) for name, each in (("one", one), ("other", other))]
    return compare(Named(name="S1", path=paths[0]), Named(name="R1", path=paths[1]))


@pytest.mark.parametrize("rule", RULES)
def test_what_both_sides_chose_by_a_rule_counts_for_nothing(rule: str, tmp_path: Path) -> None:
    """Strangers that learnt the same and were sorted alike lose that test, whose p-value would have called them kin."""
    change, kind = RULES[rule]
    found = compared(tmp_path, change(ONE), change(OTHER))
    assert found.log10_p > -3
    assert f"not counted, since both models fail its assumption: {kind}" in found.cautions
    assert {one.kind: one.log10_p for one in found.tests}[kind] < -3, "else this shows nothing"  # type: ignore[index]


@pytest.mark.parametrize(
    "habit", ["one mask, rows with a common direction", "sizes by one table, rows with a common direction"]
)
def test_one_table_of_both_sides_and_a_common_direction_are_no_kinship(habit: str, tmp_path: Path) -> None:
    """Units of one number are alike then, and never opposite; their signs, less what all share, tell nothing of it."""
    cut = HABITS[habit]
    one, other = (cut(Drawn(CONFIG, own(Drawn(CONFIG, LEARNT), seed)), seed).tensors for seed in (10, 20))
    found = compared(tmp_path, one, other)
    units = next(one for one in found.tests if one.kind == "order of units")
    assert units.log10_p < -10, "else this shows nothing"
    assert units.again_log10_p is not None
    assert units.again_log10_p > -3
    assert found.log10_p > -3
    kin = (cut(Drawn(CONFIG, one), seed).tensors for seed, one in ((1, changes.noisy(ONE, 3)), (2, ONE)))
    assert compared(tmp_path / "kin", *kin).log10_p < -10


def test_values_that_were_decomposed_are_seen_in_heads_of_eight(tmp_path: Path) -> None:
    """Heads of eight dimensions are tested, and so they are checked: singular values put them in order."""
    small, learnt = changes.initialised(7, num_hidden_layers=4, hidden_size=64, num_attention_heads=8,
                                        num_key_value_heads=4)  # fmt: skip
    decomposed = ORDERS["values decomposed head by head"]
    paths = [
        changes.save(tmp_path / str(seed), *decomposed(Drawn(small, own(Drawn(small, learnt), seed, share=0.2)), seed))
        for seed in (10, 20)
    ]
    found = compare(Named(name="S1", path=paths[0]), Named(name="R1", path=paths[1]))
    assert "not counted, since both models fail its assumption: order of value dimensions" in found.cautions
    assert found.log10_p > -3


def test_a_public_rotation_of_both_sides_is_no_kinship(tmp_path: Path) -> None:
    """One Hadamard matrix turns spaces, heads and what MLPs write from in both strangers; no test is lost for it."""
    found = compared(tmp_path, rules.hadamard_turned(ONE), rules.hadamard_turned(OTHER))
    assert found.log10_p > -3
    assert found.cautions == ()


def test_kin_that_were_cut_by_one_mask_are_found_by_their_signs(tmp_path: Path) -> None:
    """Kin under one mask are no strangers: units of one number agree, and none is opposite."""
    found = compared(tmp_path, rules.masked(changes.noisy(ONE, 3)), rules.masked(ONE))
    assert found.log10_p < -10
    assert not [one for one in found.cautions if "one mask" in one]


def test_one_model_as_training_left_it_is_enough(tmp_path: Path) -> None:
    """Where one side alone was sorted, every test counts, and says nothing against strangers."""
    found = compared(tmp_path, rules.sorted_space(rules.sorted_values(rules.sorted_units(ONE))), OTHER)
    assert [one for one in found.cautions if "of the suspect were" in one]
    assert not [one for one in found.cautions if "not counted" in one]
    assert found.log10_p > -3


def test_kin_whose_units_were_sorted_are_found_by_what_is_left(tmp_path: Path) -> None:
    """Signs and value dimensions remain."""
    found = compared(tmp_path, rules.sorted_units(changes.noisy(ONE, 3)), rules.sorted_units(ONE))
    assert "not counted, since both models fail its assumption: order of units" in found.cautions
    assert found.log10_p < -10


def test_an_identity_that_both_were_initialised_with_is_no_kinship(tmp_path: Path) -> None:
    """Values that both began with the identity follow the columns, with their signs: neither test of values counts."""
    strangers = [changes.initialised(seed, num_hidden_layers=3)[1] for seed in (1, 2)]
    found = compared(tmp_path, *map(rules.with_identity, strangers))
    assert found.reading == "nothing against independence"
    assert [one.rpartition(": ")[2] for one in found.cautions if "not counted" in one] == [
        "order of value dimensions",
        "signs of value dimensions",
    ]


def test_a_table_that_begins_anew_after_half_of_the_units_is_seen() -> None:
    """Hadamard's matrix of 256 units that are 128 wide is one of 128 twice, and its first half tells enough."""
    draw = np.random.default_rng(3)
    table = np.asarray(hadamard(256)[:, :128] + draw.normal(size=(256, 128)), dtype=np.float32)
    said = dict(order_rules(looked_at(table, formulas=True)))
    assert said["the formula of Hadamard+"] < -100


@pytest.mark.parametrize("formula", ["Hadamard", "cosines"])
def test_first_weights_from_a_formula_are_no_kinship(formula: str, tmp_path: Path) -> None:
    """Strangers whose matrices began with one table that a formula makes are not called for it, though signs agree."""
    strangers = [changes.initialised(seed, num_hidden_layers=3)[1] for seed in (1, 2)]
    found = compared(tmp_path, *(rules.from_formula(one, formula) for one in strangers))
    assert found.reading == "nothing against independence"
    assert "not counted, since both models fail its assumption: signs of units" in found.cautions
    assert {one.kind: one.log10_p for one in found.tests}["signs of units"] < -6, "else this shows nothing"


def test_checks_find_nothing_in_what_is_drawn_at_random() -> None:
    """Over 10 draws of a layer's units, value dimensions and embeddings, no kind is called spoilt."""
    draw = np.random.default_rng(3)

    def rows(*shape: int) -> NDArray[np.float32]:
        return np.asarray(draw.normal(size=shape), dtype=np.float32)

    for _ in range(10):
        seen = Assumptions()
        for model in ("suspect", "reference"):
            seen.saw_units(model, rows(300, 32), rows(300, 32), rows(300, 32))
            seen.saw_values(model, rows(2, 24, 32), rows(2, 24, 32))
            seen.saw_dimensions(model, rows(200, 64))
        assert seen.judged({}).cautions == ()


def test_experts_made_from_one_mlp_are_one_test(tmp_path: Path) -> None:
    """Of two strangers whose mixtures were both upcycled, each layer counts once, though four experts are matched."""
    found = compared(tmp_path, mixtures.upcycled(ONE, 1), mixtures.upcycled(OTHER, 7))
    mlps = [one for one in found.layers if one.kind == "mlp"]
    assert len(mlps) == 12
    assert sum(one.counted for one in mlps) <= 3
    assert found.log10_p > -3


def test_experts_that_drew_their_units_from_one_mlp_are_one_test(tmp_path: Path) -> None:
    """Where each expert has half of the units in an order of its own, signs come from one MLP still."""
    made = [mixtures.drawn_experts(mixtures.upcycled(one, seed), seed) for one, seed in ((ONE, 1), (OTHER, 7))]
    found = compared(tmp_path, *made)
    assert sum(one.counted for one in found.layers if one.kind == "mlp") <= 3


def test_kin_with_more_experts_than_four_in_another_order_are_found_by_them(tmp_path: Path) -> None:
    """Every expert is looked at, so that each finds its own, wherever it stands."""
    drawn = [changes.initialised(seed, num_hidden_layers=1)[1] for seed in range(6)]
    names = [name for name in drawn[0] if ".mlp." in name]
    first, second = (
        {name: value for name, value in drawn[0].items() if ".mlp." not in name}
        | {name.replace(".mlp.", f".mlp.experts.{place}."): drawn[number][name] + 0
           for place, number in enumerate(order) for name in names}
        for order in ((0, 1, 2, 3, 4, 5), (5, 0, 4, 1, 3, 2))
    )  # fmt: skip
    found = compared(tmp_path, changes.noisy(second, 3), first)
    mlps = [one for one in found.layers if one.kind == "mlp"]
    assert [one.closest for one in mlps] == [f"0.{number}" for number in (5, 0, 4, 1, 3, 2)]
    assert all(one.counted and one.order_log10_p < -10 for one in mlps)


def test_units_that_a_wider_layer_repeats_are_one_unit() -> None:
    """Of matches with copies of a unit the surest is kept, whichever model repeats it."""
    rows = np.eye(4, dtype=np.float32)
    twice = np.concatenate([rows, rows])
    found = matching.Match(
        np.array([0, 4, 1, 2]), np.array([0, 1, 2, 3]), np.ones(4, np.float32), np.ones(4, np.float32), 0.5
    )
    assert matching.distinct(found, twice, twice).mine.tolist() == [0, 1, 2]
    assert matching.distinct(
        found._replace(mine=np.arange(4), theirs=np.array([0, 1, 4, 5])), rows, twice
    ).theirs.tolist() == [0, 1]
    assert matching.distinct(found._replace(mine=np.arange(4)), rows, rows).mine.tolist() == [0, 1, 2, 3]


def test_one_table_of_embeddings_is_said_to_be_all(tmp_path: Path) -> None:
    """Strangers with one public table share it and nothing else: the finding says that embeddings alone speak."""
    found = compared(tmp_path, rules.same_embeddings(ONE), rules.same_embeddings(OTHER))
    assert found.cautions[0].startswith("embeddings alone: hidden layers tell nothing")
    assert lines(found)[1].startswith("  embeddings alone: hidden layers tell nothing")
    found = compared(tmp_path / "kin", changes.noisy(ONE, 3), ONE)
    assert found.cautions == ()


def test_dimensions_with_sines_of_places_in_both_models_do_not_count(tmp_path: Path) -> None:
    """Where each dimension has a frequency of its own its number is no draw; a model without leaves it one."""
    config, base = changes.initialised(1, num_hidden_layers=2)
    table = {"model.embed_tokens.weight": base["model.embed_tokens.weight"]}
    other = changes.initialised(2, num_hidden_layers=2)[1] | table
    kinds = {"both": ("xglm", "marian"), "one": ("xglm", "llama")}
    found = {}
    for name, types in kinds.items():
        paths = [
            changes.save(tmp_path / f"{name}{place}", {**config, "model_type": kind}, tensors)
            for place, (kind, tensors) in enumerate(zip(types, (base, other), strict=True))
        ]
        found[name] = compare(Named(name="S", path=paths[0]), Named(name="R", path=paths[1]))
    assert found["one"].reading == "not independent"
    assert found["both"].reading == "nothing against independence"
    assert (
        "not counted, since both models fail its assumption: order of the model's dimensions" in found["both"].cautions
    )
    assert any(one.startswith("sines and cosines of places") for one in found["both"].cautions)


def test_layers_that_both_sides_doubled_are_one_test(tmp_path: Path) -> None:
    """Of two strangers that were both made deeper by doubling their layers, each pair of copies counts once."""
    deep = [changes.noisy(changes.kept_layers(CONFIG, one, [0, 1, 2, 0, 1, 2])[1], 5) for one in (ONE, OTHER)]
    found = compared(tmp_path, *deep)
    for kind in ("mlp", "attention"):
        assert 0 < sum(one.counted for one in found.layers if one.kind == kind) <= 3


def test_experts_in_another_order_leave_the_layers_of_attention(tmp_path: Path) -> None:
    """Kin whose sampled experts are strangers to each other are found by their values, each at its own layer."""
    mixture = mixtures.upcycled(ONE, 1)
    drawn = {name: torch.randn_like(one) * 0.02 if ".mlp." in name else one for name, one in mixture.items()}
    found = compared(tmp_path, drawn, mixture)
    assert found.log10_p < -10
    assert [one.closest for one in found.layers if one.kind == "attention"] == ["0", "1", "2"]


def test_families_are_those_of_the_same_rows() -> None:
    """Blocks with common rows at common numbers are one family, through a third as well; others are their own."""
    draw = np.random.default_rng(1)
    first, other, moved = (np.asarray(draw.normal(size=(32, 64)), dtype=np.float32) for _ in range(3))
    unit = matching.unit_rows
    blocks = [unit(first), unit(other), unit(first + 0.5 * moved), unit(other[:16])]
    numbers = copies.families(blocks)
    assert numbers[0] == numbers[2]
    assert len({*numbers}) == 3
    assert copies.families([unit(first), unit(first[::-1])]) == [0, 1], (
        "other numbers are sought as the blocks are read"
    )
    seen = copies.Blocks()
    for label, rows in (("a", first), ("b", other), ("c", first[::-1] + 0.5 * moved)):
        seen.add(label, unit(rows))
    assert seen.families() == {"a": 0, "b": 1, "c": 0}
    assert copies.families([]) == []


def test_each_family_of_either_side_counts_once_by_its_surest_match() -> None:
    """The surest match of a family counts, whatever the order of matches."""
    assert copies.once([0.1, 0.5, 0.3], [0, 0, 1], [7, 8, 8]) == [False, True, False]
    assert copies.once([0.3, 0.5, 0.1], [1, 0, 0], [8, 8, 7]) == [False, True, False]
    assert copies.once([0.1, 0.2], [0, 1], [0, 1]) == [True, True]
