"""p-values adjusted for how many were looked at (Holm 1979): over references, which decides, and over all findings.

Pure. Within a question the references of one suspect are one family of tests, fixed at registration. Over suspects and
questions no opinion is adjusted; the adjusted value stands beside each, for a reader who asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from depose.model import Finding, Result
from depose.statistics import ranks
from depose.statistics.rounding import tidy


def over_references(rows: Sequence[list[Result]]) -> list[list[Result]]:
    """Adjust each detector's p over the references in which it gave a result."""
    names = sorted({result.detector for row in rows for result in row})
    adjusted: dict[tuple[str, int], float] = {}
    for name in names:
        tested = [(place, r.p) for place, row in enumerate(rows) for r in row if r.detector == name]
        for (place, _), p in zip(tested, ranks.holm([p for _, p in tested]), strict=True):
            adjusted[name, place] = tidy(p)
    return [
        [msgspec.structs.replace(result, p_holm=adjusted[result.detector, place]) for result in row]
        for place, row in enumerate(rows)
    ]


def over_all(found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Adjust the primary p of each scored finding over all of them; a finding without a score has none."""
    primary = {place: result.p for place, one in enumerate(found) for result in one.results if result.primary}
    adjusted = dict(zip(primary, ranks.holm([*primary.values()]), strict=True))
    return tuple(
        msgspec.structs.replace(one, p_family=tidy(adjusted[place])) if place in adjusted else one
        for place, one in enumerate(found)
    )
