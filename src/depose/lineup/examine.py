"""From opened line-ups to findings: the exact test, its ratio, its bounds, and the opinion of each suspect; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import log10

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.errors import AnalysisError
from depose.lineup.bags import is_after, is_late, tier_in_force
from depose.lineup.e_process import log10_e
from depose.lineup.exact_null import Summand, log_tail
from depose.lineup.exhibits import exhibits
from depose.lineup.family import RATE, Member, family, groups_of, holm, levels, of_group, of_none, with_names
from depose.lineup.opened import OpenedLineup
from depose.lineup.opinion import LineupGrounds, decide, failed, holds, laxer
from depose.lineup.power import area_of, power_at
from depose.lineup.rank_test import LineUps, rank_sum
from depose.lineup.sensitivity import (
    LARGEST_GAMMA,
    drift_at,
    gamma_at,
    least_share,
    log10_p_at_drift,
    log10_p_at_gamma,
)
from depose.model.canonical import digest
from depose.model.lineup import DiagnosticResult
from depose.model.lineup_findings import AccountLine, GammaPoint, GroupFinding, LineupFinding, LineupOpinion, Rung
from depose.model.lineup_plan import Cap, Tier
from depose.model.random_streams import stream
from depose.statistics.evalues import e_bh
from depose.statistics.rounding import tidy
from depose.statistics.verbal import SCALES, word

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Diagnose = Callable[[OpenedLineup, str], tuple[DiagnosticResult, ...]]
"""Makes the diagnostics of one suspect."""

SCALE = "enfsi-2015"
CAPS: dict[Tier, Cap] = {
    "randomised": Cap(value=1_000, reason="a registered coin that was shown; what is left is custody of log and coin"),
    "kept": Cap(value=300, reason="siblings from the log; that the delivered one was a random one is attested"),
    "resampled": Cap(value=100, reason="drawn afterwards; that the sampler had not changed is checked, not known"),
    "drifted": Cap(value=10, reason="drawn from another state of the reference"),
}
"""The most that a ratio may say, by tier: a convention of this tool, not a measurement."""
GAMMAS = (1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0)
DRAWS = 1_999
MOST_CLUSTERS = 20_000
"""More of them have a normal interval, which theirs then is."""
RUNGS = 200
Z = 1.6448536269514722
"""One-sided 95 % of the standard normal."""


def examine(opened: OpenedLineup, alpha: float, seed: int, asked_at: str, diagnose: Diagnose) -> list[LineupFinding]:
    """Test every suspect, over all accounts and over each registered group, with Holm over all these tests.

    `asked_at` is when the first suspect was first asked or scored.
    """
    values, groups = values_of(opened), groups_of(opened.plan)
    if any(value is None and not one.group for one, value in values.items()):
        raise AnalysisError(
            "no line-up is of the accounts in question before the cut-off: nothing can be tested",
            hint="start a new case folder with deliveries to $.lineup.accounts, from before $.lineup.cutoff",
        )
    tests, flat = tuple(values), [0.0 if value is None else value for value in values.values()]
    made: dict[Member, _Found] = {}
    for one, level in zip(tests, levels(flat, alpha), strict=True):
        part = opened.of_accounts(groups[one.group]) if one.group else opened
        if part is not None and values[one] is not None:
            made[one] = _examined(part, one.suspect, alpha, level, seed, asked_at, diagnose)
    adjusted = dict(zip(tests, holm(flat), strict=True))
    whole = [made[one].at(adjusted[one]) for one in tests if not one.group]
    if not groups:
        return whole
    lines = with_names(
        [
            of_group(one.group, groups[one.group], made[one].at(adjusted[one]))
            if one in made
            else of_none(one.group, groups[one.group], opened.plan)
            for one in tests
            if one.group
        ]
    )
    found = []
    for place, (one, own) in enumerate(zip([one for one in tests if not one.group], whole, strict=True)):
        mine = lines[len(groups) * place : len(groups) * (place + 1)]
        found.append(msgspec.structs.replace(_with_groups(made[one], own, mine), groups=mine))
    return found


def _with_groups(made: _Found, own: LineupFinding, groups: Sequence[GroupFinding]) -> LineupFinding:
    """Take over what a group shows: what was delivered to it was delivered to the accounts.

    An indication that rests on a group has its p, its bound of drift, and no better standing than it.
    """
    bases: list[GroupFinding | LineupFinding] = [one for one in groups if one.opinion.verdict == "indication"]
    bases += [own] if own.opinion.verdict == "indication" else []
    if not bases:
        return own
    base = min(bases, key=lambda one: (one.standing == "indicative", one.log10_p_holm))
    found = made.at(base.log10_p_holm, base)
    # What stops the opinion on all accounts does so whatever a group shows: then its own p stands there.
    return found if found.opinion.verdict == "indication" else own


def values_of(opened: OpenedLineup) -> dict[Member, float | None]:
    """Return log10 of the exact p of every test of the case; None where there is no line-up to test."""
    parts = {name: opened.of_accounts(codes) for name, codes in groups_of(opened.plan).items()} | {"": opened}
    found: dict[Member, float | None] = {}
    for one in family(opened.suspects, opened.plan):
        part = parts[one.group]
        bags = None if part is None else part.ranked(part.scores(one.suspect, part.minus), tested(part))
        found[one] = None if bags is None else tidy(rank_sum(bags).log10_p)
    return found


class _Found:
    """A finding before Holm, and what its opinion looks at."""

    def __init__(self, finding: LineupFinding, grounds: Callable[[float], LineupGrounds]) -> None:
        self.finding = finding
        self._grounds = grounds

    def at(self, log10_p: float, base: GroupFinding | LineupFinding | None = None) -> LineupFinding:
        """Return the finding with its p adjusted, and the opinion that follows; `base` is what p is of, if not it."""
        grounds, standing = self._grounds(log10_p), self.finding.standing
        if base is not None:
            grounds = replace(grounds, area=base.area, drift=base.drift)
            standing = "indicative" if "indicative" in (standing, base.standing) else standing
        return msgspec.structs.replace(
            self.finding, log10_p_holm=tidy(log10_p), standing=standing, opinion=decide(grounds)
        )


def tested(opened: OpenedLineup) -> Mask:
    """Tell which bags decide: deliveries to the accounts in question before the suspect's training ended, [bags]."""
    late = np.array([is_late(opened.plan, one.delivered_at) for one in opened.entries])
    return np.asarray(opened.of_group("accused") & ~late)


