"""The commands that measure the measurement: validate, selftest, lab."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from depose.cli.console import columns_of, show, table
from depose.cli.options import JSON, now, say
from depose.cli.steps import advice
from depose.errors import UsageError, few, shell


@click.command()
@click.argument("answers", nargs=-1, type=click.Path(path_type=Path))
@click.option("--lineage", type=click.Path(path_type=Path), help="Of ANSWERS: table of who made which model.")
@click.option("--pairs", type=click.Path(path_type=Path), help="Of ANSWERS: table of suspect, reference, relation.")
@click.option(
    "--column", "columns", multiple=True, metavar="MEANING=NAME", help="Of ANSWERS: where a column has another name."
)
@click.option("--encoding", default="", help="Of ANSWERS that are not UTF-8, such as cp1252.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the lineage benchmark, instead of ANSWERS.")
@click.option("--source", default="", help="Source of answers there, such as alpaca_eval.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder for figures, plots and calibration."
)
@click.option("--detectors", default="", help="Names with commas; phrases, wording and length are always needed.")
@click.option("--calibration", type=click.Path(path_type=Path), help="Report the costs of this calibration instead.")
@click.option(
    "--hold-on",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="screening.json of another population; a question whose ratios do not hold there gets none.",
)
@click.option(
    "--judge-by",
    multiple=True,
    type=click.Path(path_type=Path),
    help="calibration.json of another population: count the opinions that cases would read by it here.",
)
@click.option("--leave-out", multiple=True, help="A family to leave out whole; may be given several times.")
@click.option("--seed", default=7, show_default=True, help="For subsets of prompts and bootstraps.")
@JSON
def validate(
    answers: Sequence[Path],
    lineage: Path | None,
    pairs: Path | None,
    columns: Sequence[str],
    encoding: str,
    data: Path | None,
    source: str,
    out: Path,
    detectors: str,
    calibration: Path | None,
    hold_on: Sequence[Path],
    judge_by: Sequence[Path],
    leave_out: Sequence[str],
    seed: int,
    as_json: bool,
) -> None:
    """Measure known error rates on models of documented lineage, and fit the calibration.

    Every labelled pair is scored in a bag of its own, with controls that are clean by rule. Writes
    validation.json, calibration.json, selection.json, screening.json and plots. Ratios of a question are given only
    where their cost (Cllr) lies below 1 with its whole interval, lineages left out and on every other population.

    A study of your own takes ANSWERS, files or folders of them as depose init does, and two tables. A question needs
    true pairs of five families; depose init --study OUT/calibration.json begins a case by it.

    \b
    Example:  depose validate answers/ --lineage models.csv --pairs pairs.csv --out study
              depose validate --data ../shared/data --source alpaca_eval --out out/alpaca_eval
    """
    from depose.validate import run

    if answers:
        data, source = _own(answers, lineage, pairs, columns, encoding, out), "own"
    elif data is None or not source:
        raise UsageError("no answers are named", hint="files of answers, or --data FOLDER --source NAME")
    names = tuple(name.strip() for name in detectors.split(",") if name.strip()) or run.LEXICAL
    done = run.validate(
        data,
        source,
        out,
        detectors=names,
        applied=calibration,
        leave_out=leave_out,
        others=hold_on,
        judges=judge_by,
        seed=seed,
        encode=run.encoder(names),
        mask=run.masker(names),
        progress=say,
    )
    after = [advice(f"depose init CASE --answers FILES --study {shell(out / 'calibration.json')}")] if answers else []
    show(json.loads((out / "validation.json").read_text()) if as_json else None, [*done.lines, *done.files, *after])


def _own(
    answers: Sequence[Path],
    lineage: Path | None,
    pairs: Path | None,
    columns: Sequence[str],
    encoding: str,
    out: Path,
) -> Path:
    """Lay out a population from plain tables in a folder beside the figures, and say what it is made of."""
    from depose.case import holdings
    from depose.validate import own_answers

    if lineage is None or pairs is None:
        lacking = " and ".join(name for name, one in (("--lineage", lineage), ("--pairs", pairs)) if one is None)
        raise UsageError(f"a study of your own answers needs {lacking}", hint=own_answers.HINT)
    held = holdings.look(answers, columns_of(columns), encoding)
    if not held.models:
        raise UsageError(
            f"{answers[0]}: no file of answers is understood",
            hint="name their columns: --column prompt=NAME --column text=NAME, as the files have them",
        )
    folder = out / "population"
    made = own_answers.lay_out(held, lineage, pairs, folder)
    true = ", ".join(f"{count} {relation}" for relation, count in made.true.items() if count)
    say(f"own: {made.models} models, {made.prompts} prompts; pairs: {true or 'none true'}, {made.unrelated} unrelated")
    if made.unstated:
        say(f"own: left out, maker or lineages not stated: {few(made.unstated, 6)}")
    return folder


@click.command()
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

    done = pipeline.self_test(case, kit, now, say, live=not no_live)
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


@click.group()
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

    done = make(read(recipe), out, say)
    trained = sum(one.seconds for one in done.models)
    show(
        done if as_json else None,
        [
            f"{len(done.models)} models in {out}, trained in {trained:.0f} s",
            f"reference {done.roles.reference}, mix-in teacher {done.roles.mixer}, foil teacher {done.roles.foil}",
            advice(f"depose lab study {shell(out)} --out {shell(out / 'study')}"),
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

    done = run(folder, out, say)
    show(json.loads((out / "study.json").read_text()) if as_json else None, [*done.lines, *done.files])
