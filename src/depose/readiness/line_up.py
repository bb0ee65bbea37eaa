"""Of a line-up before it is built: who scores which model, and how many line-ups would show what is looked for."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UnsetType

from depose.analysis.opinion import LEAST_POWER
from depose.lineup.acts import scored_models
from depose.lineup.power import area_of, bags_needed
from depose.lineup.scorers import scored_here
from depose.model import Case, Record
from depose.model.lineup import LineupPlan


class Prepared(Record, frozen=True, kw_only=True):
    """One thing of a line-up: whether it is in order, what it is, and what to do."""

    fine: bool
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
            fine=False,
            said=f"nothing here gives `{plan.statistic}` scores of {', '.join(elsewhere)}",
            next="whoever has the model makes its table (depose lineup score CASE --table FILE), or register another "
            "statistic",
        )
    else:
        yield Prepared(fine=True, said=f"{', '.join(scored)} will be scored here, by {plan.statistic}")
    yield _enough(case, plan)


def _enough(case: Case, plan: LineupPlan) -> Prepared:
    """Say how many line-ups have the power that `no indication` asks for."""
    suspects = sum(spec.role == "suspect" for spec in case.models)
    area = area_of(plan.learnt, plan.share)
    least = max(plan.limits.bags, bags_needed(area, plan.fillers, case.protocol.alpha / max(suspects, 1), LEAST_POWER))
    what = f"{plan.share:.0%} of the deliveries learnt with an area of {plan.learnt:g}"
    if least > plan.bags:
        return Prepared(
            fine=False,
            said=f"{least:,} line-ups show {what} with power {LEAST_POWER:g}; at most {plan.bags:,} are registered",
            next=f"bags = {least} in [lineup], or a larger share",
        )
    return Prepared(fine=True, said=f"{least:,} line-ups show {what} with power {LEAST_POWER:g}")
