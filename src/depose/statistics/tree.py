"""The tree of likeness: average linkage over scores, and how steady each of its clades is.

Average linkage (UPGMA; Sokal and Michener 1958) joins the two groups whose members are most alike on average, and
goes on until one is left. The support of a clade (Felsenstein 1985) is the share of draws in which the same models
form a clade again when prompt clusters are drawn anew; models are not drawn, so that it says nothing about others.
A tree supposes that likeness branches. Models that learned from several others need not obey, which is why it
illustrates and no opinion looks at it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depose.detectors import Measured
from depose.model import Join, Tree
from depose.statistics.bootstrap import CHUNK
from depose.statistics.centring import FEWEST, average, centre, parts_of, scale_of
from depose.statistics.rounding import tidy

Array = NDArray[np.float64]

FEWEST_MODELS, MOST_MODELS = FEWEST + 2, 80
"""Fewer cannot be centred, and more cannot be read on one page."""


def tree(
    measured: Measured, models: Sequence[str], clusters: Sequence[str], draws: int, rng: np.random.Generator
) -> Tree:
    """Join models by mean T, and count the draws over prompt clusters in which each clade appears.

    Models that share no prompt with some other are left out, those with most gaps first. Raises ValueError where too
    few are left, or where no two of them agree in anything.
    """
    parts = parts_of(measured)
    kept = _comparable(np.sum([average(part) for part in parts], axis=0), models)
    if len(kept) < FEWEST_MODELS:
        raise ValueError(f"{len(kept)} models can be compared with each other; a tree needs {FEWEST_MODELS}")
    scales = [float(scale_of(_centred(average(part), kept))) for part in parts]
    if not any(scales):
        raise ValueError("no two models agree in anything that the detector measures")
    names, index = np.unique(np.asarray(clusters), return_inverse=True)
    weights = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)[:, index].astype(float)

    def scores(rows: Array | None) -> Array:
        made = [_centred(average(part, rows), kept) / scale for part, scale in zip(parts, scales, strict=True) if scale]
        return np.asarray(np.sum(made, axis=0) / len(parts))

    joined = _linked(scores(None))
    clades = _clades(joined, len(kept))
    seen = dict.fromkeys(clades, 0)
    for start in range(0, draws, CHUNK):
        for drawn in scores(weights[start : start + CHUNK]):
            for clade in _clades(_linked(drawn), len(kept)):
                if clade in seen:
                    seen[clade] += 1
    return Tree(
        detector=measured.detector,
        models=tuple(models[m] for m in kept),
        left_out=tuple(model for m, model in enumerate(models) if m not in kept),
        clusters=len(names),
        draws=draws,
        joins=tuple(
            Join(left=int(left), right=int(right), t=tidy(-height), support=seen[clade])
            for (left, right, height), clade in zip(joined[:, :3], clades, strict=True)
        ),
    )


def _comparable(mean: Array, models: Sequence[str]) -> list[int]:
    """Leave out, one after another, the member with most gaps, the last of equals."""
    gaps = ~np.isfinite(mean) & ~np.eye(len(models), dtype=bool)
    kept = list(range(len(models)))
    while (counts := gaps[np.ix_(kept, kept)].sum(axis=1)).any():
        kept.pop(len(kept) - 1 - int(np.argmax(counts[::-1])))
    return kept


def _centred(mean: Array, kept: Sequence[int]) -> Array:
    return centre(mean[..., kept, :][..., kept])


def _linked(t: Array) -> Array:
    """Link by average; heights are minus the mean T. A pair that a draw leaves without a score is as unlike as any."""
    from scipy.cluster.hierarchy import linkage

    pairs = np.round(t[np.triu_indices(len(t), 1)], 12)  # what ties on one processor ties on every other
    if not np.isfinite(pairs).any():
        raise ValueError("a draw of prompts leaves no two models with a score")
    pairs = np.where(np.isfinite(pairs), pairs, np.nanmin(pairs))
    joined = linkage(pairs.max() - pairs, "average")
    joined[:, 2] -= pairs.max()
    return np.asarray(joined)


def _clades(joined: Array, members: int) -> list[int]:
    """Write the members below each join as the bits of a number."""
    below = [1 << m for m in range(members)]
    for left, right in joined[:, :2].astype(int):
        below.append(below[left] | below[right])
    return below[members:]
