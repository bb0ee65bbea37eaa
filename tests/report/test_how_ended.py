"""How answers ended is shown wherever the outcome shows, and no number is shown as minus nothing."""

from __future__ import annotations

import re

import msgspec

from depose.answers.how_ended import counted, in_words
from depose.cli.console import ended_lines
from depose.cli.words import summary
from depose.model import Against, Denominator, Finding, Findings, Result, Status
from depose.report import machine_readable
from depose.report.render import render_html
from depose.report.typography import number
from reports import build, words

WHOLE: tuple[Status, str] = ("whole", "stop")
CAME: list[tuple[Status, str]] = [WHOLE, WHOLE, WHOLE, ("cut_length", "length")]
CAME += [("cut_filter", "SAFETY"), ("cut_filter", "SAFETY")]
ENDED = counted(CAME)


def ended(findings: Findings) -> Findings:
    """Let the answers of the suspect have ended in several ways, and say so in its exhibits."""
    rows = [
        msgspec.structs.replace(one, ended=ENDED, blocked=2) if one.model == "S1" else one
        for one in findings.denominators
    ]
    exhibits = [
        msgspec.structs.replace(
            one,
            answers=tuple(
                msgspec.structs.replace(a, status="cut_length", finish="max_tokens") if a.model == "S1" else a
                for a in one.answers
            ),
        )
        for one in findings.exhibits
    ]
    return msgspec.structs.replace(findings, denominators=tuple(rows), exhibits=tuple(exhibits))


def test_endings_are_counted_with_the_provider_s_words() -> None:
    """Statuses in a fixed order, each with its words; several words of one status with their numbers."""
    assert in_words(ENDED) == "3 whole (stop), 1 cut by length (length), 2 cut by a filter (SAFETY)"
    both = counted([WHOLE, ("whole", "eos"), WHOLE, ("unknown", "")])
    assert in_words(both) == "3 whole (stop 2, eos 1), 1 end not told"
    assert ended_lines({"S1": ENDED}) == [f"S1: {in_words(ENDED)}"]


def test_the_report_and_its_tables_say_how_answers_ended() -> None:
    """Per model in the section on collection, beside each exhibit, and in a table for machines."""
    findings = ended(build())
    page = words(render_html(findings))
    assert f"S1: {in_words(ENDED)}" in page
    assert "Compared are answers that are whole, cut by length, end not told." in page
    assert "characters, cut by length (max_tokens)" in page
    table = machine_readable.ended(findings).decode()
    assert "S1,suspect,cut_filter,SAFETY,2,False\r\n" in table
    assert "S1,suspect,whole,stop,3,True\r\n" in table


def _nearly_nothing(one: Finding) -> Finding:
    """Let every score of a finding round to nothing from below."""

    def result(found: Result) -> Result:
        sides = {
            name: tuple(Against(model=a.model, value=-1e-9) for a in getattr(found, name))
            for name in ("reference_side", "suspect_side")
        }
        return msgspec.structs.replace(found, value=-1e-9, low=-1e-9, high=-1e-9, **sides)

    candidates = tuple(msgspec.structs.replace(c, value=-1e-9) for c in one.candidates)
    return msgspec.structs.replace(one, results=tuple(map(result, one.results)), candidates=candidates)


def test_no_number_is_minus_nothing() -> None:
    """A score that rounds to nothing from below is 0.00 on the terminal, in the report and in its figures."""
    findings = build()
    findings = msgspec.structs.replace(findings, findings=tuple(map(_nearly_nothing, findings.findings)))
    assert (number(-0.001), number(-0.0)) == ("0.00", "0.00")
    for shown in ("\n".join(map(str, summary(findings))), render_html(findings).decode()):
        assert "0.00" in shown
        assert re.findall(r"[-−]0\.0+(?![\d.])", shown) == []


def test_an_old_denominator_is_read() -> None:
    """Findings of before have no counts of endings; they read as none."""
    old = {"model": "S1", "planned": 3, "sent": 3, "answered": 3, "refused": 0, "empty": 0, "failed": 0, "excluded": 0}
    assert msgspec.convert(old, Denominator).ended == ()
