"""Compare two models' weights, layer against layer, and test whether they were initialised independently.

The reference is read first, of which some units of each layer are kept; then the suspect, one matrix at a time. For
each layer of the suspect the layer of the reference with the best matches is found, which depends on neither order nor
signs, and its units are tested. Under the null all tests are independent of each other: the orders of different layers
are drawn independently, the signs independently of the orders, and each layer of the reference counts once.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.errors import AnalysisError
from depose.model import Record
from depose.model.weights import TestKind, WeightFinding, WeightLayer, WeightMap, WeightReading, WeightTests
from depose.weights import exact_tails, matching, spaces
from depose.weights.assumptions import Assumptions
from depose.weights.layout import Attention, Layout, Mlp, layout, norm, units
from depose.weights.stores import Array, Store, open_weights

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
"""A margin above which the spaces are plainly laid well over each other."""

Progress = Callable[[int, int], None]


class Named(Record, frozen=True, kw_only=True):
    """A model on disk: what it is called in the finding, where it is, and its adapter if it has one."""

    name: str
    path: Path
    adapter: Path | None = None


class Opened(NamedTuple):
    """A model that is open for reading."""

    store: Store
    layout: Layout


class Probes(NamedTuple):
    """Some units of one MLP of the reference: their rows, in the reference's space."""

    of: Mlp
    read: Array
    """By what they are matched, centred."""
    up: Array
    down: Array


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
        self._steps = len(suspect.layout.mlps) + len(suspect.layout.attentions) + len(reference.layout.mlps)
        self._done = 0
        self._assumed = Assumptions()
        self._shared = spaces.shared_tokens(suspect, reference)
        self._embeddings = spaces.embeddings(suspect, reference, self._shared)
        self._held: tuple[str, Array, Array] | None = None

    def _step(self) -> None:
        self._done += 1
        self._progress(self._done, self._steps)

    def finding(self, suspect: str, reference: str) -> WeightFinding:
        """Make every comparison, and combine the tests that count."""
        self._progress(0, self._steps)
        probes = self._probes()
        turn, alignment = self._alignment(probes)
        if turn is not None:
            probes = [_turned(one, turn) for one in probes]
        mlps, rows = self._mlps(probes)
        attentions = self._attentions(mlps, turn)
        layers = [*_once(mlps), *_once(attentions)]
        tests = self._tests(layers)
        logs = [one for kind, each in tests.items() for one in each if kind not in self._assumed.spoilt()]
        log10_p = exact_tails.fisher(logs)
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
            reading=reading if logs else "not testable",
            log10_p=round(log10_p, 3),
            alpha=ALPHA,
            tests=tuple(
                WeightTests(kind=kind, n=len(each), log10_p=round(exact_tails.fisher(each), 3))
                for kind, each in tests.items()
                if each
            ),
            layers=tuple(layers),
            map=mapped,
            alignment=alignment,
            support=self._support(turn),
            cautions=self._assumed.cautions(),
        )

    def _probes(self) -> list[Probes]:
        """Keep some units of each MLP of the reference."""
        of = self._reference
        count = max(len(of.layout.mlps), 1)
        most = int(np.clip(KEPT_BYTES // (count * 3 * 4 * of.layout.width), MAPPED, PROBES))
        found = []
        for mlp in of.layout.mlps:
            read, up = _inputs(of, mlp)
            chosen = np.unique(np.linspace(0, mlp.units - 1, min(mlp.units, most)).astype(np.intp))
            down = units(of.store, mlp.down)
            self._assumed.saw("reference", read, up if mlp.gate else None)
            found.append(
                Probes(
                    of=mlp,
                    read=matching.centred_rows(read)[chosen],
                    up=matching.unit_rows(up[chosen]),
                    down=matching.unit_rows(down[chosen]),
                )
            )
            self._step()
        return found

    def _alignment(self, probes: list[Probes]) -> tuple[Array | None, str]:
        """Choose how the spaces are laid over each other by how surely units are matched, in any order."""
        same = self._suspect.layout.width == self._reference.layout.width
        pilots = [self._suspect.layout.mlps[place] for place in _spread(len(self._suspect.layout.mlps), PILOTS)]
        as_it_is = self._margin(probes, pilots, None) if same else -1.0
        if as_it_is >= GOOD or self._embeddings is None:
            if not same:
                raise AnalysisError(
                    f"the models are {self._suspect.layout.width} and {self._reference.layout.width} wide and share "
                    f"{len(self._shared.suspect)} tokens, too few to lay one over the other",
                    hint="put the tokenizer.json of both beside their weights",
                )
            return None, "as they are"
        turn = spaces.rotation(self._embeddings)
        if self._margin(probes, pilots, turn) > as_it_is:
            return turn, "rotated by the embeddings of shared tokens"
        return None, "as they are"

    def _margin(self, probes: list[Probes], pilots: list[Mlp], turn: Array | None) -> float:
        best = []
        for mlp in pilots:
            read, _ = _inputs(self._suspect, mlp, both=False)
            rows = matching.centred_rows(read)
            margins = []
            for one in probes:
                asked = one.read[_spread(len(one.read), MAPPED)]
                likeness = matching.unit_rows(asked @ turn) @ rows.T if turn is not None else asked @ rows.T
                margins.append(matching.match(likeness).margin)
            best.append(max(margins, default=0.0))
        return float(np.mean(best)) if best else 0.0

    def _mlps(self, probes: list[Probes]) -> tuple[list[WeightLayer], list[tuple[list[float], list[float]]]]:
        """Test each MLP of the suspect against the closest of the reference."""
        found, rows = [], []
        chosen = [_spread(len(one.read), MAPPED) for one in probes]
        starts = np.cumsum([0, *[len(one) for one in chosen]])
        rows_of = [one.read[places] for one, places in zip(probes, chosen, strict=True)]
        asked = np.concatenate(rows_of or [np.empty((0, self._suspect.layout.width), np.float32)])
        for mlp in self._suspect.layout.mlps if probes else ():
            read, up = _inputs(self._suspect, mlp)
            self._assumed.saw("suspect", read, up if mlp.gate else None)
            theirs = matching.centred_rows(read)
            likeness = asked @ theirs.T
            cells = [matching.match(likeness[a:b], SURE) for a, b in pairwise(starts)]
            rows.append(([one.margin for one in cells], [matching.order_test(one) for one in cells]))
            closest = probes[int(np.argmax(rows[-1][0]))]
            match = matching.match(closest.read @ theirs.T)
            signs = None
            if mlp.gate and closest.of.gate:
                down = units(self._suspect.store, mlp.down)[match.theirs]
                signs = matching.sign_test(
                    (closest.up[match.mine], closest.down[match.mine]),
                    (matching.unit_rows(up[match.theirs]), matching.unit_rows(down)),
                )
            found.append(_layer(mlp.label, closest.of.label, mlp.units, match, matching.order_test(match), signs))
            self._step()
        return found, rows

    def _attentions(self, mlps: list[WeightLayer], turn: Array | None) -> list[WeightLayer]:
        """Test the value dimensions of each attention layer against the layer that its MLP is closest to."""
        known = {one.label: one for one in self._reference.layout.attentions}
        strongest: dict[str, WeightLayer] = {}
        for one in sorted(mlps, key=lambda one: one.margin):
            strongest[one.label.partition(".")[0]] = one
        found = []
        for attention in self._suspect.layout.attentions:
            beside = strongest.get(attention.label)
            label = beside.closest.partition(".")[0] if beside is not None else attention.label
            if label in known:
                found += self._heads(attention, known[label], turn)
            self._step()
        return found

    def _values(self, of: Attention, turn: Array | None) -> tuple[Array, Array]:
        """Read the value dimensions of the reference, in the suspect's space; the last layer is held."""
        if self._held is None or self._held[0] != of.label:
            rows = _attention_rows(self._reference, of)
            if turn is not None:
                rows = (matching.unit_rows(rows[0] @ turn), matching.unit_rows(rows[1] @ turn))
            self._held = (of.label, *rows)
        return self._held[1], self._held[2]

    def _heads(self, mine: Attention, theirs: Attention, turn: Array | None) -> list[WeightLayer]:
        """Match each head of the suspect with the closest of the reference, and test the dimensions within."""
        value, output = _attention_rows(self._suspect, mine)
        their_value, their_output = self._values(theirs, turn)
        likeness = np.abs(their_value @ value.T).reshape(theirs.heads, theirs.size, mine.heads, mine.size)
        taken: dict[int, tuple[float, int, matching.Match]] = {}
        for head in range(mine.heads):
            each = [matching.match(likeness[other, :, head]) for other in range(theirs.heads)]
            other = int(np.argmax([one.margin for one in each]))
            if other not in taken or each[other].margin > taken[other][0]:
                taken[other] = (each[other].margin, head, each[other])
        orders, signs, cosines = [], [], []
        for other, (_, head, match) in taken.items():
            rows, columns = other * theirs.size + match.mine, head * mine.size + match.theirs
            orders.append(matching.order_test(match))
            signs.append(matching.sign_test((their_value[rows], their_output[rows]), (value[columns], output[columns])))
            cosines += list(match.cosines)
        return [
            WeightLayer(
                kind="attention",
                label=mine.label,
                closest=theirs.label,
                units=mine.heads * mine.size,
                matched=len(cosines),
                cosine=round(float(np.median(cosines)), 4) if cosines else 0.0,
                margin=round(float(np.mean([one[0] for one in taken.values()])), 4),
                order_log10_p=round(exact_tails.fisher(orders), 3),
                signs_log10_p=round(exact_tails.fisher(signs), 3),
                counted=True,
            )
        ]

    def _tests(self, layers: list[WeightLayer]) -> dict[TestKind, list[float]]:
        """Sort the tests that count by kind."""
        counted = [one for one in layers if one.counted]
        found: dict[TestKind, list[float]] = {}
        kinds: tuple[tuple[str, TestKind, TestKind], ...] = (
            ("mlp", "order of units", "signs of units"),
            ("attention", "order of value dimensions", "signs of value dimensions"),
        )
        for kind, order, signs in kinds:
            of = [one for one in counted if one.kind == kind and one.matched >= exact_tails.FEWEST]
            found[order] = [one.order_log10_p for one in of]
            found[signs] = [one.signs_log10_p for one in of if one.signs_log10_p is not None]
        found["order of the model's dimensions"] = []
        if self._embeddings is not None:
            log10_p, count = spaces.dimension_order(self._embeddings)
            if count >= exact_tails.FEWEST:
                found["order of the model's dimensions"] = [log10_p]
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
        facts = {
            "shape of the suspect": shapes[0],
            "shape of the reference": shapes[1],
            "tokens shared": shared + (", taken for equal by their numbers" if self._shared.assumed else ""),
        }
        if self._embeddings is not None and (turn is not None or mine.width == theirs.width):
            reference = self._embeddings.reference @ turn if turn is not None else self._embeddings.reference
            rows = matching.unit_rows(reference) * matching.unit_rows(self._embeddings.suspect)
            facts["median cosine of shared tokens' embeddings"] = f"{float(np.median(rows.sum(axis=1))):z.3f}"
        return facts


def _inputs(of: Opened, mlp: Mlp, *, both: bool = True) -> tuple[Array, Array]:
    """Read what units are matched by, and what they multiply with it; of an MLP without gate, the same twice."""
    before = norm(of.store, of.layout, mlp.norm)
    read = units(of.store, mlp.gate or mlp.up) * before
    return read, units(of.store, mlp.up) * before if both and mlp.gate else read


def _attention_rows(of: Opened, attention: Attention) -> tuple[Array, Array]:
    before = norm(of.store, of.layout, attention.norm)
    value = matching.unit_rows(units(of.store, attention.value) * before)
    return value, matching.unit_rows(units(of.store, attention.output))


def _turned(one: Probes, turn: Array) -> Probes:
    return Probes(one.of, *(matching.unit_rows(rows @ turn) for rows in (one.read, one.up, one.down)))


def _spread(count: int, most: int) -> NDArray[np.intp]:
    """Places evenly spread over so many."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.intp)) if count else np.empty(0, np.intp)


def _layer(
    label: str, closest: str, count: int, match: matching.Match, order: float, signs: float | None
) -> WeightLayer:
    return WeightLayer(
        kind="mlp",
        label=label,
        closest=closest,
        units=count,
        matched=len(match.mine),
        cosine=round(float(np.median(match.cosines)), 4) if len(match.cosines) else 0.0,
        margin=round(match.margin, 4),
        order_log10_p=round(order, 3),
        signs_log10_p=None if signs is None else round(signs, 3),
        counted=True,
    )


def _once(layers: list[WeightLayer]) -> list[WeightLayer]:
    """Let each layer of the reference count once, for the layer that matches it best."""
    best: dict[str, WeightLayer] = {}
    for one in layers:
        if one.closest not in best or one.margin > best[one.closest].margin:
            best[one.closest] = one
    return [one if best[one.closest] is one else msgspec.structs.replace(one, counted=False) for one in layers]


def _some(of: Layout, layers: int) -> Layout:
    """Leave so many layers, evenly spread."""
    every = sorted({one.layer for one in of.mlps} | {one.layer for one in of.attentions})
    if not layers or len(every) <= layers:
        return of
    kept = {every[place] for place in _spread(len(every), layers)}
    return of._replace(
        mlps=tuple(one for one in of.mlps if one.layer in kept),
        attentions=tuple(one for one in of.attentions if one.layer in kept),
    )


def _files(store: Store) -> dict[str, str]:
    return dict(sorted(store.digests.items()))
