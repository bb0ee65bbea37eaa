"""D1 to D8: what must look like chance if the premise holds, and does not look like it where the premise fails.

A control is tested as the suspect is, by exact ranks, but on both sides: p is twice the smaller tail. Several p-values
of one diagnostic are taken together by Holm. What could not be made has its reason; what failed blocks the opinion,
but for D8, which only supports.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from depose.lineup import blind_classifier
from depose.lineup.bags import is_late
from depose.lineup.opened import OpenedLineup
from depose.lineup.rank_test import opened as ranked_of
from depose.lineup.rank_test import rank_sum
from depose.model import Record
from depose.model.lineup import DiagnosticResult
from depose.model.random_streams import stream
from depose.statistics.rounding import tidy

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

TITLES = {
    "D1": "likelihood of the deliveries under the archived reference, and under what is taken off",
    "D2": "deliveries told from decoys by their text alone",
    "D3": "models older than the deliveries",
    "D4": "one decoy among the others, and answers drawn for nobody",
    "D5": "deliveries to matched accounts that are not in question",
    "D6": "deliveries after the suspect's training data end",
    "D7": "later states of the reference",
    "D8": "answers delivered more often rank higher",
}
UNIFORM = "p above {alpha:g} on both sides, Holm over {count}"
DRAWS = 1_999
CHANCE = 1.65
"""An area of n line-ups strays by this over the root of n in at most one of a thousand, one filler being the worst."""
FEWEST = 20
"""Line-ups below which a diagnostic says nothing."""


class _Uniform(Record, frozen=True, kw_only=True):
    """One test of uniform ranks."""

    name: str
    bags: int
    level: float
    p: float
    """Of both sides."""
    interval: tuple[float, float] | None = None
    """Of the level, 95 %, where it is printed."""


def diagnose(opened: OpenedLineup, suspect: str) -> tuple[DiagnosticResult, ...]:
    """Make all eight for one suspect."""
    late = np.array([is_late(opened.plan, one.delivered_at) for one in opened.entries])
    accused = opened.of_group("accused")
    kept = accused & ~late
    own = opened.scores(suspect, opened.minus)
    return (
        _reference(opened, kept),
        _blind(opened, kept),
        _models("D3", opened, kept, opened.older(), opened.plan.limits.controls),
        _decoys(opened, kept, own),
        _matched(opened, kept, own),
        _after(opened, accused & late, own),
        _models("D7", opened, kept, opened.plan.snapshots, 1),
        _dose(opened, kept, own),
    )


def uniform(opened: OpenedLineup, name: str, scores: Array, kept: Mask) -> _Uniform | None:
    """Test on both sides whether what was delivered ranks as a random member does; None below `FEWEST` bags.

    Bags whose members have one score say nothing of a model, which has broken off there. In a corpus they say that
    nothing like them was met, which is what is to be seen.
    """
    above, below = opened.ranked(scores, kept), opened.ranked(-scores, kept)
    if above is None or below is None or len(above) < FEWEST:
        return None
    found = rank_sum(above)
    if found.informative < FEWEST and opened.plan.statistic != "corpus":
        return None
    p = min(1.0, 2 * 10 ** min(found.log10_p, rank_sum(below).log10_p))
    return _Uniform(name=name, bags=len(above), level=found.level, p=p)


def holm(values: Sequence[float]) -> float:
    """Return the smallest p-value as Holm's method adjusts it."""
    return min(1.0, min(values) * len(values))


# --- one diagnostic each ----------------------------------------------------------------------------


def _reference(opened: OpenedLineup, kept: Mask) -> DiagnosticResult:
    """Test the archived reference, and what is taken off where it is another model: by itself, and less the reference.

    A model that prefers the fillers, be it ever so little, would make every suspect of its kind prefer the deliveries.
    """
    own = opened.reference if opened.plan.statistic == "likelihood" and opened.reference in opened.tables else None
    base = opened.minus if opened.minus != opened.reference else None
    pairs: list[tuple[str, str | None]] = [(own, None)] if own else []
    pairs += [(base, None)] if base else []
    pairs += [(base, own)] if base and own else []
    tests = [
        uniform(opened, code if less is None else f"{code} less {less}", opened.scores(code, less), kept)
        for code, less in pairs
    ]
    made = _judged("D1", opened, tests)
    if made.passed is not False and (own is None or tests[0] is None):
        return _not_made("D1", made.reason if own and made.reason else "the reference gave no log-probabilities")
    return made


