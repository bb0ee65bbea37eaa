"""What a person sees of a command: tables, summaries, progress, exit codes that they asked for.

Results go to stdout, progress to stderr.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from depose.model import Finding, Findings
    from depose.pipeline import Written


def show(result: object, lines: Iterable[str]) -> None:
    """Print the result as JSON, or the lines if there is none."""
    if result is None:
        for line in lines:
            click.echo(plain(line))
    else:
        import msgspec

        click.echo(json.dumps(msgspec.to_builtins(result, enc_hook=str), indent=2))


def plain(text: str) -> str:
    """Write out what would steer a terminal: prompts, answers and file names are other people's."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Line up cells under their heads."""
    cells = [list(head), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def summary(findings: Findings) -> list[str]:
    """Set out one line for each suspect, reference and question."""
    head = ["suspect", "reference", "question", "T", "95 %", "p_R", "p_S", "floor", "K", "K_eff", "opinion"]
    return [
        f"{findings.title}: {findings.prompts} prompts",
        *table(head, [_line(f) for f in findings.findings]),
    ]


def _line(one: Finding) -> list[object]:
    primary = next((result for result in one.results if result.primary), None)
    opinion = one.opinion.verdict + (f" ({', '.join(one.opinion.reasons)})" if one.opinion.reasons else "")
    if primary is None:
        numbers = ["-"] * 4
    else:
        span = f"{primary.low:.2f} to {primary.high:.2f}"
        numbers = [f"{primary.value:.2f}", span, f"{primary.p_reference:.3f}", f"{primary.p_suspect:.3f}"]
    floor = f"{one.floor:.3f}"
    return [one.suspect, one.reference, one.question, *numbers, floor, one.k, one.k_eff, opinion]


def listed(written: Sequence[Written]) -> list[str]:
    """List files with the beginning of their digests."""
    return [f"{one.path}  sha256 {one.sha256[:12]}" for one in written]


def formats_of(text: str) -> tuple[str, ...]:
    """Read the value of --format."""
    wanted = tuple(part.strip() for part in text.split(","))
    if not set(wanted) <= {"html", "pdf", "viewer", "data"} or not wanted:
        raise click.BadParameter(f"{text!r}: choose among html, pdf, viewer, data", param_hint="--format")
    return wanted


class Meter:
    """Progress on stderr: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._failed = total, 0, 0
        self._start = self._last = time.monotonic()

    def advance(self, answered: int, failed: int) -> None:
        """Count a batch and show where things stand."""
        self._done += answered + failed
        self._failed += failed
        moment = time.monotonic()
        terminal = sys.stderr.isatty()
        if moment - self._last < (0.2 if terminal else 10) and self._done < self._total:
            return
        self._last = moment
        rate = self._done / max(moment - self._start, 1e-9)
        left = (self._total - self._done) / rate
        bar = "#" * (24 * self._done // self._total)
        line = f"asked {self._done}/{self._total} [{bar:<24}] {rate:.1f}/s, {self._failed} failed, {left:.0f} s left"
        click.echo(f"\r{line}" if terminal else line, err=True, nl=not terminal)

    def finish(self) -> None:
        """End the bar's line."""
        if self._done and sys.stderr.isatty():
            click.echo(err=True)


def leave(findings: Findings, fail_on: Sequence[str]) -> None:
    """Exit as --fail-on asks, or return."""
    verdicts = {one.opinion.verdict for one in findings.findings}
    if "indication" in fail_on and verdicts & {"indication", "relation, kind not resolved"}:
        sys.exit(4)
    if "inconclusive" in fail_on and "inconclusive" in verdicts:
        sys.exit(5)
