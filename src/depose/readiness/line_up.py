"""Of a line-up before it is built: who scores what, which check could never be made, how many line-ups are needed.

A check that the tier needs and that the case cannot make leaves every opinion `inconclusive`; after the registration
that is seen only when the key is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import UnsetType

from depose.analysis.opinion import LEAST_POWER
from depose.lineup.acts import scored_here, scored_models
from depose.lineup.family import family
from depose.lineup.opinion import laxer, needed
from depose.lineup.power import area_of, bags_needed
from depose.model import Ask, Case, ModelSpec, Record, setting
from depose.model.lineup import LineupPlan


class Prepared(Record, frozen=True, kw_only=True):
    """One thing of a line-up: whether it is in order, what it is, and what to do."""

    state: Literal["fine", "open", "wrong"]
    """`wrong`: no opinion could ever come of it."""
    said: str
    next: str = ""


def prepared(case: Case) -> Iterator[Prepared]:
    """Look a line-up through; nothing where the case registers none."""
    plan = case.lineup
    if isinstance(plan, UnsetType):
        return
    scored = scored_models(case, plan)
    elsewhere = [spec.code for spec in case.models if spec.code in scored and not scored_here(plan, spec)]
    if elsewhere:
        yield Prepared(
            state="open",
            said=f"nothing here gives `{plan.statistic}` scores of {', '.join(elsewhere)}",
            next="whoever has the model, or corpus, makes its table beside it (depose lineup table), which is taken "
            "by depose lineup score CASE --table FILE; or register another statistic",
        )
    else:
        yield Prepared(state="fine", said=f"{', '.join(scored)} will be scored here, by {plan.statistic}")
    if lacks := {name: why for name in needed(plan.tier, plan.limits) if (why := _lacks(name, plan))}:
        yield Prepared(
            state="wrong",
            said="without these checks every opinion is inconclusive (diagnostics): "
            + "; ".join(f"{name} {why}" for name, why in lacks.items()),
            next="add what they need to [lineup], or name in [lineup.limits] required = [...] those that the case "
            "rests on",
        )
    if lax := laxer(plan.limits):
        yield Prepared(
            state="open",
            said=f"an indication will be `indicative only`: limits laxer than the usual ones ({', '.join(lax)})",
            next="leave them out of [lineup.limits], or say in the report why they are needed",
        )
    base = next((spec for spec in case.models if spec.code == plan.minus), None)
    if base is not None and base.role != "reference" and not base.released[:1].isdigit():
        yield Prepared(
            state="open",
            said=f"an indication will be `indicative only`: {base.code}, which is taken off, has no date",
            next=f'released = "YYYY-MM" of {base.code}, with its source: before the deliveries it cannot have learnt '
            "the fillers",
        )
    yield _enough(case, plan)


def _lacks(name: str, plan: LineupPlan) -> str:
    """Say what a case lacks for a diagnostic that an opinion needs; nothing where it may be made."""
    if name == "D1" and plan.statistic != "likelihood":
        return "needs likelihoods of the reference"
    if name == "D3" and len(plan.controls) < max(plan.limits.controls, 1):
        return f"needs {max(plan.limits.controls, 1)} models older than the first delivery in `controls`"
    if name == "D5" and not plan.matched:
        return "needs accounts that are not in question in `matched`"
    if name == "D6" and not plan.cutoff:
        return "needs `cutoff`, and deliveries after it"
    if name == "D7" and not plan.snapshots:
        return "needs later states of the reference in `snapshots`"
    return ""


def _enough(case: Case, plan: LineupPlan) -> Prepared:
    """Say how many line-ups have the power that `no indication` asks for."""
    tests = len(family([spec.code for spec in case.models if spec.role == "suspect"], plan))
    area = area_of(plan.learnt, plan.share)
    least = max(plan.limits.bags, bags_needed(area, plan.fillers, case.protocol.alpha / max(tests, 1), LEAST_POWER))
    what = f"{plan.share:.0%} of the deliveries learnt with an area of {plan.learnt:g}"
    if least > plan.bags:
        return Prepared(
            state="open",
            said=f"{least:,} line-ups show {what} with power {LEAST_POWER:g}; at most {plan.bags:,} are registered",
            next=f"bags = {least} in [lineup], or a larger share",
        )
    each = "" if isinstance(plan.groups, UnsetType) else ", of all accounts together and of each group"
    return Prepared(state="fine", said=f"{least:,} line-ups{each} show {what} with power {LEAST_POWER:g}")


def greeting(case: Case, spec: ModelSpec) -> Ask:
    """Make a question for a line-up alone, whose own questions come with its bags."""
    return Ask(
        model=spec.code,
        prompt="check",
        sample=0,
        replicate=0,
        text="Say hello.",
        system="",
        temperature=float(setting(spec, case.protocol, "temperature")),
        max_tokens=16,
        seed=case.protocol.seed,
    )
