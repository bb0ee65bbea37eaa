"""The command line: each command parses, calls one function of `pipeline`, prints a short summary.

Results go to stdout, progress and errors to stderr. Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from depose.console import (
    Meter,
    columns_of,
    formats_of,
    leave,
    listed,
    plain,
    replication_lines,
    sealed_lines,
    show,
    summary,
    table,
)
from depose.errors import DeposeError, EndpointError, UsageError

if TYPE_CHECKING:
    from depose.custody.keys import PrivateKey
    from depose.custody.stamp import Source
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
    help="What to render, with commas: html, pdf, viewer (the whole case as a page), data (JSON, JUnit, CSV).",
)
FLAVOUR = click.option(
    "--flavour",
    type=click.Choice(["expert", "compliance"]),
    default="expert",
    show_default=True,
    help="The court report, or a summary of two pages.",
)
KEY = click.option("--key", type=click.Path(path_type=Path), help="Private signing key (depose keygen).")
PASSPHRASE = click.option("--passphrase-env", default="", help="Variable that holds the passphrase of the key.")
TSA = click.option("--tsa", default="", help="URL of a time-stamping authority (RFC 3161).")
TOKEN = click.option("--token", type=click.Path(path_type=Path), help="Or its reply, fetched elsewhere (.tsr).")
TSA_ROOT = click.option("--tsa-root", type=click.Path(path_type=Path), help="Its certificates, in PEM.")
PUBLIC_KEY = click.option(
    "--public-key", type=click.Path(path_type=Path), help="The signer's public key, got by another way."
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
@TSA
@TOKEN
@TSA_ROOT
@JSON
def register(case: Path, tsa: str, token: Path | None, tsa_root: Path | None, as_json: bool) -> None:
    """Validate a CASE and freeze its protocol as record 0 of the log.

    The digest printed is what a later reader checks. From then on the protocol changes by depose amend alone.
    With a time-stamp it can be shown to have been fixed before anything was asked.

    \b
    Example:  depose register acme
              depose register acme --tsa https://freetsa.org/tsr --tsa-root cacert.pem
    Offline:  openssl ts -query -digest PROTOCOL_SHA256 -sha256 -cert -out q.tsq
              and then depose register acme --token q.tsr --tsa-root cacert.pem
    """
    from depose import pipeline

    source = _source(tsa, token, tsa_root)
    done = pipeline.register_case(case, now)
    state = "registered" if done.fresh else "registered before, unchanged"
    lines = [f"{state}: {done.prompts} prompts, {done.models} models", f"protocol sha256 {done.digest}"]
    if source.given:
        from depose.custody.stamp import stamp

        made = stamp(Path(done.folder), "protocol", source, now)
        lines.append(f"time-stamped {made.time} by {made.authority}")
    show(done if as_json else None, lines)


def _source(tsa: str, token: Path | None, roots: Path | None) -> Source:
    from depose.custody.stamp import Source

    return Source(
        url=tsa, token=token.read_bytes() if token else b"", roots=roots.read_bytes() if roots else b""
    ).checked()


@cli.command()
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


@cli.command()
@CASE
@click.option("--dry-run", is_flag=True, help="Ask nothing; print counts and upper bounds of tokens and cost.")
@TSA
@TSA_ROOT
@JSON
def probe(case: Path, dry_run: bool, tsa: str, tsa_root: Path | None, as_json: bool) -> None:
    """Ask what is still unanswered in a registered CASE.

    Safe to stop and to start again: nothing that was answered is asked twice. With --tsa the end of the log is
    time-stamped when the run ends.

    \b
    Example:  depose probe acme --dry-run
              depose probe acme
    """
    source = _source(tsa, None, tsa_root)
    if dry_run:
        _dry_run(case, as_json)
        return
    _probe(case, as_json)
    if source.given:
        from depose import casefile
        from depose.custody.stamp import stamp

        made = stamp(casefile.folder_of(case), "head", source, now)
        click.echo(f"time-stamped {made.time} by {made.authority}", err=True)


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
    done = pipeline.probe(case, now, meter.advance, meter)
    meter.finish()
    lines = [f"asked {done.asked}: {done.answered} answered, {done.failed} failed", *done.notices]
    if done.waiting:
        lines.append(f"waiting for depose import: {', '.join(done.waiting)}")
    if done.stopped:
        lines.append(f"stopped: {done.stopped}; raise it in a new case, or analyze what there is")
    show(done if as_json else None, lines)


@cli.command(name="import")
@CASE
@click.option("--model", "code", required=True, help="Code of the model in the case.")
@click.option("--name", default="", help="Name of the model inside the file, if it holds several.")
@click.option("--column", "columns", multiple=True, metavar="MEANING=NAME", help="Where a column has another name.")
@click.argument("file", type=click.Path(path_type=Path))
@JSON
def import_(case: Path, code: str, name: str, columns: Sequence[str], file: Path, as_json: bool) -> None:
    """Record the answers of one model of CASE from a FILE.

    Formats: AlpacaEval JSON, JSONL, CSV, Parquet; OpenAI batch output (custom_id is the prompt id, or ID#1 for a
    further sample); inspect logs (.eval, .json); promptfoo JSON. Columns: prompt_id or id; prompt, instruction or
    question; output, answer or response; model or generator; sample. Others are named with --column; the meanings are
    id, prompt, text, model, sample. Rows that fit no registered prompt, or hold no answer, are listed.

    \b
    Example:  depose import acme --model C7 answers/model_outputs.json
              depose import acme --model C8 --column text=reply --column id=number table.csv
    """
    from depose import pipeline

    done = pipeline.import_answers(case, code, file, name, now, columns_of(columns))
    lines = [f"{code}: {done.answered} recorded, {done.missing} missing in the file, {done.already} were there before"]
    if done.unaligned:
        lines.append(f"{len(done.unaligned)} rows fit no registered prompt or hold no answer:")
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
@FAIL_ON
@JSON
def report(
    case: Path,
    formats: str,
    flavour: Any,
    final: bool,
    variant: Any,
    bates: str,
    fail_on: Sequence[str],
    as_json: bool,
) -> None:
    """Render the findings of CASE; nothing is asked and nothing is scored again.

    \b
    Example:  depose report acme --format html
              depose report acme --flavour compliance --format pdf,data --fail-on indication
    """
    from depose import pipeline

    order = pipeline.Order(formats=formats_of(formats), flavour=flavour, final=final, variant=variant, bates=bates)
    written = pipeline.report_case(case, order)
    show(written if as_json else None, listed(written))
    if fail_on:
        leave(pipeline.read_findings(case)[1], fail_on)


@cli.command()
@CASE
@FORMAT
@FLAVOUR
@FAIL_ON
@KEY
@PASSPHRASE
@JSON
def audit(
    case: Path,
    formats: str,
    flavour: Any,
    fail_on: Sequence[str],
    key: Path | None,
    passphrase_env: str,
    as_json: bool,
) -> None:
    """Register, probe, analyze and report a CASE in one go; with --key also seal it.

    Resumes where it stopped. Ends with the paths of the reports.

    \b
    Example:  depose audit acme --fail-on indication
    """
    from depose import pipeline

    order = pipeline.Order(formats=formats_of(formats), flavour=flavour)
    click.echo(f"registered {pipeline.register_case(case, now).digest}", err=True)
    tested = pipeline.fit_for_use(case, now, _say)
    click.echo(f"self-test {'passed' if tested.passed else 'FAILED: see the quality section'}", err=True)
    meter = Meter(sum(row.questions for row in pipeline.estimate(case)))
    try:
        done = pipeline.probe(case, now, meter.advance, meter)
    except EndpointError:  # an audit that heard nothing says so in a report of its own, and fails all the same
        if pipeline.was_asked(case):
            _analyze(case)
            click.echo("\n".join(listed(pipeline.report_case(case, order))), err=True)
        raise
    meter.finish()
    for line in (*done.notices, *((f"stopped: {done.stopped}",) if done.stopped else ())):
        click.echo(plain(line), err=True)
    for code in done.waiting:
        click.echo(f"{code} has no answers yet: depose import {case} --model {code} FILE", err=True)
    findings, written = _analyze(case)
    reports = pipeline.report_case(case, order)
    end = [f"not sealed: depose seal {case} --key KEY"]
    if key is not None:
        from depose.custody.seal import seal as seal_case

        end = sealed_lines(seal_case(case, _key(key, passphrase_env), now, os.environ))
    show(findings if as_json else None, summary(findings) + listed((*written, *reports)) + end)
    leave(findings, fail_on)


# --- custody ----------------------------------------------------------------------------------------


def _key(path: Path, passphrase_env: str) -> PrivateKey:
    from depose.custody import keys

    return keys.load(path, _passphrase(passphrase_env))


def _passphrase(name: str) -> str:
    if name and not os.environ.get(name):
        raise UsageError(f"the variable {name} holds no passphrase", hint=f"export {name}=...")
    return os.environ.get(name, "")


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@PASSPHRASE
@JSON
def keygen(file: Path, passphrase_env: str, as_json: bool) -> None:
    """Make a signing key (ECDSA P-256): FILE holds the private part, FILE.pub the public one.

    Keep FILE away from every case, and give FILE.pub, or its fingerprint, to whoever is to verify.

    \b
    Example:  depose keygen ~/keys/expert.pem --passphrase-env MY_PASSPHRASE
    """
    from depose.custody import keys

    public = keys.make(file, _passphrase(passphrase_env))
    print_ = keys.fingerprint(keys.load_public(public.read_bytes(), str(public)))
    made = {"private": str(file), "public": str(public), "fingerprint": print_}
    show(made if as_json else None, [f"private {file}", f"public  {public}", f"fingerprint sha256 {print_}"])


@cli.command()
@CASE
@KEY
@PASSPHRASE
@TSA
@TOKEN
@TSA_ROOT
@JSON
def seal(
    case: Path,
    key: Path | None,
    passphrase_env: str,
    tsa: str,
    token: Path | None,
    tsa_root: Path | None,
    as_json: bool,
) -> None:
    """Sign a CASE and write it as one bundle, CASE/sealed/NAME.zip; from then on it takes no further record.

    The bundle can be checked without depose: see VERIFY.md in it. Secrets are searched for first.

    \b
    Example:  depose seal acme --key ~/keys/expert.pem --tsa https://freetsa.org/tsr --tsa-root cacert.pem
    Offline:  depose seal acme --key KEY, then openssl ts -query -data SHA256SUMS -sha256 -cert -out q.tsq
              and then depose seal acme --key KEY --token q.tsr --tsa-root cacert.pem
    """
    from depose.custody.seal import seal as seal_case

    if key is None:
        raise UsageError("a seal needs a key", hint="make one: depose keygen FILE; then --key FILE")
    done = seal_case(case, _key(key, passphrase_env), now, os.environ, _source(tsa, token, tsa_root))
    show(done if as_json else None, sealed_lines(done))


@cli.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@PUBLIC_KEY
@TSA_ROOT
@click.option("--no-recompute", is_flag=True, help="Check seal, files, log and time-stamps alone: much faster.")
@JSON
def verify(bundle: Path, public_key: Path | None, tsa_root: Path | None, no_recompute: bool, as_json: bool) -> None:
    """Check a BUNDLE, zipped or unpacked, and compute its findings again; writes nothing.

    Ends with 3 at the first thing that does not hold, and lists what was not verified.

    \b
    Example:  depose verify acme-1a2b3c.zip --public-key expert.pem.pub --tsa-root cacert.pem
    """
    from depose.custody.redact import is_redacted, verify_redacted
    from depose.custody.verify import verify as verify_bundle

    known = public_key.read_bytes() if public_key else b""
    if is_redacted(bundle):
        done = verify_redacted(bundle, known)
    else:
        done = verify_bundle(
            bundle,
            public_key=known,
            roots=tsa_root.read_bytes() if tsa_root else b"",
            recompute=not no_recompute,
            progress=lambda line: click.echo(f"  {line}", err=True),
        )
    lines = [f"verified: {line}" for line in done.checks] + [f"NOT verified: {line}" for line in done.not_verified]
    show(done if as_json else None, lines)


@cli.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--find", multiple=True, help="Words to withhold. May be given several times.")
@click.option("--find-env", multiple=True, help="Variable that holds words to withhold.")
@click.option("--reason", default="", help="Why they are withheld.")
@click.option("--record", "records", multiple=True, type=int, help="Produce this record of the log alone, with proof.")
@JSON
def redact(
    bundle: Path,
    folder: Path,
    find: Sequence[str],
    find_env: Sequence[str],
    reason: str,
    records: Sequence[int],
    as_json: bool,
) -> None:
    """Write a derived copy of a BUNDLE into a new FOLDER, with words withheld or with single records alone.

    The bundle and its digests stay as they are; the copy lists each range of bytes that was withheld, and why.
    A copy is checked by depose verify, a single record by python3 -I VERIFY.py proof-N.json in its folder.

    \b
    Example:  depose redact acme.zip public --find "org-a1b2c3" --reason "account of a third party"
              depose redact acme.zip produced --record 12 --record 40
    """
    from depose.custody import redact as redaction

    if bool(records) == bool(find or find_env):
        raise UsageError("a copy withholds words or produces records", hint="give --find, --find-env or --record")
    if records:
        made = redaction.produce(bundle, folder, records)
        show([str(one) for one in made] if as_json else None, [str(one) for one in made])
        return
    words = [text.encode() for text in (*find, *(_passphrase(name) for name in find_env))]
    done = redaction.redact(bundle, folder, words, reason, now())
    said = f"{done.folder}: {done.ranges} passages in {done.files} files withheld; parent SEAL sha256 {done.parent}"
    show(done if as_json else None, [said])


@cli.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@PUBLIC_KEY
@TSA
@TSA_ROOT
@JSON
def replicate(
    bundle: Path, folder: Path, public_key: Path | None, tsa: str, tsa_root: Path | None, as_json: bool
) -> None:
    """Ask the protocol of a BUNDLE again, with your own keys, in a case FOLDER of your own, and compare.

    Prints record counts, how far each model has moved compared with how far the reference was from itself, and the
    opinions side by side; keeps it in out/replication.json. A killed run goes on when started again.

    \b
    Example:  depose replicate acme-1a2b3c.zip mine --public-key expert.pem.pub
    """
    from depose.custody.replicate import replicate as replicate_case

    known = public_key.read_bytes() if public_key else b""
    source = _source(tsa, None, tsa_root)
    say = lambda line: click.echo(f"  {line}", err=True)  # noqa: E731
    done = replicate_case(bundle, folder, known, source, now, lambda *_: None, say)
    show(done if as_json else None, replication_lines(done))


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
    """Train models of known lineage, and study on them how often the truth is found.

    \b
    Example:  depose lab build --recipe fast --out out/lab
              depose lab study out/lab --out out/lab-study
    """


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
