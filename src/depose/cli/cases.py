"""The commands of one case, as it goes: new, register, amend, probe, analyze, report, audit."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depose.cli.checks import could_speak, problems, step_after, uncovered
from depose.cli.console import (
    Meter,
    counts_of,
    ended_lines,
    estimated,
    formats_of,
    leave,
    lineup_lines,
    listed,
    outcome_lines,
    sealed_lines,
    show,
)
from depose.cli.levels import verbosity
from depose.cli.options import (
    ALLOW_BLIND,
    BEACON,
    CASE,
    FAIL_ON,
    FLAVOUR,
    FORMAT,
    JSON,
    KEY,
    PASSPHRASE,
    TOKEN,
    TSA,
    TSA_ROOT,
    Brief,
    entered,
    key_of,
    now,
    say,
    secrets_of,
    seed_lines,
    source_of,
)
from depose.cli.steps import advice
from depose.cli.weights import case_lines
from depose.cli.words import ended, put_prose, summary
from depose.errors import EndpointError, shell

if TYPE_CHECKING:
    from depose.custody.stamp import Source
    from depose.evidence.checkpoints import Checkpoints


@click.command()
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
        [f"{folder}: made from {source}", advice(f"depose {_first_act(folder)} {shell(folder)}")],
    )


def _first_act(folder: Path) -> str:
    """Name the command with which a new case begins: a line-up alone has acts of several people, and no audit."""
    from depose.case import casefile

    if not (folder / casefile.NAME).is_file():
        return "extraction scan"
    return "register" if casefile.read(folder).protocol.questions == ("exposed",) else "audit"


@click.command()
@CASE
@KEY
@PASSPHRASE
@TSA
@TOKEN
@TSA_ROOT
@BEACON
@JSON
@verbosity
def register(
    case: Path, key: Path | None, passphrase_env: str, as_json: bool, beacon: Path | None, **given: Any
) -> None:
    """Validate a CASE and freeze its protocol as record 0 of the log.

    The digest printed is what a later reader checks. From then on the protocol changes by depose amend alone.
    A time-stamp shows that it was fixed before anything was asked; --key enters it into the ledger KEY.ledger.jsonl.
    With seed_from the time-stamp, or the round of drand quicknet at beacon_at, draws seed, prompts and controls.

    \b
    Example:  depose register acme --key ~/keys/lab --tsa https://freetsa.org/tsr --tsa-root cacert.pem
    Offline:  openssl ts -query -digest PROTOCOL_SHA256 -sha256 -cert -out q.tsq
              and then depose register acme --token q.tsr --tsa-root cacert.pem
    """
    from depose import pipeline

    source = source_of(given["tsa"], given["token"], given["tsa_root"])
    done = pipeline.register_case(case, now)
    for line in problems(case):
        put_prose(line)
    state = "registered" if done.fresh else "registered before, unchanged"
    lines = [f"{state}: {done.prompts} prompts, {done.models} models", f"protocol sha256 {done.digest}"]
    lines += entered(Path(done.folder), key, passphrase_env)
    if source.given:
        from depose.custody.stamp import stamp

        made = stamp(Path(done.folder), source, now)
        lines.append(f"time-stamped {made.time} by {made.authority}")
    lines += seed_lines(case, beacon)
    show(done if as_json else None, lines if as_json else [*lines, step_after(case)])


@click.command()
@CASE
@click.option("--reason", required=True, help="Why the protocol changes.")
@JSON
def amend(case: Path, reason: str, as_json: bool) -> None:
    """Record a change of the protocol of CASE: the new one whole, what differs, why, and whether scores were known.

    Edit the case file first. Answers whose question, model and phase are untouched go on counting.

    \b
    Example:  depose amend acme --reason "control C4 was withdrawn by its maker"
    """
    from depose import pipeline

    done = pipeline.amend(case, reason, now)
    lines = [f"{fact.name}: {fact.value}" for fact in done.changes]
    lines.append(f"amended, sha256 {done.digest}; {done.lost} earlier answers no longer count")
    show(done if as_json else None, lines)


@click.command()
@CASE
@click.option("--dry-run", is_flag=True, help="Ask nothing; print counts and upper bounds of tokens and cost.")
@TSA
@TSA_ROOT
@click.option(
    "--checkpoint", "every", type=click.IntRange(1), default=1_000, show_default=True, help="Records between two."
)
@JSON
@verbosity
def probe(case: Path, dry_run: bool, tsa: str, tsa_root: Path | None, every: int, as_json: bool) -> None:
    """Ask what is still unanswered in a registered CASE.

    Safe to stop and to start again: nothing that was answered is asked twice. A checkpoint of the log is written every
    so many records and when the run ends; with --tsa each gets a time-stamp while the run goes on. An authority that
    does not answer holds nothing up: the reason is recorded instead.

    How the answers of each model ended is printed with the provider's own words. What a filter cut or the provider
    refused is `blocked`: no answer, and not asked again. The table [protocol.compared] of the case says which are
    compared; by default whole, cut_length and unknown (no word on its end) are, cut_filter and refused are not.

    \b
    Example:  depose probe acme --dry-run
              depose probe acme
    """
    source = source_of(tsa, None, tsa_root)
    if dry_run:
        from depose.case import casefile
        from depose.pipeline import estimate

        models = casefile.read(casefile.folder_of(case)).models
        recorded = {spec.code for spec in models if spec.provider == "recorded"}
        estimated(estimate(case), as_json=as_json, recorded=recorded)
        for line in problems(case):
            put_prose(line)
        return
    _probe(case, _checkpoints(case, source, every), as_json)


def _checkpoints(case: Path, source: Source, every: int = 1_000) -> Checkpoints:
    from depose.case import casefile
    from depose.custody.stamp import obtain
    from depose.evidence.checkpoints import Checkpoints

    return Checkpoints(partial(obtain, casefile.folder_of(case), source) if source.given else None, every)


def _probe(case: Path, checkpoints: Checkpoints, as_json: bool) -> None:
    from depose import pipeline

    total = sum(row.questions for row in pipeline.estimate(case))
    meter = Meter(total)
    try:
        done = pipeline.probe(case, now, meter.advance, meter, checkpoints)
    finally:
        meter.finish()
    lines = [f"asked {done.asked}: {counts_of(done)}", *ended_lines(done.ended), *done.notices]
    if done.waiting:
        lines.append(f"waiting for depose import: {', '.join(done.waiting)}")
    if done.stopped:
        lines.append(f"stopped: {done.stopped}")
    show(done if as_json else None, lines)
    _budget_spent(case, done.stopped)


def _budget_spent(case: Path, stopped: str) -> None:
    """End with 1 where a limit of the budget stopped the run, and say how to go on."""
    if stopped:
        name = shell(case)
        put_prose(f"  hint: raise [budget] in the case file, depose amend {name} --reason TEXT, depose probe {name}")
        ended(1, stopped)
        sys.exit(1)


@click.command()
@CASE
@FAIL_ON
@ALLOW_BLIND
@JSON
@verbosity
def analyze(case: Path, fail_on: Sequence[str], allow_blind: bool, as_json: bool) -> None:
    """Turn the transcripts of CASE into findings, scores and an index of exhibits.

    Pure: the same log gives the same bytes in out/findings.json, out/scores.parquet and out/exhibits.csv.

    \b
    Example:  depose analyze acme --json
    """
    from depose import pipeline

    findings, written = pipeline.analyze_case(case, say, now)
    lines = [*summary(findings), *lineup_lines(findings), *case_lines(findings), *listed(written)]
    show(findings if as_json else None, lines if as_json else [*lines, step_after(case)])
    leave(findings, fail_on, allow_blind=allow_blind)


@click.command()
@CASE
@FORMAT
@FLAVOUR
@click.option("--final", is_flag=True, help="Refuse while literature or the verbal scale is unchecked (checked.toml).")
@click.option(
    "--pdf-variant",
    "variant",
    type=click.Choice(["a-3a", "ua-1"]),
    default="a-3a",
    show_default=True,
    help="PDF/A for the file, PDF/UA for readers of screens.",
)
@click.option("--bates", default="", help="Number the pages from here on, such as DEP-ACME-0000001.")
@click.option("--legend", default="", help="What numbered pages say besides, such as CONFIDENTIAL.")
@FAIL_ON
@ALLOW_BLIND
@JSON
@verbosity
def report(
    case: Path,
    formats: str,
    flavour: Any,
    final: bool,
    variant: Any,
    bates: str,
    legend: str,
    fail_on: Sequence[str],
    allow_blind: bool,
    as_json: bool,
) -> None:
    """Render the findings of CASE; nothing is asked and nothing is scored again.

    With --json the files, the outcome with its reasons, the exit code that --fail-on asks for, and the waivers, of
    which one that is expired or names no finding waives nothing.

    \b
    Example:  depose report acme --format html
              depose report acme --flavour compliance --format pdf,data --fail-on distilled:indication
    """
    from depose import pipeline

    order = pipeline.Order(
        formats=formats_of(formats), flavour=flavour, final=final, variant=variant, bates=bates, legend=legend
    )
    written = pipeline.report_case(case, order)
    findings, found = pipeline.outcome(case, fail_on, allow_blind=allow_blind)
    show({"files": written, "outcome": found} if as_json else None, [*listed(written), *outcome_lines(found)])
    leave(findings, fail_on, allow_blind=allow_blind)


@click.command()
@CASE
@FORMAT
@FLAVOUR
@FAIL_ON
@ALLOW_BLIND
@KEY
@PASSPHRASE
@TSA
@TSA_ROOT
@JSON
@verbosity
def audit(
    case: Path,
    formats: str,
    flavour: Any,
    fail_on: Sequence[str],
    allow_blind: bool,
    key: Path | None,
    passphrase_env: str,
    tsa: str,
    tsa_root: Path | None,
    as_json: bool,
) -> None:
    """Register, probe, analyze and report a CASE in one go; with --key also seal it.

    Resumes where it stopped. Ends with the paths of the reports. With --tsa the protocol, the checkpoints of the log
    and the seal are time-stamped.

    \b
    Example:  depose audit acme --fail-on indication
    """
    from depose import pipeline

    order = pipeline.Order(formats=formats_of(formats), flavour=flavour)
    source = source_of(tsa, None, tsa_root)
    ahead = could_speak(case, allow_blind=allow_blind)
    registered = pipeline.register_case(case, now)
    for line in (*ahead, *uncovered(Path(registered.folder))):
        put_prose(line)
    said = [f"registered {registered.digest}", *entered(Path(registered.folder), key, passphrase_env)]
    click.echo("\n".join(said), err=True)
    if source.given:
        from depose.custody.stamp import stamp

        made = stamp(Path(registered.folder), source, now)
        click.echo(f"time-stamped {made.time} by {made.authority}", err=True)
    click.echo("".join(f"{line}\n" for line in seed_lines(case)), err=True, nl=False)
    tested = pipeline.fit_for_use(case, now, Brief("self-test, on models whose truth is known"))
    click.echo(f"self-test {'passed' if tested.passed else 'FAILED: see the quality section'}", err=True)
    meter = Meter(sum(row.questions for row in pipeline.estimate(case)))
    try:
        done = pipeline.probe(case, now, meter.advance, meter, _checkpoints(case, source))
    except EndpointError:  # an audit that heard nothing says so in a report of its own, and fails all the same
        if pipeline.was_asked(case):
            pipeline.analyze_case(case, say, now)
            click.echo("\n".join(listed(pipeline.report_case(case, order))), err=True)
        raise
    finally:
        meter.finish()
    for line in (*ended_lines(done.ended), *done.notices, *((f"stopped: {done.stopped}",) if done.stopped else ())):
        put_prose(line)
    for code in done.waiting:
        put_prose(f"{code} has no answers yet: depose import {shell(case)} --model {code} FILE")
    findings, written = pipeline.analyze_case(case, say, now)
    reports = pipeline.report_case(case, order)
    end = []
    if key is None:
        end = ["not sealed", step_after(case)]
    else:
        from depose.custody.seal import seal as seal_case

        private, known = key_of(key, passphrase_env), secrets_of(key, passphrase_env)
        end = sealed_lines(seal_case(case, private, now, os.environ, source, known=known), key)
    shown = [*summary(findings), *lineup_lines(findings), *case_lines(findings), *listed((*written, *reports)), *end]
    show(findings if as_json else None, shown)
    _budget_spent(case, done.stopped)
    leave(findings, fail_on, allow_blind=allow_blind)
