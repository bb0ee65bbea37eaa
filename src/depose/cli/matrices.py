"""The command that screens many suspects: batch."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depose.cli.checks import point_lines
from depose.cli.console import Meter, estimated, fitted, show
from depose.cli.levels import level, verbosity
from depose.cli.options import JSON, now, say
from depose.cli.steps import advice
from depose.cli.words import ended, wrapped
from depose.errors import few, shell
from depose.statistics.rounding import upwards

if TYPE_CHECKING:
    from depose.batch.ahead import Ahead
    from depose.batch.blind import Blind
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
@click.option(
    "--dry-run", is_flag=True, help="Ask nothing: check keys, budget and lineages, count questions and bounds."
)
@click.option("--pdf", is_flag=True, help="Write matrix.pdf as well.")
@click.option(
    "--allow-blind", is_flag=True, help="End with 0 although cells that were asked for cannot speak; else with 5."
)
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice(["indication", "inconclusive"]),
    help="Exit 4 at a hit (with --confirm: at an indication in a case) or where weights are not independent, 5 where "
    "a cell is not informative (with --confirm: or a case is inconclusive).",
)
@JSON
@verbosity
def batch(
    file: Path,
    out: Path | None,
    engine: Any,
    workers: int,
    since: str,
    confirm: bool,
    dry_run: bool,
    pdf: bool,
    allow_blind: bool,
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
    from depose.batch import plan, run
    from depose.batch.ahead import ahead

    manner = run.Manner(engine=engine, workers=workers, since=since, confirm=confirm, pdf=pdf)
    folder = out or file.with_suffix("")
    if dry_run:
        _ahead(ahead(plan.read(file), folder / "asked", now), as_json=as_json, allow_blind=allow_blind)
        return
    done = run.batch(file, folder, manner, now, say, Rows(), Meter)
    show(
        done.matrix if as_json else None,
        [*_lines(done.matrix), *_next(done.matrix, folder), f"{done.made} rows made, {done.kept} kept", *done.files],
    )
    leave(done.matrix, fail_on, confirmed=confirm, allow_blind=allow_blind)


def _ahead(found: Ahead, *, as_json: bool, allow_blind: bool) -> None:
    """Say before anything is asked what is missing and which cells can never speak; exit as the run would."""
    show(found if as_json else None, [line for one in found.points for line in point_lines(one)])
    if not as_json:
        show(None, [line for group in found.blind for line in _blind(group)])
        reasons = [f"left out {n} times: {reason}" for reason, n in list(found.left_out.items())[:5]]
        show(None, [line for said in reasons for line in wrapped(said, "  ")])
        estimated(found.estimates, as_json=False)
    if found.wrong:
        ended(1, f"{found.wrong} thing{'s are' if found.wrong > 1 else ' is'} wrong")
        sys.exit(1)
    _blind_cells(found.silent, found.cells, allow_blind=allow_blind)
    ended(0, "nothing is wrong" + (f"; {found.silent} of {found.cells} cells can never speak" if found.silent else ""))


def _blind_cells(blind: int, cells: int, *, allow_blind: bool) -> None:
    if blind and not allow_blind:
        ended(5, f"{blind} of {cells} cells that were asked for cannot speak; meant so: --allow-blind")
        sys.exit(5)


def _blind(group: Blind) -> list[str]:
    who = f"{few(group.suspects)} against {few(group.references)}"
    said = f"blind: {group.cells} cells ({', '.join(group.questions)}; {who}): {group.reason}"
    return wrapped(said) + (wrapped(f"would open them: {group.opens}", "  ") if group.opens else [])


def _lines(matrix: Matrix) -> list[str]:
    """Set out the statement, the strongest hits, and what changed."""
    from depose.batch.matrix import HITS, ranked
    from depose.batch.page import named
    from depose.report.typography import power_of_ten

    hits = ranked(matrix)
    lines: list[str] = [f"{matrix.title}: {len(matrix.suspects)} suspects, {len(matrix.references)} references"]
    if level() >= 0:
        lines += [line for said in matrix.statement for line in wrapped(said)]
    for group in matrix.blind:
        lines += _blind(group)
    head = ("question", "suspect", "reference", "T", "p", "K", "local FDR")
    for outcome in HITS:
        rows = [
            (one.question, named(matrix, one.suspect), named(matrix, one.reference), f"{one.t:z.2f}",
             "-" if one.p is None else upwards(one.p), one.k_eff, f"{one.lfdr:z.3f}")
            for one in hits[:SHOWN] if one.outcome == outcome
        ]  # fmt: skip
        lines += [f"{outcome}:", *(f"  {line}" for line in fitted(head, rows, 78))] if rows else []
    lines += [f"and {len(hits) - SHOWN} more hits"] if len(hits) > SHOWN else []
    for weighed in matrix.weights:
        pair = f"{weighed.suspect} and {weighed.reference}"
        lines.append(f"derived, by weights: {pair}: {weighed.reading}, p {power_of_ten(weighed.log10_p)}")
        lines += [line for said in weighed.cautions for line in wrapped(said, "  ")]
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
            why = one.reasons or ("",) * len(one.opinions)
            read = [f"{said}{f' ({code})' if code else ''}" for said, code in zip(one.opinions, why, strict=True)]
            asked = [f"{question} {said}" for question, said in zip(one.questions, read, strict=False)]
            pair = f"{named(matrix, one.suspect)} and {named(matrix, one.reference)}"
            lines += wrapped(f"confirmed: {pair}: {'; '.join(asked)}{spent}; {one.report or one.folder}")
    return lines


def _next(matrix: Matrix, folder: Path) -> list[str]:
    """Name the cases that no run has audited, and how to."""
    left = [one.folder for one in matrix.confirmations if not one.opinions]
    if not left:
        return []
    count = f"{len(left)} case{'s' if len(left) > 1 else ''}"
    first = advice(f"depose audit {shell(folder / 'cases' / left[0])}")
    return [f"{count} in {folder / 'cases'} to audit, one by one or with --confirm", first]


def leave(matrix: Matrix, fail_on: Sequence[str], *, confirmed: bool, allow_blind: bool) -> None:
    """Exit as --fail-on asks, with 5 where a cell cannot speak and nobody allowed it, or return."""
    opinions = {opinion for one in matrix.confirmations for opinion in one.opinions}
    found = opinions & {"indication", "relation, kind not resolved"} if confirmed else matrix.hits
    kin = sum(one.reading == "not independent" for one in matrix.weights)
    if "indication" in fail_on and kin:
        ended(4, f"--fail-on indication: the weights of {kin} pairs are not independent")
        sys.exit(4)
    if "indication" in fail_on and found:
        ended(4, "--fail-on indication: " + ("an indication in a case" if confirmed else f"{matrix.hits} hits"))
        sys.exit(4)
    undecided = "inconclusive" in opinions or any(one.outcome == "not informative" for one in matrix.cells)
    if "inconclusive" in fail_on and undecided:
        ended(5, "--fail-on inconclusive: a case or a cell says nothing")
        sys.exit(5)
    cells = sum(one.cells for one in matrix.blind)
    _blind_cells(cells, len(matrix.cells), allow_blind=allow_blind)
    ended(0, f"done, {cells} cells cannot speak" if cells else "done, and every cell can speak")
