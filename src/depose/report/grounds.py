"""What each opinion was looked up from: every requirement of the rule with the case's number, and whether it was met.

Pure. The rows are those of `analysis/opinion.py`, in its order: what makes any opinion possible, what a small p needs
beside it, what tells the kind of a relation, and what `no indication` needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from depose.errors import few
from depose.model import Finding, Findings, Grounds, Record
from depose.model.opinion import FEWEST_LINEAGES, LEAST_POWER, MOST_REFUSALS
from depose.report.arrange import likelihood, primary
from depose.report.typography import pvalue
from depose.statistics.rounding import at_least, upwards

COLUMNS = 6
"""Findings side by side in one table."""
NOT_KNOWN = "not evaluated"


class Cell(Record, frozen=True, kw_only=True):
    """One requirement in one finding."""

    seen: str
    met: bool | None
    """None where the rule does not ask for it."""


class Requirement(Record, frozen=True, kw_only=True):
    """One requirement, finding by finding."""

    what: str
    cells: tuple[Cell, ...]


class Table(Record, frozen=True, kw_only=True):
    """Some findings and all requirements."""

    numbers: tuple[int, ...]
    questions: tuple[str, ...]
    rows: tuple[Requirement, ...]
    opinions: tuple[str, ...]


def tables(findings: Findings) -> list[Table]:
    """Set the grounds of the findings that were scored out, so many in a table; one without a score has no numbers."""
    stated = [
        (n, one, one.grounds)
        for n, one in enumerate(findings.findings, 1)
        if one.grounds is not None and one.grounds.p is not None
    ]
    return [_table(stated[start : start + COLUMNS]) for start in range(0, len(stated), COLUMNS)]


def _table(stated: Sequence[tuple[int, Finding, Grounds]]) -> Table:
    return Table(
        numbers=tuple(n for n, _, _ in stated),
        questions=tuple(one.question for _, one, _ in stated),
        rows=tuple(
            Requirement(what=what, cells=tuple(tell(one, g) for _, one, g in stated)) for what, tell in REQUIREMENTS
        ),
        opinions=tuple(one.opinion.verdict for _, one, _ in stated),
    )


def _p(field: str) -> Callable[[Finding, Grounds], Cell]:
    def tell(finding: Finding, g: Grounds) -> Cell:
        value: float | None = getattr(g, field)
        if value is None:
            return Cell(seen=NOT_KNOWN, met=False)
        if field == "p" and isinstance(g.p_lineages, float) and value <= g.alpha < g.p_lineages:
            return Cell(seen=f"{pvalue(value, finding.floor)}; in lineages {upwards(g.p_lineages)}", met=False)
        return Cell(seen=pvalue(value, finding.floor), met=value <= g.alpha)

    return tell


def _quality(finding: Finding, g: Grounds) -> Cell:
    return Cell(seen="yes" if g.quality else "not met", met=g.quality)


def _refusals(finding: Finding, g: Grounds) -> Cell:
    return Cell(seen=f"{100 * g.refusals:.0f} in 100", met=g.refusals <= MOST_REFUSALS)


def _controls(finding: Finding, g: Grounds) -> Cell:
    if g.question == "derived" and g.shared_base:
        return Cell(seen="the two share a base", met=False)
    needed = max(FEWEST_LINEAGES, g.k_needed)
    return Cell(seen=f"{g.k_eff}, needs {needed}", met=g.k_eff >= needed)


def _era(finding: Finding, g: Grounds) -> Cell:
    stood = finding.exchangeability
    seen = f"{stood.era.near}, needs {stood.era.needed}" if stood is not None else "yes" if g.era else "no"
    return Cell(seen=seen, met=g.era)


def _range(finding: Finding, g: Grounds) -> Cell:
    asked = [one for one in finding.conditions if one.decides]
    inside = sum(one.inside for one in asked)
    return Cell(seen=f"{inside} of {len(asked)}" if asked else NOT_KNOWN, met=g.in_range)


def _ratio(field: str) -> Callable[[Finding, Grounds], Cell]:
    def tell(finding: Finding, g: Grounds) -> Cell:
        value: float | None = getattr(g, field)
        withheld = value is not None and all(one.value is None for one in finding.ratios)
        seen = NOT_KNOWN if value is None else "not reported" if withheld else likelihood(value)
        return Cell(seen=seen, met=value is not None and value > 1)

    return tell


def _candidate(finding: Finding, g: Grounds) -> Cell:
    if g.rivals_left:
        return Cell(seen=f"{few(g.rivals_left)} not compared", met=False)
    if not finding.candidates:
        return Cell(seen="none named", met=True)
    return Cell(seen="one is closer" if g.candidate_closer else "none is", met=not g.candidate_closer)


def _facts(finding: Finding, g: Grounds) -> Cell:
    if g.question == "same":
        return Cell(seen=f"files {g.files}", met=g.files != "different")
    return Cell(seen="suspect first" if g.suspect_first else "none", met=not g.suspect_first)


def _power(finding: Finding, g: Grounds) -> Cell:
    if g.p is None or g.p <= g.alpha or primary(finding) is None:
        return Cell(seen=NOT_KNOWN if g.power is None else at_least(g.power), met=None)
    return Cell(seen=NOT_KNOWN if g.power is None else at_least(g.power), met=(g.power or 0) >= LEAST_POWER)


REQUIREMENTS: tuple[tuple[str, Callable[[Finding, Grounds], Cell]], ...] = (
    ("checks of quality (section 10) met", _quality),
    (f"refusals of either, and what may be one: at most {100 * MOST_REFUSALS:.0f} in 100", _refusals),
    ("independent clean controls: as many as needed", _controls),
    ("controls of the years of the two: at least half", _era),
    ("p, over references: at most alpha", _p("p")),
    ("p at equal length: at most alpha", _p("p_length_matched")),
    ("p at equal layout: at most alpha", _p("p_layout_matched")),
    ("conditions of the study that the case shares: all", _range),
    ("ratio against an unrelated model, end nearer 1: above 1", _ratio("lr_unrelated_low")),
    ("ratio against the question’s own alternative, likewise", _ratio("lr_alternative_low")),
    ("every rival candidate compared, and none closer than the reference", _candidate),
    ("no fact on record against it (files, dates)", _facts),
    (f"if p is above alpha: power, lower bound, at least {LEAST_POWER}", _power),
)
"""Words of each requirement, and what it is in a finding."""


def unmet(finding: Finding) -> tuple[str, ...]:
    """Name what else would have kept an inconclusive opinion so, had the reasons that it names not been there.

    The lookup stops at the first step that fails; whoever mends that alone would meet these next.
    """
    g = finding.grounds
    if finding.opinion.verdict != "inconclusive" or g is None or g.p is None:
        return ()
    if g.p > g.alpha:
        further = ["power"] * (g.power is None or g.power < LEAST_POWER)
    else:
        low = g.lr_unrelated_low
        further = [
            code
            for code, met in (
                ("length", g.p_length_matched is not None and g.p_length_matched <= g.alpha),
                ("layout", g.p_layout_matched is not None and g.p_layout_matched <= g.alpha),
                ("range", g.in_range and low is not None),
                ("lr_spans_one", not g.in_range or low is None or low > 1),
            )
            if not met
        ]
    return tuple(code for code in further if code not in finding.opinion.reasons)
