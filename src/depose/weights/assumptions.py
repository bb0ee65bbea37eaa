"""Check what the exact tests assume: that nobody sorted a model's units or dimensions, or chose signs, by a rule.

Pruning tools sort units by importance before they cut, rotations into principal components sort a model's dimensions,
nested models train some units more than others, and deterministic initialisation (an identity) ties a row to a column.
Where both models went through the same, numbers of units tell what they do, and strangers look like kin.

Each check is exact for the same reason as the tests themselves: if the numbers are exchangeable within one model, they
are in random order beside the sizes of rows, beside the places of their largest weights, and beside the numbers of the
rows that are most alike. It is enough that one of the two models is as training left it, so that a kind of test is
dropped only where both fail one of its checks. Tools of one kind may leave no trace that these checks see.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from depose.model.weights import TestKind
from depose.weights import exact_tails, matching
from depose.weights.stores import Array

RARE = -6.0
"""log10 of the chance below which numbers or signs are called chosen by a rule."""
SIZE, PEAK, LIKENESS, SUM = "size", "place of the largest weight", "likeness", "sum"
_WHAT: dict[TestKind, str] = {
    "order of units": "the units",
    "signs of units": "the signs of the units",
    "order of value dimensions": "the value dimensions",
    "signs of value dimensions": "the signs of the value dimensions",
    "order of the model's dimensions": "the dimensions",
}
Checked = tuple[str, TestKind]


class Assumptions:
    """What was seen of the units and dimensions of both models."""

    def __init__(self) -> None:
        self._orders: dict[Checked, dict[tuple[str, str], list[float]]] = defaultdict(lambda: defaultdict(list))
        self._signs: dict[Checked, dict[tuple[str, str], list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
        self._read_along: dict[str, Array] = {}

    def saw_units(self, model: str, read: Array, up: Array | None, down: Array) -> None:
        """Look at the hidden units of one MLP: what they read, multiply with (None without gate) and write."""
        for name, rows in (("read", read), ("up", up), ("down", down)):
            if rows is not None:
                self._saw_order((model, "order of units"), name, rows)
        if up is not None:
            self._saw_signs((model, "signs of units"), (up, down))
        rows = _scaled(_some(read, 2 * exact_tails.MOST))
        along = np.einsum("ij,ij->j", rows, rows)
        self._read_along[model] = self._read_along.get(model, np.zeros_like(along)) + along

    def saw_values(self, model: str, values: Array, outputs: Array) -> None:
        """Look at the value dimensions of one attention layer: [heads, size, width] each."""
        for value, output in zip(values, outputs, strict=True):
            for name, rows in (("value", value), ("output", output)):
                self._saw_order((model, "order of value dimensions"), name, rows)
            self._saw_signs((model, "signs of value dimensions"), (value, output))

    def saw_dimensions(self, model: str, embeddings: Array) -> None:
        """Look at the model's own dimensions, by the embeddings of some tokens: [tokens, width]."""
        self._saw_order((model, "order of the model's dimensions"), "embeddings", embeddings.T)

    def _saw_order(self, of: Checked, name: str, rows: Array) -> None:
        seen = self._orders[of]
        if len(rows) < 2 * exact_tails.FEWEST:
            return
        some = _scaled(_some(rows, 2 * exact_tails.MOST))
        both = matching.centred_rows(some)
        seen[name, LIKENESS].append(matching.order_test(matching.match(both[0::2] @ both[1::2].T)))
        some = _some(some, exact_tails.MOST)
        for what, values in ((SIZE, np.einsum("ij,ij->i", some, some)), (PEAK, np.abs(some).argmax(axis=1))):
            for way, found in _ways(values):
                seen[name, f"{what}{way}"].append(found)

    def _saw_signs(self, of: Checked, rows: tuple[Array, Array]) -> None:
        for name, whole in zip(("first", "second"), rows, strict=True):
            each = _scaled(_some(whole, 2 * exact_tails.MOST))
            peaks = each[np.arange(len(each)), np.abs(each).argmax(axis=1)]
            for what, values in ((SUM, each.sum(axis=1)), (PEAK, peaks)):
                counts = self._signs[of][name, what]
                counts[0] += int((values > 0).sum())
                counts[1] += int((values != 0).sum())

    def _rule(self, of: Checked) -> str:
        """Say by what the numbers or signs of a model were chosen; nothing where no check fails."""
        from scipy.stats import binomtest

        for (_, what), logs in self._orders.get(of, {}).items():
            if exact_tails.fisher(logs) < RARE:
                return what.rstrip("+-")
        for (_, what), (positive, count) in self._signs.get(of, {}).items():
            if count and binomtest(positive, count).pvalue < 10**RARE:
                return what
        along = self._read_along.get(of[0]) if of[1] == "order of the model's dimensions" else None
        if along is not None and min(found for _, found in _ways(_some(along, exact_tails.MOST))) < RARE:
            return SIZE
        return ""

    def spoilt(self) -> set[TestKind]:
        """Name the kinds of tests that do not count."""
        return {kind for kind in _WHAT if self._rule(("suspect", kind)) and self._rule(("reference", kind))}

    def cautions(self) -> tuple[str, ...]:
        """Say for each model what a rule has done to its units."""
        found = [f"not counted, since both models fail its assumption: {kind}" for kind in sorted(self.spoilt())]
        for model in ("suspect", "reference"):
            for kind, what in _WHAT.items():
                if rule := self._rule((model, kind)):
                    found.append(f"{what} of the {model} were chosen or sorted by a rule: {rule}")
        return tuple(found)


def _some(rows: Array, most: int) -> Array:
    return rows[matching.spread(len(rows), most)]


def _scaled(rows: Array) -> Array:
    """Bring the largest number to 1, so that squares stay finite."""
    return np.asarray(rows / max(np.abs(rows).max(initial=0.0), np.finfo(np.float32).tiny), dtype=np.float32)


def _ways(values: Array) -> tuple[tuple[str, float], tuple[str, float]]:
    """Test for a rising and for a falling order; equal values, as of pruned units, have none and are left out."""
    _, first, counts = np.unique(values, return_index=True, return_counts=True)
    distinct = values[np.sort(first[counts == 1])].astype(np.float64)
    return ("+", exact_tails.order(distinct)), ("-", exact_tails.order(-distinct))
