"""The detectors again, for thousands of bags over one population, to the same numbers.

Features of one prompt are kept as bit masks: which models have it. Features with the same models weigh the same in
every bag, so each mask stands once with its multiplicity; a bag counts the bits that it shares with each mask.
Profiles are counted once for the population. What does not depend on the bag (length, fuzzy, embedding) is computed
once for all models and cut out. `tests/validate/test_engine.py` compares every detector with its
definition in `detectors/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depose import plugins
from depose.case.population import Population
from depose.detectors import Measured, Similarity
from depose.detectors import first_words as first_words_detector
from depose.detectors import openings as openings_detector
from depose.detectors import phrases as phrases_detector
from depose.detectors import starts as starts_detector
from depose.detectors.length import closeness
from depose.features.extract import Bag, Features, Grams
from depose.features.self_names import SEE_NAMES, without_names
from depose.model import Prompt
from depose.statistics.centring import RATE, average, centre, parts_of, standardise
from depose.validate.kernel import NOTHING, among, holders, mean_cosines

Array = NDArray[np.float64]
SetOf = Callable[[Features, str], Grams]

SETS: dict[str, tuple[SetOf, bool]] = {
    "phrases": (lambda f, text: f.grams(text, phrases_detector.LOW, phrases_detector.HIGH), True),
    "openings": (lambda f, text: f.prefixes(text, openings_detector.FIRST), False),
    "starts": (lambda f, text: f.starts(text, starts_detector.FIRST), False),
}
"""Detectors that count shared features: what is in an answer, and whether the prompt's own features are dropped."""
COMBINED = {"habits": ("starts", "first_words")}
INDEPENDENT = ("embedding", "fuzzy", "length")
"""Detectors that do not depend on the bag. All others run on each bag as they do in a case, which is slow."""
WORD = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Masks:
    """The features of a population under one detector, by who has them."""

    words: NDArray[np.uint64]
    """[masks, words of 64 models]."""
    times: NDArray[np.float32]
    """[masks]: how many features have exactly these models."""
    ends: NDArray[np.int64]
    """Masks of row r stand from ends[r] to ends[r + 1]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """Masks, and a list of those that each model is in."""

    masks: Masks
    starts: NDArray[np.int64]
    """[rows, models + 1]: those of model m in row r stand from starts[r, m] to starts[r, m + 1]."""
    numbers: NDArray[np.int32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """All that scoring a bag needs."""

    detectors: tuple[str, ...]
    models: int
    there: NDArray[np.bool_]
    """[rows, models]: who answered."""
    closeness: Array
    """[models, models]: closeness in verbosity alone (`detectors.length.closeness`)."""
    held: dict[str, Held]
    fixed: dict[str, NDArray[np.float32]]
    """Similarities [rows, models, models] that do not depend on the bag."""
    weights: Array
    """[subsets, rows]: subsets of rows on which scores are wanted; the first is all of them."""
    shares: Array
    """[models, vocabulary]: share of each first word, all rows together."""
    rates: NDArray[np.float32]
    """[subsets, models, vocabulary]: log rates of first words in each subset."""
    vocabulary: Grams
    everybody: dict[bool, Bag]
    """For detectors that run on each bag: the population with the sentences in which models name themselves, or not."""
    features: Features


def singles(detectors: Sequence[str]) -> tuple[str, ...]:
    """List the detectors that must be computed, combinations replaced by their parts."""
    listed = [part for name in detectors for part in COMBINED.get(name, (name,))]
    return tuple(dict.fromkeys(listed))


def _masks_of_row(
    texts: Sequence[str | None], prompt: str, of: SetOf, drop: bool, features: Features
) -> tuple[Array, Array]:
    owners = [index for index, text in enumerate(texts) if text is not None]
    sets = [of(features, texts[index] or "") for index in owners]
    size = -(-len(texts) // WORD)
    flat = np.concatenate(sets or [np.zeros(0, np.uint64)])
    owner = np.repeat(np.array(owners, np.int64), [len(one) for one in sets])
    order = np.argsort(flat, kind="stable")
    flat, owner = flat[order], owner[order]
    if not len(flat):
        return np.zeros((0, size), np.uint64), np.zeros(0)
    first = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    bits = np.zeros((len(flat), size), np.uint64)
    bits[np.arange(len(flat)), owner // WORD] = np.uint64(1) << (owner % WORD).astype(np.uint64)
    words = np.bitwise_or.reduceat(bits, first, axis=0)
    shared = np.bitwise_count(words).sum(axis=1) >= 2
    if drop:
        shared &= ~np.isin(flat[first], of(features, prompt))
    words = words[shared]
    if not len(words):
        return words, np.zeros(0)
    order = np.lexsort(words.T)
    words = words[order]
    first = np.flatnonzero(np.concatenate([[True], (words[1:] != words[:-1]).any(axis=1)]))
    return words[first], np.diff(np.append(first, len(words))).astype(float)


def features_of(
    population: Population, names: Sequence[str], rows: Sequence[int]
) -> tuple[dict[str, Masks], list[tuple[int, int, Grams]]]:
    """Collect the masks of some rows of a population, in the order given, and the first words of every answer there.

    Tokens are made once per row for all detectors. First words are (row, model, words), none if nobody asks for them.
    """
    found: dict[str, list[tuple[Array, Array]]] = {name: [] for name in names if name in SETS}
    first: list[tuple[int, int, Grams]] = []
    for row in rows:
        features, texts = Features(), unnamed(population.answers[row])
        for name, made in found.items():
            of, drop = SETS[name]
            made.append(_masks_of_row(texts, population.prompts[row], of, drop, features))
        if "first_words" in names:
            first += [(row, m, features.first_words(text)) for m, text in enumerate(texts) if text is not None]
    masks = {
        name: Masks(
            words=np.concatenate([words for words, _ in made]),
            times=np.concatenate([times for _, times in made]).astype(np.float32),
            ends=np.cumsum([0] + [len(times) for _, times in made]),
        )
        for name, made in found.items()
    }
    return masks, first


def unnamed(texts: Sequence[str | None]) -> tuple[str | None, ...]:
    """Leave out of answers the sentences in which a model names itself, as an analysis does."""
    return tuple(None if text is None else without_names(text) for text in texts)


def whole_bag(population: Population, *, names: bool = True) -> Bag:
    """Put the whole population into one bag, with or without the sentences in which a model names itself."""
    prompts = tuple(
        Prompt(id=f"{key[0]}/{key[1]}", family="", cluster=key[0], text=text)
        for key, text in zip(population.rows, population.prompts, strict=True)
    )
    rows = population.answers if names else map(unnamed, population.answers)
    answers = tuple(tuple(() if text is None else (text,) for text in row) for row in rows)
    return Bag(models=tuple(one.name for one in population.members), prompts=prompts, answers=answers)


def fixed_of(population: Population, name: str, features: Features) -> NDArray[np.float32]:
    """Compute a similarity that does not depend on the bag, for all models at once."""
    measured: Measured = plugins.load("detectors", name)(whole_bag(population, names=name in SEE_NAMES), features)
    if not isinstance(measured, Similarity):
        raise TypeError(f"{name} depends on the bag")
    return measured.values.astype(np.float32)


def material(
    population: Population,
    detectors: Sequence[str],
    weights: Array,
    masks: dict[str, Masks],
    first: Sequence[tuple[int, int, Grams]],
    fixed: dict[str, NDArray[np.float32]],
    features: Features,
) -> Material:
    """Put together what `score_bag` needs."""
    everybody = whole_bag(population)
    models = len(population.members)
    vocabulary, word = np.unique(
        np.concatenate([words for _, _, words in first] or [np.zeros(0, np.uint64)]), return_inverse=True
    )
    sizes = [len(words) for _, _, words in first]
    row = np.repeat(np.array([r for r, _, _ in first], np.int64), sizes)
    model = np.repeat(np.array([m for _, m, _ in first], np.int64), sizes)
    shares = np.zeros((models, len(vocabulary)))
    rates = np.zeros((len(weights), models, len(vocabulary)), np.float32)
    for index, weight in enumerate(weights):
        flat = np.bincount(model * len(vocabulary) + word, weight[row], models * len(vocabulary))
        counts = flat.reshape(models, len(vocabulary))
        total = np.maximum(np.bincount(model, weight[row], models), 1)[:, None]
        rates[index] = np.log1p(counts.astype(np.float32) * (RATE / total).astype(np.float32))
        if index == 0:
            shares = counts / total
    direct = {n in SEE_NAMES for n in singles(detectors) if not {n} & {*SETS, *INDEPENDENT, "first_words"}}
    return Material(
        detectors=tuple(detectors),
        models=models,
        closeness=closeness(everybody),
        there=np.array([[text is not None for text in texts] for texts in population.answers]),
        held={name: _held(one, models) for name, one in masks.items()},
        fixed=fixed,
        weights=weights,
        shares=shares,
        rates=rates,
        vocabulary=vocabulary,
        everybody={names: whole_bag(population, names=names) for names in direct},
        features=features,
    )


def _means(values: NDArray[np.float32], there: NDArray[np.bool_], weights: Array) -> Array:
    """Weighted mean over rows after each row's own level is taken away, as `centring.average` does."""
    rows, members, _ = values.shape
    off = there[:, :, None] & there[:, None, :] & ~np.eye(members, dtype=bool)
    level = np.where(off, values, 0).sum(axis=(1, 2)) / np.maximum(off.sum(axis=(1, 2)), 1)
    filled = np.where(off, values - level[:, None, None], 0).reshape(rows, -1)
    seen = weights @ off.reshape(rows, -1)
    mean = np.divide(weights @ filled, seen, out=np.full(seen.shape, np.nan), where=seen > 0)
    shaped: Array = mean.reshape(len(weights), members, members)
    return shaped


