"""A population on some of its prompts, scored with and without bare words: for `bare_words.py` and `bare_cost.py`."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from copy import copy
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from dressed_alike import WAYS, Answer, Host
from kept_rows import Row as Row
from kept_rows import Store as Store
from numpy.typing import NDArray

from depose import plugins
from depose.analysis.hull_of_answers import beside
from depose.answers.settle import compared_text
from depose.case.lineages import counted
from depose.case.population import Pair, Population, read
from depose.detectors import layout, length
from depose.features.bare_words import Read, bare_words, spoken
from depose.features.compared import compared, question
from depose.features.extract import Bag, Features
from depose.model import ModelSpec, Primary, Prompt
from depose.scoring.bags import Bags
from depose.statistics.centring import per_prompt, score
from depose.statistics.clades import clades, independent
from depose.statistics.ranks import floor, formed, model_level
from depose.statistics.sensitivity import matched
from depose.validate.study import RELATION

ALPHA, NEEDED = 0.05, 19
WIDE = "wording"
ALL, TRIED = "all", "strangers"
"""p without bare words beside all controls, as the rule is, and beside strangers to the reference alone, as tried."""
DECIDING = Primary().detectors()
Array = NDArray[np.float64]


class Case:
    """A population on some of its prompts, and bags of it."""

    def __init__(self, folder: Path, source: str, host: Host, prompts: int, seed: int) -> None:
        whole = read(folder, source)
        self.rng = np.random.default_rng(seed)
        rows = sorted(self.rng.permutation(len(whole.rows))[:prompts].tolist())
        self.name, self.host = source, host
        self.population: Population = whole.cut(rows)
        self.pairs = whole.pairs
        self.bags = Bags(whole)
        self.prompts = tuple(
            Prompt(id=f"{name}/{sample}", family=kind, cluster=name, text=question(text))
            for (name, sample), text, kind in zip(
                self.population.rows, self.population.prompts, self.population.kinds, strict=True
            )
        )
        self._features = Features()
        self.said_words = Read()
        self._seen: dict[int, list[str | None]] = {}
        self._habits: dict[int, Array] = {}
        self._detect = plugins.load("detectors", WIDE)

    def kept(self, rows: Sequence[int]) -> Case:
        """Return the case on some of its prompts."""
        made = copy(self)
        made.population = self.population.cut(rows)
        made.prompts = tuple(self.prompts[row] for row in rows)
        made._seen, made._habits = {}, {}
        return made

    def centred(self, members: Sequence[int]) -> Array:
        """Score the first two prompt by prompt."""
        found: Array = per_prompt(self._detect(self.bag(members), self._features))[:, 0, 1]
        return found

    def forget(self) -> None:
        """Drop what was read of answers, to be read again: many bags of a whole population fill the memory."""
        self._features = Features()

    def members(self, pair: Pair) -> list[int]:
        """Number suspect, reference and their clean controls; nothing where these are too few for an opinion."""
        controls = self.bags.controls(pair.suspect, pair.reference)
        if controls.k_eff < NEEDED and not (pair.relation == RELATION["distilled"] and len(controls.used) >= NEEDED):
            return []
        return [self.bags.index[name] for name in (pair.suspect, pair.reference, *(one.code for one in controls.used))]

    def said(self, member: int) -> list[str | None]:
        """Return what detectors see of a model's answers."""
        if member not in self._seen:
            texts = [row[member] for row in self.population.answers]
            self._seen[member] = [None if text is None else compared(text) for text in texts]
        return self._seen[member]

    def bag(self, members: Sequence[int], ends: Sequence[list[str | None]] = ()) -> Bag:
        """Make a bag; the first two members say something else, where it is given."""
        columns = [*ends, *(self.said(member) for member in members[len(ends) :])]
        return Bag(
            models=tuple(self.population.members[member].name for member in members),
            prompts=self.prompts,
            answers=tuple(tuple(() if text is None else (text,) for text in row) for row in zip(*columns, strict=True)),
        )

    def dressed(self, member: int, way: str) -> list[str | None]:
        """Dress a model's answers, and read them as answers are read."""
        made = []
        for prompt, row in zip(self.population.prompts, self.population.answers, strict=True):
            text = row[member]
            worn = None if text is None else WAYS[way](Answer(text=text, prompt=prompt, host=self.host))
            made.append((compared_text(worn) if worn else "") or None)
        return made

    def near(self, members: Sequence[int], ends: Sequence[list[str | None]]) -> tuple[Array, Array]:
        """Closeness in length and in layout of members of whom the first two say something else."""
        logs, habits = [], []
        for place, member in enumerate(members):
            if place < len(ends) or member not in self._habits:
                listed = ends[place] if place < len(ends) else [row[member] for row in self.population.answers]
                texts = [text for text in listed if text is not None]
                log = np.mean([length.log_length(len(text)) for text in texts])
                found = np.array([log, *layout.habit_of(texts)])
                if place >= len(ends):
                    self._habits[member] = found
            else:
                found = self._habits[member]
            logs.append(found[0])
            habits.append(found[1:])
        return length.nearness(np.array(logs)), layout.nearness(np.array(habits))

    def scored(self, bag: Bag) -> dict[str, Array]:
        """Score a bag by every detector that decides: `wording`, and the part of it that is `phrases`."""
        whole = self._detect(bag, self._features)
        return {WIDE: score(whole).t} | {one.detector: score(one).t for one in whole.parts if one.detector in DECIDING}

    def bare(self, members: Sequence[int], ends: Sequence[list[str | None]] = ()) -> dict[str, dict[str, float]]:
        """Return p of every detector without bare words: beside all controls, and beside strangers to the reference."""
        beside = self.beside(members)
        found = {ALL: self._p(members, ends)}
        return found | {TRIED: found[ALL] if len(beside) == len(members) else self._p(beside, ends)}

    def beside(self, members: Sequence[int]) -> list[int]:
        """Keep suspect, reference, and controls that are strangers to it."""
        reference, *controls = (self.population.members[member].spec() for member in members[1:])
        kept = strangers(reference, controls)
        return [*members[:2], *(self.bags.index[one.code] for one in kept)]

    def without(self, members: Sequence[int], ends: Sequence[list[str | None]] = ()) -> dict[str, Array]:
        """Score a bag without bare words by every detector that decides."""
        return self.scored(bare_words(self.bag(members, ends), self.said_words))

    def numbers(self, t: Array, models: Sequence[str]) -> Row:
        """State what the rule of a case needs of a score, but for p matched and without bare words."""
        p, k = p_of(t), len(models) - 2
        by_name = self.bags.controls(*models[:2]).k_eff
        by_likeness = independent(models[2:], clades(t, models))
        reached = round(p * (k + 1)) - 1
        return {"t": float(t[0, 1]), "p": p, "reached": reached, "k": k, "k_eff": min(by_name, by_likeness)}

    def inside(self, bag: Bag) -> bool:
        """Tell whether one of the first two is like a control in the length of its answers, and in their words."""
        return all(one.inside for one in beside(spoken(bag, self.said_words)))

    def _p(self, members: Sequence[int], ends: Sequence[list[str | None]]) -> dict[str, float]:
        return {name: p_of(t) for name, t in self.without(members, ends).items()}


