"""What a line-up that is about to be built could never say: bags are built once, so it is told before; pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UnsetType

from depose.lineup.bags import is_late, tier_in_force
from depose.lineup.comparable import shown
from depose.lineup.diagnostics import FEWEST
from depose.lineup.family import groups_of
from depose.lineup.inputs import moment
from depose.lineup.opinion import needed
from depose.model.lineup import Bag, LineupPlan, Opened
from depose.model.lineup_plan import Tier


def foreseen(plan: LineupPlan, entries: Sequence[Opened], bags: Sequence[Bag] = ()) -> tuple[str, ...]:
    """List, a sentence each, what of these bags leaves every opinion inconclusive or takes strength from it."""
    accused = [one for one in entries if one.group == "accused"]
    tested = [one for one in accused if not is_late(plan, one.delivered_at)]
    tier = tier_in_force(tested, coin=not isinstance(plan.coin, UnsetType))
    found = []
    if unknown := sum(not one.snapshot for one in tested):
        found.append(
            f"in {unknown} of {len(tested)} line-ups reference_snapshot is missing, or not the same for all members: "
            "every opinion is inconclusive (tier)"
        )
    if tier == "drifted":
        found.append("decoys are drifted: every opinion is inconclusive (tier)")
    if len(tested) < plan.limits.bags:
        found.append(
            f"{len(tested)} line-ups can be tested, fewer than the {plan.limits.bags} registered: every opinion is "
            "inconclusive (few)"
        )
    for name, codes in groups_of(plan).items():
        mine = sum(set(one.accounts) <= set(codes) for one in tested)
        if mine < plan.limits.bags <= len(tested):
            found.append(
                f"{mine} line-ups can be tested of the group {name} alone, fewer than the {plan.limits.bags} "
                "registered: every opinion on it is inconclusive (few)"
            )
    twice = sum(any(c > r > 0 for c, r in zip(one.copies, one.received, strict=True)) for one in tested)
    if 2 * twice > len(tested):
        found.append(
            f"in {twice} of {len(tested)} line-ups a decoy has the text that was delivered: if the decoys list all "
            "draws, take out the one that was delivered"
        )
    if seen := shown(bags):
        found.append(
            f"in {seen} of {len(bags)} line-ups a later turn of the conversation, which is a line-up too, shows what "
            "was delivered: whoever scores can read it; take first turns alone, by a rule, if scoring must be blind"
        )
    undated = sum(one.tier in ("randomised", "kept") and moment(one.drawn_at) is None for one in tested)
    if undated and tier == "resampled":
        found.append(f"in {undated} line-ups drawn_at is missing: what was kept counts as resampled")
    found += [
        f"{name} cannot be made, since {why}: every opinion is inconclusive (diagnostics)"
        for name, why in _unmade(plan, tier, entries, tested)
    ]
    return tuple(found)


def _unmade(plan: LineupPlan, tier: Tier, entries: Sequence[Opened], tested: Sequence[Opened]) -> list[tuple[str, str]]:
    """Name what the opinion needs and these bags are too few for, with the reason."""
    matched = sum(one.group == "matched" for one in entries)
    withheld = sum(one.group == "withheld" for one in entries)
    among = sum(sum(one.copies) - sum(one.received) > 1 for one in tested)
    late = sum(one.group == "accused" and is_late(plan, one.delivered_at) for one in entries)
    short = {
        "D2": (len(tested), "line-ups of the accounts in question"),
        "D4": (max(among, withheld), "line-ups with two fillers, or of answers drawn for nobody"),
        "D5": (matched, "line-ups of matched accounts"),
        "D6": (late, "line-ups after the cut-off"),
    }
    return [
        (name, f"there are {short[name][0]} {short[name][1]}, and it takes {FEWEST}")
        for name in needed(tier, plan.limits)
        if name in short and short[name][0] < FEWEST
    ]
