"""Fit the calibration that `analyze` loads, on one scored population."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depose.case.calibration import FORMAT
from depose.model import Calibration, Calibrator, Fact, Line, Question, TruePair
from depose.scoring.bags import one_base
from depose.statistics.calibration import fit
from depose.statistics.likelihood import cllr, cllr_min, elub
from depose.validate.areas import FEWEST_FAMILIES
from depose.validate.scoring import PairScores
from depose.validate.study import PRIMARY, Study, families, held_out, k_eff

Array = NDArray[np.float64]

DRAWS = 100


def true_pair(question: Question, one: PairScores, subset: int, size: int) -> TruePair | None:
    """Give the p-value of a true pair on one number of prompts; None where it has none."""
    p = float(one.p[PRIMARY[question]][subset].max())
    if not np.isfinite(p):
        return None
    return TruePair(
        question=question,
        detector=PRIMARY[question],
        prompts=size,
        family=one.pair.suspect_family,
        k_eff=k_eff(one, question),
        p=round(p, 6),
    )


def true_pairs(study: Study) -> tuple[TruePair, ...]:
    """List the p-values of true pairs on every number of prompts, from which power follows at any level."""
    return tuple(
        row
        for question in PRIMARY
        for one in study.positives(question)
        for subset, size in enumerate(study.scored.sizes)
        if (row := true_pair(question, one, subset, size)) is not None  # type: ignore[arg-type]
    )


def refits(
    rng: np.random.Generator, first: Sequence[PairScores], second: Sequence[PairScores], t1: Array, t2: Array
) -> tuple[Line, ...]:
    """Refit on resampled suspect families; a draw that misses one kind altogether is drawn again."""
    every = sorted({one.pair.suspect_family for one in (*first, *second)})
    place = {name: index for index, name in enumerate(every)}
    mine1 = np.array([place[one.pair.suspect_family] for one in first])
    mine2 = np.array([place[one.pair.suspect_family] for one in second])
    lines: list[Line] = []
    while len(lines) < DRAWS:
        weight = rng.multinomial(len(every), np.full(len(every), 1 / len(every))).astype(float)
        if weight[mine1].sum() and weight[mine2].sum():
            line = fit(t1, t2, weight[mine1], weight[mine2])
            lines.append(Line(intercept=round(line.intercept, 4), slope=round(line.slope, 4)))
    return tuple(lines)


def lowest_by_family(pairs: Sequence[PairScores], t: Array) -> tuple[float, ...]:
    """Find the lowest score of each family of suspects, in order."""
    lowest: dict[str, float] = {}
    for one, value in zip(pairs, t.tolist(), strict=True):
        lowest[one.pair.suspect_family] = min(value, lowest.get(one.pair.suspect_family, np.inf))
    return tuple(round(value, 6) for value in sorted(lowest.values()))


def _calibrator(
    study: Study, question: Any, against: str, first: Sequence[PairScores], second: Sequence[PairScores], subset: int
) -> Calibrator:
    detector = PRIMARY[question]
    t1 = np.array([one.t[detector][subset] for one in first])
    t2 = np.array([one.t[detector][subset] for one in second])
    line = fit(t1, t2)
    h1, h2 = held_out(study, first, second, detector, subset)
    bounds = elub(h1, h2)
    size = study.scored.sizes[subset]
    return Calibrator(
        question=question,
        against=against,
        detector=detector,
        prompts=size,
        line=Line(intercept=round(line.intercept, 6), slope=round(line.slope, 6)),
        draws=refits(study.rng("calibration", question, against, str(size)), first, second, t1, t2),
        n_pos=len(first),
        n_pos_families=families(first),
        n_neg=len(second),
        n_neg_lineages=len({study.members[one.pair.suspect].data_lineage for one in second}),
        lowest=round(float(min(t1.min(), t2.min())), 6),
        highest=round(float(max(t1.max(), t2.max())), 6),
        positives=lowest_by_family(first, t1),
        elub_low=round(bounds.low, 4),
        elub_high=round(bounds.high, 4),
        cllr=round(cllr(h1, h2), 4),
        cllr_min=round(cllr_min(h1, h2), 4),
    )


def calibration(
    study: Study, prompt_families: Sequence[str], files: tuple[Fact, ...], software: tuple[Fact, ...]
) -> Calibration:
    """Fit every question against every alternative that has enough families, on each number of prompts."""
    made: list[Calibrator] = []
    missing: list[Fact] = []
    for question in PRIMARY:
        first = study.positives(question)
        for against, second in {"unrelated": study.matched(question), **study.alternatives(question)}.items():
            short = min(families(first), families(second))
            if short < FEWEST_FAMILIES:
                reason = f"{short} families of one kind in {study.population.source}; {FEWEST_FAMILIES} are needed"
                missing.append(Fact(name=f"{question} / {against}", value=reason))
                continue
            for subset in range(len(study.scored.sizes)):
                kept1, kept2 = (
                    [one for one in pairs if np.isfinite(one.t[PRIMARY[question]][subset])] for pairs in (first, second)
                )
                if min(families(kept1), families(kept2)) >= FEWEST_FAMILIES:
                    made.append(_calibrator(study, question, against, kept1, kept2, subset))
    ks = [one.k for one in study.labelled]
    return Calibration(
        format=FORMAT,
        source=study.population.source,
        files=files,
        software=software,
        families=tuple(sorted(set(prompt_families))),
        prompts=study.scored.sizes[0] if study.scored.sizes else 0,
        models=len(study.population.members),
        suspects=tuple(sorted({one.pair.suspect for one in study.labelled})),
        k_low=min(ks, default=0),
        k_high=max(ks, default=0),
        calibrators=tuple(made),
        missing=tuple(missing),
        true_pairs=true_pairs(study),
        one_base=one_base(study.population),
    )
