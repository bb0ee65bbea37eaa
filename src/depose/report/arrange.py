"""Findings arranged for print: what is equal is said once; pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import floor, log10

import msgspec

from depose.answers.how_ended import in_words
from depose.case.annexes import Work, literature
from depose.errors import ReportError
from depose.model import (
    Condition,
    Denominator,
    Fact,
    Finding,
    Findings,
    Item,
    Power,
    Ratio,
    Record,
    Result,
    Scale,
)
from depose.report.wording import AGAINST
from depose.statistics.rounding import towards_one
from depose.statistics.verbal import SCALES

LEAST, MOST = 0.001, 1e6
"""Ratios beyond these are not printed to the digit: no study of models carries them."""


class Drawn(Record, frozen=True, kw_only=True):
    """A figure, and the findings that it serves."""

    numbers: tuple[int, ...]
    questions: tuple[str, ...]
    finding: Finding
    result: Result


class Alike(Record, frozen=True, kw_only=True):
    """Findings on one pair whose controls count alike."""

    numbers: tuple[int, ...]
    questions: tuple[str, ...]
    finding: Finding


class Group(Record, frozen=True, kw_only=True):
    """Findings with the same pair, controls and scores: they differ in the question, and in what decides it."""

    numbers: tuple[int, ...]
    findings: tuple[Finding, ...]
    figures: tuple[Drawn, ...]
    deciding: dict[str, tuple[int, ...]]
    """Detector, and the findings that it decides."""
    notes: tuple[tuple[tuple[int, ...], Finding], ...]
    """Findings that share candidates and detectors without a score; none that have neither."""


class Described(Record, frozen=True, kw_only=True):
    """Facts that several models have in common; what is a model's own stands with its code."""

    facts: tuple[Fact, ...]
    named: tuple[str, ...]
    """Facts whose value is the name of the model."""
    codes: tuple[str, ...]
    own: tuple[tuple[str, tuple[Fact, ...]], ...]


class Counted(Record, frozen=True, kw_only=True):
    """Models of one role with the same counts."""

    counts: Denominator
    role: str
    codes: tuple[str, ...]


class Chosen(Record, frozen=True, kw_only=True):
    """Findings that used, and left out, the same controls."""

    numbers: tuple[int, ...]
    used: tuple[str, ...]
    left_out: tuple[tuple[str, tuple[str, ...]], ...]
    """Reason and models."""


class Compared(Record, frozen=True, kw_only=True):
    """A condition, and the findings for which study and case compare in this way."""

    numbers: tuple[int, ...]
    condition: Condition


class Rated(Record, frozen=True, kw_only=True):
    """A finding with likelihood ratios, under its number."""

    number: int
    finding: Finding


class Silent(Record, frozen=True, kw_only=True):
    """Findings without a likelihood ratio, and why."""

    numbers: tuple[int, ...]
    reason: str


# --- results --------------------------------------------------------------------------------------


def primary(finding: Finding) -> Result | None:
    """The result that decides the question, if it was scored."""
    return next((result for result in finding.results if result.primary), None)


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """Put findings together, in order, that rest on the same bag and the same scores."""
    found: dict[object, list[tuple[int, Finding]]] = {}
    for number, one in enumerate(findings, 1):
        scores = tuple(msgspec.structs.replace(result, primary=False) for result in one.results)
        key = (one.suspect, one.reference, one.controls, one.floor, scores) if scores else number
        found.setdefault(key, []).append((number, one))
    return [_group(members) for members in found.values()]


def _group(members: Sequence[tuple[int, Finding]]) -> Group:
    deciding: dict[str, list[tuple[int, Finding, Result]]] = {}
    for number, one in members:
        if (result := primary(one)) is not None:
            deciding.setdefault(result.detector, []).append((number, one, result))
    notes: dict[object, list[tuple[int, Finding]]] = {}
    for number, one in members:
        if one.candidates or (one.not_scored and one.results):
            notes.setdefault((one.candidates, one.not_scored), []).append((number, one))
    return Group(
        notes=tuple((tuple(number for number, _ in rows), rows[0][1]) for rows in notes.values()),
        numbers=tuple(number for number, _ in members),
        findings=tuple(one for _, one in members),
        figures=tuple(
            Drawn(
                numbers=tuple(number for number, _, _ in rows),
                questions=tuple(one.question for _, one, _ in rows),
                finding=rows[0][1],
                result=rows[0][2],
            )
            for rows in deciding.values()
        ),
        deciding={name: tuple(row[0] for row in rows) for name, rows in deciding.items()},
    )


def alike(findings: Iterable[Finding]) -> list[Alike]:
    """Put findings together whose pair and counts of controls are equal."""
    found: dict[object, list[tuple[int, Finding]]] = {}
    for number, one in enumerate(findings, 1):
        counts = (one.k, one.k_eff, one.weight_lineages, one.data_lineages, one.floor, one.k_needed, one.condition)
        found.setdefault((one.suspect, one.reference, counts), []).append((number, one))
    return [
        Alike(
            numbers=tuple(number for number, _ in rows),
            questions=tuple(one.question for _, one in rows),
            finding=rows[0][1],
        )
        for rows in found.values()
    ]


