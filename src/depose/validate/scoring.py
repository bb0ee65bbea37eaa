"""Every labelled pair of a population, scored in its own bag of clean controls."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from depose.case.population import Pair, Population, Task
from depose.features.extract import Encode, Features, Mask
from depose.model import Primary
from depose.model.random_streams import stream
from depose.scoring import counting
from depose.scoring.bags import Bags
from depose.scoring.confounds import Confounds, confounds
from depose.scoring.engine import Material, material, score_bag, shared_among
from depose.statistics.centring import FEWEST
from depose.statistics.ranks import formed, levels
from depose.statistics.sensitivity import matched

Array = NDArray[np.float64]

SIZES = (10, 25, 50, 100)
"""Sizes of the random subsets of prompts on which every pair is scored too."""
DECIDING = Primary().detectors()
"""Detectors that decide a question."""
Progress = Callable[[str], None]
Choose = Callable[[Population, int], tuple[Array, tuple[int, ...]]]
"""Sets of prompts of a population, for a seed: weights [subsets, rows] and numbers of prompts [subsets]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PairScores:
    """One pair under every detector."""

    pair: Pair
    k: int
    k_eff: int
    """Independent control lineages for questions about weights; for `distilled` it is k."""
    t: dict[str, Array]
    """[subsets]: T(S, R) on each subset of rows; the first is all."""
    p: dict[str, Array]
    """[subsets, 2]: model-level p on the reference's and the suspect's side."""
    p_matched: dict[str, Array]
    """[subsets, 2]: the larger p with closeness in length, and in layout, taken out; of deciding detectors."""
    closeness: float
    """Closeness in length: minus the gap between mean log lengths."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """A whole population, scored."""

    detectors: tuple[str, ...]
    sizes: tuple[int, ...]
    """Number of prompts of each subset of rows."""
    pairs: tuple[PairScores, ...]
    unscored: tuple[tuple[Pair, str], ...]
    ranked: tuple[tuple[Task, tuple[str, ...]], ...]
    """Tasks with their candidates, closest first, by the primary detector of the task."""


def subsets(population: Population, seed: int) -> tuple[Array, tuple[int, ...]]:
    """Choose all prompts, and random subsets of them; weights [subsets, rows] and sizes in prompts."""
    prompts = sorted({prompt for prompt, _ in population.rows})
    chosen = [set(prompts)]
    for size in SIZES:
        if size < len(prompts):
            rng = stream(seed, "subset", population.source, str(size))
            chosen.append(set(rng.choice(prompts, size, replace=False).tolist()))
    weights = np.array([[float(prompt in one) for prompt, _ in population.rows] for one in chosen])
    return weights, tuple(len(one) for one in chosen)


def prepare(
    population: Population,
    detectors: Sequence[str],
    seed: int,
    encode: Encode | None,
    workers: int,
    mask: Mask | None = None,
    choose: Choose | None = None,
) -> tuple[Material, tuple[int, ...]]:
    """Compute all features of a population, on several processes; what a model reads is read in this one."""
    slices = [population.cut(part.tolist()) for part in np.array_split(np.arange(len(population.rows)), workers)]
    with ProcessPoolExecutor(workers) as pool:
        made = counting.joined(list(pool.map(partial(counting.count, detectors=detectors, lean=True), slices)))
    features = Features(encode, mask)
    read = counting.count(population, detectors, lean=True, features=features)
    weights, sizes = (choose or subsets)(population, seed)
    return material(population, detectors, made.beside(read), weights, features), sizes


def _together(bags: Bags, pairs: Sequence[Pair]) -> list[list[int]]:
    """Group pairs, by number, whose bags have the same controls; what these share is then summed once."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for number, pair in enumerate(pairs):
        used = bags.controls(pair.suspect, pair.reference).used
        groups.setdefault(tuple(spec.code for spec in used), []).append(number)
    return list(groups.values())


