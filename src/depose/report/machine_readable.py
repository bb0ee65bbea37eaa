"""Findings for machines: JSON Schema, JUnit XML, CSV, and the compliance summary as JSON; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from xml.etree import ElementTree

import msgspec
from msgspec import UnsetType

from depose.answers.settle import compared
from depose.case.annexes import Annex, mapping
from depose.model import Finding, Findings, spreadsheet
from depose.model.canonical import digest
from depose.model.lineup_findings import LineupFinding
from depose.report import arrange, compliance
from depose.report.typography import visible
from depose.report.wording import LINEUP_REASONS, OUTCOMES, QUESTIONS_TO_VENDOR, REASONS

NAMES = ("findings.schema.json", "compliance.json", "junit.xml", "controls.csv", "ratios.csv", "ended.csv")


def schema() -> bytes:
    """JSON Schema of findings.json, as published in docs/."""
    found = msgspec.json.schema(Findings)
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "depose findings 1", **found}
    return msgspec.json.format(msgspec.json.encode(whole, order="deterministic"), indent=1) + b"\n"


def files(findings: Findings, annex: Annex) -> Iterator[tuple[str, bytes]]:
    """Yield every machine-readable output with its name."""
    made = (schema(), summary(findings, annex), junit(findings, annex))
    yield from zip(NAMES, (*made, controls(findings), ratios(findings), ended(findings)), strict=True)


def summary(findings: Findings, annex: Annex) -> bytes:
    """Outcome, risks, waivers, questions and mapping: what the two pages say, as JSON."""
    result = compliance.outcome(findings)
    whole = {
        "format": "depose compliance 1",
        "findings_sha256": digest(findings),
        "outcome": result,
        "outcomes": OUTCOMES,
        "findings": [
            {
                "number": number,
                "suspect": one.suspect,
                "reference": one.reference,
                "question": one.question,
                "outcome": compliance.of_finding(one),
                "reasons": one.opinion.reasons,
            }
            for number, one in enumerate(findings.findings, 1)
        ],
        **({"line_up": found} if (found := _lined_up(findings)) else {}),
        "risks": [
            risk
            for what in (compliance.ALARM, compliance.ALARM_KIN, compliance.MISS)
            for risk in compliance.risks(findings, what)
        ],
        "waivers": compliance.waived(findings, annex.waivers),
        "questions_to_the_vendor": QUESTIONS_TO_VENDOR[result],
        "mapping": mapping(),
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n"


def _lined_up(findings: Findings) -> list[dict[str, Any]]:
    """Set out what the line-up found of each suspect."""
    return [
        {
            "suspect": one.suspect,
            "reference": one.reference,
            "question": "exposed",
            "outcome": compliance.of_finding(one),
            "reasons": one.opinion.reasons,
            "picks": one.picks,
            "bags": one.bags,
            "log10_p_holm": one.log10_p_holm,
            "valid": one.valid,
            "capped_log10_e": one.capped_log10_e,
            **_by_group(one),
        }
        for one in compliance.lined_up(findings)
    ]


def _by_group(one: LineupFinding) -> dict[str, Any]:
    """Set out what was found of each registered group; nothing where a case registers none."""
    if isinstance(one.groups, UnsetType):
        return {}
    names = ("group", "picks", "bags", "log10_p_holm", "valid", "named")
    return {
        "groups": [
            {name: getattr(line, name) for name in names}
            | {"opinion": line.opinion.verdict, "reasons": line.opinion.reasons}
            for line in one.groups
        ]
    }


def junit(findings: Findings, annex: Annex) -> bytes:
    """One test case per finding: review is a failure, inconclusive is skipped with its reasons, a waiver a property."""
    suite = ElementTree.Element("testsuite", name="depose", timestamp=xml(findings.last_asked))
    states = {"failures": 0, "skipped": 0, "errors": 0}
    applied = compliance.waived(findings, annex.waivers)
    for number, one in enumerate(findings.findings, 1):
        case = ElementTree.SubElement(
            suite, "testcase", classname=xml(f"{one.suspect}.{one.reference}"), name=one.question
        )
        properties = ElementTree.SubElement(case, "properties")
        for name, value in (
            *_numbers(one),
            *((f"waiver {w.waiver.id}", w.state) for w in applied if number in w.numbers),
        ):
            ElementTree.SubElement(properties, "property", name=xml(name), value=xml(value))
        outcome = compliance.of_finding(one)
        said = "; ".join(REASONS.get(code, code) for code in one.opinion.reasons) or outcome
        if arrange.primary(one) is None:
            _add(case, "error", states, "errors", "; ".join(dict.fromkeys(n.reason for n in one.not_scored)) or said)
        elif outcome == compliance.REVIEW:
            _add(case, "failure", states, "failures", f"{outcome}: {one.opinion.verdict}")
        elif outcome == compliance.OPEN:
            _add(case, "skipped", states, "skipped", f"{outcome}: {said}")
    for row in _lined_up(findings):
        name = xml(f"{row['suspect']}.{row['reference']}")
        case = ElementTree.SubElement(suite, "testcase", classname=name, name="exposed")
        properties = ElementTree.SubElement(case, "properties")
        for label in ("picks", "bags", "log10_p_holm", "valid", "capped_log10_e"):
            ElementTree.SubElement(properties, "property", name=label, value=str(row[label]))
        said = "; ".join(LINEUP_REASONS[code] for code in row["reasons"])
        if row["outcome"] == compliance.REVIEW:
            _add(case, "failure", states, "failures", f"{row['outcome']}: exposed")
        elif row["outcome"] == compliance.OPEN:
            _add(case, "skipped", states, "skipped", f"{row['outcome']}: {said}")
    suite.set("tests", str(len(findings.findings) + len(compliance.lined_up(findings))))
    for name, times in states.items():
        suite.set(name, str(times))
    ElementTree.indent(suite)
    written: bytes = ElementTree.tostring(suite, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + written + b"\n"


def controls(findings: Findings) -> bytes:
    """Every score behind every p-value: one row for each control in each place."""

    def rows() -> Iterator[Sequence[Any]]:
        for number, one in enumerate(findings.findings, 1):
            for r in one.results:
                start = (number, one.question, one.suspect, one.reference, r.detector, r.primary)
                yield (*start, "pair", "", r.value)
                for place, side in (("of the reference", r.reference_side), ("of the suspect", r.suspect_side)):
                    yield from ((*start, place, a.model, a.value) for a in side)

    head = ("finding", "question", "suspect", "reference", "detector", "decides", "in place", "control", "T")
    return _table(head, rows())


def ratios(findings: Findings) -> bytes:
    """Every likelihood ratio with interval, cap and reason."""
    fields = ("against", "value", "low", "high", "uncapped", "cap", "bottom", "reached", "lineages", "words", "reason")
    return _table(
        ("finding", "question", "suspect", "reference", *fields),
        (
            (number, one.question, one.suspect, one.reference, *(getattr(ratio, name) for name in fields))
            for number, one in enumerate(findings.findings, 1)
            for ratio in one.ratios
        ),
    )


def ended(findings: Findings) -> bytes:
    """How many answers of each model ended how, with the provider's own word, and whether such answers are compared."""
    roles = {item.code: item.role for item in findings.items}
    return _table(
        ("model", "role", "status", "finish", "answers", "compared"),
        (
            (one.model, roles.get(one.model, ""), e.status, e.finish, e.n, compared(findings.protocol, e.status))
            for one in findings.denominators
            for e in one.ended
        ),
    )


def _numbers(one: Finding) -> Iterator[tuple[str, str]]:
    yield "opinion", one.opinion.verdict
    yield "K_eff", str(one.k_eff)
    if (r := arrange.primary(one)) is not None:
        yield from (("T", str(r.value)), ("p_holm", str(r.p_holm)), ("floor", str(one.floor)))
    for ratio in one.ratios:
        if ratio.value is not None:
            bounds = f"cap {ratio.cap}, least {ratio.bottom}"
            yield f"LR against {ratio.against}", f"{ratio.value} [{ratio.low}, {ratio.high}], {bounds}"


def _add(case: ElementTree.Element, kind: str, states: dict[str, int], name: str, message: str) -> None:
    ElementTree.SubElement(case, kind, message=xml(message))
    states[name] += 1


def xml(text: str) -> str:
    """Replace what XML cannot hold."""
    return visible(text).replace("\n", " ").replace("\t", " ")


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    return spreadsheet.write([head, *rows])
