"""What every row of a matrix shares: the features of its references and controls, indexed once.

A row needs its suspect's features beside these. A suspect that is itself a reference or a control has them here; any
other one is added to a copy (`scoring.index.extended`). So a row depends on the base and on one suspect, never on the
other suspects, and a new vendor costs one row. Arrays are kept on disk and mapped into every worker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.batch.kept import mark_folder
from depose.case.population import Population
from depose.detectors import layout
from depose.detectors.declaration import Counting, Habit, Shared
from depose.detectors.length import log_length, nearness
from depose.errors import AnalysisError
from depose.evidence.workspace import workspace
from depose.features.extract import Features
from depose.model.canonical import sha256
from depose.scoring import counting
from depose.scoring.counting import Counted
from depose.scoring.engine import Material, combined, held
from depose.scoring.index import Index, extended
from depose.scoring.tally import Tally, rates
from depose.validate.labelled import DETECTORS

FORMAT = "depose batch base 3"
Array = NDArray[np.float64]
Named = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""Detectors, models and prompts."""
Kind = TypeVar("Kind", Index, Tally)


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """References and controls of a batch, counted."""

    detectors: tuple[str, ...]
    names: tuple[str, ...]
    prompts: tuple[str, ...]
    there: NDArray[np.bool_]
    """[rows, models]: who answered."""
    lengths: Array
    """[models]: mean log length of answers."""
    layouts: Array
    """[models, kinds of line]: mean share of each kind in an answer."""
    indexes: dict[str, Index]
    tallies: dict[str, Tally]


def digest_of(texts: Sequence[str | None]) -> str:
    """Digest of the answers of one model."""
    return sha256(msgspec.json.encode(texts))


def base_digest(population: Population) -> str:
    """Digest of all that a base is made from."""
    answers = [digest_of(column) for column in zip(*population.answers, strict=True)]
    names = [one.name for one in population.members]
    return sha256(msgspec.json.encode([population.rows, population.prompts, names, answers]))


def count(population: Population, detectors: Sequence[str] = DETECTORS) -> Counted:
    """Count the rows of a population; raises AnalysisError for a detector that does not count."""
    for name in detectors:
        parts = counting.declared([name])
        if not parts or not all(isinstance(one, Counting) and one.ahead is None for one in parts):
            raise AnalysisError(
                f"detector {name!r}: is not one that counts, and a matrix is scored by these alone",
                hint="declare it by depose.detectors.declaration.Shared or Habit, or let another detector decide",
            )
    return counting.count(population, detectors)


def build(population: Population, parts: Sequence[Counted], detectors: Sequence[str] = DETECTORS) -> Base:
    """Put the counts of all rows of a population together, in order."""
    found = counting.joined(parts)
    return Base(
        detectors=tuple(detectors),
        names=tuple(one.name for one in population.members),
        prompts=population.prompts,
        there=np.array([[text is not None for text in texts] for texts in population.answers]),
        lengths=np.array([_length(column) for column in zip(*population.answers, strict=True)]),
        layouts=np.array([_layout(column) for column in zip(*population.answers, strict=True)]),
        indexes=found.shared,
        tallies={name: one.tally(len(population.members)) for name, one in found.said.items()},
    )


def _length(texts: Sequence[str | None]) -> float:
    """Mean log length of the answers that are there, as `detectors.length.closeness` has it; 0 for none."""
    logs = [log_length(len(text)) for text in texts if text is not None]
    return float(np.mean(logs)) if logs else 0.0


def _layout(texts: Sequence[str | None]) -> Array:
    """Mean shares of the kinds of line, as `detectors.layout.closeness` has them."""
    return layout.habit_of([text for text in texts if text is not None])


# --- one suspect ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """All that scoring needs."""

    detectors: tuple[str, ...]
    material: Material
    places: dict[str, int]


def alone(base: Base) -> Ready:
    """Make ready for suspects that are references or controls themselves."""
    return _ready(replace(base, indexes={name: one.lean() for name, one in base.indexes.items()}))


