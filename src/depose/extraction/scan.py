"""Tables to findings: standing communities, accounts, pairs, groups and what ties them; pure but for one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from depose.extraction import accounts as conformal
from depose.extraction import features, groups
from depose.extraction import pairs as pair_test
from depose.extraction.bipartite import in_common, joined, nobody
from depose.extraction.concert import Context, tied_by
from depose.extraction.findings import (
    AVERAGED,
    AccountHit,
    Accounts,
    Group,
    Layer,
    Member,
    Opinion,
    PairHit,
    Pairs,
    Standing,
    Totals,
    hexed,
)
from depose.extraction.plan import ExtractionFile
from depose.extraction.tables import Tables, shared_templates
from depose.model import Record
from depose.statistics import evalues
from depose.statistics.screening import benjamini_hochberg

LISTED = 200
FEWEST_NODES = 20
"""Nodes with rare templates below which there is no population to swap among."""
Say = Callable[[str], None]
SlotsOf = Callable[[Any], pa.Table]
"""Given accounts, the table of the slots in which they were active."""


class Scanned(Record, frozen=True, kw_only=True):
    """What follows from the tables alone."""

    totals: Totals
    standing: Standing | None
    accounts: Accounts
    pairs: Pairs
    groups: tuple[Group, ...]
    next_p: float
    opinion: Opinion
    unasked: tuple[str, ...] = ()
    """Models that came out in the period, as the case has them, and that nobody asked."""


class Scan:
    """One scan of the tables of a case."""

    def __init__(self, case: ExtractionFile, tables: Tables, slots_of: SlotsOf, workers: int, say: Say) -> None:
        self._case, self._tables, self._slots_of = case, tables, slots_of
        self._workers, self._say = workers, say
        self._accounts = tables.by_name["accounts"]
        self._ids = self._accounts["account"].to_numpy()
        self._nodes = self._accounts["node"].to_numpy()

    def run(self) -> Scanned:
        """Run every test that was registered."""
        standing, together = self.standing()
        table, known = self.rare("rare", together)
        found = groups.Groups(rounds=(), adjusted=())
        if self._case.strata.accused_alone:
            return self._untested(table)
        if table.rows >= FEWEST_NODES:
            self._say(
                f"groups: {table.rows} nodes, {table.width} rare templates, {self._case.tests.swaps} random tables"
            )
            found = self.find(table, "groups")
        kept = [one for one, p in zip(found.rounds, found.adjusted, strict=True) if p <= self._case.tests.alpha]
        members = [self.accounts_of(known[one.members], together) for one in kept]
        made = self._groups(found, kept, members, table, known, together)
        rest = found.adjusted[len(kept) :]
        return Scanned(
            totals=self._totals(table),
            standing=standing,
            accounts=self.unusual(made),
            pairs=self.pairs(table, known),
            groups=made,
            next_p=rest[0] if rest else 1.0,
            opinion=self._opinion(table, made),
            unasked=self._unasked(),
        )

    def _unasked(self) -> tuple[str, ...]:
        asked = set(self._tables.by_name["daily"]["model"].unique().to_pylist())
        return tuple(one.model for one in self._case.releases if one.model not in asked)

    def _untested(self, table: Any) -> Scanned:
        """Count, and test nothing: of accounts that were chosen because they are accused there is no null."""
        fdr = self._case.tests.fdr
        return Scanned(
            totals=self._totals(table),
            standing=None,
            accounts=Accounts(tested=0, without=len(self._ids), controls="nobody", fdr=fdr, hits=0, listed=()),
            pairs=Pairs(tests=0, fdr=fdr, hits=0, nodes=0, listed=()),
            groups=(),
            next_p=1.0,
            opinion=Opinion(verdict="inconclusive", reasons=("population",)),
        )

    def rare(self, name: str, together: dict[int, int]) -> tuple[Any, Any]:
        """Return who holds which rare template, and the node of each row.

        What a standing community shares is out, and who was acquainted in the clean period is marked as such.
        """
        rows = self._tables.by_name[name]
        nodes, templates = rows["node"].to_numpy(), rows["template"].to_numpy()
        if together:
            of = np.array([together.get(int(one), 0) for one in nodes], dtype=np.uint64)
            inside = np.flatnonzero(of > 0)
            pairs = np.column_stack([of[inside], templates[inside]])
            known, count = np.unique(pairs, axis=0, return_counts=True)
            kept = ~np.isin(templates, known[count > 1, 1])
            nodes, templates = nodes[kept], templates[kept]
        table, held_by = shared_templates(nodes, templates, together)
        if name == "rare" and "rare_clean" in self._tables.by_name:
            table = replace(table, acquainted=self._acquainted(held_by, together))
        return table, held_by

    def _acquainted(self, known: Any, together: dict[int, int]) -> Any:
        """Return the pairs of rows that a graph of the grid joins in the clean period, or that have two such in common.

        The second are left out where the graph is so dense that counting them would not end.
        """
        rows = self._tables.by_name["rare_clean"]
        table, before = shared_templates(rows["node"].to_numpy(), rows["template"].to_numpy(), {})
        if not table.rows:
            return nobody()
        into = np.array([together.get(int(one), int(one)) for one in before], dtype=np.uint64)
        place = np.searchsorted(known, into)
        place[place == len(known)] = 0
        place = np.where(known[place] == into, place, -1) if len(known) else np.full(len(into), -1)
        pairs = [np.stack(joined(table, *graph)[:2], axis=1) for graph in self._case.templates.grid]
        met = np.sort(place[np.concatenate(pairs)], axis=1)
        return in_common(np.unique(met[(met[:, 0] >= 0) & (met[:, 0] < met[:, 1])], axis=0), len(known))

    def find(self, table: Any, name: str, *, placebo: bool = False) -> groups.Groups:
        """Run the primary test on a table, as registered; as a placebo without correction, at its own level."""
        tests = self._case.tests
        return groups.find(
            table,
            self._case.templates.grid,
            swaps=tests.swaps,
            rounds=tests.rounds,
            alpha=tests.placebo if placebo else tests.alpha,
            seed=tests.seed,
            name=name,
            corrected=not placebo,
            workers=self._workers,
            progress=lambda done, every: (
                self._say(f"{name}: {done} of {every} random tables") if done == every else None
            ),
        )

    def standing(self) -> tuple[Standing | None, dict[int, int]]:
        """Find what stands out in the clean period; each such community is one node from then on."""
        if "rare_clean" not in self._tables.by_name or self._case.strata.accused_alone:
            return None, {}
        table, known = self.rare("rare_clean", {})
        if table.rows < FEWEST_NODES:
            return Standing(p=1.0, communities=0, nodes=0), {}
        self._say(f"clean period: {table.rows} nodes, {table.width} rare templates")
        found = self.find(table, "clean", placebo=True)
        kept = [one for one in found.rounds if one.p <= self._case.tests.placebo]
        together = {int(node): int(known[one.members].min()) for one in kept for node in known[one.members]}
        p = found.rounds[0].p if found.rounds else 1.0
        return Standing(p=p, communities=len(kept), nodes=len(together)), together

    def accounts_of(self, nodes: Any, together: dict[int, int]) -> Any:
        """Return the places of all accounts that belong to nodes."""
        wanted = set(nodes.tolist())
        belongs = [together.get(int(one), int(one)) in wanted for one in self._nodes]
        return np.flatnonzero(np.array(belongs, dtype=bool))

    def _groups(
        self,
        found: groups.Groups,
        kept: list[Any],
        members: list[Any],
        table: Any,
        known: Any,
        together: dict[int, int],
    ) -> tuple[Group, ...]:
        if not kept:
            return ()
        self._say(f"{len(kept)} groups: synchrony, balance, infrastructure, targeting")
        every = np.unique(np.concatenate(members))
        chosen = np.unique(self._ids[every])
        slots = self._slots_of(chosen)
        context = Context(self._case, self._tables, slots, together)
        made = []
        for number, (one, places) in enumerate(zip(kept, members, strict=True), 1):
            p_holm = found.adjusted[number - 1]
            floor = 1 / (self._case.tests.swaps + 1)
            tests = [
                Layer(name="groups", p=one.p, floor=floor, e=evalues.calibrated(one.p), note=""),
                *context.layers(places, f"G{number}", every),
            ]
            made.append(
                Group(
                    code=f"G{number}",
                    p=one.p,
                    p_holm=p_holm,
                    most=one.graph[0],
                    least=one.graph[1],
                    core=one.core,
                    expected=one.expected,
                    nodes=len(one.members),
                    accounts=self._members(places, one, table, known, together),
                    requests=int(self._accounts["requests"].to_numpy()[places].sum()),
                    layers=tuple(tests),
                    tied_by=tied_by(tests, self._case.tests.alpha),
                    e=evalues.averaged([layer.p for layer in tests if layer.name in AVERAGED]),
                    first=str(min(self._accounts["first_at"].to_numpy()[places]))[:19],
                    last=str(max(self._accounts["last_at"].to_numpy()[places]))[:19],
                )
            )
        return tuple(made)

    def _members(self, places: Any, one: Any, table: Any, known: Any, together: dict[int, int]) -> tuple[Member, ...]:
        inside = np.bincount(
            np.concatenate([table.columns[table.starts[row] : table.starts[row + 1]] for row in one.members]),
            minlength=table.width,
        )
        shared = {}
        for row, supported in zip(one.members, one.supported, strict=True):
            own = table.columns[table.starts[row] : table.starts[row + 1]]
            shared[int(known[row])] = (bool(supported), int((inside[own] >= 2).sum()))
        requests = self._accounts["requests"].to_numpy()
        return tuple(
            Member(
                account=hexed(self._ids[place]),
                supported=int(self._nodes[place]) not in together
                and shared.get(int(self._nodes[place]), (False, 0))[0],
                standing=int(self._nodes[place]) in together,
                requests=int(requests[place]),
                templates=shared.get(int(self._nodes[place]), (False, 0))[1],
            )
            for place in places
        )

    def unusual(self, made: tuple[Group, ...]) -> Accounts:
        """E1 against the accounts of the clean period, else against a part of the accounts themselves."""
        by, tests = self._case.strata.by, self._case.tests
        clean = self._tables.by_name.get("accounts_clean")
        against = self._accounts if clean is None or clean.num_rows < 2 * 19 else clean
        self._say(f"accounts: {self._accounts.num_rows} against {against.num_rows}")
        mine, theirs = (
            conformal.strata_of(features.strata(one, by, against), one.num_rows) for one in (self._accounts, against)
        )
        found = conformal.conformal(
            features.features(self._accounts),
            features.features(against),
            mine,
            theirs,
            self._case.strata.fewest,
            tests.seed,
        )
        ranked = np.flatnonzero(~np.isnan(found.p))
        q = benjamini_hochberg(found.p[ranked].tolist())
        group = {member.account: one.code for one in made for member in one.accounts}
        hits = [
            AccountHit(
                account=hexed(self._ids[place]),
                p=float(found.p[place]),
                q=value,
                controls=int(found.controls[place]),
                group=group.get(hexed(self._ids[place]), ""),
            )
            for place, value in zip(ranked, q, strict=True)
            if value <= tests.fdr
        ]
        hits.sort(key=lambda one: (one.p, one.account))
        return Accounts(
            tested=len(ranked),
            without=len(found.p) - len(ranked),
            controls="accounts of the clean period" if against is clean else "the accounts themselves",
            fdr=tests.fdr,
            hits=len(hits),
            listed=tuple(hits[:LISTED]),
        )

    def pairs(self, table: Any, known: Any) -> Pairs:
        """E2 over all pairs of nodes."""
        found = pair_test.validated(table, self._case.templates.most, self._case.tests.fdr)
        kept = np.flatnonzero(found.kept)
        order = kept[np.lexsort((found.right[kept], found.left[kept], found.p[kept]))]
        return Pairs(
            tests=found.tests,
            fdr=self._case.tests.fdr,
            hits=len(kept),
            nodes=len(np.unique(np.concatenate([found.left[kept], found.right[kept]]))),
            listed=tuple(
                PairHit(
                    left=hexed(known[found.left[one]]),
                    right=hexed(known[found.right[one]]),
                    shared=int(found.shared[one]),
                    p=float(found.p[one]),
                )
                for one in order[:LISTED]
            ),
        )

    def _totals(self, table: Any) -> Totals:
        dropped = self._tables.by_name["dropped"]
        clean = self._tables.by_name.get("accounts_clean")
        return Totals(
            requests=int(self._accounts["requests"].to_numpy().sum()) if len(self._ids) else 0,
            accounts=len(self._ids),
            nodes=len(np.unique(self._nodes)),
            templates=table.width,
            uses=len(table.columns),
            common_templates=int(dropped["templates"][0].as_py()),
            accounts_clean=0 if clean is None else clean.num_rows,
        )

    def _opinion(self, table: Any, made: tuple[Group, ...]) -> Opinion:
        reasons = []
        if len(np.unique(self._nodes)) < self._case.strata.fewest:
            reasons.append("population")
        if table.rows < FEWEST_NODES:
            reasons.append("templates")
        declared = [one for group in self._case.benign for one in group.accounts]
        nodes, accounts = np.unique(self._nodes, return_counts=True)
        named = np.isin(nodes, np.array([int(one, 16) for one in declared], dtype=np.uint64))
        beside = ("organisation",) if 2 * accounts[~named].max(initial=0) > max(len(self._ids), FEWEST_NODES) else ()
        clean = self._tables.by_name.get("accounts_clean")
        if clean is not None and clean.num_rows < FEWEST_NODES:
            beside = (*beside, "clean")
        if reasons:
            return Opinion(verdict="inconclusive", reasons=(*reasons, *beside))
        if not made:
            return Opinion(verdict="no group found", reasons=beside)
        if not any(one.tied_by for one in made):
            return Opinion(verdict="shared prompts, concert not shown", reasons=beside)
        return Opinion(verdict="indication", reasons=beside)