def _score_all(found: Material, near: Confounds, bags: Bags, pairs: Sequence[Pair]) -> list[PairScores | str]:
    """Score pairs that have the same controls."""
    used = [bags.index[spec.code] for spec in bags.controls(pairs[0].suspect, pairs[0].reference).used]
    known = shared_among(found, used) if len(pairs) > 1 and len(used) >= FEWEST else None
    return [_score(found, near, bags, pair, known) for pair in pairs]


def _score(
    found: Material, near: Confounds, bags: Bags, pair: Pair, known: Mapping[str, Array] | None
) -> PairScores | str:
    controls = bags.controls(pair.suspect, pair.reference)
    used = [spec.code for spec in controls.used]
    if len(used) < FEWEST:
        return f"{len(used)} clean controls"
    bag = [bags.index[name] for name in (pair.suspect, pair.reference, *used)]
    if not found.there[:, bag].any(axis=0).all():
        return "a member of the bag answered nothing"
    scores = score_bag(found, bag, known)
    return PairScores(
        pair=pair,
        k=len(used),
        k_eff=controls.k_eff,
        t={name: t[:, 0, 1] for name, t in scores.items()},
        p={name: levels(made) for name, made in scores.items()},
        p_matched={name: _matched(scores[name], near.near(bag)) for name in DECIDING if name in scores},
        closeness=float(found.closeness[bag[0], bag[1]]),
    )


def _matched(t: Array, near: tuple[Array, Array]) -> Array:
    """Return the p on each subset with a confound taken out, or 1 where a member has no score with another."""
    return np.array(
        [[matched(one, close[subset]).p if formed(one) else 1.0 for close in near] for subset, one in enumerate(t)]
    )


def score_population(
    population: Population,
    pairs: Sequence[Pair],
    detectors: Sequence[str],
    rank_by: dict[str, str],
    *,
    seed: int,
    encode: Encode | None,
    progress: Progress,
    mask: Mask | None = None,
    choose: Choose | None = None,
) -> Scored:
    """Score pairs and rank candidates; `rank_by` names the detector for each kind of task.

    `choose` gives the sets of prompts; none: all of them, and random ones.
    """
    workers = os.cpu_count() or 1
    progress(f"{population.source}: features of {len(population.members)} models, {len(population.rows)} answers each")
    found, sizes = prepare(population, detectors, seed, encode, workers, mask, choose)
    bags, near = Bags(population), confounds(population, found.weights)
    progress(f"{population.source}: scoring {len(pairs)} pairs, each in its own bag")
    with ThreadPoolExecutor(workers) as pool:
        groups = _together(bags, pairs)
        scored = pool.map(lambda group: _score_all(found, near, bags, [pairs[number] for number in group]), groups)
        by_number = {
            n: one for group, ones in zip(groups, scored, strict=True) for n, one in zip(group, ones, strict=True)
        }
        made = [by_number[number] for number in range(len(pairs))]
        ranked = list(
            pool.map(lambda task: (task, tuple(_ranked(found, bags, task, rank_by[task.kind]))), population.tasks)
        )
    return Scored(
        detectors=tuple(detectors),
        sizes=sizes,
        pairs=tuple(one for one in made if isinstance(one, PairScores)),
        unscored=tuple((pair, one) for pair, one in zip(pairs, made, strict=True) if isinstance(one, str)),
        ranked=tuple(ranked),
    )


def _ranked(found: Material, bags: Bags, task: Task, detector: str) -> Iterator[str]:
    """Order the candidates by their score with the suspect, all of them in one bag."""
    names = [name for name in task.candidates if name in bags.index and name != task.suspect]
    t = score_bag(found.only(detector), [bags.index[name] for name in (task.suspect, *names)])[detector][0]
    for place in np.argsort(-np.nan_to_num(t[0, 1:], nan=-np.inf), kind="stable").tolist():
        yield names[place]