def _profile_means(found: Material, bag: NDArray[np.int64]) -> Array:
    """Cosine of standardised log rates of first words, for each subset of rows."""
    share = np.round(found.shares[bag].sum(axis=0), 12)
    size = min(first_words_detector.VOCABULARY, len(share))
    least = np.partition(share, len(share) - size)[len(share) - size]
    near = np.flatnonzero(share >= least)
    keep = near[np.lexsort((found.vocabulary[near], -share[near]))[:size]]
    rates = found.rates[:, bag[:, None], keep[None, :]]
    spread = rates.std(axis=1, keepdims=True)
    z = (rates - rates.mean(axis=1, keepdims=True)) / np.where(spread > 1e-9, spread, 1.0)
    norm = np.linalg.norm(z, axis=2, keepdims=True)
    unit = z / np.where(norm > 1e-12, norm, 1.0)
    cosine: Array = (unit @ np.swapaxes(unit, 1, 2)).astype(np.float64)
    return cosine


def _direct(found: Material, name: str, bag: Sequence[int]) -> Array:
    """Run a detector on one bag as a case would, and average it over each subset of rows."""
    every = found.everybody[name in SEE_NAMES]
    measured: Measured = plugins.load("detectors", name)(
        Bag(
            models=tuple(every.models[m] for m in bag),
            prompts=every.prompts,
            answers=tuple(tuple(row[m] for m in bag) for row in every.answers),
        ),
        found.features,
    )
    scores = [standardise(centre(average(part, found.weights))) for part in parts_of(measured)]
    mean: Array = np.mean(scores, axis=0)
    return mean


