"""Substitution test: are the answers of today draws of the same model under the same setting as those kept?

Under that hypothesis the answers to one prompt, kept and new, are exchangeable. Nothing else is assumed: no controls,
no distribution, and prompts need not be alike. Two statistics, both fixed before anything is asked, share alpha:

- after every answer, an e-process: the smoothed conformal p-value of how typical the answer is among all to its prompt
  so far is uniform and independent of those before (Vovk, Gammerman and Shafer 2005, chapter 7); bets on small and on
  large p-values, averaged over a fixed grid, make a martingale that reaches c with probability 1/c at most, whenever
  one stops (Ville 1939). It has half of alpha.
- after 1, 2, 4, ... rounds over all prompts, a permutation of the answers within prompts: the squared maximum mean
  discrepancy (Gretton et al. 2012) of kept and new, summed over prompts, (1 + b) / (1 + B) (Phipson and Smyth 2010).
  The looks share the other half equally.

p is the smallest of them divided by its share (Bonferroni), so that "p <= alpha at any call" has a probability of at
most alpha. It holds over the draw of kept and new answers together: many days against one set of kept answers are not
independent of each other. Likeness is 1 for the same short answer, a half for the same choice in other words, 0 for
different choices, and the share of common words and pairs of words (Jaccard) for longer answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from depose.detectors.choices import LONGEST, WORD, category
from depose.features.extract import tokens
from depose.model import Record

Array = NDArray[np.float64]

PERMUTATIONS = 1_999
"""At least; more where a small alpha could not be reached otherwise."""
BETS = (0.1, 0.2, 0.35, 0.5, 0.7, 0.85)
"""Exponents of the bets; each is made on small and on large p-values, all with the same stake."""
SHARE = 0.5
"""Of alpha: what the e-process has; the looks share the rest."""


class Look(Record, frozen=True, kw_only=True):
    """A permutation test after so many calls."""

    calls: int
    p: float


class Substitution(Record, frozen=True, kw_only=True):
    """What came of comparing new answers with those that were kept."""

    calls: int
    """New answers that were compared."""
    prompts: int
    p: float
    """The smallest so far, both statistics and all looks counted; valid at whatever call one stops."""
    log10_e: float
    """The largest value of the e-process so far."""
    looks: tuple[Look, ...]
    rejected_at: int | None
    """Calls after which p was at most alpha; None where it never was."""


# --- likeness -------------------------------------------------------------------------------------------


def likeness(texts: Sequence[str]) -> Array:
    """Compare all answers to one prompt: [n, n] from 0 to 1; it depends on no label."""
    short = [len(text.strip()) <= LONGEST for text in texts]
    chosen, worded = (
        np.unique([of(text) if brief else "" for text, brief in zip(texts, short, strict=True)], return_inverse=True)[1]
        for of in (category, _plain)
    )
    equal = ((chosen[:, None] == chosen[None]).astype(float) + (worded[:, None] == worded[None])) / 2
    alike = np.where(np.outer(short, short), equal, 0.0)
    if not all(short):
        alike = np.where(np.outer(np.logical_not(short), np.logical_not(short)), _jaccard(texts), alike)
    return alike


def _plain(text: str) -> str:
    return " ".join(WORD.findall(text.lower()))


def _jaccard(texts: Sequence[str]) -> Array:
    words = [[one.text for one in tokens(text, 4_000)] for text in texts]
    grams = [{*said, *pairwise(said)} for said in words]
    vocabulary = {gram: place for place, gram in enumerate(dict.fromkeys(gram for some in grams for gram in some))}
    has = np.zeros((len(texts), max(len(vocabulary), 1)), np.float32)
    for row, some in enumerate(grams):
        has[row, [vocabulary[gram] for gram in some]] = 1
    common = (has @ has.T).astype(np.float64)
    size = has.sum(axis=1, dtype=np.float64)
    union = size[:, None] + size[None] - common
    return np.where(union > 0, common / np.maximum(union, 1), 1.0)


# --- after every answer ---------------------------------------------------------------------------------


def conformal(alike: Sequence[Array], kept: Sequence[int], order: Sequence[int], rng: np.random.Generator) -> Array:
    """Return the smoothed conformal p-value of each new answer, in the order of asking.

    `alike` [n, n] of each prompt has its `kept` answers first and the new ones as they came; `order` names the prompt
    of each new answer. Uniform and independent where the answers to each prompt are exchangeable.
    """
    jitter = rng.random(len(order))
    seen = list(kept)
    found = np.empty(len(order))
    for place, prompt in enumerate(order):
        size = seen[prompt] + 1
        seen[prompt] = size
        among = alike[prompt][:size, :size]
        typical = np.round(among.sum(axis=1) - among.diagonal(), 9)
        rarer, equal = (typical < typical[-1]).sum(), (typical == typical[-1]).sum()
        found[place] = (rarer + jitter[place] * equal) / size
    return found


def log10_e(p: Array, bets: Sequence[float] = BETS) -> Array:
    """Return log10 of the e-process after each p-value: bets k p^(k-1) and k (1-p)^(k-1), averaged as they stand."""
    tiny = np.finfo(float).tiny
    powers = np.asarray(bets)
    sides = np.log(np.maximum(np.stack([p, 1 - p]), tiny))
    steps = np.log(powers)[:, None, None] + (powers[:, None, None] - 1) * sides
    wealth = np.cumsum(steps, axis=-1).reshape(-1, len(p))
    top = wealth.max(axis=0)
    return np.asarray((top + np.log(np.exp(wealth - top).mean(axis=0))) / np.log(10))


# --- after every few rounds -----------------------------------------------------------------------------


def permuted(alike: Sequence[Array], kept: Sequence[int], rng: np.random.Generator, draws: int = PERMUTATIONS) -> float:
    """Return the exact p-value of a permutation of kept and new answers within prompts, never below 1 / (1 + draws)."""
    observed, drawn = 0.0, np.zeros(draws)
    for among, old in zip(alike, kept, strict=True):
        new = len(among) - old
        if not old or not new:
            continue
        labels = np.where(np.arange(len(among)) < old, 1 / old, -1 / new) * np.sqrt(old * new / (old + new))
        shuffled = rng.permuted(np.tile(labels, (draws, 1)), axis=1)
        observed += float(labels @ among @ labels)
        drawn += np.einsum("bi,bi->b", shuffled @ among, shuffled)
    return float((1 + (drawn >= observed - 1e-9).sum()) / (1 + draws))


def looks(rounds: int) -> tuple[int, ...]:
    """Rounds after which the permutation test is made: 1, 2, 4, ... and the last."""
    doubling = [2**k for k in range(rounds.bit_length()) if 2**k < rounds]
    return (*doubling, rounds)


def draws_for(rounds: int, alpha: float) -> int:
    """Permutations with which the smallest p of a look, divided by its share, is a tenth of alpha; 19,999 at most.

    For a smaller alpha than that allows, the e-process alone decides.
    """
    return min(19_999, max(PERMUTATIONS, int(np.ceil(10 * len(looks(rounds)) / ((1 - SHARE) * alpha)))))


def examine(
    alike: Sequence[Array],
    kept: Sequence[int],
    order: Sequence[int],
    rounds: int,
    alpha: float,
    rng: np.random.Generator,
    draws: int = 0,
    *,
    ended: bool = False,
) -> Substitution:
    """Test the new answers that there are, of `rounds` over all prompts that are planned; 0 draws: as many as it takes.

    `ended` says that no more will come: then the last look is made on what there is, though some have no answer.

    A further answer changes nothing of what was found before it: the e-process reads `rng`, and each look a stream
    split off it. Raises ValueError for an alpha not between 0 and 1.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha lies between 0 and 1: {alpha}")
    planned = looks(rounds)
    others = rng.spawn(len(planned))
    wealth = log10_e(conformal(alike, kept, order, rng)) if len(order) else np.zeros(0)
    p = np.minimum(1.0, 10.0 ** -np.maximum.accumulate(wealth) / SHARE) if len(order) else np.ones(0)
    made: list[Look] = []
    for after, stream in zip(planned, others, strict=True):
        calls = after * len(alike)
        if ended and after == planned[-1]:
            calls = min(calls, len(order))
        if calls > len(order) or not calls:
            continue
        counts = np.bincount(order[:calls], minlength=len(alike))
        parts = [one[: old + new, : old + new] for one, old, new in zip(alike, kept, counts, strict=True)]
        value = permuted(parts, kept, stream, draws or draws_for(rounds, alpha))
        made.append(Look(calls=calls, p=value))
        p[calls - 1 :] = np.minimum(p[calls - 1 :], value * len(planned) / (1 - SHARE))
    below = np.flatnonzero(p <= alpha)
    return Substitution(
        calls=len(order),
        prompts=len(alike),
        p=float(p[-1]) if len(p) else 1.0,
        log10_e=float(wealth.max()) if len(wealth) else 0.0,
        looks=tuple(made),
        rejected_at=int(below[0]) + 1 if len(below) else None,
    )


def discrepancy(alike: Sequence[Array], kept: Sequence[int]) -> float | None:
    """Mean over prompts of the unbiased squared discrepancy of kept and new: about 0 for one model, None where none.

    A prompt counts that has two answers of either kind at least.
    """
    found = []
    for among, old in zip(alike, kept, strict=True):
        new = len(among) - old
        if min(old, new) < 2:
            continue
        within = [
            (part.sum() - part.trace()) / (len(part) * (len(part) - 1))
            for part in (among[:old, :old], among[old:, old:])
        ]
        found.append(sum(within) - 2 * among[:old, old:].mean())
    return float(np.mean(found)) if found else None
