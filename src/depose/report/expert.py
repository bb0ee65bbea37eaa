"""What the expert report prints, gathered from findings: tables arranged, figures drawn, exhibits cut; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from depose.answers.how_ended import NAMES
from depose.case.annexes import Annex, literature, unchecked
from depose.case.independent import unseen
from depose.model import Fact, Finding, Findings, Role
from depose.report import arrange, excerpts
from depose.report.contents import (
    ALTERNATIVES,
    APPENDICES,
    BACKGROUND,
    CERTIFICATES,
    CROSSWALK,
    DISCLOSURE,
    GLOSSARY,
    NO,
    SECTIONS,
    WITNESS,
)
from depose.report.figures.candidate_ranking import ranking
from depose.report.figures.dendrogram import dendrogram
from depose.report.figures.error_curves import error_curves
from depose.report.figures.layer_map import layer_map
from depose.report.figures.ratio_bands import Rated, ratio_bands
from depose.report.figures.specification_curve import specification_curve
from depose.report.figures.strip_plot import crowded, strip_plot
from depose.report.figures.timeline import timeline
from depose.report.typography import drawn, moment
from depose.report.vocabulary import together
from depose.report.wording import AGAINST, PARTS

EXCERPT = ((6, 900), (8, 500), (24, 270), (10**9, 115))
"""Number of exhibits, and how many characters of an answer each shows when there are up to that many."""
PROMPT = ((8, 220), (24, 120), (10**9, 48))
"""Number of exhibits, and characters of a prompt likewise."""
MODELS = 24
"""With more models than this, those with equal counts share a row."""
CURVES = 2
"""Specification curves that are drawn; more stand in one table, since each takes half a page."""


def context(findings: Findings, annex: Annex) -> dict[str, Any]:
    """Gather what the expert report prints."""
    roles = {item.code: item.role for item in findings.items}
    many = len(findings.denominators) > MODELS
    return {
        **_fixed(findings, annex),
        **_results(findings, roles),
        **_ratios(findings, annex),
        **_exhibits(findings),
        "quality": [
            {"role": role, "n": len(found), "codes": found}
            for role in ("positive", "foil")
            for found in [[item.code for item in findings.items if item.role == role]]
        ],
        "timeline": _timeline(findings),
        "described": arrange.described(findings.items),
        "counts": arrange.counted(findings.denominators, roles, together=many),
        "ends": arrange.ends(findings.denominators),
        "kinds_compared": [NAMES[status] for status in NAMES if getattr(findings.protocol.compared, status, False)],
        "together": many,
        "silence": Counter((u.model, u.reason) for u in findings.unanswered).most_common(),
    }


def _fixed(findings: Findings, annex: Annex) -> dict[str, Any]:
    return {
        "draft": unchecked(arrange.scale(findings), annex),
        "checks": {one.id: one for one in annex.checks},
        "works": literature(),
        "sections": SECTIONS,
        "no": NO,
        "titles": dict(SECTIONS),
        "appendices": APPENDICES,
        "appendices_by": dict(APPENDICES),
        "first_table": 1,
        "witness": WITNESS,
        "background": BACKGROUND,
        "glossary": GLOSSARY,
        "alternatives": ALTERNATIVES,
        "crosswalk": CROSSWALK,
        "avoided": together(),
        "certificates": CERTIFICATES,
        "parts": PARTS,
        "disclosure": DISCLOSURE,
    }


def _results(findings: Findings, roles: Mapping[str, Role]) -> dict[str, Any]:
    """Gather scores, ranks and what other analyses say."""
    results = arrange.grouped(findings.findings)
    specified = [one for group in results for one in group.figures if one.finding.curve is not None]
    return {
        "primaries": [arrange.primary(finding) for finding in findings.findings],
        "results": results,
        "drawings": {
            one.numbers[0]: drawn(strip_plot(one.finding, one.result)) for group in results for one in group.figures
        },
        "crowded": crowded,
        "rankings": {place: drawn(ranking(one)) for place, one in _ranked(findings)},
        "tree": drawn(dendrogram(findings.tree, roles)) if findings.tree else None,
        "specified": {
            one.numbers[0]: drawn(specification_curve(one.finding, curve, findings.protocol.alpha))
            for one in specified
            if len(specified) <= CURVES and (curve := one.finding.curve) is not None
        },
        "counts_of_controls": arrange.alike(findings.findings),
        "chosen": arrange.chosen(findings.findings),
        "layer_maps": [drawn(layer_map(one)) for one in findings.weights],
    }


def _ratios(findings: Findings, annex: Annex) -> dict[str, Any]:
    """Gather likelihood ratios and the study behind them."""
    scale = arrange.scale(findings)
    pairs = _rated(findings)
    asked = set(findings.protocol.questions)
    study = findings.performance
    return {
        "scale": scale,
        "scale_checked": bool(scale and scale.id not in unchecked(scale, annex)),
        "rated": [(rows, drawn(ratio_bands(rows, scale))) for rows in pairs] if scale else [],
        "bands": {one.number for rows in pairs for one in rows},
        "named": list(dict.fromkeys(ratio.against for one in findings.findings for ratio in one.ratios)),
        "against": AGAINST,
        "silent": arrange.silent(findings.findings),
        "compared": arrange.compared(findings.findings),
        "powers": arrange.powers(findings.findings),
        "unseen": unseen(findings.protocol.questions),
        "rates": [one for one in study.rates if one.question in asked] if study else [],
        "curves": [
            (one, drawn(error_curves(one)))
            for one in (study.held_out if study else ())
            if one.question in asked and one.against == "unrelated"
        ],
    }


def _rated(findings: Findings) -> list[list[Rated]]:
    """Put findings with likelihood ratios together by pair, in order."""
    pairs: dict[tuple[str, str], list[Rated]] = {}
    for number, one in enumerate(findings.findings, 1):
        if arrange.evaluated(one):
            pairs.setdefault((one.suspect, one.reference), []).append(Rated(number=number, finding=one))
    return list(pairs.values())


def _exhibits(findings: Findings) -> dict[str, Any]:
    many = len(findings.exhibits)
    length = next(shown for most, shown in EXCERPT if many <= most)
    return {
        "exhibits": [(exhibit, excerpts.excerpts(exhibit, length)) for exhibit in findings.exhibits],
        "excerpt": length,
        "line_break": excerpts.LINE_BREAK,
        "prompt_length": next(shown for most, shown in PROMPT if many <= most),
    }


def _ranked(findings: Findings) -> Iterator[tuple[int, Finding]]:
    """Yield findings whose candidates are enough for a figure, equal ones once."""
    seen = set()
    for place, one in enumerate(findings.findings, 1):
        if len(one.candidates) > 2 and one.candidates not in seen:
            seen.add(one.candidates)
            yield place, one


def _timeline(findings: Findings) -> Any:
    """Draw the times that can be read; nothing where fewer than two can."""
    events = [
        Fact(name=name, value=text)
        for name, text in (
            ("protocol registered", findings.registered_at),
            ("first question", findings.first_asked),
            ("last question", findings.last_asked),
        )
        if moment(text) is not None
    ]
    return drawn(timeline(events)) if len(events) > 1 else None
