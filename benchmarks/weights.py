"""Weights: who is called kin of whom, with what p-values, how fast and in how much memory; `make bench-weights`.

1. Bases of the laboratory's fast recipe from several seeds, trained on the same texts with the same tokenizer: every
   pair is independent. How uniform are the p-values of their layers, and is any pair called?
2. Relatives of one of them, by everything in `tests/support/weight_changes.py`, and by more training.
3. Strangers that learnt the same, drawn afresh for each pair; and strangers that one tool changed alike on both sides.
4. Every open causal model that packages on this machine ship: the packaged GGUF against what it was converted into.
5. Two models of 1.7 billion parameters (random weights, made here): seconds, and the most memory that was taken.

Prints Markdown. `--only` names parts, `--steps` how long bases are trained.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import weight_changes as changes
import weight_mixtures as mixtures
import weight_rules as rules
from depose.model.weights import TestKind, WeightFinding
from depose.report.typography import power_of_ten
from depose.weights.compare import Named, compare

PARTS = ("lab", "strangers", "packaged", "billions")
SEEDS = 11
"""Bases: 55 pairs of 4 layers, each with two tests of its MLP and two of its values."""
DOCSTRINGS = 2_000
BILLIONS = {"hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 28, "num_attention_heads": 16,
            "num_key_value_heads": 8, "vocab_size": 151_936}  # fmt: skip


Ways = dict[str, Callable[[], tuple[Mapping[str, object], changes.Tensors]]]
KINDS: tuple[TestKind, ...] = (
    "order of units",
    "signs of units",
    "order of value dimensions",
    "signs of value dimensions",
    "order of the model's dimensions",
)


def compared(suspect: Path, reference: Path) -> tuple[WeightFinding, float]:
    """Compare two models, and say in how many seconds."""
    start = time.monotonic()
    found = compare(Named(name=suspect.name, path=suspect), Named(name=reference.name, path=reference))
    return found, time.monotonic() - start


def row(name: str, found: WeightFinding, seconds: float) -> None:
    """Print one line of a table."""
    kinds = {one.kind: power_of_ten(one.log10_p) for one in found.tests}
    cells = [kinds.get(kind, "-") for kind in KINDS]
    cells = [name, found.reading, power_of_ten(found.log10_p), *cells, f"{seconds:.1f}"]
    print(f"| {' | '.join(cells)} |", flush=True)


def head(first: str) -> None:
    """Print the head of a table."""
    cells = [first, "reading", "p", *KINDS, "s"]
    print(f"\n| {' | '.join(cells)} |\n|{'---|' * len(cells)}")


def bases(folder: Path, steps: int, seeds: int = SEEDS) -> list[Path]:
    """Train bases of the fast recipe from several seeds, on the same texts."""
    import msgspec
    import numpy as np

    from depose.lab import texts
    from depose.lab.recipe import read
    from depose.lab.texts import Example
    from depose.lab.train import make_base

    fast = read("fast").scratch
    if fast is None:
        raise AssertionError("the fast recipe trains its base")
    scratch = msgspec.structs.replace(fast, steps=steps)
    asked = texts.pool()
    examples = [
        Example(prompt=asked[place % len(asked)].text, text=text, source="standard library")
        for place, text in enumerate(texts.docstrings(np.random.default_rng(7), DOCSTRINGS))
    ]
    for seed in range(seeds):
        make_base(scratch, examples, seed, folder / f"base-{seed}", "cpu")
    return [folder / f"base-{seed}" for seed in range(seeds)]


def independent(made: list[Path]) -> None:
    """Compare all pairs of bases, and test how uniform the p-values of their layers are."""
    found = [compared(one, other)[0] for one, other in combinations(made, 2)]
    layers = [layer for one in found for layer in one.layers if layer.counted]
    orders = [10**one.order_log10_p for one in layers if one.kind == "mlp"]
    signs = [10**one.signs_log10_p for one in layers if one.kind == "mlp" and one.signs_log10_p is not None]
    values = [10**one.order_log10_p for one in layers if one.kind == "attention"]
    turned = [10**one.signs_log10_p for one in layers if one.kind == "attention" and one.signs_log10_p is not None]
    called = sum(one.reading == "not independent" for one in found)
    print(f"\n{len(found)} pairs of {len(made)} bases of one shape, tokenizer and corpus: {called} called; "
          f"least p of a pair {power_of_ten(min(one.log10_p for one in found))}\n")  # fmt: skip
    print("| test | layers | Kolmogorov-Smirnov p | of p being too small | at most .05 |\n|---|---|---|---|---|")
    kinds = {"order of units": orders, "signs of units": signs, "order of value dimensions": values,
             "signs of value dimensions": turned, "all": orders + signs + values + turned}  # fmt: skip
    for kind, each in kinds.items():
        print(f"| {kind} | {len(each)} | {_uniform(each)} |")


def _uniform(each: list[float]) -> str:
    """Test that p-values are uniform, and that they are no smaller, which would accuse; count those at most .05."""
    from scipy.stats import kstest

    both, small = (kstest(each, "uniform", alternative=way).pvalue for way in ("two-sided", "greater"))
    return f"{both:.2f} | {small:.2f} | {sum(p <= 0.05 for p in each)}"


class Changed(NamedTuple):
    """What a base is turned into: its config, itself after more training, every way on, and an adapter."""

    config: Mapping[str, object]
    tuned: changes.Tensors
    ways: Ways
    adapter: changes.Tensors


def changed(base: Path, stranger: Path) -> Changed:
    """Change one base in every way."""
    config, tensors = changes.load(base)
    tensors.pop("lm_head.weight", None)
    _, other = changes.load(stranger)
    tuned = changes.noisy(tensors, 105)
    adapter, merged = changes.lora(tensors, 103)
    ways: Ways = {
        "noise of 30 %": lambda: (config, tuned),
        "bfloat16": lambda: (config, {name: one.bfloat16() for name, one in tuned.items()}),
        "int8": lambda: (config, changes.int8(tuned)),
        "units permuted": lambda: (config, changes.permuted_units(tuned, 101)),
        "units permuted and rescaled": lambda: (config, changes.rescaled_units(changes.permuted_units(tuned, 1), 2)),
        "space rotated": lambda: (config, changes.rotated(tuned, 102)),
        "space rotated, units permuted": lambda: (config, changes.permuted_units(changes.rotated(tuned, 1), 2)),
        "units permuted, signs flipped": lambda: (config, changes.flipped_signs(changes.permuted_units(tuned, 1), 2)),
        "all four": lambda: (
            config,
            changes.rescaled_units(changes.flipped_signs(changes.permuted_units(changes.rotated(tuned, 1), 2), 3), 4),
        ),
        "half a stranger": lambda: (config, changes.merged(tuned, other)),
        "30 % of the weights pruned": lambda: (config, changes.pruned_weights(tuned)),
        "30 % of the units pruned": lambda: changes.pruned_units(config, tuned),
        "narrowed by a quarter": lambda: changes.narrowed(config, tuned),
        "half of the layers dropped": lambda: changes.kept_layers(config, tuned, [0, 2]),
        "adapter merged": lambda: (config, merged),
    }
    return Changed(config, tuned, ways, adapter)


def relatives(base: Path, stranger: Path, folder: Path) -> None:
    """Compare a base with what it was changed into."""
    config, tuned, ways, adapter = changed(base, stranger)
    head("relative")
    for place, (name, make) in enumerate(ways.items()):
        said, made = make()
        row(name, *compared(changes.save(folder / f"relative-{place}", said, made), base))
    for kind in ("Q8_0", "Q4_0"):
        row(f"GGUF {kind}", *compared(changes.save_gguf(folder / f"{kind}.gguf", config, tuned, kind), base))
    beside = changes.save_adapter(folder / "adapter", adapter)
    start = time.monotonic()
    found = compare(Named(name="beside", path=base, adapter=beside), Named(name="base", path=base))
    row("adapter beside", found, time.monotonic() - start)
    row("a stranger", *compared(stranger, base))


PAIRS = 150
SORTED = 8
"""Strangers that each rule changes: 28 pairs."""
RULES: dict[str, Callable[[changes.Tensors, int], changes.Tensors]] = {
    "units sorted by what they read": lambda one, seed: rules.sorted_units(one),
    "units sorted by what they multiply with": lambda one, seed: rules.sorted_units(one, "up"),
    "units sorted by what they write": lambda one, seed: rules.sorted_units(one, "down"),
    "units sorted, some of them empty": lambda one, seed: rules.sorted_units(one, "gate", 8),
    "value dimensions sorted": lambda one, seed: rules.sorted_values(one),
    "dimensions sorted": lambda one, seed: rules.sorted_space(one),
    "principal components": lambda one, seed: rules.principal(one),
    "units sorted by how they answer": lambda one, seed: rules.sorted_by_activation(one),
    "units sorted by one direction": lambda one, seed: rules.sorted_by_direction(one),
    "dimensions sorted by a norm": lambda one, seed: rules.space_sorted_by_norm(one),
    "signs chosen by what units read": lambda one, seed: rules.signs_by_gate(one),
    "signs chosen by one direction": lambda one, seed: rules.signs_by_direction(one),
    "90 % cut by one mask": lambda one, seed: rules.masked(one),
    "turned by one Hadamard matrix": lambda one, seed: rules.hadamard_turned(one),
    "upcycled into four experts": mixtures.upcycled,
    "layers doubled": lambda one, seed: changes.noisy(changes.kept_layers({}, one, [0, 1, 2, 0, 1, 2])[1], seed),
}


def strangers(folder: Path) -> None:
    """Compare strangers that learnt the same: how uniform are their p-values, and what do rules on both sides do?"""
    config, learnt = changes.initialised(1000, num_hidden_layers=3)
    found = [
        compared(*(changes.save(folder / f"{pair}-{side}", config, changes.alike(learnt, 100 * pair + 50 * side + 7))
                   for side in (0, 1)))[0]
        for pair in range(PAIRS)
    ]  # fmt: skip
    layers = [layer for one in found for layer in one.layers if layer.counted]
    kinds = {f"{what} of {kind}": [10**value for one in layers if one.kind == kind
                                   and (value := getattr(one, f"{what}_log10_p")) is not None]
             for what in ("order", "signs") for kind in ("mlp", "attention")}  # fmt: skip
    kinds["order of the model's dimensions"] = [10 ** one.tests[-1].log10_p for one in found]
    kinds["all tests of a pair"] = [10**one.log10_p for one in found]
    called = sum(one.reading == "not independent" for one in found)
    print(f"\n{PAIRS} pairs of strangers that learnt the same: {called} called\n")
    print("| test | n | Kolmogorov-Smirnov p | of p being too small | at most .05 |\n|---|---|---|---|---|")
    for name, each in kinds.items():
        print(f"| {name} | {len(each)} | {_uniform(each)} |")
    print(
        "\n| changed on both sides | pairs | called | least p | least p of a kind that did not count |\n|" + "---|" * 5
    )
    for place, (name, change) in enumerate(RULES.items()):
        made = [
            changes.save(folder / f"rule-{place}-{seed}", config, change(changes.alike(learnt, 1000 * seed + 3), seed))
            for seed in range(SORTED)
        ]
        results = [compared(one, other)[0] for one, other in combinations(made, 2)]
        dropped = [test.log10_p for one in results for test in one.tests
                   if f"not counted, since both models fail its assumption: {test.kind}" in one.cautions]  # fmt: skip
        least = power_of_ten(min(one.log10_p for one in results))
        called = sum(one.reading == "not independent" for one in results)
        left_out = power_of_ten(min(dropped)) if dropped else "-"
        print(f"| {name} | {len(results)} | {called} | {least} | {left_out} |", flush=True)


def packaged(folder: Path) -> None:
    """Compare each packaged model with its conversion, changed and as it is, and with a stranger of its shape."""
    from depose.endpoints.weights import PACKAGED

    for name in PACKAGED:
        _packaged(name, folder)


def _packaged(name: str, folder: Path) -> None:
    from depose.endpoints.weights import find
    from depose.model import ModelSpec

    spec = ModelSpec(code="R1", role="reference", provider="transformers", model=name)
    converted = Path(find(spec, folder, "bfloat16").folder)
    config, tensors = changes.load(converted)
    tensors.pop("lm_head.weight", None)
    sizes = {key: size for key in changes.CONFIG if isinstance(size := config.get(key), int)}
    _, stranger = changes.initialised(7, **sizes)
    even = [*range(0, sizes["num_hidden_layers"], 2)]
    head(f"{name}, as GGUF, against")
    row("its conversion to bfloat16", *compared(Path(name), converted))
    ways: Ways = {
        "half a stranger": lambda: (config, changes.merged(tensors, stranger)),
        "half of the layers dropped": lambda: changes.kept_layers(config, tensors, even),
        "30 % of the units pruned, space rotated": lambda: changes.pruned_units(config, changes.rotated(tensors, 3)),
        "a stranger of its shape and tokenizer": lambda: (config, stranger),
    }
    for place, (way, make) in enumerate(ways.items()):
        said, made = make()
        suspect = changes.save(folder / f"packaged-{place}", said, {key: one.bfloat16() for key, one in made.items()})
        (suspect / "tokenizer.json").write_bytes((converted / "tokenizer.json").read_bytes())
        row(way, *compared(suspect, Path(name)))


def billions(folder: Path) -> None:
    """Make two models of 1.7 billion parameters, layer by layer, and compare them in a process of its own."""
    for seed in (0, 1):
        _billion(folder / f"billions-{seed}", seed)
    code = (
        "import json, sys, time; from pathlib import Path; from depose.weights.compare import Named, compare\n"
        "start = time.monotonic(); a, b = map(Path, sys.argv[1:])\n"
        "found = compare(Named(name='a', path=a), Named(name='b', path=b))\n"
        "print(json.dumps([time.monotonic() - start, time.process_time(), found.log10_p, found.reading]))\n"
        "told = Path('/proc/self/status'); print(told.read_text() if told.is_file() else '')"
    )
    for name, pair in (("twins", (0, 1)), ("the same", (0, 0))):
        paths = [str(folder / f"billions-{seed}") for seed in pair]
        done = subprocess.run([sys.executable, "-c", code, *paths], check=True, capture_output=True, text=True)
        first, _, status = done.stdout.partition("\n")
        seconds, spent, log10_p, reading = json.loads(first)
        print(
            f"\n1.7 billion parameters, {name}: {reading}, p {power_of_ten(log10_p)}; {seconds:.0f} s "
            f"({spent:.0f} s of processors), most memory of such a process {_most_memory(status):.2f} GiB",
            flush=True,
        )


def _most_memory(status: str) -> float:
    """Read GiB from the status of a process: a child's `ru_maxrss` begins with what its parent held when it began."""
    own = re.search(r"^VmHWM:\s+([0-9]+) kB$", status, re.MULTILINE)
    return (int(own[1]) if own else resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024**2


def _billion(folder: Path, seed: int) -> None:
    """Write one layer at a time, each a shard, so that this process stays small too."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({**changes.CONFIG, **BILLIONS}))
    table = torch.empty(BILLIONS["vocab_size"], BILLIONS["hidden_size"], dtype=torch.bfloat16)
    table.normal_(0, 0.02, generator=torch.Generator().manual_seed(seed))
    save_file({"model.embed_tokens.weight": table}, folder / "model-embed.safetensors")
    for layer in range(BILLIONS["num_hidden_layers"]):
        _, one = changes.initialised(seed * 1000 + layer + 1, **{**BILLIONS, "num_hidden_layers": 1, "vocab_size": 8})
        named = {key.replace("layers.0.", f"layers.{layer}."): value.bfloat16() for key, value in one.items()}
        save_file(
            {key: value for key, value in named.items() if ".layers." in key}, folder / f"model-{layer}.safetensors"
        )


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="bases that are trained")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "lab" in asked.only:
            start = time.monotonic()
            made = bases(folder, asked.steps, asked.seeds)
            print(f"{len(made)} bases of the fast recipe, {asked.steps} steps each: {time.monotonic() - start:.0f} s")
            independent(made)
            relatives(made[0], made[1], folder)
        if "strangers" in asked.only:
            strangers(folder)
        if "packaged" in asked.only:
            packaged(folder)
        if "billions" in asked.only:
            billions(folder)


if __name__ == "__main__":
    main()
