"""What the study behind a report counted, put into rows; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from depose.case.independent import Unseen
from depose.model import ErrorRate, Findings, OpinionRate, Performance, Question, Record, Reported
from depose.report import arrange
from depose.statistics.rates import upper_bound


class WrongSide(Record, frozen=True, kw_only=True):
    """Left-out ratios of a study on the wrong side of 1, with one-sided exact upper bounds of their shares."""

    question: Question
    against: str
    true_below: int
    n_true: int
    true_bound: float
    other_above: int
    n_other: int
    other_bound: float


def wrong_side(study: Performance | None) -> list[WrongSide]:
    """Count them for each question and alternative, on the number of prompts that findings kept."""
    return [
        WrongSide(
            question=one.question,
            against=one.against,
            true_below=(below := sum(value < 0 for value in one.true)),
            n_true=len(one.true),
            true_bound=upper_bound(below, len(one.true)),
            other_above=(above := sum(value > 0 for value in one.other)),
            n_other=len(one.other),
            other_bound=upper_bound(above, len(one.other)),
        )
        for one in (study.held_out if study else ())
    ]


def examined_by_another(findings: Findings, rows: Sequence[Unseen]) -> list[tuple[str, str, str]]:
    """List the questions that another detector decides here than the one examined: question, there, here."""
    primary = findings.protocol.primary
    return [
        (question, " or ".join(there), getattr(primary, question))
        for question in dict.fromkeys(one.found.question for one in rows)
        if (there := list(dict.fromkeys(one.found.detector for one in rows if one.found.question == question)))
        and getattr(primary, question) not in there
    ]


def lettered(rows: Sequence[Unseen]) -> list[dict[str, Any]]:
    """Give each evaluation a letter, in the order of the rows."""
    names = list(dict.fromkeys(one.evaluation.name for one in rows))
    return [
        {
            "letter": letter(rows, next(one for one in rows if one.evaluation.name == name)),
            "evaluation": one.evaluation,
        }
        for name in names
        for one in [next(row for row in rows if row.evaluation.name == name)]
    ]


def letter(rows: Sequence[Unseen], row: Unseen) -> str:
    """Name the letter of the evaluation that a row is of."""
    return chr(ord("a") + list(dict.fromkeys(one.evaluation.name for one in rows)).index(row.evaluation.name))


def judged(findings: Findings) -> list[tuple[tuple[int, ...], Reported]]:
    """List what the study says of each reported ratio, once, with the findings that it is for."""
    found: dict[Reported, list[int]] = {}
    for number, one in enumerate(findings.findings, 1):
        for made in one.reported:
            found.setdefault(made, []).append(number)
    return [(tuple(numbers), made) for made, numbers in found.items()]


def counted(rates: Sequence[ErrorRate], asked: Sequence[str]) -> list[tuple[tuple[str, ...], ErrorRate]]:
    """List the counted errors of the questions asked, equal counts of several questions in one row, none of nothing."""
    found: dict[tuple[str, int, int], list[ErrorRate]] = {}
    for one in rates:
        if one.question in asked and one.n:
            found.setdefault((one.what, one.k, one.n), []).append(one)
    return [(tuple(one.question for one in rows), rows[0]) for rows in found.values()]


def of_opinions(rates: Sequence[OpinionRate], asked: Sequence[str]) -> list[tuple[str, list[OpinionRate]]]:
    """Put the counted opinions of the questions asked together by question, true pairs first."""
    return [(question, mine) for question in asked if (mine := [one for one in rates if one.question == question])]


def rated(findings: Findings) -> list[list[arrange.Rated]]:
    """Put findings with likelihood ratios together by pair, in order."""
    pairs: dict[tuple[str, str], list[arrange.Rated]] = {}
    for number, one in enumerate(findings.findings, 1):
        if arrange.evaluated(one):
            pairs.setdefault((one.suspect, one.reference), []).append(arrange.Rated(number=number, finding=one))
    return list(pairs.values())
