"""How much a command says: --quiet and --verbose, kept with the context of the command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

KEY = "depose.level"
Command = TypeVar("Command", bound=Callable[..., Any])


def level() -> int:
    """Minus one for --quiet, one for --verbose, else zero."""
    context = click.get_current_context(silent=True)
    found = context.meta.get(KEY, 0) if context is not None else 0
    return int(found)


def _set(value: int) -> Callable[[click.Context, click.Parameter, bool], None]:
    def put(context: click.Context, parameter: click.Parameter, given: bool) -> None:
        if given:
            context.meta[KEY] = value

    return put


def verbosity(command: Command) -> Command:
    """Give a command --quiet and --verbose."""
    quiet = click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=_set(-1), help="Say no more than the result."
    )
    verbose = click.option(
        "-v", "--verbose", is_flag=True, expose_value=False, callback=_set(1), help="Say every number."
    )
    return quiet(verbose(command))