def _examined(
    opened: OpenedLineup, suspect: str, alpha: float, level: float, seed: int, asked_at: str, diagnose: Diagnose
) -> _Found:
    """Test a suspect; `level` is what its own p is held to, alpha what it is held to once adjusted."""
    plan = opened.plan
    kept = tested(opened)
    scores = opened.scores(suspect, opened.minus)
    bags = opened.ranked(scores, kept)
    if bags is None:
        raise ValueError("nothing can be tested")
    entries = [one for one, there in zip(opened.entries, kept, strict=True) if there]
    tier = tier_in_force(entries, opened.coin)
    result = rank_sum(bags)
    diagnostics = diagnose(opened, suspect)
    drift = left_open(opened, suspect)
    fillers = float(np.mean(_fillers(bags)))
    # In a corpus line-ups without a difference are those of which nothing was met there: they tell, too.
    telling = len(bags) if plan.statistic == "corpus" else result.informative
    power = power_at(area_of(plan.learnt, plan.share), max(1, round(fillers)), max(1, telling), level)
    ladder = log10_e(bags, plan.strengths)
    low, high = _interval(bags, _clusters(opened, kept), seed, suspect)
    counts, expected = _histogram(bags)
    cap = plan.cap or CAPS[tier]
    capped = float(np.clip(ladder[-1], -log10(cap.value), log10(cap.value)))
    known = all(one.snapshot for one in entries)
    strict = not laxer(plan.limits) and not opened.taken_off_undated()
    finding = LineupFinding(
        suspect=suspect,
        reference=opened.reference,
        accounts=plan.accounts,
        statistic=plan.statistic,
        minus=opened.minus or "",
        tier=tier,
        standing="confirmatory" if known and strict and holds(tier, diagnostics) else "indicative",
        bags=len(bags),
        informative=result.informative,
        fillers=tidy(fillers),
        several=int((bags.delivered.sum(axis=1) > 1).sum()),
        log10_p=tidy(result.log10_p),
        log10_p_holm=0.0,
        valid=not failed(diagnostics),
        picks=result.picks,
        expected_picks=tidy(result.expected_picks),
        band=_band(bags),
        log10_p_picks=tidy(result.log10_p_picks),
        area=tidy(result.level),
        low=tidy(low),
        high=tidy(high),
        share=tidy(least_share(bags)),
        histogram=counts,
        expected_histogram=expected,
        log10_e=tidy(float(ladder[-1])),
        ladder=_ladder(ladder),
        gamma=tidy(min(gamma_at(bags, level), LARGEST_GAMMA)),
        gammas=tuple(GammaPoint(gamma=one, log10_p=tidy(log10_p_at_gamma(bags, one))) for one in GAMMAS),
        drift=None if drift is None else tidy(drift),
        log10_p_drift=None if drift is None else tidy(log10_p_at_drift(bags, min(drift, 0.499))),
        tipping=tidy(min(drift_at(bags, level), 0.5)),
        power=tidy(power),
        cap=cap.value,
        cap_reason=cap.reason,
        capped_log10_e=tidy(capped),
        words=word(10**capped, 10**capped, SCALES[SCALE]),
        diagnostics=diagnostics,
        opinion=LineupOpinion(verdict="inconclusive", reasons=()),
        by_account=_by_account(opened, kept, scores),
        exhibits=exhibits(opened, suspect, scores, kept),
    )
    late = any(one.tier in ("randomised", "kept") and is_after(one.drawn_at, asked_at) for one in entries)
    return _Found(
        finding,
        lambda p: LineupGrounds(
            tier=tier,
            snapshot_known=known,
            decoys=int(_fillers(bags).sum()),
            late_decoys=late,
            chosen_with=plan.chosen_with,
            informative=telling,
            log10_p=p,
            log10_alpha=log10(alpha),
            area=result.level,
            drift=drift,
            power=power,
            diagnostics=diagnostics,
            limits=plan.limits,
        ),
    )


