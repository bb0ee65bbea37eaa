"""The commands that look at a case and change nothing: check, status."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from depose.cli.console import fitted, show
from depose.cli.levels import level, verbosity
from depose.cli.lines import Line
from depose.cli.options import CASE, JSON, now
from depose.cli.steps import advice
from depose.cli.words import ended, put_prose, stepped, wrapped
from depose.errors import CaseError, shell
from depose.statistics.rounding import at_least

if TYPE_CHECKING:
    from depose.model import Case
    from depose.readiness.checking import Checked, Point
    from depose.readiness.prospects import Prospect
    from depose.readiness.standing import Standing

BY_NAME = (
    "lineages: at most so many; models whose answers turn out closer to each other than chance makes count as one, "
    "which is seen when the answers are compared"
)
MARKS = {"fine": ("ok", "green"), "open": ("todo", "yellow"), "wrong": ("WRONG", "bold red")}


@click.command()
@CASE
@click.option("--ask", is_flag=True, help="Send each endpoint one short question, which no log holds.")
@JSON
@verbosity
def check(case: Path, ask: bool, as_json: bool) -> None:
    """Say what CASE lacks before anything is asked, and what it will take.

    Looks at the files of answers, keys, the self-test, the budget, and for each finding at the independent clean
    control lineages: how many there are, how many are needed, which are left out and why, and what would open it. The
    power is that of the study. Nothing is written. Ends with 1 where the run would fail or a finding could never speak.

    \b
    Example:  depose check acme
              depose check acme --ask --json
    """
    from depose.readiness.checking import check as look

    if ask and not as_json:
        click.echo("asking each endpoint one question", err=True)
    found = look(case, now, ask=ask)
    wrong = sum(one.state == "wrong" for one in found.points)
    silent = sum(not one.can_speak for one in found.prospects)
    waiting = any(one.about == "files" and one.state == "open" for one in found.points)
    enough = any(one.controlled for one in found.prospects) or not found.prospects
    fit = not wrong and not waiting and enough
    show(found if as_json else None, [*_lines(found), *([_after(case)] if fit else [])])
    if not found.passed:
        parts = [f"{wrong} thing{'s are' if wrong > 1 else ' is'} wrong"] if wrong else []
        parts += [_silent(silent, len(found.prospects))] if silent else []
        ended(1, ", ".join(parts))
        sys.exit(1)
    ended(0, "nothing is wrong, and every finding could speak")


def _silent(silent: int, of: int) -> str:
    if silent == of:
        return "no finding could ever speak" if of > 1 else "the one finding could never speak"
    return f"{silent} of {of} findings could never speak"


def _after(case: Path) -> str:
    """Say what comes after a check: an audit, but the act that is due where the case is a line-up alone."""
    from depose.case import casefile

    if casefile.read(casefile.folder_of(case)).protocol.questions != ("exposed",):
        return advice(f"depose audit {shell(case)}")
    from depose.readiness.standing import standing

    due = standing(case).next
    return advice(f"depose register {shell(case)}" if due == f"depose check {shell(case)}" else due)


def next_of(found: Standing) -> str:
    """Say which command comes next."""
    return advice(found.next)


def step_after(case: Path) -> str:
    """Say of a case which command comes next."""
    from depose.readiness.standing import standing

    return next_of(standing(case))


def silent_of(case: Case) -> tuple[int, int]:
    """Count the findings that could never speak, and all; looks at lineages and dates alone."""
    from depose.analysis.beforehand import outlook

    found = [one for one in outlook(case) if one.question != "exposed"]
    return sum(not one.open for one in found), len(found)


def could_speak(case: Path, *, allow_blind: bool) -> list[str]:
    """Say what could never be answered; raise CaseError where that is all, and answers would be paid for."""
    from depose.analysis.beforehand import warnings
    from depose.case.casefile import REMOTE, folder_of, read
    from depose.registering import expected

    folder = folder_of(case)
    found = expected(read(folder), folder)
    lines = [f"beforehand: {line}" for line in warnings(found)]
    blind, of = silent_of(found)
    remote = [spec.code for spec in found.models if spec.provider in REMOTE]
    if blind and blind == of and remote and not allow_blind:
        for line in lines:
            put_prose(line)
        raise CaseError(
            f"{case}: no finding could ever speak, and {len(remote)} models would be asked over a network for nothing",
            hint="add the controls that are named above, or, where it is meant so, give --allow-blind",
        )
    return lines


def problems(case: Path) -> Iterator[str]:
    """Say of a case what is wrong, and what could never be answered: for commands that go on."""
    from depose.readiness.checking import check as look

    found = look(case, now)
    for one in found.points:
        if one.state == "wrong" or one.about == "names":
            yield f"beforehand: {one.about}: {one.said}"
    yield from _spoken_ahead(found.prospects)


def uncovered(case: Path) -> Iterator[str]:
    """Say of a registered case which findings have controls enough, and will not speak for want of a study."""
    from depose.readiness.prospects import prospects

    yield from _spoken_ahead([one for one in prospects(case) if one.controlled])


def _spoken_ahead(prospects: Iterable[Prospect]) -> Iterator[str]:
    said: dict[tuple[str, ...], list[Prospect]] = {}
    for prospect in prospects:
        if prospect.why:
            said.setdefault((prospect.suspect, prospect.reference, *prospect.why), []).append(prospect)
    for (suspect, reference, *why), rows in said.items():
        asked = ", ".join(row.question for row in rows)
        yield f"beforehand: {suspect}, {reference}, {asked}: {'. '.join(why)}"


def _lines(found: Checked) -> list[str | Line]:
    lines: list[str | Line] = [found.folder]
    for one in found.points:
        if level() >= 0 or one.state == "wrong":
            lines += point_lines(one)
    if found.prospects:
        lines.append("findings")
        before: tuple[str, ...] = ()
        for prospect in found.prospects:
            lines += _prospect(prospect, before)
            before = prospect.why
        if level() >= 0 and any(one.controlled for one in found.prospects):
            lines += wrapped(BY_NAME, "  ")
    if found.estimates:
        lines += ["still to be asked, at most", *_estimated(found)]
    return lines


def point_lines(one: Point) -> list[str | Line]:
    """Set one thing that was looked at into lines, with its mark and what to do."""
    text, style = MARKS[one.state]
    first, *rest = wrapped(f"{one.about}: {one.said}", "        ")
    lines: list[str | Line] = [Line(("  ", ""), (text.ljust(6), style), (first[8:], "")), *rest]
    return [*lines, *stepped(one.next, "         ")]


def _prospect(one: Prospect, before: Sequence[str]) -> list[str | Line]:
    """Set what is foreseen of a finding into lines; what the finding before it said at first is not said again."""
    mark, style = MARKS["fine" if one.can_speak else "wrong"]
    power = "power not known" if one.power is None else f"power at least {at_least(one.power)}"
    said = (
        f"{one.suspect}/{one.reference} {one.question}: {one.lineages} lineages by name, {one.needed} needed; {power}"
    )
    lines: list[str | Line] = [Line(("  ", ""), (mark.ljust(6), style), (said, ""))]
    if one.can_indicate and (one.power is None or one.power < 0.8) and level() >= 0:
        lines += wrapped("can read `indication`, but not `no indication`, which needs power 0.80", "         ")
    alike = sum(1 for _ in takewhile(lambda two: two[0] == two[1], zip(one.why, before, strict=False)))
    lines += ["         as above" if alike == len(one.why) else "         as above, and"] if alike else []
    return lines + [line for why in one.why[alike:] for line in wrapped(why, "         ")]


def _estimated(found: Checked) -> list[str]:
    head = ["model", "questions", "tokens in", "tokens out", "cost"]
    rows = [
        [
            one.model,
            one.questions,
            one.input_tokens,
            one.output_tokens,
            "no price" if one.cost is None else f"{one.cost:.2f}",
        ]
        for one in found.estimates
    ]
    ins, outs = (sum(getattr(one, name) for one in found.estimates) for name in ("input_tokens", "output_tokens"))
    money = "no price" if found.money is None else f"{found.money:.2f}"
    rows.append(["all", found.requests, ins, outs, money])
    how = "as timed" if found.timed else "at 3 s an answer; --ask times it"
    return [f"  {line}" for line in fitted(head, rows, 78)] + [f"  about {_spoken(found.seconds)}, {how}"]


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"


@click.command()
@CASE
@JSON
@verbosity
def status(case: Path, as_json: bool) -> None:
    """Say what of CASE is done, and which command comes next.

    \b
    Example:  depose status acme
    """
    from depose.readiness.standing import standing

    found = standing(case)
    lines: list[str | Line] = [found.folder]
    for step in found.steps:
        mark, style = MARKS["fine" if step.done else "open"]
        lines.append(Line(("  ", ""), (mark.ljust(6), style), (f"{step.name}: {step.said}", "")))
    short = [one for one in found.models if one.answered < one.of or level() > 0]
    if short:
        rows = [(one.model, one.role, one.answered, one.failed, one.of) for one in short[:20]]
        lines += [f"  {line}" for line in fitted(("model", "role", "answered", "failed", "of"), rows, 78)]
        lines += [f"  and {len(short) - 20} more"] if len(short) > 20 else []
    lines.append(next_of(found))
    show(found if as_json else None, lines)
