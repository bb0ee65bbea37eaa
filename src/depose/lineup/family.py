"""All tests of a case as one family: every suspect, over all accounts together and over each registered group.

Holm's method (1979) over all of them, so that the chance of any false indication is at most alpha, however many
suspects and groups are registered and however their tests depend on each other. Which of many groups' answers are in a
model is asked by e-BH too (Wang and Ramdas 2022), which bounds the share of false names among those named.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import log10

import msgspec
from msgspec import UnsetType

from depose.lineup.opened import OpenedLineup
from depose.model import Record
from depose.model.lineup_findings import GroupFinding, LineupFinding, LineupOpinion
from depose.model.lineup_plan import LineupPlan
from depose.statistics.evalues import e_bh

RATE = 0.1
"""False-discovery rate of e-BH."""


class Member(Record, frozen=True, kw_only=True):
    """One test of the family."""

    suspect: str
    group: str
    """Name of a registered group; empty for all accounts together."""


def family(suspects: Sequence[str], plan: LineupPlan) -> tuple[Member, ...]:
    """List the tests of a case: of each suspect all accounts together, then each group by name."""
    names = ("", *groups_of(plan))
    return tuple(Member(suspect=code, group=name) for code in suspects for name in names)


def groups_of(plan: LineupPlan) -> dict[str, tuple[str, ...]]:
    """Return the registered groups with their accounts, by name; none where a case registers none."""
    return {} if isinstance(plan.groups, UnsetType) else dict(sorted(plan.groups.items()))


def shared(opened: OpenedLineup) -> int:
    """Count the bags in question whose answers went to accounts of several groups, so that they are of none."""
    groups = [set(codes) for codes in groups_of(opened.plan).values()]
    accused = [one for one in opened.entries if one.group == "accused"]
    return sum(not any(set(one.accounts) <= codes for codes in groups) for one in accused) if groups else 0


def holm(values: Sequence[float]) -> list[float]:
    """Adjust logarithms of p-values by Holm's method."""
    order = sorted(range(len(values)), key=lambda one: values[one])
    adjusted = [0.0] * len(values)
    running = float("-inf")
    for rank, one in enumerate(order):
        running = max(running, min(0.0, values[one] + log10(len(values) - rank)))
        adjusted[one] = running
    return adjusted


def levels(values: Sequence[float], alpha: float) -> list[float]:
    """Return the level that Holm's method holds each p to: alpha over the tests that are not rejected before it.

    The method stops at the first p that is above its level: what lies behind is held to the level of that one. Alpha
    over those that are not below would grow with p itself, so that what shows least would seem to be tested best.
    """
    ordered = sorted(values)
    rejected = sum(one <= log10(alpha) for one in holm(values))
    return [alpha / (len(values) - min(bisect_left(ordered, one), rejected, len(values) - 1)) for one in values]


def of_group(name: str, accounts: tuple[str, ...], found: LineupFinding) -> GroupFinding:
    """Take of the finding on the line-ups of a group what is printed of it; `named` comes after."""
    return GroupFinding(
        group=name,
        accounts=accounts,
        named=False,
        **{
            field: getattr(found, field)
            for field in GroupFinding.__struct_fields__
            if field not in ("group", "accounts", "named")
        },
    )


def of_none(name: str, accounts: tuple[str, ...], plan: LineupPlan) -> GroupFinding:
    """Return the finding on a group of which no line-up can be tested; it counts in the family all the same."""
    return GroupFinding(
        group=name,
        accounts=accounts,
        tier=plan.tier,
        standing="indicative",
        bags=0,
        informative=0,
        picks=0,
        expected_picks=0.0,
        area=0.5,
        low=0.0,
        high=1.0,
        log10_p=0.0,
        log10_p_holm=0.0,
        valid=True,
        log10_e=0.0,
        named=False,
        gamma=1.0,
        drift=None,
        log10_p_drift=None,
        tipping=0.0,
        power=0.0,
        diagnostics=(),
        opinion=LineupOpinion(verdict="inconclusive", reasons=("few",)),
    )


def with_names(found: Sequence[GroupFinding]) -> tuple[GroupFinding, ...]:
    """Choose among the groups of all suspects by e-BH; one whose p is not valid counts, and is never chosen."""
    chosen = e_bh([one.log10_e if one.valid else float("-inf") for one in found], RATE)
    return tuple(msgspec.structs.replace(one, named=place in chosen) for place, one in enumerate(found))
