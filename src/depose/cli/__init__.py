"""The command line: each command parses, calls one function of `pipeline`, prints a short summary.

Results go to stdout, progress and errors to stderr. Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

import errno
import json
import re
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from depose.cli import (
    answers,
    cases,
    checks,
    custody,
    lineups,
    matrices,
    packs,
    starting,
    studies,
    upkeep,
    view,
    watching,
    weights,
)
from depose.cli.controls import controls
from depose.cli.extraction import extraction
from depose.cli.lines import plain
from depose.cli.steps import advice
from depose.cli.words import put_prose
from depose.errors import DeposeError
from depose.report.typography import source_date


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="depose")
def cli() -> None:
    """Put a language model under oath.

    Ask a suspect, a reference and control models the same prompts, record every answer, measure how alike
    the answers are, say how surprising that is, and render an evidence report.

    \b
    Start:  depose init mycase        from what you hold: files of answers, endpoints, weights
            depose check mycase       what is missing, and what it will take
            depose audit mycase       ask, analyze, report
    Try:    depose new demo --from rebadged

    Exit codes: 0 done, 1 operational error, 2 usage, 3 evidence does not verify, 4 indication and
    5 inconclusive (both only with --fail-on), 6 a secret was found where it must not be.
    """


for command in (
    *(
        starting.init,
        cases.new,
        checks.check,
        checks.status,
        controls,
        cases.register,
        cases.amend,
        cases.probe,
        answers.import_,
        answers.withdraw,
    ),
    *(cases.analyze, cases.report, cases.audit, view.view),
    *(custody.keygen, custody.seal, custody.verify, custody.redact, custody.replicate),
    *(matrices.batch, lineups.lineup, weights.weights, watching.watch),
    *(extraction, packs.pack),
    *(studies.validate, studies.selftest, studies.lab),
    *(upkeep.cache_, upkeep.list_),
):
    cli.add_command(command)


_ERRNO = re.compile(r"\[Errno \d+\] ")
_NEXT = {
    errno.ENOSPC: "make room on the disk and run the same command again; what was recorded is kept",
    errno.EDQUOT: "make room on the disk and run the same command again; what was recorded is kept",
    errno.EACCES: "ask for the right to read or write there, or name another folder",
    errno.EROFS: "name a folder that can be written to",
    errno.ENOENT: "check the name",
}


def main() -> NoReturn:
    """Run the command line; the one place where an error of depose becomes an exit code, and JSON with --json."""
    run: Callable[..., Any] = cli.main
    try:
        source_date()  # before numpy reads it
        run(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        _in_json("UsageError", error.format_message(), "", error.exit_code)
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("stopped; run the same command again to go on", err=True)
        _in_json("Stopped", "stopped", "run the same command again to go on", 1)
        sys.exit(1)
    except DeposeError as error:
        _end(type(error).__name__, error.message, error.hint, error.exit_code)
    except OSError as error:  # a full disk, a folder without permission; said in words, without the number of Python
        said = error.strerror or str(error)
        hint = _NEXT.get(error.errno or 0, "see to the file or folder that is named, and run it again")
        _end(type(error).__name__, f"{error.filename}: {said}" if error.filename else said, hint, 1)
    sys.exit(0)


def _end(kind: str, message: str, hint: str, code: int) -> NoReturn:
    """Say what went wrong and what to do, and leave; numbers that the system gives its errors say nothing to people."""
    message = _ERRNO.sub("", message)
    for line in (f"error: {plain(message)}", *([f"  {advice(plain(hint))}"] if hint else ())):
        put_prose(line)
    _in_json(kind, message, hint, code)
    sys.exit(code)


def _in_json(kind: str, message: str, hint: str, code: int) -> None:
    """Print an error as an object on stdout, where --json was given: also for a command line that cannot be read."""
    given = sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else sys.argv[1:]
    if "--json" in given:
        click.echo(json.dumps({"error": kind, "message": message, "hint": hint, "exit": code}, indent=2))
