"""The command line: each command parses, calls one function of `pipeline`, prints a short summary.

Results go to stdout, progress and errors to stderr. Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from depose.cli import cases, custody, lineups, matrices, studies, upkeep, watching, weights
from depose.cli.console import plain
from depose.cli.extraction import extraction
from depose.errors import DeposeError
from depose.report.typography import source_date


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


for command in (
    *(cases.new, cases.register, cases.amend, cases.probe, cases.import_, cases.withdraw),
    *(cases.analyze, cases.report, cases.audit),
    *(custody.keygen, custody.seal, custody.verify, custody.redact, custody.replicate),
    *(matrices.batch, lineups.lineup, weights.weights, watching.watch),
    extraction,
    *(studies.validate, studies.selftest, studies.lab),
    *(upkeep.cache_, upkeep.list_),
):
    cli.add_command(command)


def main() -> NoReturn:
    """Run the command line; the one place where an error of depose becomes an exit code."""
    run: Callable[..., Any] = cli.main
    try:
        source_date()  # before numpy reads it
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
