"""What else ties a group that shares prompts: its layers, each by the unit in which the primary test counted.

A unit is what is one node there: an account, an organisation, a named set, a standing community. Thirty students are
one, for that they act alike is known; taken one by one they were too even in 27 of 200 worlds without a campaign.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from depose.extraction import accounts as conformal
from depose.extraction import features, layers
from depose.extraction.bipartite import Ints
from depose.extraction.findings import CONCERT, Layer
from depose.extraction.layers import Together
from depose.extraction.masking import CLASSES
from depose.extraction.plan import ExtractionFile
from depose.extraction.tables import FEW, Tables, merged
from depose.model.random_streams import stream
from depose.statistics import evalues
from depose.statistics.ranks import holm

LOADS = 25
"""Parts into which units are put by their requests, so that a group is compared with sets of its own volumes."""
UNSAID = (None, FEW)
"""Countries of accounts among which a network in common may be the carrier of one country: none that the logs say, and
one with too few accounts to be named, which stands among those of other such countries. Nor does a network tie whom it
finds abroad, or one of no country: its other customers are not those with whom the account is compared."""
CLIENTS = ("agent", "tls")
"""Kinds of what accounts share that are a client. It is the library that has a name and a way to connect, and whoever
takes a framework or a template takes its prompts and its client: they describe, and show no concert."""


class Context:
    """What the layers of every group need."""

    def __init__(self, case: ExtractionFile, tables: Tables, slots: pa.Table, together: dict[int, int]) -> None:
        accounts = tables.by_name["accounts"]
        ids = accounts["account"].to_numpy()
        self._case, self._ids = case, ids
        nodes = merged(accounts["node"].to_numpy(), together)
        self._names, first, self._unit = np.unique(nodes, return_index=True, return_inverse=True)
        sizes = np.bincount(self._unit)
        requests = self._summed(accounts["requests"].to_numpy().astype(float))
        by = tuple(dict.fromkeys((*case.strata.by, "country")))  # accounts of one country share its carriers
        strata = conformal.strata_of(features.strata(accounts, by), len(ids))[:, -1]
        self._strata = _beside(strata[first], sizes)
        rank = np.argsort(np.argsort(requests, kind="stable"), kind="stable")
        self._load = _beside(rank * LOADS // max(len(sizes), 1), sizes)
        daily = features.daily(tables.by_name["daily"], ids)
        self._daily = np.zeros((len(sizes), daily.shape[1]))
        np.add.at(self._daily, self._unit, daily)
        rare = tables.by_name["rare"]
        _, first, template, users = np.unique(
            rare["template"].to_numpy(), return_index=True, return_inverse=True, return_counts=True
        )
        held_by = np.searchsorted(self._names, merged(rare["node"].to_numpy(), together))
        self._holder, self._template = _once(held_by, template)
        self._classes = rare["classes"].to_numpy().astype(np.int64)[first]
        self._alike = np.log2(users).astype(np.int64)
        shared = tables.by_name["infrastructure"]
        place = np.searchsorted(ids, shared["account"].to_numpy())
        owner = self._unit[place]
        unsaid = np.array([one in UNSAID for one in accounts["country"].to_pylist()], dtype=bool)[place]
        if "home" in shared.column_names:  # which tables that an earlier version sealed do not say
            unsaid |= ~shared["home"].to_numpy()
        pairs = list(zip(shared["kind"].to_pylist(), shared["value"].to_pylist(), strict=True))
        codes = {one: place for place, one in enumerate(dict.fromkeys(pairs))}
        value = np.array([codes[one] for one in pairs], dtype=np.int64)
        client = np.array([kind in CLIENTS for kind, _ in pairs], dtype=bool)
        anywhere = np.array([kind == "ip24" for kind, _ in pairs], dtype=bool) & unsaid
        ties = ~client & ~anywhere
        self._shared = {
            "infrastructure": (_once(owner[ties], value[ties]), "a card or a network that is theirs"),
            "networks": (_once(owner[anywhere], value[anywhere]), "a network that is not known as of their country"),
            "clients": (_once(owner[client], value[client]), "a client"),
        }
        self._slot_owner, self._slots = slots["account"].to_numpy(), slots["slot"].to_numpy().astype(np.int64)
        self._moved, self._asked = self._releases(tables.by_name["daily"])

    def _summed(self, values: Any) -> Any:
        return np.bincount(self._unit, weights=values, minlength=len(self._names))

    def _releases(self, daily: pa.Table) -> tuple[Any, Any]:
        moved, asked = np.zeros(len(self._ids)), np.zeros(len(self._ids))
        place = np.searchsorted(self._ids, daily["account"].to_numpy())
        day = daily["day"].to_numpy().astype("datetime64[D]")
        model = np.array([str(one or "") for one in daily["model"].to_pylist()])
        count = daily["requests"].to_numpy().astype(float)
        for one in self._case.releases:
            start = np.datetime64(one.at)
            near = (day >= start) & (day <= start + 1)
            np.add.at(asked, place[near], count[near])
            near &= model == one.model
            np.add.at(moved, place[near], count[near])
        return self._summed(moved), self._summed(asked)

    def layers(self, places: Any, code: str, every: Any = None) -> list[Layer]:
        """Test the group of the accounts at `places` in every layer for which there is something to test.

        `every` are the accounts of all groups, if there are others: what two groups share is theirs as well.
        """
        tests = self._case.tests
        units = np.unique(self._unit[places])
        sets = layers.random_sets(self._strata, units, tests.draws, stream(tests.seed, code, "sets"))
        floor = 1 / (tests.draws + 1)

        def layer(name: str, p: float, note: str = "") -> Layer:
            return Layer(name=name, p=p, floor=floor, e=evalues.calibrated(p), note=note)

        together = self._synchrony(places, code)
        found = [layer("synchrony", together.p, f"{together.times:.2f} times as often; asked is {tests.times:g}")]
        if self._moved.any():
            found.append(layer("pivot", layers.pivot(self._moved, self._asked, units, sets)))
        alike = layers.random_sets(self._load, units, tests.draws, stream(tests.seed, code, "load"))
        dealt = stream(tests.seed, code, "days")
        found.append(layer("balance", layers.balance(self._daily, units, alike, dealt)))
        for name, (shared, what) in self._shared.items():
            if len(shared[0]):
                found_ = np.unique(self._unit[places if every is None else every]) if name in CONCERT else None
                p, count = layers.infrastructure(*shared, len(self._names), units, sets, found_)
                found.append(layer(name, p, f"{count} pairs share {what}"))
        if self._classes.any():
            held = np.bincount(self._template[np.isin(self._holder, units)], minlength=len(self._classes))
            p, which = layers.targeting(
                np.where(held > 1, held, 0),
                self._classes,
                self._alike,
                len(CLASSES),
                tests.draws,
                stream(tests.seed, code, "classes"),
            )
            found.append(layer("targeting", p, f"most: {list(CLASSES)[which]}"))
        return found

    def _synchrony(self, places: Any, code: str) -> Together:
        tests = self._case.tests
        mine = np.isin(self._slot_owner, self._ids[places])
        units = self._unit[np.searchsorted(self._ids, self._slot_owner[mine])]
        rng = stream(tests.seed, code, "synchrony")
        window, day = tests.window // tests.slot, 1440 // tests.slot
        return layers.synchrony(self._slots[mine], units, window, day, tests.draws, rng, tests.times)


def tied_by(tests: Sequence[Layer], alpha: float) -> tuple[str, ...]:
    """Name the layers that show concert, by Holm over those that can."""
    asked = [one for one in tests if one.name in CONCERT]
    adjusted = holm([one.p for one in asked])
    return tuple(one.name for one, p in zip(asked, adjusted, strict=True) if p <= alpha)


def _once(unit: Ints, value: Ints) -> tuple[Ints, Ints]:
    """Return who has what, each pair once: two accounts of a unit are one holder."""
    if not len(unit):
        return unit.astype(np.int64), value.astype(np.int64)
    pairs = np.unique(np.column_stack([unit, value]), axis=0)
    return pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.int64)


def _beside(strata: Ints, sizes: Ints) -> Ints:
    """Part strata further, so that a unit of many accounts is compared with its like."""
    _, found = np.unique(np.column_stack([strata, np.log2(sizes).astype(np.int64)]), axis=0, return_inverse=True)
    return np.asarray(found, dtype=np.int64).ravel()
