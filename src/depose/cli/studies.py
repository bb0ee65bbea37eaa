"""The commands that measure the measurement: validate, selftest, lab."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from depose.cli.console import show, table
from depose.cli.options import JSON, now, say
from depose.cli.steps import advice
from depose.errors import shell


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder of the lineage benchmark.")
@click.option("--source", required=True, help="Source of answers, such as alpaca_eval.")
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
@click.option("--leave-out", multiple=True, help="A family to leave out whole; may be given several times.")
@click.option("--seed", default=7, show_default=True, help="For subsets of prompts and bootstraps.")
@JSON
def validate(
    data: Path,
    source: str,
    out: Path,
    detectors: str,
    calibration: Path | None,
    hold_on: Sequence[Path],
    leave_out: Sequence[str],
    seed: int,
    as_json: bool,
) -> None:
    """Measure known error rates on models of documented lineage, and fit the calibration.

    Every labelled pair is scored in a bag of its own, with controls that are clean by rule. Writes
    validation.json, calibration.json, selection.json, screening.json and plots. Ratios of a question are given only
    where their cost (Cllr) lies below 1 with its whole interval, lineages left out and on every other population.

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
        others=hold_on,
        seed=seed,
        encode=run.encoder(names),
        mask=run.masker(names),
        progress=say,
    )
    show(json.loads((out / "validation.json").read_text()) if as_json else None, [*done.lines, *done.files])


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
