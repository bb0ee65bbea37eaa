"""Compare two models' weights, layer against layer, and test whether they were initialised independently.

The reference is read first, of which some units of each layer are kept; then the suspect, one matrix at a time. For
each layer of the suspect the layer of the reference with the best matches is found, which depends on neither order nor
signs, and its units are tested. Under the null all tests are independent of each other: the orders of different layers
are drawn independently, the signs independently of the orders, and each layer of the reference counts once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from depose.errors import AnalysisError
from depose.model import Record
from depose.model.weights import (
    EMBEDDINGS_ALONE,
    TestKind,
    WeightFinding,
    WeightLayer,
    WeightMap,
    WeightReading,
    WeightTests,
)
from depose.weights import copies, exact_tails, matching, spaces
from depose.weights.assumptions import Assumptions, Judged
from depose.weights.heads import Values, compare_heads, laid
from depose.weights.kept import Opened, Probes, inputs, turned, values
from depose.weights.layout import SEED, Layout, layout, units
from depose.weights.parts import Attention, Mlp
from depose.weights.stores import Array, Store, open_weights

DIMENSIONS: TestKind = "order of the model's dimensions"
ALPHA = 1e-6
"""Below a millionth weights are called not independent; every wrong assumption weighs more than what lies below."""
PROBES = 256
"""Units of each layer of the reference that are matched."""
MAPPED = 64
"""Those of them that are matched with every layer of the suspect."""
SURE = 32
"""Matches that a cell of the map looks at."""
KEPT_BYTES = 600_000_000
PILOTS = 3
GOOD = 0.1
"""A margin above that of chance from which the spaces are plainly laid well over each other."""

SLIGHT = 0.02
"""And one from which they are laid at all."""

Progress = Callable[[int, int], None]


class Tests(NamedTuple):
    """log10 p of the tests of one kind that count, which are independent of each other under the null."""

    logs: list[float]
    again: list[float] | None = None
    """Of an order, as the second look has it; None for signs, which have none."""


def together(kinds: Sequence[Tests]) -> float:
    """Combine all tests: with orders as the first look has them and as the second has them, the larger p of the two."""
    first = [one for each in kinds for one in each.logs]
    second = [one for each in kinds for one in (each.logs if each.again is None else each.again)]
    return max(exact_tails.fisher(first), exact_tails.fisher(second))


class Named(Record, frozen=True, kw_only=True):
    """A model on disk: what it is called in the finding, where it is, and its adapter if it has one."""

    name: str
    path: Path
    adapter: Path | None = None


def compare(
    suspect: Named, reference: Named, progress: Progress = lambda done, total: None, layers: int = 0
) -> WeightFinding:
    """Test whether a suspect's weights were initialised independently of a reference's.

    `layers` of the suspect are looked at, evenly spread, or all where it is 0; a few are enough for most relatives.

    Raises AnalysisError where a model has no units known by their names, EndpointError where files cannot be read.
    """
    with open_weights(suspect.path, suspect.adapter) as one, open_weights(reference.path, reference.adapter) as other:
        mine = Opened(one, _some(layout(one, suspect.name), layers))
        theirs = Opened(other, layout(other, reference.name))
        return _Comparison(mine, theirs, progress).finding(suspect.name, reference.name)


class _Comparison:
    """One comparison under way."""

    def __init__(self, suspect: Opened, reference: Opened, progress: Progress) -> None:
        self._suspect, self._reference, self._progress = suspect, reference, progress
        self._steps = sum(len(of.layout.mlps) + len(of.layout.attentions) for of in (suspect, reference))
        self._done = 0
        self._assumed = Assumptions()
        self._shared = spaces.shared_tokens(suspect, reference)
        self._embeddings = spaces.embeddings(suspect, reference, self._shared)
        if self._embeddings is not None:
            self._assumed.saw_dimensions("suspect", self._embeddings.suspect, waves=suspect.layout.waves)
            self._assumed.saw_dimensions("reference", self._embeddings.reference, waves=reference.layout.waves)
        self._held: tuple[str, Values] | None = None
        self._blocks: dict[tuple[str, str], copies.Blocks] = defaultdict(copies.Blocks)
        """By model and kind: which layers of a model are copies of each other."""

    def _step(self) -> None:
        self._done += 1
        self._progress(self._done, self._steps)

    def finding(self, suspect: str, reference: str) -> WeightFinding:
        """Make every comparison, and combine the tests that count."""
        self._progress(0, self._steps)
        probes = self._probes()
        turn, alignment = self._alignment(probes)
        if turn is not None:
            probes = [turned(one, turn) for one in probes]
        mlps, rows = self._mlps(probes)
        layers = [*self._once(mlps), *self._once(self._attentions(turn))]
        tests = self._tests(layers)
        judged = self._assumed.judged({kind: each.logs for kind, each in tests.items()})
        counted = [each for kind, each in tests.items() if kind not in judged.spoilt]
        log10_p = together(counted)
        reading: WeightReading = "not independent" if log10_p <= np.log10(ALPHA) else "nothing against independence"
        mapped = WeightMap(
            suspect=tuple(one.label for one in self._suspect.layout.mlps),
            reference=tuple(one.of.label for one in probes),
            margins=tuple(tuple(round(value, 4) for value in margins) for margins, _ in rows),
            order_log10_p=tuple(tuple(round(value, 3) for value in logs_of) for _, logs_of in rows),
        )
        return WeightFinding(
            suspect=suspect,
            reference=reference,
            suspect_files=_files(self._suspect.store),
            reference_files=_files(self._reference.store),
            reading=reading if any(each.logs for each in counted) else "not testable",
            log10_p=round(log10_p, 3),
            alpha=ALPHA,
            tests=tuple(
                WeightTests(
                    kind=kind,
                    n=len(each.logs),
                    log10_p=round(exact_tails.fisher(each.logs), 3),
                    again_log10_p=None if each.again is None else round(exact_tails.fisher(each.again), 3),
                )
                for kind, each in tests.items()
                if each.logs
            ),
            layers=tuple(layers),
            map=mapped,
            alignment=alignment,
            support=self._support(turn),
            cautions=(*_embeddings_alone(tests, judged, reading), *judged.cautions),
        )

    def _probes(self) -> list[Probes]:
        """Keep some units of each MLP of the reference."""
        of = self._reference
        count = max(len(of.layout.mlps), 1)
        most = int(np.clip(KEPT_BYTES // (count * 4 * 4 * of.layout.width), MAPPED, PROBES))
        found = []
        for mlp in of.layout.mlps:
            read, up = inputs(of, mlp)
            chosen = np.unique(np.linspace(0, mlp.units - 1, min(mlp.units, most)).astype(np.intp))
            down = units(of.store, mlp.down)
            self._assumed.saw_units("reference", read, up if mlp.gate else None, down)
            rows = matching.centred_rows(read)
            self._blocks["reference", "mlp"].add(mlp.label, rows)
            found.append(
                Probes(
                    of=mlp,
                    numbers=chosen,
                    read=rows[chosen],
                    whole=matching.unit_rows(read[chosen]),
                    up=matching.unit_rows(up[chosen]),
                    down=matching.unit_rows(down[chosen]),
                )
            )
            self._step()
        return found

    def _alignment(self, probes: list[Probes]) -> tuple[Array | None, str]:
        """Choose how the spaces are laid over each other by how surely units are matched, in any order."""
        same = self._suspect.layout.width == self._reference.layout.width
        pilots = [self._suspect.layout.mlps[place] for place in matching.spread(len(self._suspect.layout.mlps), PILOTS)]
        as_it_is = self._margin(probes, pilots, None) if same else -1.0
        chance = self._chance(probes, pilots) if same else -1.0
        if self._embeddings is None or (same and as_it_is >= GOOD + chance):
            if not same:
                raise AnalysisError(
                    f"the models are {self._suspect.layout.width} and {self._reference.layout.width} wide and share "
                    f"{len(self._shared.suspect)} tokens, too few to lay one over the other",
                    hint="put the tokenizer.json of both beside their weights",
                )
            return None, "as they are"
        turn = spaces.rotation(self._embeddings)
        # Where MLPs are strangers in either way, attention may be kin, in the space that both began with.
        if self._margin(probes, pilots, turn) > max(as_it_is, chance + SLIGHT):
            return turn, "rotated by the embeddings of shared tokens"
        return None, "as they are"

    def _chance(self, probes: list[Probes], pilots: list[Mlp]) -> float:
        """Return the margin of spaces that are not laid over each other: few and sparse weights have some by chance."""
        width = self._suspect.layout.width
        shuffled = np.random.default_rng(SEED).permutation(width)
        return self._margin(probes, pilots, np.eye(width, dtype=np.float32)[shuffled])

    def _margin(self, probes: list[Probes], pilots: list[Mlp], turn: Array | None) -> float:
        best = []
        for mlp in pilots:
            read, _ = inputs(self._suspect, mlp, both=False)
            rows = matching.centred_rows(read)
            margins = []
            for one in probes:
                asked = one.read[matching.spread(len(one.read), MAPPED)]
                likeness = matching.unit_rows(asked @ turn) @ rows.T if turn is not None else asked @ rows.T
                margins.append(matching.match(likeness).margin)
            best.append(max(margins, default=0.0))
        return float(np.mean(best)) if best else 0.0

    def _mlps(self, probes: list[Probes]) -> tuple[list[WeightLayer], list[tuple[list[float], list[float]]]]:
        """Test each MLP of the suspect against the closest of the reference."""
        found, rows = [], []
        chosen = [matching.spread(len(one.read), MAPPED) for one in probes]
        starts = np.cumsum([0, *[len(one) for one in chosen]])
        rows_of = [one.read[places] for one, places in zip(probes, chosen, strict=True)]
        asked = np.concatenate(rows_of or [np.empty((0, self._suspect.layout.width), np.float32)])
        for mlp in self._suspect.layout.mlps if probes else ():
            read, up = inputs(self._suspect, mlp)
            down = units(self._suspect.store, mlp.down)
            self._assumed.saw_units("suspect", read, up if mlp.gate else None, down)
            theirs = matching.centred_rows(read)
            self._blocks["suspect", "mlp"].add(mlp.label, theirs)
            likeness = asked @ theirs.T
            cells = [matching.match(likeness[a:b], SURE) for a, b in pairwise(starts)]
            rows.append(([one.margin for one in cells], [matching.order_test(one) for one in cells]))
            closest = probes[int(np.argmax(rows[-1][0]))]
            likeness = closest.read @ theirs.T
            match = matching.distinct(matching.match(likeness), closest.read, theirs)
            opposite = matching.opposite_order(likeness, closest.numbers)
            self._assumed.saw_matched("order of units", matching.agreement(match), opposite)
            signs = None
            if mlp.gate and closest.of.gate:
                signs = matching.sign_test(
                    (closest.up[match.mine], closest.down[match.mine]),
                    (matching.unit_rows(up[match.theirs]), matching.unit_rows(down[match.theirs])),
                )
            orders = matching.order_test(match), matching.second_look(closest.whole, read)
            found.append(_layer(mlp.label, closest.of.label, mlp.units, match, orders, signs))
            self._step()
        return found, rows

    def _attentions(self, turn: Array | None) -> list[WeightLayer]:
        """Test the value dimensions of each attention layer against the layer of the reference that matches them best.

        It is sought apart from that of the MLP beside it: experts may be in another order, and layers from elsewhere.
        """
        theirs = self._reference.layout.attentions
        asked = []
        for one in theirs:
            raw = values(self._reference, one)
            self._saw_values("reference", one, raw)
            asked.append(laid(raw, turn).value[matching.spread(len(raw.value), MAPPED)])
            self._step()
        starts = np.cumsum([0, *map(len, asked)])
        rows = np.concatenate(asked or [np.empty((0, self._suspect.layout.width), np.float32)])
        found = []
        for mine in self._suspect.layout.attentions if theirs else ():
            raw = values(self._suspect, mine)
            self._saw_values("suspect", mine, raw)
            here = laid(raw, None)
            likeness = np.abs(rows @ here.value.T)
            margins = [matching.match(likeness[a:b]).margin for a, b in pairwise(starts)]
            closest = theirs[int(np.argmax(margins))]
            compared = compare_heads(mine, here, closest, self._held_values(closest, turn))
            self._assumed.saw_matched("order of value dimensions", compared.agreed, compared.opposite)
            found.append(compared.layer)
            self._step()
        return found

    def _saw_values(self, model: str, of: Attention, raw: Values) -> None:
        self._assumed.saw_values(model, *(rows.reshape(of.heads, of.size, -1) for rows in raw))
        self._blocks[model, "attention"].add(of.label, matching.unit_rows(raw.value))

    def _held_values(self, of: Attention, turn: Array | None) -> Values:
        """Read the value dimensions of the reference, in the suspect's space; the last layer is held."""
        if self._held is None or self._held[0] != of.label:
            self._held = (of.label, laid(values(self._reference, of), turn))
        return self._held[1]

    def _once(self, layers: list[WeightLayer]) -> list[WeightLayer]:
        """Let each layer of either model, with its copies, count once, for its best match."""
        mine, theirs = (
            self._blocks[model, layers[0].kind if layers else "mlp"].families() for model in ("suspect", "reference")
        )
        counted = copies.once(
            [one.margin for one in layers],
            [mine[one.label] for one in layers],
            [theirs[one.closest] for one in layers],
        )
        return [msgspec.structs.replace(one, counted=counts) for one, counts in zip(layers, counted, strict=True)]

    def _tests(self, layers: list[WeightLayer]) -> dict[TestKind, Tests]:
        """Sort the tests that count by kind."""
        counted = [one for one in layers if one.counted]
        found: dict[TestKind, Tests] = {}
        kinds: tuple[tuple[str, TestKind, TestKind], ...] = (
            ("mlp", "order of units", "signs of units"),
            ("attention", "order of value dimensions", "signs of value dimensions"),
        )
        for kind, order, signs in kinds:
            of = [one for one in counted if one.kind == kind and one.matched >= exact_tails.FEWEST]
            found[order] = Tests([one.order_log10_p for one in of], [one.again_log10_p or 0.0 for one in of])
            found[signs] = Tests([one.signs_log10_p for one in of if one.signs_log10_p is not None])
        found["order of the model's dimensions"] = Tests([])
        if self._embeddings is not None:
            dimensions = spaces.dimension_order(self._embeddings)
            if dimensions.matched >= exact_tails.FEWEST:
                found["order of the model's dimensions"] = Tests([dimensions.log10_p], [dimensions.again])
                self._assumed.saw_matched("order of the model's dimensions", dimensions.agreed, dimensions.opposite)
        return found

    def _support(self, turn: Array | None) -> dict[str, str]:
        """State what decides nothing."""
        mine, theirs = self._suspect.layout, self._reference.layout
        shapes = [
            f"{len(of.mlps)} MLPs of {max((one.units for one in of.mlps), default=0)} units, "
            f"{len(of.attentions)} attention layers, {of.width} wide"
            for of in (mine, theirs)
        ]
        shared = f"{len(self._shared.suspect)} of {self._shared.sizes[0]} and {self._shared.sizes[1]}"
        facts: dict[str, str] = {
            "shape of the suspect": shapes[0],
            "shape of the reference": shapes[1],
            "tokens shared": shared + (", taken for equal by their numbers" if self._shared.assumed else ""),
        }
        for model, of in (("suspect", mine), ("reference", theirs)):
            said = {f"MLPs of the {model} looked at": of.drawn, f"known by their names in the {model}": of.gaps}
            facts |= {what: value for what, value in said.items() if value}
        if self._embeddings is not None and (turn is not None or mine.width == theirs.width):
            reference = self._embeddings.reference @ turn if turn is not None else self._embeddings.reference
            rows = matching.unit_rows(reference) * matching.unit_rows(self._embeddings.suspect)
            facts["median cosine of shared tokens' embeddings"] = f"{float(np.median(rows.sum(axis=1))):z.3f}"
        return facts