def compared(findings: Iterable[Finding]) -> list[Compared]:
    """List the conditions by name, with the findings that share a row."""
    found: dict[str, dict[Condition, list[int]]] = {}
    for number, one in enumerate(findings, 1):
        for condition in one.conditions:
            found.setdefault(condition.name, {}).setdefault(condition, []).append(number)
    return [
        Compared(numbers=tuple(numbers), condition=condition)
        for rows in found.values()
        for condition, numbers in rows.items()
    ]


def powers(findings: Iterable[Finding]) -> list[tuple[tuple[int, ...], Power]]:
    """List each power once, with the findings that it holds for."""
    found: dict[Power, list[int]] = {}
    for number, one in enumerate(findings, 1):
        if one.power is not None:
            found.setdefault(one.power, []).append(number)
    return [(tuple(numbers), power) for power, numbers in found.items()]


# --- likelihood ratios ----------------------------------------------------------------------------


def works(findings: Findings) -> tuple[Work, ...]:
    """List the literature of the methods that a report uses, and of no other."""
    asked = findings.protocol.questions
    return literature(likeness=any(one != "exposed" for one in asked), lineup="exposed" in asked)


def scale(findings: Findings) -> Scale | None:
    """The verbal scale that words were chosen by. Raises ReportError where there are words, or ratios, but no scale."""
    if findings.scale in SCALES:
        return SCALES[findings.scale]
    if findings.scale or any(evaluated(finding) for finding in findings.findings):
        raise ReportError(
            f"the verbal scale {findings.scale!r} is not one of {', '.join(SCALES)}", hint="run depose analyze again"
        )
    return None


def evaluated(finding: Finding) -> bool:
    """Tell whether there is any likelihood ratio."""
    return any(ratio.value is not None for ratio in finding.ratios)


def silent(findings: Iterable[Finding]) -> list[Silent]:
    """Put findings together that have no likelihood ratio for the same reasons."""
    found: dict[str, list[int]] = {}
    for number, one in enumerate(findings, 1):
        if not evaluated(one):
            reasons = Counter(ratio.reason or "no reason recorded" for ratio in one.ratios)
            if len(reasons) == 1:
                reason = next(iter(reasons))
            else:
                reason = "; ".join(f"against {r.against}: {r.reason or 'no reason recorded'}" for r in one.ratios)
            nothing = "nothing was scored" if primary(one) is None else "no validation study calibrates this case"
            found.setdefault(reason or nothing, []).append(number)
    return [Silent(numbers=tuple(numbers), reason=reason) for reason, numbers in found.items()]


def check(ratio: Ratio) -> None:
    """Raise ReportError for a likelihood ratio without an interval, or one beyond its bounds."""
    low, value, high = ratio.low, ratio.value, ratio.high
    if value is None:
        return
    hint = "the findings contradict themselves; run depose analyze again"
    if low is None or high is None or not 0 < low <= high or value <= 0:
        raise ReportError(f"the likelihood ratio {value} against {ratio.against} has no interval", hint=hint)
    if ratio.cap is None or ratio.bottom is None:
        raise ReportError(f"the likelihood ratio {value} against {ratio.against} has no cap", hint=hint)
    if max(value, high) > ratio.cap * (1 + 1e-9) or min(value, low) < ratio.bottom * (1 - 1e-9):
        raise ReportError(
            f"the likelihood ratio {value} ({low} to {high}) against {ratio.against} lies beyond its bounds "
            f"{ratio.bottom} and {ratio.cap}",
            hint=hint,
        )


def likelihood(value: float) -> str:
    """Three significant digits, rounded towards 1; beyond a thousandth and a million only that it lies beyond."""
    rounded = towards_one(value)
    if rounded < LEAST:
        return f"under {LEAST}"
    if rounded > MOST:
        return "over a million"
    return f"{rounded:,.{max(0, 2 - floor(log10(rounded)))}f}"


def conservative(ratio: Ratio) -> str:
    """The end of the interval that is nearer to 1."""
    if ratio.low is None or ratio.high is None:
        return "not evaluated"
    if ratio.low <= 1 <= ratio.high:
        return "spans\N{NO-BREAK SPACE}1"
    return likelihood(ratio.low if ratio.low > 1 else ratio.high)


def with_interval(ratio: Ratio) -> str:
    """A ratio with its interval, or, where a bound holds all three, with what the model alone would say."""
    if ratio.value is None or ratio.low is None or ratio.high is None:
        return f"not evaluated: {ratio.reason}"
    value, low, high = map(likelihood, (ratio.value, ratio.low, ratio.high))
    if low != high:
        return f"{value} [{low} to {high}]"
    if ratio.model_low is None or ratio.model_high is None:
        return f"bounded: {value}"
    return f"bounded: {value} (model alone {likelihood(ratio.model_low)} to {likelihood(ratio.model_high)})"


