"""What every row of a matrix shares: the features of its references and controls, indexed once.

A row needs its suspect's features beside these. A suspect that is itself a reference or a control has them here; any
other one is added by moving the features that it shares from the mask of those who have them to that mask with its bit
set. So a row depends on the base and on one suspect, never on the other suspects, and a new vendor costs one row.
Arrays are kept on disk and mapped into every worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.case.population import Population
from depose.errors import AnalysisError
from depose.evidence.workspace import workspace
from depose.features.extract import Features, Grams
from depose.model.canonical import sha256
from depose.statistics.centring import RATE
from depose.validate import engine
from depose.validate.engine import SETS, WORD, Held, Masks, Material, SetOf
from depose.validate.kernel import holders

Array = NDArray[np.float64]
DETECTORS = ("phrases", "habits")
"""The primary detectors of the three questions, for which labelled scores exist."""
COUNTED = tuple(name for name in engine.singles(DETECTORS) if name in SETS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Index:
    """The features of every prompt under one detector, by who has them."""

    hashes: Grams
    """Sorted within each prompt; those of prompt p stand from starts[p] to starts[p + 1]."""
    mask_of: NDArray[np.int32]
    """The mask of each feature, counted within its prompt."""
    starts: NDArray[np.int64]
    words: NDArray[np.uint64]
    """[masks, words of 64 models], with a bit to spare for a suspect."""
    times: NDArray[np.float32]
    ends: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """References and controls of a batch, counted."""

    names: tuple[str, ...]
    prompts: tuple[str, ...]
    there: NDArray[np.bool_]
    """[rows, models]: who answered."""
    lengths: Array
    """[models]: mean log length of answers."""
    vocabulary: Grams
    counts: NDArray[np.int32]
    """[models, vocabulary]: first words of sentences and lines."""
    indexes: dict[str, Index]


def digest_of(texts: Sequence[str | None]) -> str:
    """Digest of the answers of one model."""
    return sha256(msgspec.json.encode(texts))


def base_digest(population: Population) -> str:
    """Digest of all that a base is made from."""
    answers = [digest_of(column) for column in zip(*population.answers, strict=True)]
    names = [one.name for one in population.members]
    return sha256(msgspec.json.encode([population.rows, population.prompts, names, answers]))


def _index_of(
    texts: Sequence[str | None], prompt: str, of: SetOf, drop: bool, features: Features
) -> tuple[Grams, NDArray[np.int32], NDArray[np.uint64], NDArray[np.float32]]:
    """Index one prompt: features, the mask of each, masks, and how many features each mask has."""
    owners = [place for place, text in enumerate(texts) if text is not None]
    sets = [of(features, texts[place] or "") for place in owners]
    size = len(texts) // WORD + 1
    flat = np.concatenate([np.zeros(0, np.uint64), *sets])
    owner = np.repeat(np.array(owners, np.int64), [len(one) for one in sets])
    if drop:
        kept = ~np.isin(flat, of(features, prompt))
        flat, owner = flat[kept], owner[kept]
    order = np.argsort(flat, kind="stable")
    flat, owner = flat[order], owner[order]
    if not len(flat):
        return flat, np.zeros(0, np.int32), np.zeros((0, size), np.uint64), np.zeros(0, np.float32)
    first = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    bits = np.zeros((len(flat), size), np.uint64)
    bits[np.arange(len(flat)), owner // WORD] = np.uint64(1) << (owner % WORD).astype(np.uint64)
    words = np.bitwise_or.reduceat(bits, first, axis=0)
    order = np.lexsort(words.T)
    ranked = words[order]
    new = np.concatenate([[True], (ranked[1:] != ranked[:-1]).any(axis=1)])
    mask_of = np.empty(len(words), np.int32)
    mask_of[order] = np.cumsum(new) - 1
    times = np.bincount(mask_of).astype(np.float32)
    return flat[first], mask_of, ranked[new], times


Counted = tuple[dict[str, Index], list[tuple[int, Grams]]]


def count(population: Population) -> Counted:
    """Index the rows of a population; and (model, first words) of every answer."""
    made: dict[str, list[tuple[Grams, NDArray[np.int32], NDArray[np.uint64], NDArray[np.float32]]]]
    made = {name: [] for name in COUNTED}
    first: list[tuple[int, Grams]] = []
    for prompt, answers in zip(population.prompts, population.answers, strict=True):
        features, texts = Features(), engine.unnamed(answers)
        for name, (of, drop) in ((name, SETS[name]) for name in COUNTED):
            made[name].append(_index_of(texts, prompt, of, drop, features))
        first += [(place, features.first_words(text)) for place, text in enumerate(texts) if text is not None]
    indexes = {
        name: Index(
            hashes=np.concatenate([one[0] for one in rows]),
            mask_of=np.concatenate([one[1] for one in rows]),
            starts=_ends([len(one[0]) for one in rows]),
            words=np.concatenate([one[2] for one in rows]),
            times=np.concatenate([one[3] for one in rows]),
            ends=_ends([len(one[3]) for one in rows]),
        )
        for name, rows in made.items()
    }
    return indexes, first


def _ends(sizes: Sequence[int]) -> NDArray[np.int64]:
    return np.cumsum([0, *sizes], dtype=np.int64)


def _joined(parts: Sequence[Index]) -> Index:
    """Put the rows of several indexes one after the other."""
    return Index(
        hashes=np.concatenate([one.hashes for one in parts]),
        mask_of=np.concatenate([one.mask_of for one in parts]),
        starts=_ends(np.concatenate([np.diff(one.starts) for one in parts]).tolist()),
        words=np.concatenate([one.words for one in parts]),
        times=np.concatenate([one.times for one in parts]),
        ends=_ends(np.concatenate([np.diff(one.ends) for one in parts]).tolist()),
    )


def build(population: Population, parts: Sequence[Counted]) -> Base:
    """Put the counts of all rows of a population together, in order."""
    first = [one for part in parts for one in part[1]]
    vocabulary, word = np.unique(np.concatenate([np.zeros(0, np.uint64), *(w for _, w in first)]), return_inverse=True)
    model = np.repeat(np.array([m for m, _ in first], np.int64), [len(w) for _, w in first])
    shape = (len(population.members), len(vocabulary))
    counts = np.bincount(model * shape[1] + word, minlength=shape[0] * shape[1]).reshape(shape)
    return Base(
        names=tuple(one.name for one in population.members),
        prompts=population.prompts,
        there=np.array([[text is not None for text in texts] for texts in population.answers]),
        lengths=np.array([_length(column) for column in zip(*population.answers, strict=True)]),
        vocabulary=vocabulary,
        counts=counts.astype(np.int32),
        indexes={name: _joined([part[0][name] for part in parts]) for name in COUNTED},
    )


def _length(texts: Sequence[str | None]) -> float:
    """Mean log length of the answers that are there, as `detectors.length.closeness` has it; 0 for none."""
    logs = [np.log(len(text) + 1) for text in texts if text is not None]
    return float(np.mean(logs)) if logs else 0.0


# --- one suspect ------------------------------------------------------------------------------------


def _extended(index: Index, grams: Sequence[Grams], place: int) -> Masks:
    """Add a suspect with these features of each prompt as model number `place`; what it alone has is left out."""
    words, times, sizes = [], [], []
    bit = np.uint64(1) << np.uint64(place % WORD)
    for row, mine in enumerate(grams):
        start, end = index.ends[row], index.ends[row + 1]
        known = index.hashes[index.starts[row] : index.starts[row + 1]]
        spot = np.searchsorted(known, mine)
        inside = spot < len(known)
        spot = spot[inside][known[spot[inside]] == mine[inside]]
        masks, shared = np.unique(index.mask_of[index.starts[row] + spot], return_counts=True)
        left = index.times[start:end].copy()
        left[masks] -= shared.astype(np.float32)
        added = index.words[start:end][masks]
        added[:, place // WORD] |= bit
        words += [index.words[start:end], added]
        times += [left, shared.astype(np.float32)]
        sizes.append(int(end - start) + len(masks))
    return Masks(words=np.concatenate(words), times=np.concatenate(times), ends=_ends(sizes))


def _grams(base: Base, texts: Sequence[str | None], name: str, features: Features) -> Iterator[Grams]:
    of, drop = SETS[name]
    for prompt, text in zip(base.prompts, texts, strict=True):
        mine = of(features, text) if text is not None else np.zeros(0, np.uint64)
        yield mine[~np.isin(mine, of(features, prompt))] if drop else mine


def _held(masks: Masks, models: int) -> Held:
    starts, numbers = holders(masks.words, masks.ends, models)
    return Held(masks=masks, starts=starts, numbers=numbers)


def _own(index: Index) -> Masks:
    return Masks(words=index.words, times=index.times, ends=index.ends)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """All that scoring needs, and how long answers are."""

    material: Material
    lengths: Array
    places: dict[str, int]


def alone(base: Base) -> Ready:
    """Make ready for suspects that are references or controls themselves."""
    masks = {name: _own(index) for name, index in base.indexes.items()}
    return _ready(base, base.names, base.there, base.lengths, base.vocabulary, base.counts, masks)


def together(base: Base, suspect: str, texts: Sequence[str | None]) -> Ready:
    """Make ready for a suspect that is neither."""
    features, kept = Features(), engine.unnamed(texts)
    place = len(base.names)
    masks = {
        name: _extended(index, list(_grams(base, kept, name, features)), place) for name, index in base.indexes.items()
    }
    first = np.concatenate([np.zeros(0, np.uint64), *(features.first_words(text) for text in kept if text is not None)])
    vocabulary = np.union1d(base.vocabulary, first)
    counts = np.zeros((place + 1, len(vocabulary)), np.int32)
    counts[:-1, np.searchsorted(vocabulary, base.vocabulary)] = base.counts
    counts[-1] = np.bincount(np.searchsorted(vocabulary, first), minlength=len(vocabulary))
    there = np.concatenate([base.there, np.array([[text is not None] for text in texts])], axis=1)
    lengths = np.append(base.lengths, _length(texts))
    return _ready(base, (*base.names, suspect), there, lengths, vocabulary, counts, masks)


def _ready(
    base: Base,
    names: Sequence[str],
    there: NDArray[np.bool_],
    lengths: Array,
    vocabulary: Grams,
    counts: NDArray[np.int32],
    masks: dict[str, Masks],
) -> Ready:
    total = np.maximum(counts.sum(axis=1), 1)[:, None]
    rates = np.log1p(counts.astype(np.float32) * (RATE / total).astype(np.float32))
    return Ready(
        material=Material(
            detectors=DETECTORS,
            models=len(names),
            there=there,
            closeness=-np.abs(lengths[:, None] - lengths[None, :]),
            held={name: _held(one, len(names)) for name, one in masks.items()},
            fixed={},
            weights=np.ones((1, len(base.prompts))),
            shares=counts / total,
            rates=rates[None],
            vocabulary=vocabulary,
            everybody={},
            features=Features(),
        ),
        lengths=lengths,
        places={name: place for place, name in enumerate(names)},
    )


# --- on disk ----------------------------------------------------------------------------------------


def arrays(base: Base) -> dict[str, NDArray[Any]]:
    """List every array of a base with its name."""
    found: dict[str, NDArray[Any]] = {
        "there": base.there,
        "lengths": base.lengths,
        "vocabulary": base.vocabulary,
        "counts": base.counts,
    }
    for name, index in base.indexes.items():
        found |= {f"{name}.{field.name}": getattr(index, field.name) for field in fields(Index)}
    return found


def assembled(names: Sequence[str], prompts: Sequence[str], get: Callable[[str], NDArray[Any]]) -> Base:
    """Put a base together from its arrays."""
    return Base(
        names=tuple(names),
        prompts=tuple(prompts),
        there=get("there"),
        lengths=get("lengths"),
        vocabulary=get("vocabulary"),
        counts=get("counts"),
        indexes={name: _index_from(name, get) for name in COUNTED},
    )


def _index_from(name: str, get: Callable[[str], NDArray[Any]]) -> Index:
    return Index(**{field.name: get(f"{name}.{field.name}") for field in fields(Index)})


def save(base: Base, folder: Path) -> None:
    """Write a base as a folder that is there whole or not at all."""
    with workspace(folder.parent) as work:
        for name, array in arrays(base).items():
            np.save(work / f"{name}.npy", array)
        (work / "base.json").write_bytes(msgspec.json.encode([base.names, base.prompts]))
        work.rename(folder)


def load(folder: Path) -> Base:
    """Map a base into memory; its pages are shared with every process that has mapped it."""
    try:
        names, prompts = msgspec.json.decode((folder / "base.json").read_bytes(), type=tuple[list[str], list[str]])
        return assembled(names, prompts, lambda name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="c")))
    except (OSError, ValueError, EOFError) as error:
        raise AnalysisError(f"{folder}: damaged: {error}", hint="remove it; it is made again") from error
