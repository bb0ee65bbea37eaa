"""What a scan of logs found, as lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from depose.cli.console import table
from depose.cli.words import wrapped
from depose.extraction.findings import REASONS
from depose.statistics.rounding import at_least, upwards

if TYPE_CHECKING:
    from depose.extraction.findings import ExtractionFindings
    from depose.extraction.watching import Look

SHOWN = 10
"""Groups that the terminal shows."""


def news(look: Look) -> list[str]:
    """Say what a look at a folder found: new logs, logs that are not whole, and who is new in a group."""
    lines = [f"{len(look.imported)} new logs: {', '.join(look.imported)}" if look.imported else "no new log"]
    lines += [f"not whole yet: {', '.join(look.waiting)}"] if look.waiting else []
    lines += [f"refused: {one.message}\n  hint: {one.hint}" for one in look.refused]
    lines += [f"not scanned: {look.unscanned}"] if look.unscanned else []
    if look.ran is not None:
        lines += lines_of(look.ran.findings)
        lines += (
            [f"new in a group: {len(look.ran.new)} accounts: {', '.join(look.ran.new[:SHOWN])}"] if look.ran.new else []
        )
        lines += [f"no longer in one: {len(look.ran.gone)}"] if look.ran.gone else []
    return lines


def lines_of(found: ExtractionFindings) -> list[str]:
    """Set out what a scan found."""
    total = found.totals
    lines = [
        f"{found.title}: {total.requests} requests of {total.accounts} accounts ({total.nodes} nodes), "
        f"{found.tested[0]} to {found.tested[1]}",
        *found.warnings,
    ]
    if found.standing is not None:
        lines.append(
            f"clean period: p {upwards(found.standing.p)}; {found.standing.communities} standing communities "
            f"of {found.standing.nodes} nodes set aside"
        )
    lines.append(
        f"accounts: {found.accounts.hits} of {found.accounts.tested} unusual for their stratum "
        f"(FDR {found.accounts.fdr}; {found.accounts.without} without enough controls)"
    )
    lines.append(
        f"pairs: {found.pairs.hits} of {found.pairs.tests} share more templates than their numbers explain, "
        f"{found.pairs.nodes} nodes (FDR {found.pairs.fdr})"
    )
    shown = found.groups[:SHOWN]
    rows = [
        [g.code, len(g.accounts), sum(m.supported for m in g.accounts), g.requests, f"{g.core} ({g.expected:.0f})",
         upwards(g.p_holm), at_least(g.e, 1)]
        for g in shown
    ]  # fmt: skip
    if rows:
        lines += table(("group", "accounts", "borne out", "requests", "core (by chance)", "p", "e"), rows)
        for g in shown:
            lines += wrapped(
                f"{g.code}, p by layer: " + ", ".join(f"{x.name} {upwards(x.p)}" for x in g.layers[1:]), "  "
            )
            lines.append(
                f"  {g.code}, concert: " + (f"shown by {' and '.join(g.tied_by)}" if g.tied_by else "not shown")
            )
    else:
        lines.append(f"groups: none; the strongest has p {upwards(found.next_p)}")
    reasons = f" ({', '.join(found.opinion.reasons)})" if found.opinion.reasons else ""
    lines.append(f"opinion: {found.opinion.verdict}{reasons}")
    for one in found.opinion.reasons:
        lines += wrapped(f"{one}: {REASONS[one]}", "  ")
    return lines
