"""What the report prints of values that a pair shares and of its reasoning, gathered from findings; pure."""

from __future__ import annotations

from typing import Any

from msgspec import UnsetType

from depose.model import Findings, SharedValues
from depose.report.excerpts import cut

VALUE = 110
"""Characters of an answer that stand beside a value."""
TRACE = 900
"""Characters of reasoning that are shown."""
ROLES = ("reference", "suspect")
PRINTED = 12
"""Values that are printed for a pair; findings.json has all that are set out."""


def context(findings: Findings) -> dict[str, Any]:
    """Gather both, each value and each trace cut to what is marked in it."""
    values = () if isinstance(findings.shared_values, UnsetType) else findings.shared_values
    reasoned = () if isinstance(findings.traces, UnsetType) else findings.traces
    return {
        "shared_values": [
            {
                "of": one,
                "reached": _reached(one),
                "rows": [(row, [cut(answer, "", VALUE) for answer in row.answers]) for row in one.values[:PRINTED]],
            }
            for one in values
        ],
        "traces": [
            {
                "of": one,
                "shown": {row.model: row.count for row in one.shown},
                "others": sum(row.model not in (one.suspect, one.reference) for row in one.shown),
                "exhibits": [
                    (made, [cut(answer, role, TRACE) for answer, role in zip(made.answers, ROLES, strict=True)])
                    for made in one.exhibits
                ],
            }
            for one in reasoned
        ],
    }


def _reached(one: SharedValues) -> dict[str, int]:
    """Count the controls that share at least as many values with one side that nobody else gives."""
    sides = {"reference": one.reference_side, "suspect": one.suspect_side}
    return {name: sum(row.count >= one.alone for row in side) for name, side in sides.items()}
