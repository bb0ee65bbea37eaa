"""The command line: each command parses, calls one function of `pipeline`, prints a short summary.

Results go to stdout, progress and errors to stderr. Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from depose.console import Meter, formats_of, leave, listed, plain, show, summary, table
from depose.errors import DeposeError

if TYPE_CHECKING:
    from depose.model import Findings
    from depose.pipeline import Written

CASE = click.argument("case", type=click.Path(path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
FAIL_ON = click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice(["indication", "inconclusive"]),
    help="Exit 4 at an indication (or a relation), 5 where an opinion is inconclusive. May be given twice.",
)
FORMAT = click.option(
    "--format",
    "formats",
    default="pdf,html",
    show_default=True,
    help="What to render: html, pdf or both, with a comma.",
)


def now() -> str:
    """Return the time now in UTC, to the microsecond."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="depose")
def cli() -> None:
    """Put a language model under oath.

    Ask a suspect, a reference and control models the same prompts, record every answer, measure how alike
    the answers are, say how surprising that is, and render an evidence report.

    \b
    Start:  depose new mycase --from rebadged
            depose audit mycase

    Exit codes: 0 done, 1 operational error, 2 usage, 3 evidence does not verify, 4 indication and
    5 inconclusive (both only with --fail-on), 6 a secret was found where it must not be.
    """


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--from", "source", default="rebadged", show_default=True, help="A bundled case, or a case file.")
@JSON
def new(folder: Path, source: str, as_json: bool) -> None:
    """Copy a case file into a new FOLDER.

    \b
    Example:  depose new acme --from recorded     then edit acme/case.toml
    Bundled:  depose list cases
    """
    from depose import pipeline

    files = pipeline.new(source, folder)
    show(
        {"files": files} if as_json else None,
        [f"{folder}: made from {source}", f"next: depose audit {folder}"],
    )


@cli.command()
@CASE
@JSON
def register(case: Path, as_json: bool) -> None:
    """Validate a CASE and freeze its protocol as record 0 of the log.

    The digest printed is what a later reader checks. After the first question the protocol cannot be changed.

    \b
    Example:  depose register acme
    """
    from depose import pipeline

    done = pipeline.register_case(case, now)
    state = "registered" if done.fresh else "registered before, unchanged"
    show(
        done if as_json else None,
        [f"{state}: {done.prompts} prompts, {done.models} models", f"protocol sha256 {done.digest}"],
    )


@cli.command()
@CASE
@click.option("--dry-run", is_flag=True, help="Ask nothing; print counts and upper bounds of tokens and cost.")
@JSON
def probe(case: Path, dry_run: bool, as_json: bool) -> None:
    """Ask what is still unanswered in a registered CASE.

    Safe to stop and to start again: nothing that was answered is asked twice.

    \b
    Example:  depose probe acme --dry-run
              depose probe acme
    """
    if dry_run:
        _dry_run(case, as_json)
    else:
        _probe(case, as_json)


def _dry_run(case: Path, as_json: bool) -> None:
    from depose import pipeline

    rows = pipeline.estimate(case)
    cells = [
        [
            r.model,
            r.questions,
            r.input_tokens,
            r.output_tokens,
            "no price" if r.cost is None else f"{r.cost:.2f}",
        ]
        for r in rows
    ]
    head = ["model", "questions", "input tokens <=", "output tokens <=", "cost <="]
    show(rows if as_json else None, table(head, cells))


def _probe(case: Path, as_json: bool) -> None:
    from depose import pipeline

    total = sum(row.questions for row in pipeline.estimate(case))
    meter = Meter(total)
    done = pipeline.probe(case, now, meter.advance)
    meter.finish()
    lines = [f"asked {done.asked}: {done.answered} answered, {done.failed} failed"]
    if done.waiting:
        lines.append(f"waiting for depose import: {', '.join(done.waiting)}")
    if done.stopped:
        lines.append(f"stopped: {done.stopped}; raise it in a new case, or analyze what there is")
    show(done if as_json else None, lines)


@cli.command(name="import")
@CASE
@click.option("--model", "code", required=True, help="Code of the model in the case.")
@click.option("--name", default="", help="Name of the model inside the file, if it holds several.")
@click.argument("file", type=click.Path(path_type=Path))
@JSON
def import_(case: Path, code: str, name: str, file: Path, as_json: bool) -> None:
    """Record the answers of one model of CASE from a FILE.

    Formats: AlpacaEval JSON, JSONL, CSV, Parquet. Columns: prompt_id or id; prompt, instruction or question;
    output, answer or response; model or generator; sample. Rows that fit no registered prompt are listed.

    \b
    Example:  depose import acme --model C7 answers/model_outputs.json
    """
    from depose import pipeline

    done = pipeline.import_answers(case, code, file, name, now)
    lines = [f"{code}: {done.answered} recorded, {done.missing} missing in the file, {done.already} were there before"]
    if done.unaligned:
        lines.append(f"{len(done.unaligned)} rows fit no registered prompt:")
        lines += [f"  {row}" for row in done.unaligned[:20]]
        lines += [f"  ... and {len(done.unaligned) - 20} more (--json lists all)"] if len(done.unaligned) > 20 else []
    show(done if as_json else None, lines)