def _held(masks: Masks, models: int) -> Held:
    starts, numbers = holders(masks.words, masks.ends, models)
    return Held(masks=masks, starts=starts, numbers=numbers)


def shared_among(found: Material, controls: Sequence[int]) -> dict[str, Array]:
    """Sum once what the controls of several bags share among themselves, by detector: [rows, K, K] each."""
    places = np.sort(np.asarray(controls, np.int64))
    return {
        name: among(one.masks.words, one.masks.times, one.masks.ends, found.there, places)
        for name, one in found.held.items()
    }


def score_bag(found: Material, bag: Sequence[int], known: Mapping[str, Array] | None = None) -> dict[str, Array]:
    """Score one bag with every detector on every subset of rows: [subsets, members, members] each.

    `known` is what `shared_among` gives for the controls of the bag, all members but the first two.
    Not with `length`: as the confound it is closeness in verbosity itself (`Material.closeness`), not centred.
    """
    members = np.asarray(bag, np.int64)
    there = found.there[:, members]
    means: dict[str, Array] = {}
    for name in singles(found.detectors):
        if name == "length":
            continue
        if name == "first_words":
            means[name] = _profile_means(found, members)
            continue
        if name in found.held:
            held, shared = found.held[name], (known or {}).get(name, NOTHING)
            masks = held.masks
            means[name] = mean_cosines(
                masks.words,
                masks.times,
                masks.ends,
                found.there,
                members,
                found.weights,
                held.starts,
                held.numbers,
                shared,
            )
        elif name in found.fixed:
            means[name] = _means(found.fixed[name][:, members][:, :, members], there, found.weights)
    scores = {name: standardise(centre(made)) for name, made in means.items()}
    for name in singles(found.detectors):
        if name not in scores and name != "length":
            scores[name] = _direct(found, name, bag)
    for name in found.detectors:
        if name in COMBINED:
            scores[name] = np.mean([scores[part] for part in COMBINED[name]], axis=0)
    return scores