def _models(name: str, opened: OpenedLineup, kept: Mask, codes: Sequence[str], least: int) -> DiagnosticResult:
    there = [code for code in codes if code in opened.tables]
    if len(there) < max(least, 1):
        return _not_made(name, f"{len(there)} of the {max(least, 1)} models that it needs were scored")
    tables = [opened.scores(code, None if code == opened.minus else opened.minus) for code in there]
    tests = [uniform(opened, code, table, kept) for code, table in zip(there, tables, strict=True)]
    if len(there) > 1:
        pooled = np.sum([_ranks(table) for table in tables], axis=0)
        together = uniform(opened, "all of them", pooled, kept)
        tests.append(together and msgspec.structs.replace(together, interval=_interval(opened, pooled, kept)))
    told = sum(one is not None for one in tests[: len(there)])
    if told < max(least, 1):
        return _not_made(name, f"{told} of the {max(least, 1)} models that it needs tell {FEWEST} line-ups apart")
    return _judged(name, opened, tests)


def _interval(opened: OpenedLineup, scores: Array, kept: Mask) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean rank share, by the normal distribution over line-ups."""
    ranked = opened.ranked(scores, kept)
    if ranked is None or len(ranked) < 2:
        return None
    levels = ranked.levels
    error = 1.96 * float(levels.std(ddof=1)) / sqrt(len(levels))
    return max(0.0, float(levels.mean()) - error), min(1.0, float(levels.mean()) + error)


def _ranks(scores: Array) -> Array:
    """Mid-ranks within each bag, NaN where there is no member."""
    found = np.full(scores.shape, np.nan)
    for row, values in enumerate(scores):
        there = ~np.isnan(values)
        found[row, there] = rankdata(values[there])
    return found


def _blind(opened: OpenedLineup, kept: Mask) -> DiagnosticResult:
    delivered = opened.delivered()
    rows = np.flatnonzero(kept & delivered.any(axis=1)).tolist()[: blind_classifier.MOST]
    if len(rows) < FEWEST:
        return _not_made("D2", f"{len(rows)} line-ups, fewer than {FEWEST}")
    texts = opened.texts()
    among: Mask = np.zeros(len(kept), dtype=bool)
    among[rows] = True
    tests = []
    for name, read in blind_classifier.READERS.items():
        table = np.full(delivered.shape, np.nan)
        table[rows] = blind_classifier.scores([texts[row] for row in rows], delivered[rows], read)
        tests.append(uniform(opened, name, table, among))
    ended = opened.ended()
    if any(one for row in rows for one in ended[row]):
        table = np.full(delivered.shape, np.nan)
        table[rows] = blind_classifier.scores([ended[row] for row in rows], delivered[rows], blind_classifier.as_said)
        tests.append(uniform(opened, "how it ended", table, among))
    made = _judged("D2", opened, tests)
    far = max((abs(one.level - 0.5) for one in tests if one is not None), default=0.0)
    most = max(opened.plan.limits.classifier, CHANCE / sqrt(len(rows)))
    return msgspec.structs.replace(
        made,
        limit=f"{made.limit}, and no area further than {most:.3f} from one half",
        passed=made.passed and far <= most,
    )


def _decoys(opened: OpenedLineup, kept: Mask, own: Array) -> DiagnosticResult:
    """Take the deliveries out and let the key's own salt name a decoy of each bag instead."""
    fillers = np.where(opened.delivered(), np.nan, own)
    able = kept & ((~np.isnan(fillers)).sum(axis=1) > 1)
    tests = [uniform(opened, "drawn for nobody", own, opened.of_group("withheld"))]
    if able.sum() >= FEWEST:
        draw = stream(int(opened.key.salt[:12], 16), "lineup", "decoys").random(fillers.shape)
        chosen = np.zeros(fillers.shape, dtype=bool)
        chosen[np.arange(len(chosen)), np.where(np.isnan(fillers), -1.0, draw).argmax(axis=1)] = True
        up = rank_sum(ranked_of(fillers[able], chosen[able]))
        down = rank_sum(ranked_of(-fillers[able], chosen[able]))
        p = min(1.0, 2 * 10 ** min(up.log10_p, down.log10_p))
        tests.append(_Uniform(name="a decoy", bags=up.bags, level=up.level, p=p))
    return _judged("D4", opened, tests)


def _matched(opened: OpenedLineup, kept: Mask, own: Array) -> DiagnosticResult:
    among = opened.of_group("matched")
    made = _judged("D5", opened, [uniform(opened, "matched accounts", own, among)])
    if made.passed is None:
        return made
    gap, p = _difference(opened, kept, among, own)
    told = f"{made.seen}; accounts in question rank higher by {gap:.3f}" + (f", p = {p:.2g}" if p is not None else "")
    return msgspec.structs.replace(made, seen=told)