@cli.command()
@CASE
@FAIL_ON
@JSON
def analyze(case: Path, fail_on: Sequence[str], as_json: bool) -> None:
    """Turn the transcripts of CASE into findings, scores and an index of exhibits.

    Pure: the same log gives the same bytes in out/findings.json, out/scores.parquet and out/exhibits.csv.

    \b
    Example:  depose analyze acme --json
    """
    findings, written = _analyze(case)
    show(findings if as_json else None, summary(findings) + listed(written))
    leave(findings, fail_on)


def _say(line: str) -> None:
    click.echo(f"  {line}", err=True)


def _analyze(case: Path) -> tuple[Findings, tuple[Written, ...]]:
    from depose import pipeline

    return pipeline.analyze_case(case, lambda line: click.echo(f"  {line}", err=True), now)


@cli.command()
@CASE
@FORMAT
@FAIL_ON
@JSON
def report(case: Path, formats: str, fail_on: Sequence[str], as_json: bool) -> None:
    """Render the findings of CASE; nothing is asked and nothing is scored again.

    \b
    Example:  depose report acme --format html
    """
    from depose import pipeline

    written = pipeline.report_case(case, formats_of(formats))
    show(written if as_json else None, listed(written))
    if fail_on:
        leave(pipeline.read_findings(case)[1], fail_on)


@cli.command()
@CASE
@FORMAT
@FAIL_ON
@JSON
def audit(case: Path, formats: str, fail_on: Sequence[str], as_json: bool) -> None:
    """Register, probe, analyze and report a CASE in one go.

    Resumes where it stopped. Ends with the paths of the reports.

    \b
    Example:  depose audit acme --fail-on indication
    """
    from depose import pipeline

    wanted = formats_of(formats)
    click.echo(f"registered {pipeline.register_case(case, now).digest}", err=True)
    tested = pipeline.fit_for_use(case, now, _say)
    click.echo(f"self-test {'passed' if tested.passed else 'FAILED: see the quality section'}", err=True)
    meter = Meter(sum(row.questions for row in pipeline.estimate(case)))
    done = pipeline.probe(case, now, meter.advance)
    meter.finish()
    if done.stopped:
        click.echo(f"stopped: {done.stopped}", err=True)
    for code in done.waiting:
        click.echo(f"{code} has no answers yet: depose import {case} --model {code} FILE", err=True)
    findings, written = _analyze(case)
    reports = pipeline.report_case(case, wanted)
    show(findings if as_json else None, summary(findings) + listed((*written, *reports)))
    leave(findings, fail_on)


@cli.command()
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder of the lineage benchmark.")
@click.option("--source", required=True, help="Source of answers, such as alpaca_eval.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder for figures, plots and calibration."
)
@click.option("--detectors", default="", help="Names with commas; phrases, habits and length are always needed.")
@click.option("--calibration", type=click.Path(path_type=Path), help="Report the costs of this calibration instead.")
@click.option("--leave-out", multiple=True, help="A family to leave out whole; may be given several times.")
@click.option("--seed", default=7, show_default=True, help="For subsets of prompts and bootstraps.")
@JSON
def validate(
    data: Path,
    source: str,
    out: Path,
    detectors: str,
    calibration: Path | None,
    leave_out: Sequence[str],
    seed: int,
    as_json: bool,
) -> None:
    """Measure known error rates on models of documented lineage, and fit the calibration.

    Every labelled pair is scored in a bag of its own, with controls that are clean by rule. Writes
    validation.json, calibration.json, selection.json and plots.

    \b
    Example:  depose validate --data ../shared/data --source alpaca_eval --out out/alpaca_eval
    """
    from depose.validate import run

    names = tuple(name.strip() for name in detectors.split(",") if name.strip()) or run.LEXICAL
    done = run.validate(
        data,
        source,
        out,
        detectors=names,
        applied=calibration,
        leave_out=leave_out,
        seed=seed,
        encode=run.encoder(names),
        mask=run.masker(names),
        progress=lambda line: click.echo(f"  {line}", err=True),
    )
    show(json.loads((out / "validation.json").read_text()) if as_json else None, [*done.lines, *done.files])


