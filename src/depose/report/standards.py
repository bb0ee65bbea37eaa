"""Demands of courts and standards, each with what this case has for it, in its own numbers; pure."""

from __future__ import annotations

from collections.abc import Sequence

from depose.case.independent import Unseen, unseen
from depose.model import Condition, Findings, NullPairs
from depose.report.contents import CROSSWALK
from depose.report.study_counts import of_opinions
from depose.statistics.rates import upper_bound
from depose.statistics.rounding import at_most


def argued(findings: Findings) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Fill the fixed sentences of CROSSWALK with the numbers of a case."""
    conditions = [row for one in findings.findings for row in one.conditions if row.decides]
    ks = sorted({one.k_eff for one in findings.findings if one.k})
    apart = unseen(findings.protocol.questions)
    documents = ", ".join(one.exhibit for one in findings.documents)
    numbers = {
        "prompts": findings.prompts,
        "models": len(findings.items),
        "answered": sum(one.answered for one in findings.denominators),
        "k": " or ".join(map(str, ks)) or "no",
        "documents": f", and what {documents} says" if documents else "",
        "met": sum(one.passed for one in findings.quality),
        "checks": len(findings.quality),
        "conditions": f"{sum(row.inside for row in conditions)} of {len(conditions)} conditions that decide are as the "
        "study asks"
        if conditions
        else "no conditions of a study were compared",
        "outside": _outside(conditions),
        "beside": _beside([row for one in findings.findings for row in one.conditions if not row.decides]),
        "tested": _tested(findings),
        "errors": _errors(findings, apart),
        "unseen": _unseen(apart),
        "deviations": "time-stamped" if findings.time_stamped else "not time-stamped",
        "amendments": f"{len(findings.amendments) or 'no'} amendment{'s' if len(findings.amendments) > 1 else ''}",
        "registered": findings.registered_at[:10] or "a day not recorded",
    }
    return [(standard, demand, has.format(**numbers), where) for standard, demand, has, where in CROSSWALK]


def _outside(conditions: Sequence[Condition]) -> str:
    names = list(dict.fromkeys(row.name for row in conditions if not row.inside))
    return f"; not: {', '.join(names)}" if names else ""


def _beside(rows: Sequence[Condition]) -> str:
    """Name what is not as the study asks and decides nothing, which a count of what decides would leave out."""
    names = list(dict.fromkeys(row.name for row in rows if not row.inside))
    return f"; not as it asks, which decides nothing: {', '.join(names)}" if names else ""


def _tested(findings: Findings) -> str:
    nulls = [one.null_pairs for one in findings.findings if one.null_pairs is not None]
    if not nulls:
        return "it can be, on controls put in the place of the pair; in this case there are no pairs to do so with"
    able = [one.null_pairs for one in findings.findings if one.null_pairs and one.floor <= findings.protocol.alpha]
    best = max(able, key=lambda one: one.at_alpha / one.n, default=None)
    few = "too few for any to reach alpha"
    reached = f"at the most {best.at_alpha} of {best.n} pairs reached alpha" if best else few
    return (
        f"every two controls were tested as if they were the pair, for each finding: {reached}; as close as the pair "
        f"itself were {_between(nulls)}"
    )


def _between(nulls: Sequence[NullPairs]) -> str:
    counts = [one.as_close for one in nulls]
    return f"{min(counts)} to {max(counts)}, by finding" if len(set(counts)) > 1 else f"{counts[0]}"


def _errors(findings: Findings, apart: Sequence[Unseen]) -> str:
    """Count false indications of the study, and what was called on families that nobody had seen."""
    said = []
    study = findings.performance
    for question, rates in of_opinions(study.opinions if study else (), findings.protocol.questions):
        mine = [one for one in rates if not one.true]
        n, k = sum(one.n for one in mine), sum(one.indications for one in mine)
        if n:
            said.append(f"{question} {k} of {n} (at most {at_most(upper_bound(k, n))})")
    counted = (
        f"indications of the study where H1 is not true: {', '.join(said)}" if said else "in the study: not counted"
    )
    return f"{counted}; {_held(apart)}"


def _held(apart: Sequence[Unseen]) -> str:
    if not apart:
        return "on families never seen it was not examined"
    said = []
    for question in dict.fromkeys(one.found.question for one in apart):
        mine = [one.found for one in apart if one.found.question == question]
        called, of = (sum(getattr(one.true_called, name) for one in mine) for name in "kn")
        strangers, among = (sum(getattr(one.unrelated_called, name) for one in mine) for name in "kn")
        said.append(f"{question} {called} of {of} true and {strangers} of {among} unrelated")
    return f"pairs called on families never seen, all together: {'; '.join(said)}"


def _unseen(apart: Sequence[Unseen]) -> str:
    count = len({one.evaluation.name for one in apart})
    if not count:
        return "no independent evaluation of this question exists"
    return f"{count} evaluation{'s' if count > 1 else ''} by others, on families never seen, printed with all counts"