def together(base: Base, suspect: str, texts: Sequence[str | None]) -> Ready:
    """Make ready for a suspect that is neither."""
    kept, features, place = counting.seen(texts), Features(), len(base.names)
    parts = {one.detector: one for one in counting.declared(base.detectors)}
    more = Base(
        detectors=base.detectors,
        names=(*base.names, suspect),
        prompts=base.prompts,
        there=np.concatenate([base.there, np.array([[text is not None] for text in texts])], axis=1),
        lengths=np.append(base.lengths, _length(texts)),
        layouts=np.vstack([base.layouts, _layout(texts)]),
        indexes={
            name: extended(base.indexes[name], one, kept, place, features)
            for name, one in parts.items()
            if isinstance(one, Shared)
        },
        tallies={
            name: base.tallies[name].extended(one, kept, features)
            for name, one in parts.items()
            if isinstance(one, Habit)
        },
    )
    return _ready(more)


def _ready(base: Base) -> Ready:
    models = len(base.names)
    parts = {one.detector: one for one in counting.declared(base.detectors)}
    return Ready(
        detectors=base.detectors,
        material=Material(
            there=base.there,
            closeness=nearness(base.lengths),
            layouts=layout.nearness(base.layouts),
            weights=np.ones((1, len(base.prompts))),
            held={name: held(one, models) for name, one in base.indexes.items()},
            profiles={
                name: rates(one, base.tallies[name].vocabulary, [base.tallies[name].counts], shape=(1, models))
                for name, one in parts.items()
                if isinstance(one, Habit)
            },
            fixed={},
            direct={},
            combined=combined(base.detectors),
            features=Features(),
        ),
        places={name: place for place, name in enumerate(base.names)},
    )


# --- on disk ----------------------------------------------------------------------------------------


def arrays(base: Base) -> dict[str, NDArray[Any]]:
    """List every array of a base with its name."""
    found: dict[str, NDArray[Any]] = {"there": base.there, "lengths": base.lengths, "layouts": base.layouts}
    both: dict[str, Index | Tally] = {**base.indexes, **base.tallies}
    for name, one in both.items():
        found |= {f"{name}.{field.name}": getattr(one, field.name) for field in fields(one)}
    return found


def named(base: Base) -> Named:
    """List what of a base is no array."""
    return (base.detectors, base.names, base.prompts)


def assembled(named: Named, get: Callable[[str], NDArray[Any]]) -> Base:
    """Put a base together from what it names and from its arrays."""
    detectors, names, prompts = named
    parts = counting.declared(detectors)
    return Base(
        detectors=detectors,
        names=names,
        prompts=prompts,
        there=get("there"),
        lengths=get("lengths"),
        layouts=get("layouts"),
        indexes={one.detector: _from(Index, one.detector, get) for one in parts if isinstance(one, Shared)},
        tallies={one.detector: _from(Tally, one.detector, get) for one in parts if isinstance(one, Habit)},
    )


def _from(kind: type[Kind], name: str, get: Callable[[str], NDArray[Any]]) -> Kind:
    return kind(**{field.name: get(f"{name}.{field.name}") for field in fields(kind)})


def save(base: Base, folder: Path) -> None:
    """Write a base as a folder that is there whole or not at all."""
    with workspace(folder.parent) as work:
        for name, array in arrays(base).items():
            np.save(work / f"{name}.npy", array)
        (work / "base.json").write_bytes(msgspec.json.encode(named(base)))
        mark_folder(work, folder.name)
        work.rename(folder)


def load(folder: Path) -> Base:
    """Map a base into memory; its pages are shared with every process that has mapped it."""
    try:
        found = msgspec.json.decode((folder / "base.json").read_bytes(), type=Named)
        return assembled(found, lambda name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="c")))
    except (OSError, ValueError, EOFError) as error:
        raise AnalysisError(f"{folder}: damaged: {error}", hint="remove it; it is made again") from error
