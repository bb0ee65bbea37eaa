"""What the expert report prints, gathered from findings: tables arranged, figures drawn, exhibits cut; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from depose.answers.how_ended import NAMES
from depose.case.annexes import Annex, unchecked
from depose.case.independent import unseen
from depose.model import Exhibit, Findings, likeness
from depose.report import (
    arrange,
    excerpts,
    exchangeability,
    facts,
    first_page,
    grounds,
    line_up,
    line_up_texts,
    method_text,
    power_by_dose,
    questions,
    shared,
    standards,
    study_curves,
)
from depose.report.contents import (
    ALTERNATIVES,
    APPENDICES,
    BACKGROUND,
    CERTIFICATES,
    CHOICE_OF_PROMPTS,
    DISCLOSURE,
    GLOSSARY,
    LETTERS,
    NO,
    SECTIONS,
    WITNESS,
    WITNESS_OF,
)
from depose.report.figures.layer_map import layer_map
from depose.report.figures.specification_curve import specification_curve
from depose.report.figures.strip_plot import strip_plot
from depose.report.study_counts import (
    counted,
    examined_by_another,
    judged,
    letter,
    lettered,
    of_opinions,
    rated,
    wrong_side,
)
from depose.report.typography import drawn
from depose.report.vocabulary import together
from depose.report.wording import AGAINST, H1_SHORT, LIMITATIONS, PARTS, REASONS
from depose.statistics import verbal
from depose.statistics.ranks import controls_needed

EXCERPT = ((6, 180), (12, 160), (10**9, 140))
"""Number of exhibits, and how many characters of an answer each shows when there are up to that many."""
PROMPT = ((6, 220), (12, 120), (10**9, 60))
"""Number of exhibits, and characters of a prompt likewise."""
PRINTED = 12
"""With more exhibits than this, each pair shows the first of each part of the rule; all are in exhibits.csv."""
NULLS = 6
"""Pairs of controls in the table of the closest; findings.json has them all."""
MODELS = 24
"""With more models than this, those with equal counts share a row."""
CURVES = 2
"""Specification curves that are drawn; more stand in one table, since each takes half a page."""


def context(findings: Findings, annex: Annex) -> dict[str, Any]:
    """Gather what the expert report prints."""
    figures = (one for group in arrange.grouped(findings.findings) for one in group.figures)
    made = joined(
        _fixed(findings, annex),
        _first(findings),
        _results(findings),
        _ratios(findings, annex),
        _exhibits(findings),
        exchangeability.context(findings, figures),
        line_up.context(findings),
        shared.context(findings),
        _answered(findings),
    )
    lineup = line_up.lineup_of(findings)
    if lineup is not None and line_up_texts.alone(findings, lineup):
        made |= {
            "alternatives": line_up_texts.ALTERNATIVES,
            "crosswalk": line_up_texts.crosswalk(findings, lineup),
            "asked": line_up_texts.asked(lineup),
        }
    else:
        made["asked"] = questions.asked(findings, _anchors(findings, made))
    if lineup is not None:
        made["limitations"] = line_up_texts.limitations(findings, lineup)
    else:
        made["limitations"] = facts.limitations(findings, LIMITATIONS)
    return {**made, "places": questions.PLACES}


def joined(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """Put parts of a page together; raise ValueError for a name that two of them use, since one would be lost."""
    made: dict[str, Any] = {}
    for part in parts:
        twice = made.keys() & part.keys()
        if twice:
            raise ValueError(f"two parts of the page use the names {', '.join(sorted(twice))}")
        made |= part
    return made


def _answered(findings: Findings) -> dict[str, Any]:
    """Gather the models, and how many of their answers there are, of what kinds."""
    roles = {item.code: item.role for item in findings.items}
    many = len(findings.denominators) > MODELS
    return {
        "quality": [
            {"role": role, "n": len(found), "codes": found}
            for role in ("positive", "foil")
            for found in [[item.code for item in findings.items if item.role == role]]
        ],
        "described": arrange.described(findings.items),
        "files_apart": facts.files_apart(findings),
        "prompts_from": questions.prompts_from(findings),
        "asked_anything": _asked_anything(findings),
        "counts": arrange.counted(findings.denominators, roles, together=many),
        "ends": arrange.ends(findings.denominators),
        "kinds_compared": [NAMES[status] for status in NAMES if getattr(findings.protocol.compared, status, False)],
        "together": many,
        "silence": Counter((u.model, u.reason) for u in findings.unanswered).most_common(),
    }


def _alternatives(findings: Findings) -> list[tuple[str, str, str]]:
    """List the explanations, that of the prompts as this case has it."""
    of = questions.prompts_from(findings)
    here = {} if of.drawn else {CHOICE_OF_PROMPTS: (f"those of {of.listed}: none was drawn", "the list is a choice")}
    return [(name, *here.get(name, (answer, rest))) for name, answer, rest in ALTERNATIVES]


def _asked_anything(findings: Findings) -> bool:
    """Tell a case whose models were asked, be it one, from one whose answers were all looked up."""
    recorded = {item.code for item in findings.items if item.retrospective}
    return any(one.planned and one.model not in recorded for one in findings.denominators) or not findings.retrospective


def _anchors(findings: Findings, made: Mapping[str, Any]) -> set[str]:
    """Name the anchors that a report with these contents has."""
    holds = {
        "facts": made["compared_files"],
        "nulls": made["nulls"],
        "itself": any(one.raw for group in made["results"] for one in group.findings),
        "judged": made["judged"],
        "unseen": made["unseen"],
        "power": made["powers"],
        "opinions": made["opinion_rates"],
        "grounds": made["grounds"],
        "choice": findings.findings,
        "stood": any(one.exchangeability for one in findings.findings),
        "documents": findings.documents,
        "registrations": True,
    }
    return {name for name, found in holds.items() if found}


def _fixed(findings: Findings, annex: Annex) -> dict[str, Any]:
    works, checked = arrange.works(findings), {one.id: one for one in annex.checks}
    told = annex.witness.said if annex.witness else {}
    return {
        "draft": unchecked(arrange.scale(findings), annex, works),
        "checks": checked,
        "works": works,
        "unread": [number for number, work in enumerate(works, 1) if work.id not in checked],
        "sections": line_up.sections(findings, SECTIONS),
        "no": NO | {"lineup": line_up.NUMBER},
        "titles": dict((*SECTIONS, line_up.SECTION)),
        "appendices": APPENDICES,
        "appendices_by": dict(APPENDICES),
        "letters": LETTERS,
        "first_table": 1,
        "witness": WITNESS,
        "stated": annex.witness,
        "told": told,
        "told_in": {item: all(key in told for key in WITNESS_OF.get(item, ("-",))) for item, *_ in DISCLOSURE},
        "background": BACKGROUND,
        "glossary": GLOSSARY,
        "alternatives": _alternatives(findings),
        "crosswalk": standards.argued(findings),
        "avoided": together(),
        "certificates": CERTIFICATES,
        "parts": PARTS,
        "disclosure": line_up.disclosure(findings, DISCLOSURE),
        "texts": method_text.TEXTS,
        "expressions": method_text.EXPRESSIONS,
        "spelt": method_text.spelt(findings.protocol.detectors),
    }


def _first(findings: Findings) -> dict[str, Any]:
    """Gather the first page, and the facts that stand before all statistics."""
    codes = dict.fromkeys(code for one in findings.findings for code in one.opinion.reasons)
    compared = facts.of_files(findings)
    return {
        "people": first_page.people(findings.items),
        "others": len(
            {code for one in findings.findings for code in (*one.controls, *(e.model for e in one.excluded))}
        ),
        "used": sorted({one.k for one in findings.findings if one.k}),
        "answers": first_page.answers(findings),
        "left_out": first_page.left_out(findings),
        "h1_short": H1_SHORT,
        "facts": [
            *facts.of_files_shortly(findings),
            *facts.of_weights(findings),
            *facts.of_dates(findings),
            *facts.of_itself(findings),
            *facts.of_nulls(findings),
        ],
        "compared_files": [*compared, *facts.of_dates(findings)],
        "reasons_used": [(code, REASONS.get(code, code)) for code in codes],
        "assumed": facts.assumed(findings),
    }


def _results(findings: Findings) -> dict[str, Any]:
    """Gather scores, ranks and what other analyses say."""
    results = arrange.grouped(findings.findings)
    figures = [one for group in results for one in group.figures]
    specified = [one for one in figures if one.finding.curve is not None]
    nulls = [one for one in figures if one.finding.null_pairs is not None]
    scored = sum(arrange.primary(one) is not None for one in findings.findings)
    primaries = {one.detector for finding in findings.findings for one in finding.results if one.primary}
    return {
        "primaries": [arrange.primary(finding) for finding in findings.findings],
        "results": results,
        "drawings": {one.numbers[0]: drawn(strip_plot(one.finding, one.result)) for one in figures},
        "specified": {
            one.numbers[0]: drawn(specification_curve(one.finding, curve, findings.protocol.alpha))
            for one in specified
            if len(specified) <= CURVES and (curve := one.finding.curve) is not None
        },
        "counts_of_controls": arrange.alike(findings.findings),
        "chosen": arrange.chosen(findings.findings),
        "grounds": grounds.tables(findings),
        "nulls": nulls,
        "nulls_shown": min(NULLS, max((len(n.pairs) for one in nulls if (n := one.finding.null_pairs)), default=0)),
        "scored_findings": scored,
        "needed_over_all": controls_needed(max(scored, 1), findings.protocol.alpha),
        "shown_raw": primaries
        | {part for one in findings.findings for part in one.per_prompt}
        | {one.raw[0].detector for one in findings.findings if one.raw},
        "layer_maps": [drawn(layer_map(one)) for one in findings.weights],
    }


def _ratios(findings: Findings, annex: Annex) -> dict[str, Any]:
    """Gather likelihood ratios and the study behind them."""
    scale = arrange.scale(findings)
    pairs = rated(findings)
    study = findings.performance
    doses = power_by_dose.table(study)
    found = unseen(findings.protocol.questions)
    return {
        "scale": scale,
        "scale_printed": verbal.PRINTED[scale.id] if scale else (),
        "scale_checked": bool(scale and scale.id not in unchecked(scale, annex)),
        "rated": pairs if scale else [],
        "bands": {one.number for rows in pairs for one in rows},
        "named": list(dict.fromkeys(ratio.against for one in findings.findings for ratio in one.ratios)),
        "against": AGAINST,
        "silent": arrange.silent(findings.findings),
        "compared": arrange.compared(findings.findings),
        "powers": arrange.powers(findings.findings),
        "unseen": found,
        "examined_by_another": examined_by_another(findings, found),
        "evaluations_of": lettered,
        "letter_of": letter,
        "rates": counted(study.rates if study else (), findings.protocol.questions),
        "opinion_rates": of_opinions(study.opinions if study else (), findings.protocol.questions),
        "misleading": wrong_side(study),
        "gates": study.gates if study else (),
        "judged": judged(findings),
        "curves": study_curves.curves(findings),
        "doses": doses,
        "dosed": power_by_dose.percents(study),
        "blind": power_by_dose.said(doses),
    }


def _exhibits(findings: Findings) -> dict[str, Any]:
    shown = _printed(findings.exhibits)
    many = len(shown)
    length = next(count for most, count in EXCERPT if many <= most)
    asked = next(reversed(likeness(findings.protocol)), None)
    parts = dict.fromkeys(part for one in findings.findings if one.question == asked for part in one.per_prompt)
    return {
        "exhibits": [(exhibit, excerpts.excerpts(exhibit, length)) for exhibit in shown],
        "exhibit_parts": list(parts),
        "excerpt": length,
        "line_break": excerpts.LINE_BREAK,
        "prompt_length": next(count for most, count in PROMPT if many <= most),
    }


def _printed(exhibits: Sequence[Exhibit]) -> list[Exhibit]:
    """Choose what is printed: all of a few, else for each pair the first of each part of the rule."""
    if len(exhibits) <= PRINTED // 2:
        return list(exhibits)
    seen = set()
    kept = []
    for one in exhibits:
        key = (one.suspect, one.reference, one.chosen)
        if key not in seen and one.chosen != "random":
            seen.add(key)
            kept.append(one)
    return kept[:PRINTED]
