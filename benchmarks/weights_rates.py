"""Rates of weights on models drawn afresh: are strangers ever called kin, and which kin are missed?

1. `habits`: strangers of any shape and first weights that learnt the same, both changed alike by one tool or habit
   (`tests/support/weight_strangers.py`, `weight_orders.py`).
2. `relatives`: models of any shape and first weights, and what was made of them (`weight_relatives.py`).
3. `kin`: models and what some noise made of them, both changed by one tool or habit of part 1.
4. `gguf`: relatives as GGUF, of every kind that the packaged library writes.
5. `architectures`: models as transformers makes them (`weight_architectures.py`): strangers that were trained on the
   same texts in the same order, and kin that were trained on.
6. `teachers`: strangers that a third model taught, by its answers or by its hidden states, or lent the moments of its
   optimiser: which of that is found?

Every pair has sizes, seeds and first weights of its own; `--seed` draws others. What `depose weights` decides is
counted. Prints Markdown.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from scipy.stats import kstest

import weight_changes as changes
import weight_strangers as strangers
from depose.errors import DeposeError
from depose.model.weights import WeightFinding
from depose.report.typography import power_of_ten
from depose.statistics.rates import rate
from depose.weights.compare import Named, compare
from weight_orders import ORDERS
from weight_relatives import RELATIVES
from weight_strangers import HABITS, INITIALISERS, Change, Drawn

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

PARTS = ("habits", "relatives", "kin", "gguf", "architectures", "teachers")
GGUF = ("F32", "F16", "BF16", "Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0", "TQ2_0", "TQ1_0", "MXFP4")
STEPS = 60

Layers = dict[str, list[float]]
Compared = WeightFinding | DeposeError


def compared(suspect: Path, reference: Path) -> Compared:
    """Compare two models as the command does."""
    try:
        return compare(Named(name="S1", path=suspect), Named(name="R1", path=reference))
    except DeposeError as error:
        return error


def drawn(seed: int) -> tuple[Drawn, str]:
    """Draw a model of any shape by one of the initialisers."""
    config, tensors = changes.initialised(seed, **strangers.shape(seed))
    kind = list(INITIALISERS)[seed // 100 % len(INITIALISERS)]
    return Drawn(config, strangers.redrawn(tensors, kind, seed + 1)), kind


def habit(folder: Path, change: Change, seed: int) -> Compared:
    """Draw two strangers that learnt the same, and change both."""
    learnt, kind = drawn(seed)
    share = (0.25, 0.5, 1.0)[seed // 100 % 3]
    paths = []
    for side in (1, 2):
        one = change(Drawn(learnt.config, strangers.own(learnt, seed + 10 * side, kind, share)), seed + side)
        paths.append(changes.save(folder / f"{seed}-{side}", one.config, one.tensors))
    return compared(*paths)


def relative(folder: Path, change: Change, seed: int) -> Compared:
    """Draw a model, and compare it with what is made of it."""
    reference, _ = drawn(seed)
    one = change(reference, seed + 1)
    paths = [changes.save(folder / f"{seed}-{place}", *each) for place, each in enumerate((one, reference))]
    return compared(*paths)


def kin(folder: Path, change: Change, seed: int) -> Compared:
    """Draw a model, let noise make another of it, and change both alike."""
    first, _ = drawn(seed)
    second = Drawn(first.config, changes.noisy(first.tensors, seed + 1))
    made = [change(one, seed + side) for side, one in enumerate((second, first))]
    return compared(*(changes.save(folder / f"{seed}-{side}", *one) for side, one in enumerate(made)))


def packed(kind: str) -> Callable[[Path, int], Compared]:
    """Compare a model with its GGUF of one kind, after some noise."""

    def pair(folder: Path, seed: int) -> Compared:
        sizes = {"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2, "vocab_size": 300}
        config, tensors = changes.initialised(seed, **sizes)
        path = changes.save_gguf(folder / f"{seed}.gguf", config, changes.noisy(tensors, seed + 1), kind)
        return compared(path, changes.save(folder / f"{seed}", config, tensors))

    return pair


def row(name: str, found: Sequence[Compared], seconds: float, layers: Layers | None = None) -> None:
    """Print one line: calls with their bounds, the p-values of pairs, and what could not be said."""
    read = [one for one in found if isinstance(one, WeightFinding)]
    called = rate(sum(one.reading == "not independent" for one in read), len(read))
    ps = sorted(one.log10_p for one in read)
    ends = [power_of_ten(ps[place]) for place in (0, len(ps) // 2, -1)] if ps else ["-"] * 3
    cells = [name, f"{called.k} of {called.n}", f"{called.lower95:.3f} to {called.upper95:.3f}", *ends]
    print(f"| {' | '.join(cells)} | {len(found) - len(read)} | {seconds / max(len(found), 1):.1f} |", flush=True)
    for error in {str(one.message)[:150] for one in found if isinstance(one, DeposeError)}:
        print(f"<!-- {name}: {error} -->")
    if layers is None:
        return
    for layer in (layer for one in read for layer in one.layers if layer.counted):
        layers[f"order, {layer.kind}"].append(10**layer.order_log10_p)
        if layer.again_log10_p is not None:
            layers[f"second look, {layer.kind}"].append(10**layer.again_log10_p)
        if layer.signs_log10_p is not None:
            layers[f"signs, {layer.kind}"].append(10**layer.signs_log10_p)


def head(what: str) -> None:
    """Print the head of a table."""
    cells = [what, "called", "exact bounds", "least p", "median p", "largest p", "not said", "s a pair"]
    print(f"\n| {' | '.join(cells)} |\n|{'---|' * len(cells)}")


def uniform(layers: Layers) -> None:
    """Print how uniform the p-values of layers are."""
    print("\n| p of layers | n | Kolmogorov-Smirnov p, too small | and p, any | at most .05 |\n|---|---|---|---|---|")
    for name, each in sorted(layers.items()):
        small, any_ = (kstest(each, "uniform", alternative=way).pvalue for way in ("greater", "two-sided"))
        print(f"| {name} | {len(each)} | {small:.2f} | {any_:.2f} | {sum(p <= 0.05 for p in each)} |")


def table(
    what: str, every: dict[str, Callable[[Path, int], Compared]], pairs: int, seed: int, *, null: bool = False
) -> None:
    """Compare so many pairs of each kind, and print a line for each, and one for all."""
    head(what)
    layers: Layers = defaultdict(list)
    total: list[Compared] = []
    for place, (name, pair) in enumerate(every.items()):
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            seeds = range(seed * 10_000_000 + place * 100_000, seed * 10_000_000 + place * 100_000 + 100 * pairs, 100)
            found = [pair(Path(folder), one) for one in seeds]
        # Of habits the first is none at all: the others need not leave layers as they were.
        row(name, found, time.monotonic() - start, layers if null and not place else None)
        total += found
    row("all", total, 0.0)
    if layers:
        uniform(layers)


def architectures(pairs: int, seed: int) -> None:
    """Compare trained models of many architectures: strangers, and kin that were trained on."""
    import transformers

    import weight_architectures as tiny

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    head("architecture: strangers of one training, then kin")
    layers: Layers = defaultdict(list)
    totals: dict[str, list[Compared]] = defaultdict(list)
    for place, name in enumerate(tiny.ARCHITECTURES):
        found: dict[str, list[Compared]] = defaultdict(list)
        start = time.monotonic()
        for number in range(pairs):
            at = seed * 10_000_000 + place * 100_000 + number * 100
            data = tiny.texts(at, 16 * STEPS).split(16)
            with tempfile.TemporaryDirectory() as folder:
                paths = Path(folder)
                one, other = (tiny.train(tiny.made(name, at + side), data) for side in (1, 2))
                first = tiny.saved(one, paths / "one")
                found["strangers"].append(compared(tiny.saved(other, paths / "other"), first))
                for way, model in _kin(one, tiny.texts(at + 5, 16 * STEPS).split(16)):
                    found[way].append(compared(tiny.saved(model, paths / way), first))
        for way, each in found.items():
            row(f"{name}: {way}", each, time.monotonic() - start, layers if way == "strangers" else None)
            totals[way] += each
    for way, each in totals.items():
        row(f"all: {way}", each, 0.0)
    uniform(layers)


def taught(way: str) -> Callable[[Path, int], Compared]:
    """Train two strangers with the help of a third model."""

    def pair(folder: Path, seed: int) -> Compared:
        import weight_architectures as tiny

        data = tiny.texts(seed, 16 * 2 * STEPS).split(16)
        third = tiny.train(tiny.made("llama", seed + 3), data)
        loss = {"answers": tiny.from_answers, "hidden states": tiny.from_states}.get(way)
        paths = []
        for side in (1, 2):
            one = tiny.train(
                tiny.made("llama", seed + side),
                data,
                loss_of=loss(third) if loss else tiny.from_texts,
                moments_of=None if loss else third,
            )
            paths.append(tiny.saved(one, folder / f"{seed}-{side}"))
        return compared(*paths)

    return pair


def _kin(one: PreTrainedModel, data: Sequence[torch.Tensor]) -> Iterator[tuple[str, PreTrainedModel]]:
    """Yield a model that was trained on, little and at a high rate."""
    import copy

    import weight_architectures as tiny

    for way, rate_of in (("tuned", 1e-3), ("tuned at a high rate", 1e-2)):
        yield way, tiny.train(copy.deepcopy(one), data, rate_of)


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--pairs", type=int, default=20, help="pairs of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--named", default="", help="kinds whose names hold this")
    asked = parser.parse_args()

    def every(
        changes_of: dict[str, Change], pair: Callable[[Path, Change, int], Compared]
    ) -> dict[str, Callable[[Path, int], Compared]]:
        return {
            name: lambda folder, seed, change=change: pair(folder, change, seed)  # type: ignore[misc]
            for name, change in changes_of.items()
            if asked.named in name
        }

    if "habits" in asked.only:
        table("both strangers", every({**HABITS, **ORDERS}, habit), asked.pairs, asked.seed, null=not asked.named)
    if "relatives" in asked.only:
        table("relative", every(RELATIVES, relative), asked.pairs, asked.seed)
    if "kin" in asked.only:
        table("both of kin", every({**HABITS, **ORDERS}, kin), asked.pairs, asked.seed)
    if "gguf" in asked.only:
        table("GGUF of a relative", {kind: packed(kind) for kind in GGUF}, max(asked.pairs // 4, 1), asked.seed)
    if "teachers" in asked.only:
        ways = ("answers", "hidden states", "moments of the optimiser")
        table("taught by a third", {way: taught(way) for way in ways}, max(asked.pairs // 4, 1), asked.seed)
    if "architectures" in asked.only:
        architectures(max(asked.pairs // 4, 1), asked.seed)


if __name__ == "__main__":
    main()