def p_of(t: Array) -> float:
    """Return p; 1 where a score cannot be formed."""
    return model_level(t).p if formed(t) else 1.0


def worst_of(t: Array, near: Sequence[Array]) -> tuple[float, float]:
    """Return p, and the largest of p and of those at equal length and at equal layout."""
    if not formed(t):
        return 1.0, 1.0
    return p_of(t), max(p_of(t), *(matched(t, one).p for one in near))


def low(p: float) -> bool:
    """Tell whether p reaches alpha."""
    return p <= ALPHA + 1e-9


@cache
def _makers() -> dict[str, str]:
    """Root base models that the vocabulary knows, each with its maker: whose account is among its names."""
    listed = tomllib.loads(files("depose.case.lineages").joinpath("known.toml").read_text("utf-8"))["weights"]
    return {
        counted(first, "weight_lineage"): counted(name.partition("/")[0], "developer")
        for first, others in listed.items()
        for name in others
        if "/" in name
    }


def strangers(reference: ModelSpec, controls: Sequence[ModelSpec]) -> tuple[ModelSpec, ...]:
    """Leave out controls that carry other weights of the reference's maker: tunes of another size or version of it.

    All stay where too few would be left for alpha.
    """
    maker, weights = counted(reference.developer, "developer"), counted(reference.weight_lineage, "weight_lineage")
    bases = {one.code: counted(one.weight_lineage, "weight_lineage") for one in controls}
    kept = tuple(one for one in controls if _makers().get(bases[one.code]) != maker or bases[one.code] == weights)
    return tuple(controls) if floor(len(kept)) > ALPHA else kept
