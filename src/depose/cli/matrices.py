"""The command that screens many suspects: batch."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depose.cli.console import Meter, estimated, show, table
from depose.cli.options import JSON, now, say

if TYPE_CHECKING:
    from depose.batch.matrix import Matrix

SHOWN = 20
"""Hits that the terminal shows."""


class Rows:
    """Progress over rows on stderr: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, what: str = "rows") -> None:
        self._what = what
        self._start = self._last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Show how many rows are done, and how long the others will take."""
        moment = time.monotonic()
        if done == 0:
            self._start = moment
        terminal = sys.stderr.isatty()
        if moment - self._last < (0.2 if terminal else 10) and done < total:
            return
        self._last = moment
        left = f" {(moment - self._start) / done * (total - done):z.0f} s left" if done else ""
        line = f"{self._what} {done}/{total} [{'#' * (24 * done // total):<24}]{left}"
        click.echo(f"\r{line}" if terminal else f"  {line}", err=True, nl=not terminal or done == total)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the matrix; else FILE without its ending.")
@click.option(
    "--engine",
    type=click.Choice(["process", "ray"]),
    default="process",
    show_default=True,
    help="Processes of this machine, or the Ray cluster of RAY_ADDRESS (else one started here).",
)
@click.option("--workers", type=click.IntRange(min=0), default=0, help="How many; 0 is one for each core.")
@click.option("--since", default="", help="An earlier matrix.json: what is new, gone or changed, and drift.")
@click.option("--confirm", is_flag=True, help="Audit the case of every hit on the fresh prompts, too.")
@click.option("--dry-run", is_flag=True, help="Count what live models would be asked, with upper bounds; ask nothing.")
@click.option("--pdf", is_flag=True, help="Write matrix.pdf as well.")
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice(["indication", "inconclusive"]),
    help="Exit 4 at a hit (with --confirm: at an indication in a case), 5 where a cell is not informative (with "
    "--confirm: or a case is inconclusive).",
)
@JSON
def batch(
    file: Path,
    out: Path | None,
    engine: Any,
    workers: int,
    since: str,
    confirm: bool,
    dry_run: bool,
    pdf: bool,
    fail_on: Sequence[str],
    as_json: bool,
) -> None:
    """Screen many suspects against many references, from the batch file FILE.

    Writes matrix.json, matrix.csv, matrix.junit.xml and matrix.html, and a case for each pair with a hit. Half of the
    prompts is screened on; the cases ask the other half. Models without a `file` of answers are asked once, in the
    registered case `asked` in the folder. Answers and rows are kept: a killed run goes on, and a new suspect costs its
    answers and one row. The bytes are the same for every engine and number of workers.

    \b
    [batch]                                 title and authority, as in a case
    [screening]                             questions, alpha = 0.05, fdr = 0.1, seed = 7, labelled, prompts
    [data]                                  folder, source, suspects, references, controls (names or patterns)
    [[models]]                              instead of [data]: models as in a case, with a `file` or an endpoint
    [asking]                                temperature = 0.7, max_tokens = 200, for models with an endpoint
    [budget], [prices]                      as in a case

    \b
    Example:  depose batch vendors.toml --fail-on indication
              depose batch vendors.toml --dry-run
              depose batch vendors.toml --since last/matrix.json --confirm
    """
    from depose.batch import asking, plan, run

    manner = run.Manner(engine=engine, workers=workers, since=since, confirm=confirm, pdf=pdf)
    folder = out or file.with_suffix("")
    if dry_run:
        estimated(asking.estimate(plan.read(file), folder / "asked"), as_json=as_json)
        return
    done = run.batch(file, folder, manner, now, say, Rows(), Meter)
    show(
        done.matrix if as_json else None,
        [*_lines(done.matrix), *_next(done.matrix, folder), f"{done.made} rows made, {done.kept} kept", *done.files],
    )
    _leave(done.matrix, fail_on, confirmed=confirm)


def _lines(matrix: Matrix) -> list[str]:
    """Set out the statement, the strongest hits, and what changed."""
    from depose.batch.matrix import ranked
    from depose.report.typography import power_of_ten

    hits = ranked(matrix)
    head = ("question", "suspect", "reference", "T", "log10 LR", "local FDR", "p", "q", "K_eff", "reads")
    rows = [
        (one.question, one.suspect, one.reference, f"{one.t:z.2f}", f"{one.log10_lr:z.1f}", f"{one.lfdr:z.3f}",
         f"{one.p:z.3f}", f"{one.q:z.3f}", one.k_eff, one.outcome)
        for one in hits[:SHOWN]
    ]  # fmt: skip
    lines = [f"{matrix.title}: {len(matrix.suspects)} suspects, {len(matrix.references)} references", *matrix.statement]
    lines += table(head, rows) if rows else []
    lines += [f"and {len(hits) - SHOWN} more hits"] if len(hits) > SHOWN else []
    for weighed in matrix.weights:
        pair = f"{weighed.suspect} and {weighed.reference}"
        lines.append(f"answered by weights: {pair}: {weighed.reading}, p {power_of_ten(weighed.log10_p)}")
    if matrix.changes is not None:
        counts = ", ".join(f"{len(getattr(matrix.changes, name))} {name}" for name in ("new", "gone", "changed"))
        lines.append(f"since {matrix.changes.since[:12]}: cells {counts}")
        fresh = sorted({one.suspect for one in matrix.changes.new} - {one.suspect for one in matrix.changes.drift})
        lines += [f"new suspects: {', '.join(fresh[:SHOWN])}{', ...' if len(fresh) > SHOWN else ''}"] if fresh else []
        differ = [
            *(["prompts, references or controls"] if matrix.changes.base_differs else []),
            *matrix.changes.settings,
        ]
        lines += [f"not as it was, and changes cells by itself: {', '.join(differ)}"] if differ else []
    for one in matrix.confirmations:
        if one.opinions:
            spent = f" (prompts not fresh: {', '.join(one.also)})" if one.also else ""
            lines.append(f"case {one.folder}: {', '.join(one.opinions)}{spent}")
    return lines


def _next(matrix: Matrix, folder: Path) -> list[str]:
    """Name the cases that no run has audited, and how to."""
    left = [one.folder for one in matrix.confirmations if not one.opinions]
    if not left:
        return []
    count = f"{len(left)} case{'s' if len(left) > 1 else ''}"
    return [f"{count} in {folder / 'cases'}: depose audit {folder / 'cases' / left[0]}, or --confirm for all"]


def _leave(matrix: Matrix, fail_on: Sequence[str], *, confirmed: bool) -> None:
    """Exit as --fail-on asks, or return."""
    opinions = {opinion for one in matrix.confirmations for opinion in one.opinions}
    found = opinions & {"indication", "relation, kind not resolved"} if confirmed else matrix.hits
    if "indication" in fail_on and found:
        sys.exit(4)
    undecided = "inconclusive" in opinions or any(one.outcome == "not informative" for one in matrix.cells)
    if "inconclusive" in fail_on and undecided:
        sys.exit(5)
