"""One row of the matrix: a suspect against every reference, a pure function of an order and of the base.

The row is named by a digest of everything that it depends on, so that a row that is there need not be made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.batch import base as bases
from depose.batch.base import Base, Ready
from depose.case.population import Population
from depose.errors import AnalysisError
from depose.model import Record
from depose.model.canonical import UNREADABLE, canonical, digest
from depose.scoring.bags import Bags
from depose.scoring.engine import score_bag, shared_among
from depose.statistics.centring import FEWEST
from depose.statistics.ranks import formed, model_level
from depose.statistics.rounding import tidy
from depose.statistics.sensitivity import matched
from depose.validate.labelled import DETECTORS

FORMAT = "depose batch row 2"
LIBRARIES = ("numba", "numpy", "scipy")
KNOWN = 96
"""Sets of controls whose common sums a worker remembers."""
Array = NDArray[np.float64]


def made_with() -> dict[str, str]:
    """Versions of what rows and bases are made with; those of others are not used."""
    return {name: version(name) for name in ("depose", *LIBRARIES)}


class Chosen(Record, frozen=True, kw_only=True):
    """A reference and the controls of its cell."""

    reference: str
    controls: tuple[str, ...]
    k_eff: int


class Order(Record, frozen=True, kw_only=True):
    """A row to be made."""

    suspect: str
    texts: tuple[str | None, ...] = ()
    """Its answers; none where it is a reference or a control itself, for then the base has them."""
    chosen: tuple[Chosen, ...]
    answers: str
    """Digest of its answers."""
    key: str


class Score(Record, frozen=True, kw_only=True):
    """What one detector says of a cell."""

    detector: str
    t: float
    p_reference: float
    p_suspect: float
    p_length_matched: float
    p_layout_matched: float
    reached: int
    """Controls that score at least as high, on the side where there are more of them."""


class Cell(Record, frozen=True, kw_only=True):
    """A suspect and a reference, compared."""

    reference: str
    controls: tuple[str, ...]
    k_eff: int
    scores: tuple[Score, ...] = ()
    reason: str = ""
    """Why it is not scored."""


class Row(Record, frozen=True, kw_only=True):
    """A suspect against every reference."""

    format: str
    key: str
    suspect: str
    answers: str
    cells: tuple[Cell, ...]


def orders(
    population: Population, suspects: Sequence[str], references: Sequence[str], controls: Sequence[str], base: str
) -> Iterator[Order]:
    """Write out every row of the matrix; `population` holds the rows that are screened on, `base` is its digest."""
    bags = Bags(population, controls)
    place = {one.name: number for number, one in enumerate(population.members)}
    inside = {*references, *controls}
    software = made_with()
    for suspect in suspects:
        texts = tuple(row[place[suspect]] for row in population.answers)
        chosen = tuple(_chosen(bags, suspect, reference) for reference in references)
        answers = bases.digest_of(texts)
        key = digest([FORMAT, software, DETECTORS, base, suspect, answers, msgspec.to_builtins(chosen)])
        yield Order(suspect=suspect, texts=() if suspect in inside else texts, chosen=chosen, answers=answers, key=key)


def _chosen(bags: Bags, suspect: str, reference: str) -> Chosen:
    made = bags.controls(suspect, reference)
    return Chosen(reference=reference, controls=tuple(spec.code for spec in made.used), k_eff=made.k_eff)


def row_of(base: Base, ready: Ready | None, order: Order, known: Mapping[tuple[int, ...], dict[str, Array]]) -> Row:
    """Make a row; `ready` is the base alone, for suspects that are in it."""
    able = ready if ready is not None and order.suspect in ready.places else None
    able = able or bases.together(base, order.suspect, order.texts)
    return Row(
        format=FORMAT,
        key=order.key,
        suspect=order.suspect,
        answers=order.answers,
        cells=tuple(_cell(able, order.suspect, one, known) for one in order.chosen),
    )


def _cell(ready: Ready, suspect: str, chosen: Chosen, known: Mapping[tuple[int, ...], dict[str, Array]]) -> Cell:
    cell = Cell(reference=chosen.reference, controls=chosen.controls, k_eff=chosen.k_eff)
    reason = _not_scored(ready, suspect, chosen)
    if reason:
        return msgspec.structs.replace(cell, reason=reason)
    bag = np.array([ready.places[name] for name in (suspect, chosen.reference, *chosen.controls)])
    found = score_bag(ready.material, bag.tolist(), known[tuple(sorted(bag[2:].tolist()))])
    closeness, layouts = (one[np.ix_(bag, bag)] for one in (ready.material.closeness, ready.material.layouts))
    scores = []
    for detector in ready.detectors:
        t = found[detector][0]
        if not formed(t):
            return msgspec.structs.replace(cell, reason=_apart(ready, bag))
        level = model_level(t)
        scores.append(
            Score(
                detector=detector,
                t=tidy(float(t[0, 1])),
                p_reference=tidy(level.p_reference),
                p_suspect=tidy(level.p_suspect),
                p_length_matched=tidy(matched(t, closeness).p),
                p_layout_matched=tidy(matched(t, layouts).p),
                reached=round(level.p * (len(bag) - 1)) - 1,
            )
        )
    return msgspec.structs.replace(cell, scores=tuple(scores))


def _apart(ready: Ready, bag: NDArray[np.int_]) -> str:
    """Name two models of a bag that no prompt brings together."""
    there = ready.material.there[:, bag].astype(int)
    apart = np.argwhere(there.T @ there == 0)
    if not len(apart):
        return "a model has no prompt in common with the others"
    names = list(ready.places)
    first, second = (names[bag[place]] for place in apart[0])
    return f"{first} and {second} answered no prompt in common"


def not_comparable(suspect: str, chosen: Chosen | Cell) -> str:
    """Say why a pair is not scored whatever it answers, or nothing."""
    if suspect == chosen.reference:
        return "suspect and reference are the same entry"
    few = len(chosen.controls) < FEWEST
    return f"centring needs {FEWEST} clean controls; there are {len(chosen.controls)}" if few else ""


def _not_scored(ready: Ready, suspect: str, chosen: Chosen) -> str:
    said = not_comparable(suspect, chosen)
    if said:
        return said
    bag = (suspect, chosen.reference, *chosen.controls)
    silent = [name for name in bag if not ready.material.there[:, ready.places[name]].any()]
    return f"no answer of {', '.join(silent)}" if silent else ""


# --- in a worker ------------------------------------------------------------------------------------


class Shared(dict[tuple[int, ...], dict[str, Array]]):
    """What the controls of a bag share among themselves, summed when first asked for; the oldest are forgotten.

    Always summed apart, also where one bag alone has these controls: the order of additions must not depend on
    which other rows a worker makes.
    """

    def __init__(self, ready: Ready) -> None:
        self._ready = ready

    def __missing__(self, controls: tuple[int, ...]) -> dict[str, Array]:
        while len(self) >= KNOWN:
            del self[next(iter(self))]
        self[controls] = made = shared_among(self._ready.material, controls)
        return made


class Bench:
    """A base made ready once, for all rows of one worker."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._alone = bases.alone(base)
        self._shared = Shared(self._alone)

    def row(self, order: Order) -> bytes:
        """Make a row on one thread, so that its bytes do not depend on how many there are."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            return canonical(row_of(self._base, self._alone, order, self._shared))


@lru_cache(maxsize=1)
def bench_at(folder: Path) -> Bench:
    """Open the base in a folder, once in each process."""
    return Bench(bases.load(folder))


def make(folder: Path, order: Order) -> bytes:
    """Make a row from the base in a folder."""
    return bench_at(folder).row(order)


def parse(data: bytes, name: str) -> Row:
    """Read a row."""
    try:
        found = msgspec.json.decode(data, type=Row)
    except UNREADABLE as error:
        raise AnalysisError(
            f"{name}: not a row of this version: {error}", hint="remove it; it is made again"
        ) from error
    return found