def worded(ratio: Ratio) -> str:
    """The words of a ratio, with its one alternative in the place of H2."""
    if ratio.words.endswith("for H1 over H2"):
        return f"{ratio.words.removesuffix('H2')}“{ratio.against}”"
    if ratio.words.endswith("for H2 over H1"):
        return f"{ratio.words.removesuffix('H2 over H1')}“{ratio.against}” over H1"
    return ratio.words


def times(ratio: Ratio) -> str:
    """Say a likelihood ratio as a sentence about the findings that names the one alternative it is against."""
    if ratio.value is None:
        return f"not evaluated: {ratio.reason}"
    other = f"the suspect is {AGAINST[ratio.against]}" if ratio.against in AGAINST else f"this holds: {ratio.against}"
    first, second, size = (
        ("H1 is true", other, ratio.value) if ratio.value >= 1 else (other, "H1 is true", 1 / ratio.value)
    )
    return f"the findings are about {likelihood(size)} times more probable if {first} than if {second}"


# --- models ---------------------------------------------------------------------------------------


def codes(models: Iterable[str]) -> str:
    """List codes, three or more in a row as a range: C1–C5, C8; C08–C11."""
    runs: list[list[tuple[str, str, str]]] = []
    for model in models:
        found = re.fullmatch(r"(.*?)([0-9]{1,9})", model)
        one = (model, found[1], found[2]) if found else (model, "", "")
        last = runs[-1][-1] if runs else None
        if last and last[2] and (last[1], f"{int(last[2]) + 1:0{len(last[2])}d}") == one[1:]:
            runs[-1].append(one)
        else:
            runs.append([one])
    parts = [[f"{run[0][0]}–{run[-1][0]}"] if len(run) > 2 else [one[0] for one in run] for run in runs]
    return ", ".join(part for run in parts for part in run)


def natural(code: str) -> tuple[str, int, str]:
    """Sort C2 before C10."""
    found = re.match(r"(\D*)(\d{0,9})", code)
    return (found[1], int(found[2] or 0), code) if found else (code, 0, code)


def described(items: Iterable[Item]) -> list[Described]:
    """Put models together that have the same facts, but for their names and what is their own."""
    kept = [item for item in items if item.facts]
    common = Counter(fact for item in kept for fact in item.facts)
    found: dict[tuple[tuple[Fact, ...], tuple[str, ...]], list[tuple[str, tuple[Fact, ...]]]] = {}
    for item in kept:
        named = tuple(fact.name for fact in item.facts if fact.value == item.name)
        own = tuple(fact for fact in item.facts if fact.name not in named and (common[fact] == 1 or adapts(fact)))
        shared = tuple(fact for fact in item.facts if fact.name not in named and fact not in own)
        found.setdefault((shared, named), []).append((item.code, own))
    return [
        Described(
            facts=shared,
            named=named,
            codes=tuple(code for code, _ in rows),
            own=tuple((code, own) for code, own in rows if own),
        )
        for (shared, named), rows in found.items()
    ]


def adapts(fact: Fact) -> bool:
    """Tell what is put on a base from the base, which models of several adapters have in common."""
    return fact.name.startswith("adapter ")


def counted(denominators: Sequence[Denominator], roles: Mapping[str, str], *, together: bool) -> list[Counted]:
    """One row per model, or, `together`, one per role and counts; controls come last."""
    rows: dict[object, tuple[Denominator, str, list[str]]] = {}
    for one in denominators:
        role = roles.get(one.model, "")
        counts = _printed(one) if together and role == "control" else one
        rows.setdefault((role, counts), (one, role, []))[2].append(one.model)
    found = [
        Counted(counts=one, role=role, codes=tuple(sorted(models, key=natural))) for one, role, models in rows.values()
    ]
    return sorted(found, key=lambda row: row.role == "control") if together else found


def _printed(one: Denominator) -> tuple[object, ...]:
    """What the table of counts shows of a model; a number of refusals that is withheld tells none from another."""
    refused = "withheld" if one.unjudged else one.refused
    return (one.planned, one.sent, one.answered, refused, one.blocked, one.empty, one.failed, one.excluded)


def ends(denominators: Sequence[Denominator]) -> list[tuple[tuple[str, ...], str]]:
    """Say how what came ended, models together that say the same."""
    groups: dict[str, list[str]] = {}
    for one in denominators:
        groups.setdefault(in_words(one.ended), []).append(one.model)
    return [(tuple(sorted(models, key=natural)), text) for text, models in groups.items()]


def chosen(findings: Iterable[Finding]) -> list[Chosen]:
    """Put findings together that used and left out the same controls, and models by the reason why."""
    groups: dict[object, tuple[list[int], Finding]] = {}
    for number, one in enumerate(findings, 1):
        groups.setdefault((one.controls, one.excluded), ([], one))[0].append(number)
    return [
        Chosen(
            numbers=tuple(numbers),
            used=tuple(sorted(one.controls, key=natural)),
            left_out=tuple(
                (reason, tuple(sorted((e.model for e in one.excluded if e.reason == reason), key=natural)))
                for reason in dict.fromkeys(e.reason for e in one.excluded)
            ),
        )
        for numbers, one in groups.values()
    ]