def _difference(opened: OpenedLineup, kept: Mask, among: Mask, own: Array) -> tuple[float, float | None]:
    """Mean rank share of the accounts in question less that of the matched; p by permuting accounts, if there are any.

    Each line-up counts with the first account that received one of its answers; p is (1 + b) / (1 + B).
    """
    levels: dict[tuple[bool, str], list[float]] = {}
    for mask, accused in ((kept, True), (among, False)):
        ranked = opened.ranked(own, mask)
        if ranked is not None:
            for row, level in zip(np.flatnonzero(opened.able(own, mask)), ranked.levels, strict=True):
                name = next(iter(opened.entries[row].accounts), "")
                levels.setdefault((accused, name), []).append(float(level))
    sums = np.array([sum(values) for values in levels.values()])
    sizes = np.array([len(values) for values in levels.values()])
    accused_ones = np.array([accused for accused, _ in levels])

    def gap(chosen: Mask) -> float:
        return float(sums[chosen].sum() / sizes[chosen].sum() - sums[~chosen].sum() / sizes[~chosen].sum())

    if accused_ones.all() or not accused_ones.any():
        return 0.0, None
    seen = gap(accused_ones)
    if len(levels) < 8:  # fewer accounts have too few ways to be dealt out
        return seen, None
    rng = stream(int(opened.key.salt[:12], 16), "lineup", "accounts")
    drawn = sum(gap(rng.permutation(accused_ones)) >= seen for _ in range(DRAWS))
    return seen, (1 + drawn) / (1 + DRAWS)


def _after(opened: OpenedLineup, late: Mask, own: Array) -> DiagnosticResult:
    if not opened.plan.cutoff:
        return _not_made("D6", "no last day of the suspect's training data is registered")
    return _judged("D6", opened, [uniform(opened, "after the cut-off", own, late)])


def _dose(opened: OpenedLineup, kept: Mask, own: Array) -> DiagnosticResult:
    ranked = opened.ranked(own, kept)
    delivered = opened.delivered().any(axis=1) & kept
    times = np.array([max(one.times) for one, there in zip(opened.entries, delivered, strict=True) if there])
    if ranked is None or len(times) != len(ranked) or len(np.unique(times)) < 2 or len(times) < FEWEST:
        return _not_made("D8", "nothing was delivered more often than the rest", blocking=False)
    dose, levels = rankdata(times), rankdata(ranked.levels)
    if len(np.unique(levels)) < 2:
        return _not_made("D8", "all line-ups rank alike", blocking=False)
    seen = float(np.corrcoef(dose, levels)[0, 1])
    # One-sided, by the normal distribution of a permuted rank correlation (Hotelling and Pabst 1936).
    p = float(norm.sf(seen * sqrt(len(times) - 1)))
    return DiagnosticResult(
        name="D8",
        title=TITLES["D8"],
        limit="none: it supports, and a failure blocks nothing",
        seen=f"rank correlation {seen:.2f}, p = {p:.2g}",
        passed=True if p <= opened.plan.limits.diagnostic_alpha else None,
        reason="" if p <= opened.plan.limits.diagnostic_alpha else "no such trend was found",
        blocking=False,
        bags=len(times),
        p=tidy(p),
    )


# --- judging ----------------------------------------------------------------------------------------


def _judged(name: str, opened: OpenedLineup, tests: Sequence[_Uniform | None]) -> DiagnosticResult:
    made = [one for one in tests if one is not None]
    if not made:
        return _not_made(name, f"fewer than {FEWEST} line-ups that the scores tell apart")
    alpha = opened.plan.limits.diagnostic_alpha
    p = holm([one.p for one in made])
    worst = min(made, key=lambda one: one.p)
    told = "; ".join(f"{one.name}: area {one.level:.3f}{_between(one)}, p = {one.p:.2g}" for one in made)
    return DiagnosticResult(
        name=name,
        title=TITLES[name],
        limit=UNIFORM.format(alpha=alpha, count=len(made)),
        seen=told,
        passed=p > alpha,
        bags=max(one.bags for one in made),
        level=tidy(worst.level),
        p=tidy(p),
    )


def _between(one: _Uniform) -> str:
    return "" if one.interval is None else f" ({one.interval[0]:.3f} to {one.interval[1]:.3f})"


def _not_made(name: str, reason: str, *, blocking: bool = True) -> DiagnosticResult:
    return DiagnosticResult(
        name=name, title=TITLES[name], limit="", seen="", passed=None, reason=reason, blocking=blocking
    )
