"""What the report says of the controls as such: what each is, how many lineages they are, when they are from; pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from depose.model import Against, Finding, Findings, Item, Record, Result
from depose.report.arrange import Drawn, natural, primary
from depose.report.figures.strata import Stratum, strata_plot
from depose.report.typography import drawn
from depose.statistics.era import near
from depose.statistics.rounding import tidy


class Covariates(Record, frozen=True, kw_only=True):
    """Models of one role of which the same is known."""

    role: str
    codes: tuple[str, ...]
    item: Item


class Others(Record, frozen=True, kw_only=True):
    """The p-value of a finding, adjusted for all registrations of the key that registered the case."""

    number: int
    finding: Finding
    p: float
    adjusted: float


def context(findings: Findings, figures: Iterable[Drawn]) -> dict[str, Any]:
    """Gather what the sections on the controls print; `figures` are the distinct primary results."""
    return {
        "covariates": covariates(findings.items),
        "registrations": others(findings),
        "strata": {
            one.numbers[0]: drawn(strata_plot(one.finding, one.result, parts))
            for one in figures
            if len(parts := strata(findings, one.finding, one.result)) > 1
        },
    }


def covariates(items: Iterable[Item]) -> list[Covariates]:
    """Put models together of which all that is compared is equal, in the order of their roles."""
    found: dict[object, list[Item]] = {}
    for item in items:
        key = (
            *(item.role, item.released, item.size, item.language, item.tuning, item.retrospective),
            *(item.temperature, item.max_tokens, item.seed, item.system),
        )
        found.setdefault(key, []).append(item)
    return [
        Covariates(role=rows[0].role, codes=tuple(sorted((one.code for one in rows), key=natural)), item=rows[0])
        for rows in found.values()
    ]


def others(findings: Findings) -> list[Others]:
    """Adjust each primary p by Bonferroni for the registrations of the key; empty without a ledger."""
    if findings.ledger is None:
        return []
    return [
        Others(
            number=number, finding=one, p=result.p_holm, adjusted=tidy(min(1.0, result.p_holm * findings.ledger.count))
        )
        for number, one in enumerate(findings.findings, 1)
        if (result := primary(one)) is not None
    ]


def strata(findings: Findings, finding: Finding, result: Result) -> list[Stratum]:
    """Part the controls of a finding by time and route; one part alone is no stratum."""
    items = {item.code: item for item in findings.items}
    names: dict[str, set[str]] = {}
    for code in finding.controls:
        item = items[code]
        close = near(items[finding.suspect].released, items[finding.reference].released, item.released)
        when = "of the years of the pair" if close else "of other years" if item.released else "not dated"
        names.setdefault(f"{when}, {'recorded' if item.retrospective else 'asked live'}", set()).add(code)

    def those(side: tuple[Against, ...], codes: set[str]) -> tuple[Against, ...]:
        return tuple(one for one in side if one.model in codes)

    return [
        Stratum(
            name=name,
            reference_side=those(result.reference_side, codes),
            suspect_side=those(result.suspect_side, codes),
        )
        for name, codes in sorted(names.items())
    ]
