"""Check what the exact tests assume: that nobody sorted a model's units or dimensions, or chose signs, by a rule.

Pruning tools sort units by importance before they cut, rotations into principal components sort a model's dimensions,
nested models train some units more than others, and deterministic initialisation ties a row to a column. Where both
models went through the same, numbers of units tell what they do, and strangers look like kin. It is enough that one of
the two models is as training left it.

So each model is looked at by itself for a rule (`weights/rules.py`), and a kind of test is dropped where both show one.
Most rules cannot be guessed, and two more checks need not know them, since they look at how the orders agree:

- Units of kin agree one by one, and the rest of the matches is chance, so that neighbours agree as often as any two.
  Strangers that were sorted by one measure agree roughly: far units do, and neighbours hardly ever.
- A mask of zeros or of sizes that both took from one table makes units of the same number agree or disagree strongly,
  whichever the signs of their weights are. Then the most opposite units have an order too; those of kin have none.

Both are asked only where an order speaks, and are gone by kin: one by one is what kinship is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import binom

from depose.model.weights import TestKind
from depose.weights import exact_tails, matching, rules
from depose.weights.stores import Array

RARE = -6.0
"""log10 of the chance below which numbers or signs are called chosen by a rule."""
BOTH = -8.0
"""And of both models' chances together, where each is below a thousandth: a weak trace on both sides is one."""
EACH = -3.0
ROUGH = -2.0
"""log10 of the chance below which an order is called the same roughly, and not unit by unit."""
MIRRORED = 0.1
"""Share of the evidence for an order from which that of the most opposite units tells of one mask in both models."""
MIRRORED_TOO = 0.03
"""And where it does of another kind, or of all together."""
_WHAT: dict[TestKind, str] = {
    "order of units": "the units",
    "signs of units": "the signs of the units",
    "order of value dimensions": "the value dimensions",
    "signs of value dimensions": "the signs of the value dimensions",
    "order of the model's dimensions": "the dimensions",
}
Checked = tuple[str, TestKind]


NOT_COUNTED = "not counted, since both models fail its assumption: "
"""How the caution begins that names a kind of tests that does not count."""


class Judged(NamedTuple):
    """What the checks come to."""

    spoilt: frozenset[TestKind]
    """Kinds of tests that do not count."""
    cautions: tuple[str, ...]


