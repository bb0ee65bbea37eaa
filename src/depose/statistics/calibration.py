"""Scores to likelihood ratios: class-balanced logistic regression, fitted on a validation study.

log LR = a + b sign(T) sqrt(|T|), with prior odds 1 because both classes weigh the same (logistic calibration,
Morrison 2013). The root tames the long upper tail of T. Fitted apart for each number of prompts in the study.
A small ridge keeps the slope finite where the classes separate.

Validation leaves out every pair that shares a lineage with the pair that is predicted. The interval of a case joins
the bootstrap of T with refits on resampled families. No ratio is handed out above the cap or below the bottom that
the number of independent lineages allows (`likelihood_ratio_cap`), nor beyond the empirical bounds of the study (ELUB,
`likelihood.elub`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depose.model import Calibrator, Line
from depose.statistics.likelihood_ratio_cap import lineage_cap
from depose.statistics.rates import upper_bound

Array = NDArray[np.float64]

RIDGE = 1.0
STEPS = 50


def transformed(t: Array) -> Array:
    """Signed root of scores."""
    root: Array = np.sign(t) * np.sqrt(np.abs(t))
    return root


def fit(h1: Array, h2: Array, weight1: Array | None = None, weight2: Array | None = None) -> Line:
    """Fit the line on scores of true (`h1`) and false (`h2`) pairs; weights count pairs as often.

    Newton's method on the penalised likelihood; both classes have half of the total weight.
    """
    if not len(h1) or not len(h2):
        raise ValueError("calibration needs scores of both kinds")
    x = transformed(np.concatenate([h1, h2]))
    w1 = np.ones(len(h1)) if weight1 is None else weight1
    w2 = np.ones(len(h2)) if weight2 is None else weight2
    total = w1.sum() + w2.sum()
    if not w1.sum() or not w2.sum():
        raise ValueError("calibration needs scores of both kinds")
    w = np.concatenate([w1 / w1.sum(), w2 / w2.sum()]) * total / 2
    y = np.concatenate([np.ones(len(h1)), np.zeros(len(h2))])
    a = b = 0.0
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-(a + b * x)))
        slack, curve = w * (y - p), w * p * (1 - p) + 1e-12
        gradient = np.array([slack.sum(), (slack * x).sum() - RIDGE * b])
        hessian = np.array([[curve.sum(), (curve * x).sum()], [(curve * x).sum(), (curve * x * x).sum() + RIDGE]])
        step = np.linalg.solve(hessian, gradient)
        a, b = a + float(step[0]), b + float(step[1])
        if np.abs(step).max() < 1e-10:
            break
    return Line(intercept=a, slope=b)


def log_lr(line: Line, t: Array) -> Array:
    """Natural log of the likelihood ratio of scores."""
    found: Array = line.intercept + line.slope * transformed(np.asarray(t, float))
    return found


def left_out(
    h1: Array,
    h2: Array,
    lineages1: Sequence[frozenset[str]],
    lineages2: Sequence[frozenset[str]],
    fitted1: Array | None = None,
    fitted2: Array | None = None,
) -> tuple[Array, Array]:
    """Predict log LR of every pair from the pairs that share no lineage with it.

    `fitted1` and `fitted2` are scores of the same pairs on other prompts, where the fit is to be made on those. A pair
    for which too little is left to fit on gets 0, which says nothing.
    """
    fitted1, fitted2 = h1 if fitted1 is None else fitted1, h2 if fitted2 is None else fitted2
    names = sorted(set().union(*lineages1, *lineages2))
    place = {name: index for index, name in enumerate(names)}

    def table(lineages: Sequence[frozenset[str]]) -> NDArray[np.bool_]:
        rows = np.zeros((len(lineages), len(names)), dtype=bool)
        for row, one in enumerate(lineages):
            rows[row, [place[name] for name in one]] = True
        return rows

    has1, has2 = table(lineages1), table(lineages2)
    out1, out2 = np.zeros(len(h1)), np.zeros(len(h2))
    for group in sorted({tuple(sorted(one)) for one in (*lineages1, *lineages2)}):
        columns = [place[name] for name in group]
        keep1, keep2 = ~has1[:, columns].any(axis=1), ~has2[:, columns].any(axis=1)
        if keep1.sum() < 2 or keep2.sum() < 2:
            continue
        line = fit(fitted1[keep1], fitted2[keep2])
        mine1 = np.array([set(one) == set(group) for one in lineages1], dtype=bool)
        mine2 = np.array([set(one) == set(group) for one in lineages2], dtype=bool)
        out1[mine1], out2[mine2] = log_lr(line, h1[mine1]), log_lr(line, h2[mine2])
    return out1, out2


@dataclass(frozen=True, kw_only=True, slots=True)
class Capped:
    """A likelihood ratio with its interval, inside its bounds."""

    value: float
    low: float
    high: float
    uncapped: float
    model_low: float
    model_high: float
    """The interval before its bounds."""
    cap: float
    bottom: float
    lineages: int
    bounded_by: str
    """What held the value or an end of the interval: `lineages`, `study`, `lineages and study`, or nothing."""


def bottom_of(calibrator: Calibrator, t: float) -> float:
    """Smallest likelihood ratio that the families of true pairs allow: U(k, n), k of n reaching down to `t`."""
    families = np.asarray(calibrator.positives)
    return upper_bound(int((families <= t).sum()), len(families))


def likelihood_ratio(
    calibrator: Calibrator,
    t: float,
    draws: Array,
    reached: int,
    k_eff: int,
    larger: Calibrator | None = None,
    share: float = 0.0,
) -> Capped:
    """Turn a score with its bootstrap draws into a bounded likelihood ratio with a 95 % interval.

    `reached` of the case's `k_eff` control lineages have a score of at least `t`. Where the case lies between two
    numbers of prompts of the study, `larger` is the other calibrator and `share` how much it weighs (0 to 1): value,
    ends and bounds are blended in logarithms, so that no number of prompts makes them jump. The ratio is held to the
    cap that the lineages allow and to the empirical bounds of the study (ELUB), and so are the ends of its interval.
    """
    both = [(calibrator, 1 - share), *([(larger, share)] if larger is not None else [])]
    lineages = min(k_eff, *(one.n_neg_lineages for one, _ in both))
    kept = draws[np.isfinite(draws)]
    uncapped, low, high = np.exp(sum(weight * _log_ends(one, t, kept) for one, weight in both))
    by_lineages = (
        float(np.exp(sum(weight * np.log(min(bottom_of(one, t), 1.0)) for one, weight in both))),
        lineage_cap(min(reached, lineages), lineages),
    )
    by_study = (
        float(10 ** min(sum(weight * one.elub_low for one, weight in both), 0.0)),
        float(10 ** max(sum(weight * one.elub_high for one, weight in both), 0.0)),
    )
    bottom, cap = max(by_lineages[0], by_study[0]), min(by_lineages[1], by_study[1])
    ends = (float(min(low, uncapped)), float(max(high, uncapped)))
    held = {
        name
        for name, least, most in (("lineages", *by_lineages), ("study", *by_study))
        if (ends[1] > cap and most == cap) or (ends[0] < bottom and least == bottom)
    }

    def bounded(value: float) -> float:
        return float(min(max(value, bottom), cap))

    return Capped(
        value=bounded(float(uncapped)),
        low=bounded(ends[0]),
        high=bounded(ends[1]),
        uncapped=float(uncapped),
        model_low=ends[0],
        model_high=ends[1],
        cap=cap,
        bottom=bottom,
        lineages=lineages,
        bounded_by=" and ".join(sorted(held)),
    )


def _log_ends(calibrator: Calibrator, t: float, draws: Array) -> Array:
    """Log ratio of a score, and the ends of its interval: draws of T joined with draws of the line."""
    lines = calibrator.draws or (calibrator.line,)
    scores = transformed(draws)
    slopes = np.array([line.slope for line in lines])[np.arange(len(scores)) % len(lines)]
    intercepts = np.array([line.intercept for line in lines])[np.arange(len(scores)) % len(lines)]
    low, high = np.quantile(intercepts + slopes * scores, [0.025, 0.975])
    return np.array([float(log_lr(calibrator.line, np.array([t]))[0]), low, high])