def _fillers(bags: LineUps) -> NDArray[np.int64]:
    return np.asarray((bags.doubled >= 0).sum(axis=1) - bags.delivered.sum(axis=1))


def _band(bags: LineUps) -> tuple[int, int]:
    """Return the picks between which chance alone leaves at least 95 of 100 such tests; exact."""
    rows = [
        Summand(values=(0, 1), probabilities=(1 - one.chance, one.chance), count=one.count)
        for one in bags.shapes
        if 0 < one.chance < 1
    ]
    most = sum(one.count for one in rows)

    def first(below: float) -> int:
        """Return the smallest number that is reached with at most this probability."""
        low, high = 0, most + 1
        while low < high:
            middle = (low + high) // 2
            if log_tail(rows, middle) <= np.log(below):
                high = middle
            else:
                low = middle + 1
        return low

    return max(0, first(0.975) - 1), max(0, first(0.025) - 1)


def _histogram(bags: LineUps) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Count line-ups by rank share of what was delivered, and what chance gives; by rank where all are alike."""
    sizes = {(len(one.doubled), one.delivered) for one in bags.shapes}
    size, delivered = next(iter(sizes))
    bins = size if len(sizes) == 1 and delivered == 1 and size <= 12 else 10
    places = np.minimum((bags.levels * bins).astype(int), bins - 1)
    expected = np.zeros(bins)
    for one in bags.shapes:
        chosen, fillers = one.delivered, len(one.doubled) - one.delivered
        values = (np.asarray(one.null.values) - chosen * (chosen - 1)) / (2 * chosen * fillers)
        mass = np.asarray(one.null.probabilities) * one.count
        np.add.at(expected, np.minimum((values * bins).astype(int), bins - 1), mass)
    counts = tuple(np.bincount(places, minlength=bins).tolist())
    return counts, tuple(tidy(float(one)) for one in expected)


def _ladder(steps: Array) -> tuple[Rung, ...]:
    places = np.unique(np.linspace(0, len(steps) - 1, min(RUNGS, len(steps))).round().astype(int))
    return tuple(Rung(bags=int(one) + 1, log10_e=tidy(float(steps[one]))) for one in places)


def _clusters(opened: OpenedLineup, kept: Mask) -> NDArray[np.intp]:
    """Number the first messages of the bags that are kept: turns of one conversation are not independent."""
    names = [
        digest(next((turn.content for turn in bag.context.messages if turn.role == "user"), bag.bag))
        for bag, there in zip(opened.bags, kept, strict=True)
        if there
    ]
    return np.asarray(np.unique(names, return_inverse=True)[1]).reshape(-1)


def _interval(bags: LineUps, clusters: NDArray[np.intp], seed: int, suspect: str) -> tuple[float, float]:
    """Return the 95 % interval of the area: clusters drawn again, the percentiles of what they give."""
    levels = bags.levels
    sums = np.bincount(clusters, weights=levels)
    sizes = np.bincount(clusters).astype(float)
    count, mean = len(sizes), float(levels.mean())
    if count < 2:
        return 0.0, 1.0
    if count > MOST_CLUSTERS:
        error = float(np.sqrt((((sums - mean * sizes) / sizes.mean()) ** 2).sum() / (count * (count - 1))))
        return max(0.0, mean - 1.96 * error), min(1.0, mean + 1.96 * error)
    rng = stream(seed, "lineup", "interval", suspect)
    draws = np.empty(DRAWS)
    for start in range(0, DRAWS, 100):
        size = min(100, DRAWS - start)
        weights = rng.multinomial(count, np.full(count, 1 / count), size=size)
        draws[start : start + size] = (weights @ sums) / (weights @ sizes)
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def left_open(opened: OpenedLineup, suspect: str) -> float | None:
    """Return what the negative controls do not exclude: the upper 95 % bound of the distance of their area from 1/2.

    They are models older than the deliveries on the tested bags, and the suspect on deliveries to matched accounts and
    on those after its cut-off. Models on one bag are averaged, since they share its key.
    """
    kept = tested(opened)
    late = opened.of_group("accused") & ~kept
    levels: list[Array] = []
    older = [
        ranked.levels
        for code in opened.older()
        if (ranked := opened.ranked(opened.scores(code, opened.minus), kept)) is not None
    ]
    if older:
        levels.append(np.mean(older, axis=0))
    for mask in (opened.of_group("matched"), late):
        ranked = opened.ranked(opened.scores(suspect, opened.minus), mask)
        if ranked is not None:
            levels.append(ranked.levels)
    if not levels:
        return None
    return bound(np.concatenate(levels))


def bound(levels: Array) -> float:
    """Return the one-sided upper 95 % bound of how far the mean of these rank shares lies from 1/2; 1/2 at most."""
    if len(levels) < 2:
        return 0.5
    return float(min(0.5, abs(levels.mean() - 0.5) + Z * levels.std(ddof=1) / np.sqrt(len(levels))))


def _by_account(opened: OpenedLineup, kept: Mask, scores: Array) -> tuple[AccountLine, ...]:
    """Test each account by itself, where there are several: an e-value each, and e-BH over them.

    Of several draws that went to several accounts the key does not say which went to whom: such bags are of none.
    """
    accounts = sorted({name for one, there in zip(opened.entries, kept, strict=True) if there for name in one.accounts})
    if len(accounts) < 2:
        return ()
    rows = []
    for name in accounts:
        mine = kept & np.array(
            [name in one.accounts and (len(one.accounts) == 1 or sum(one.received) == 1) for one in opened.entries]
        )
        bags = opened.ranked(scores, mine)
        if bags is not None:
            last = float(log10_e(bags, opened.plan.strengths)[-1])
            rows.append((name, len(bags), float(bags.levels.mean()), last))
    chosen = e_bh([one[3] for one in rows], RATE)
    return tuple(
        AccountLine(account=name, bags=count, level=tidy(level), log10_e=tidy(last), named=place in chosen)
        for place, (name, count, level, last) in enumerate(rows)
    )