class Assumptions:
    """What was seen of the units and dimensions of both models."""

    def __init__(self) -> None:
        self._seen: dict[Checked, dict[tuple[str, str], list[float]]] = defaultdict(lambda: defaultdict(list))
        self._opposite: dict[TestKind, list[float]] = defaultdict(list)
        self._agreed: dict[TestKind, list[matching.Agreement]] = defaultdict(list)
        self._waves = 0
        """Models to whose dimensions sines and cosines of places are added."""
        self._sizes: dict[str, Array] = {}
        """What the units of a model read from each of its dimensions."""

    def saw_units(self, model: str, read: Array, up: Array | None, down: Array) -> None:
        """Look at the hidden units of one MLP: what they read, multiply with (None without gate) and write."""
        named = {"read": read, "down": down} | ({} if up is None else {"up": up})
        seen = self._saw_order((model, "order of units"), named, formulas=True)
        if up is not None:
            for name in ("up", "down"):
                self._note((model, "signs of units"), name, rules.sign_rules(seen[name], seen["read"]))
        some = rules.scaled(rules.few(read, 2 * exact_tails.MOST))
        self._sizes[model] = self._sizes.get(model, 0) + np.einsum("ij,ij->j", some, some)

    def saw_values(self, model: str, values: Array, outputs: Array) -> None:
        """Look at the value dimensions of one attention layer: [heads, size, width] each.

        A formula would hold in all heads, and is looked for in the first.
        """
        for head, (value, output) in enumerate(zip(values, outputs, strict=True)):
            named = {"value": value, "output": output}
            seen = self._saw_order((model, "order of value dimensions"), named, formulas=not head)
            for name, rows in seen.items():
                self._note((model, "signs of value dimensions"), name, rules.sign_rules(rows, None))

    def saw_dimensions(self, model: str, embeddings: Array, *, waves: bool = False) -> None:
        """Look at the model's own dimensions, by the embeddings of some tokens: [tokens, width].

        `waves` is whether a table of sines and cosines is added to them: their numbers are no draw from the beginning.
        """
        self._waves += waves
        self._note(
            (model, "order of the model's dimensions"),
            "embeddings",
            rules.order_rules(rules.looked_at(embeddings.T, formulas=True)),
        )

    def saw_matched(self, kind: TestKind, agreed: matching.Agreement, opposite: float) -> None:
        """Note how the order of matched units agrees, and the log10 p of the order of the most opposite ones."""
        self._agreed[kind].append(agreed)
        self._opposite[kind].append(opposite)

    def _saw_order(self, of: Checked, named: dict[str, Array], *, formulas: bool) -> dict[str, rules.Rows]:
        seen = {name: rules.looked_at(rows, formulas=formulas) for name, rows in named.items()}
        for name, rows in seen.items():
            self._note(of, name, rules.order_rules(rows))
        return seen

    def _note(self, of: Checked, name: str, found: Iterable[rules.Found]) -> None:
        for what, log10_p in found:
            self._seen[of][name, what].append(log10_p)

    def _rule(self, of: Checked) -> rules.Found:
        """Say by what the numbers or signs of a model were chosen, if by anything, and how rare that would be."""
        found = [(what, exact_tails.fisher(logs)) for (_, what), logs in self._seen.get(of, {}).items()]
        if of[1] == "order of the model's dimensions" and of[0] in self._sizes:
            found += rules.size_rules(self._sizes[of[0]])
        return min(found, key=lambda one: one[1], default=("", 0.0))

    def _rough(self, kind: TestKind) -> float:
        """Return log10 of the chance that neighbours agree as rarely, if they agreed as often as all pairs do."""
        if not self._agreed[kind]:
            return 0.0  # signs have no order
        near, near_of, far, far_of = (sum(each) for each in zip(*self._agreed[kind], strict=True))
        return float(binom.logcdf(near, near_of, far / far_of) / np.log(10)) if far_of else 0.0

    def _masked(self, tests: Mapping[TestKind, Sequence[float]]) -> set[TestKind]:
        """Name the kinds whose most opposite units are in order too, each by itself or all together.

        Where one is, or all are, a mask was used, and less is enough for the others.
        """
        orders = {kind: exact_tails.fisher(tests.get(kind, ())) for kind in self._opposite}
        opposite = {kind: exact_tails.fisher(logs) for kind, logs in self._opposite.items()}
        seen = {kind for kind, order in orders.items() if order < EACH and opposite[kind] < MIRRORED * order}
        together = exact_tails.fisher([one for kind in orders for one in tests.get(kind, ())])
        whole = exact_tails.fisher([one for logs in self._opposite.values() for one in logs])
        if seen or (together < EACH and whole < MIRRORED * together):
            seen |= {kind for kind, order in orders.items() if opposite[kind] < MIRRORED_TOO * order}
        return seen

    def judged(self, tests: Mapping[TestKind, Sequence[float]]) -> Judged:
        """Say which kinds of tests do not count, and what a rule has done to the units of each model."""
        spoilt: set[TestKind] = set()
        shared, ruled = [], []
        masked = self._masked(tests)
        if self._waves == len(("suspect", "reference")):
            spoilt.add("order of the model's dimensions")
            shared.append("sines and cosines of places are added to the dimensions of both models, in one order")
        for kind, what in _WHAT.items():
            found = {model: self._rule((model, kind)) for model in ("suspect", "reference")}
            chances = [log10_p for _, log10_p in found.values()]
            both = max(chances) < EACH and sum(chances) < BOTH
            if both:
                spoilt.add(kind)
            for model, (rule, log10_p) in found.items():
                if log10_p < RARE or both:
                    ruled.append(f"{what} of the {model} were chosen or sorted by a rule: {rule.rstrip('+-')}")
            if kind in masked:
                spoilt.add(kind)
                shared.append(f"{what} of the same number are alike and opposite in both models, as after one mask")
            if exact_tails.fisher(tests.get(kind, ())) < EACH and self._rough(kind) < ROUGH:
                spoilt.add(kind)
                shared.append(
                    f"{what} are in one order roughly and not one by one, as if both were sorted by a measure"
                )
        dropped = [f"{NOT_COUNTED}{kind}" for kind in sorted(spoilt)]
        return Judged(frozenset(spoilt), (*dropped, *shared, *ruled))
