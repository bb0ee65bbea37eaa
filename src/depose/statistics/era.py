"""Whether the controls are of the years of the models that they stand beside.

Two strangers of one era look like kin beside older controls: the p-value ranks a likeness among those of the controls,
and what a time has in common is then seen in the pair alone. The rule: of the controls at least SHARE must be near the
pair in time, released no more than WINDOW months before the earlier of suspect and reference and no more than WINDOW
after the later. Its numbers are those of `make era-study` (docs/controls.md). A model without a date is near
nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from depose.model.exchangeability import Era

WINDOW = 6
"""Months."""
SHARE = 0.5
"""Share of the controls that must be near."""


def month(released: str) -> int | None:
    """Month of a date, counted from the year 0; None where it is not known. A year alone counts as its middle."""
    if not released or released == "unknown":
        return None
    return int(released[:4]) * 12 + (int(released[5:7]) - 1 if len(released) > 4 else 6)


def near(suspect: str, reference: str, control: str, window: int = WINDOW) -> bool:
    """Tell whether a control is of the years of the pair; not if one of the three dates is not known."""
    first, second, own = month(suspect), month(reference), month(control)
    if first is None or second is None or own is None:
        return False
    return min(first, second) - window <= own <= max(first, second) + window


def era(suspect: str, reference: str, controls: Mapping[str, str]) -> Era:
    """Compare the dates of controls, by code, with those of a pair."""
    dated = sorted((found, one) for one in controls.values() if (found := month(one)) is not None)
    count = sum(near(suspect, reference, one) for one in controls.values())
    needed = ceil(SHARE * len(controls))
    return Era(
        suspect=suspect,
        reference=reference,
        oldest=dated[0][1] if dated else "",
        newest=dated[-1][1] if dated else "",
        near=count,
        needed=needed,
        undated=tuple(sorted(code for code, one in controls.items() if month(one) is None)),
        inside=count >= needed and month(suspect) is not None and month(reference) is not None,
    )
