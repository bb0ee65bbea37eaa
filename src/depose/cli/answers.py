"""The commands that take answers from files, and back: import, withdraw."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from depose.cli.console import columns_of, imported_lines, show
from depose.cli.levels import verbosity
from depose.cli.options import CASE, JSON, now
from depose.cli.steps import advice
from depose.errors import shell


@click.command(name="import")
@CASE
@click.option("--model", "code", default="", help="Code of the model in the case; else files tell by their names.")
@click.option("--name", default="", help="Name of the model inside the file, if it holds several.")
@click.option("--column", "columns", multiple=True, metavar="MEANING=NAME", help="Where a column has another name.")
@click.option("--encoding", default="", help="Of a text file that is not UTF-8, such as cp1252.")
@click.option("--sheet", default="", help="Of a workbook with several sheets.")
@click.option("--same-on-purpose", is_flag=True, help="Take answers that stand under another code already.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@JSON
@verbosity
def import_(
    case: Path,
    code: str,
    name: str,
    columns: Sequence[str],
    encoding: str,
    sheet: str,
    same_on_purpose: bool,
    files: Sequence[Path],
    as_json: bool,
) -> None:
    """Record the answers of models of CASE from FILES: one with --model, else each file by its name.

    Without --model a file belongs to the model whose row in models.csv names it under `answers`, or whose code or
    name is that of the file. Nothing is recorded before every file is matched.

    Tables: JSON, JSONL, CSV (commas, semicolons or tabs), TSV, Parquet, .xlsx. Columns: prompt_id or id; prompt,
    instruction or question; output, answer or response; model or generator; sample. Others are named with --column,
    also by a path within JSON (text=choices[0].turns[0]); the meanings are id, prompt, text, model, sample. Where two
    columns may be meant, nothing is read until one is named.

    Known by their own marks: AlpacaEval, Alpaca, ShareGPT and lists of messages; batch outputs of OpenAI (custom_id is
    the prompt id, or ID#1 for a further sample), Anthropic and Gemini; inspect logs (.eval, .json); promptfoo (JSON,
    JSONL); MT-bench, lm-evaluation-harness and HELM; LiteLLM and Langfuse exports.

    A row counts only if it was asked the registered words and nothing else: another wording, a system prompt or an
    earlier turn is listed beside the registered wording and not used. Ends with 1 if rows were left out while
    their questions stay open; of a file of which no row can be used nothing is kept.

    \b
    Example:  depose import acme --model C7 answers/model_outputs.json
              depose import acme --column text=reply --column id=number answers/*.csv
    Wrong:    depose withdraw acme --model C7 --reason "the file of C8"
    """
    from depose import pipeline
    from depose.case.matched_files import matched_to
    from depose.case.tables import Wanted

    wanted = Wanted(columns=columns_of(columns), encoding=encoding, sheet=sheet)
    pairs = matched_to(case, files, code)
    done = []
    for one, file in pairs:
        done.append(pipeline.import_answers(case, one, file, name, now, wanted, same_on_purpose=same_on_purpose))
        show(None, () if as_json else imported_lines(done[-1]))
    if as_json:
        show(done[0] if code else done, ())
    if not all(one.whole for one in done):
        sys.exit(1)


@click.command()
@CASE
@click.option("--model", "code", required=True, help="Code of the model in the case.")
@click.option("--reason", required=True, help="Why its answers do not count.")
@JSON
def withdraw(case: Path, code: str, reason: str, as_json: bool) -> None:
    """Take back the answers of one model of CASE, on record.

    They stay in the log and no longer count; their questions are open again, for the right file or another run. The
    report lists what was withdrawn, why, and whether scores had been computed before.

    \b
    Example:  depose withdraw acme --model R1 --reason "the file of S1 was imported"
    """
    from depose import pipeline

    done = pipeline.withdraw(case, code, reason, now)
    lines = [
        f"{code}: {done.answers} answers withdrawn, sha256 {done.digest}",
        advice(f"depose import {shell(case)} --model {code} FILE"),
    ]
    show(done if as_json else None, lines)
