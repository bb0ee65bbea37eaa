"""Check what the exact tests assume: that nobody sorted a model's units, or chose their signs, by a rule.

It is enough that one of the two models is as training left it. So a kind of test is dropped only where both models fail
its check; a test of the assumption is exact for the same reason as the tests themselves.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from depose.weights import exact_tails
from depose.weights.stores import Array

RARE = -6.0
"""log10 of the chance below which units are called sorted."""
_SORTED = {"order of units"}
_SIGNED = {"signs of units"}


class Assumptions:
    """What was seen of the units of both models."""

    def __init__(self) -> None:
        self._rising: dict[str, list[float]] = defaultdict(list)
        self._falling: dict[str, list[float]] = defaultdict(list)
        self._positive: dict[str, list[int]] = defaultdict(lambda: [0, 0])

    def saw(self, model: str, read: Array, up: Array | None) -> None:
        """Look at the sizes of units in the order of their numbers, and at the signs of what they multiply."""
        places = np.unique(np.linspace(0, len(read) - 1, min(len(read), exact_tails.MOST)).astype(np.intp))
        sizes = np.einsum("ij,ij->i", read[places], read[places])
        if len(np.unique(sizes)) == len(sizes):  # equal sizes, as of pruned units, have no order
            self._rising[model].append(exact_tails.order(sizes))
            self._falling[model].append(exact_tails.order(-sizes))
        if up is not None:
            sums = up[places].sum(axis=1)
            self._positive[model][0] += int((sums > 0).sum())
            self._positive[model][1] += int((sums != 0).sum())

    def _sorted(self, model: str) -> bool:
        return min(exact_tails.fisher(one[model]) for one in (self._rising, self._falling)) < RARE

    def _signed(self, model: str) -> bool:
        from scipy.stats import binomtest

        positive, count = self._positive[model]
        return bool(count) and bool(binomtest(positive, count).pvalue < 10**RARE)

    def spoilt(self) -> set[str]:
        """Name the kinds of tests that do not count."""
        both = ("suspect", "reference")
        return (_SORTED if all(map(self._sorted, both)) else set()) | (
            _SIGNED if all(map(self._signed, both)) else set()
        )

    def cautions(self) -> tuple[str, ...]:
        """Say for each model what a rule has done to its units."""
        found = []
        for model in ("suspect", "reference"):
            if self._sorted(model):
                found.append(f"the units of the {model} are sorted by size")
            if self._signed(model):
                found.append(f"the signs of the units of the {model} were chosen by a rule")
        found += [f"not counted, since both models fail its assumption: {kind}" for kind in sorted(self.spoilt())]
        return tuple(found)