@cli.command()
@click.argument("case", required=False, type=click.Path(path_type=Path))
@click.option("--kit", type=click.Path(path_type=Path), help="A folder with a kit, instead of the bundled one.")
@click.option("--no-live", is_flag=True, help="Judge the recorded samples only; load no model.")
@JSON
def selftest(case: Path | None, kit: Path | None, no_live: bool, as_json: bool) -> None:
    """Test this installation on samples whose truth is known: positive, negative, blank and foil.

    With a registered CASE the result is kept in its log; without a passing self-test by the same version
    `analyze` gives no opinion. Exit 1 if a test fails.

    \b
    Example:  depose selftest
              depose selftest acme
    """
    from depose import pipeline

    done = pipeline.self_test(case, kit, now, _say, live=not no_live)
    rows = [(one.name, one.expected, one.found, "passed" if one.passed else "FAILED") for one in done.tests]
    failed = [one for one in done.tests if not one.passed]
    show(
        done if as_json else None,
        [
            *table(("test", "expected", "found", "result"), rows),
            *(f"{one.name} failed: {one.found}, expected: {one.expected}" for one in failed),
            f"depose {done.software}: {'fit for use' if done.passed else 'NOT fit for use'}",
        ],
    )
    if failed:
        sys.exit(1)


@cli.group()
def lab() -> None:
    """Train models of known lineage, and study on them how often the truth is found."""


@lab.command()
@click.option("--recipe", default="default", show_default=True, help="default, fast, or a recipe file.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the laboratory.")
@JSON
def build(recipe: str, out: Path, as_json: bool) -> None:
    """Build a laboratory: tune every model of the recipe and ask it the probes.

    Safe to stop and to start again: what is made is not made twice.

    \b
    Example:  depose lab build --recipe fast --out out/lab
    """
    from depose.lab.build import build as make
    from depose.lab.recipe import read

    done = make(read(recipe), out, _say)
    trained = sum(one.seconds for one in done.models)
    show(
        done if as_json else None,
        [
            f"{len(done.models)} models in {out}, trained in {trained:.0f} s",
            f"reference {done.roles.reference}, mix-in teacher {done.roles.mixer}, foil teacher {done.roles.foil}",
            f"next: depose lab study {out} --out {out}/study",
        ],
    )


@lab.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Where study.json and doses.svg go.")
@JSON
def study(folder: Path | None, out: Path, as_json: bool) -> None:
    """Measure dose and power on a laboratory FOLDER; without one, on the bundled answers of the default recipe.

    \b
    Example:  depose lab study --out out/study
    """
    from depose.lab.study import study as run

    done = run(folder, out, _say)
    show(json.loads((out / "study.json").read_text()) if as_json else None, [*done.lines, *done.files])


@cli.group(name="cache")
def cache_() -> None:
    """Say what the feature cache holds, and empty it.

    Vectors and tags of texts, and converted models: all of it is made again when needed.
    The folder is $DEPOSE_CACHE, else ~/.cache/depose.

    \b
    Example:  depose cache info
    """


@cache_.command(name="info")
@JSON
def cache_info(as_json: bool) -> None:
    """Say what the cache holds.

    \b
    Example:  depose cache info
    """
    from depose import upkeep
    from depose.embedded import cache_folder

    found = upkeep.info(cache_folder())
    rows = [(one.place, one.entries, f"{one.bytes / 1e6:.1f}", one.what) for one in found.held]
    end = (
        f"{found.folder}: {found.bytes / 1e6:.1f} MB on disk; a file of texts keeps {found.limit / 1e9:.1f} GB at most"
    )
    show(found if as_json else None, [*(table(("place", "entries", "MB", "made by"), rows) if rows else []), end])


@cache_.command(name="clear")
@JSON
def cache_clear(as_json: bool) -> None:
    """Empty the cache; safe while other runs use it.

    \b
    Example:  depose cache clear
    """
    from depose import upkeep
    from depose.embedded import cache_folder

    done = upkeep.clear(cache_folder())
    show(
        done if as_json else None,
        [f"{done.folder}: {done.entries} entries removed, {done.bytes / 1e6:.1f} MB freed"],
    )


@cli.command(name="list")
@click.argument("what", type=click.Choice(["probes", "detectors", "providers", "cases"]))
@JSON
def list_(what: str, as_json: bool) -> None:
    """List what is there: probes, detectors, providers or bundled cases.

    \b
    Example:  depose list cases
    """
    from depose import casefile, plugins

    if what == "cases":
        rows = [{"name": name, "title": title} for name, title in casefile.bundled()]
    else:
        kind: Any = what
        rows = [{"name": name, "from": plugins.provenance(kind, name).value} for name in plugins.names(kind)]
    show(rows if as_json else None, table(list(rows[0]), [list(row.values()) for row in rows]) if rows else [])


def main() -> NoReturn:
    """Run the command line; the one place where an error of depose becomes an exit code."""
    run: Callable[..., Any] = cli.main
    try:
        run(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("stopped; run the same command again to go on", err=True)
        sys.exit(1)
    except DeposeError as error:
        click.echo(f"error: {plain(error.message)}", err=True)
        if error.hint:
            click.echo(f"  next: {plain(error.hint)}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:  # a full disk, a folder without permission
        click.echo(f"error: {plain(f'{error.filename}: {error.strerror}' if error.filename else str(error))}", err=True)
        sys.exit(1)
    sys.exit(0)
