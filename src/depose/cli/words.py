"""Findings in plain words on a terminal: one line for each question and each reason, and what the numbers mean."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

from depose.cli.levels import level
from depose.cli.lines import Line, put
from depose.cli.steps import advice, runs
from depose.statistics.rounding import upwards

if TYPE_CHECKING:
    from depose.model import Finding, Findings

STYLES = {
    "indication": "bold red",
    "relation, kind not resolved": "bold red",
    "no indication": "bold green",
    "inconclusive": "bold yellow",
}
LEGEND = (
    "p, rounded up: how often a model without the relation comes as close, as the controls show; with K controls in "
    "use at least 1/(K+1)",
    "K_eff: how many independent lineages the K controls are",
    "LR: how many times more probable the findings are with the relation than under the one other cause that is named "
    "with it; bounded: held to what controls and study can carry",
    "Every reason in full: docs/reference/reasons; how to read a finding: docs/guide/reading.md",
)


def width() -> int:
    """Columns that may be used: those of the terminal, else eighty."""
    return shutil.get_terminal_size((80, 24)).columns


def wrapped(text: str, indent: str = "") -> list[str]:
    """Set a sentence into the columns that there are."""
    room = max(width(), 30)
    return textwrap.wrap(
        text,
        room,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def stepped(said: str, indent: str = "") -> list[str]:
    """Set what is to be done into lines; a command that runs as it stands stays in one, to be copied."""
    if not said:
        return []
    return [f"{indent}{advice(said)}"] if runs(said) else wrapped(advice(said), indent)


def put_prose(line: str) -> None:
    """Print a sentence on stderr, within the columns of a terminal; a command stays in one line, to be copied."""
    indent = line[: len(line) - len(line.lstrip())]
    if not sys.stderr.isatty() or line.strip().startswith("next: "):
        put(line, err=True)
        return
    room = max(shutil.get_terminal_size((80, 24)).columns, 30)
    for part in textwrap.wrap(
        line, room, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False
    ) or [line]:
        put(part, err=True)


def summary(findings: Findings) -> list[str | Line]:
    """Set out the opinion on each question, with its numbers and with the cause of each reason."""
    from depose.cli.reasons import also_unmet, reasons_of

    names = {one.code: one.name for one in findings.items}
    lines: list[str | Line] = [f"{findings.title}: {findings.prompts} prompts, {len(findings.items)} models"]
    pair = ("", "")
    for one in findings.findings:
        if pair != (pair := (one.suspect, one.reference)):
            who = [f"{code} ({names[code]})" if names.get(code, "") not in ("", code) else code for code in pair]
            lines += wrapped(f"{who[0]} and {who[1]}:")
        reasons = f" ({', '.join(one.opinion.reasons)})" if one.opinion.reasons else ""
        lines.append(
            Line(("  " + one.question.ljust(11), ""), (one.opinion.verdict, STYLES[one.opinion.verdict]), (reasons, ""))
        )
        if level() < 0:
            continue
        lines += wrapped(numbers(one), "      ")
        for code, said in reasons_of(one, findings):
            lines += wrapped(f"{code}: {said}", "      ")
        for code, said in also_unmet(one, findings):
            lines += wrapped(f"not met either, {code}: {said}", "      ")
    legend = LEGEND if level() >= 0 and findings.findings else ()
    rated = any(ratio.value is not None for one in findings.findings for ratio in one.ratios)
    return [*lines, *(line for said in legend if rated or said[:3] != "LR:" for line in wrapped(said))]


def numbers(one: Finding) -> str:
    """Write the numbers of a finding in one line; with --verbose all of them."""
    from depose.cli.reasons import primary
    from depose.report.arrange import with_interval
    from depose.statistics.rounding import at_least

    result = primary(one)
    if result is None:
        return f"no result of the deciding detector; K {one.k}, K_eff {one.k_eff}"
    parts = [
        f"p {upwards(max(result.p, result.p_holm))} (at least {upwards(one.floor)} with K {one.k})",
        f"K_eff {one.k_eff}",
        f"T {result.value:z.2f} ({result.low:z.2f} to {result.high:z.2f})",
    ]
    rated = [f"{with_interval(ratio)} against {ratio.against}" for ratio in one.ratios if ratio.value is not None]
    if rated:
        left = [ratio.against for ratio in one.ratios if ratio.value is None]
        parts.append("LR " + "; ".join([*rated, *([f"not evaluated against {', '.join(left)}"] if left else [])]))
    if level() > 0:
        parts += [f"detector {result.detector}"]
        parts += [f"p_R {upwards(result.p_reference)}", f"p_S {upwards(result.p_suspect)}"]
        parts += [f"power {one.power.value:z.2f}, at least {at_least(one.power.lower95)}"] if one.power else []
        parts += [f"closest candidate {one.candidates[0].model}"] if one.candidates else []
    return ", ".join(parts)


def ended(code: int, why: str) -> None:
    """Say as the last line with which exit code a command ends, and why."""
    if level() >= 0 or code:
        put_prose(f"exit {code}: {why}")
