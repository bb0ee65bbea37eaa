"""Demands of courts and standards, each with what this case has for it, in its own numbers; pure."""

from __future__ import annotations

from depose.model import Findings
from depose.report.contents import CROSSWALK


def argued(findings: Findings) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Fill the fixed sentences of CROSSWALK with the numbers of a case."""
    nulls = [one.null_pairs for one in findings.findings if one.null_pairs is not None]
    best = max(nulls, key=lambda one: one.at_alpha / one.n, default=None)
    conditions = [row for one in findings.findings for row in one.conditions]
    ks = sorted({one.k_eff for one in findings.findings if one.k})
    numbers = {
        "prompts": findings.prompts,
        "models": len(findings.items),
        "answered": sum(one.answered for one in findings.denominators),
        "k": " or ".join(map(str, ks)) or "none",
        "met": sum(one.passed for one in findings.quality),
        "checks": len(findings.quality),
        "inside": sum(row.inside for row in conditions),
        "conditions": len(conditions),
        "nulls": best.n if best else "no",
        "fired": best.at_alpha if best else "none",
        "deviations": "time-stamped" if findings.time_stamped else "not time-stamped",
    }
    return [(standard, demand, has.format(**numbers), where) for standard, demand, has, where in CROSSWALK]