def _embeddings_alone(tests: Mapping[TestKind, Tests], judged: Judged, reading: WeightReading) -> tuple[str, ...]:
    """Say where hidden layers tell nothing, so that the order of the model's dimensions is all there is."""
    hidden = together([each for kind, each in tests.items() if kind not in judged.spoilt and kind != DIMENSIONS])
    if reading != "not independent" or hidden <= np.log10(ALPHA):
        return ()
    return (f"{EMBEDDINGS_ALONE}: hidden layers tell nothing (log10 p {hidden:z.1f}); a table of embeddings that one "
            "took from the other, or both from a third, or hidden states of the other or of a third that were learnt, "
            "is all that this shows",)  # fmt: skip


def _layer(
    label: str, closest: str, count: int, match: matching.Match, orders: tuple[float, float], signs: float | None
) -> WeightLayer:
    return WeightLayer(
        kind="mlp",
        label=label,
        closest=closest,
        units=count,
        matched=len(match.mine),
        cosine=round(float(np.median(match.cosines)), 4) if len(match.cosines) else 0.0,
        margin=round(match.margin, 4),
        order_log10_p=round(orders[0], 3),
        again_log10_p=round(orders[1], 3),
        signs_log10_p=None if signs is None else round(signs, 3),
        counted=True,
    )


def _some(of: Layout, layers: int) -> Layout:
    """Leave so many layers, evenly spread."""
    every = sorted({one.layer for one in of.mlps} | {one.layer for one in of.attentions})
    if not layers or len(every) <= layers:
        return of
    kept = {every[place] for place in matching.spread(len(every), layers)}
    return of._replace(
        mlps=tuple(one for one in of.mlps if one.layer in kept),
        attentions=tuple(one for one in of.attentions if one.layer in kept),
    )


def _files(store: Store) -> dict[str, str]:
    return dict(sorted(store.digests.items()))
