"""The command reference: what each command prints as its help, one section for each, groups with their own commands."""

from __future__ import annotations

from collections.abc import Iterator

import click

from depose.cli import cli

WIDTH = 100
HEAD = """\
# Commands

What every command prints with `--help`. The same text stands in the terminal: `depose COMMAND --help`.

`--json` prints the result as JSON on every command that prints results. Results go to stdout, progress and errors to
stderr.

| exit code | means |
|---|---|
| 0 | done |
| 1 | an operational error; all calls failing is never 0 |
| 2 | the command line asks for something that cannot be |
| 3 | evidence does not verify |
| 4 | an indication, only with `--fail-on indication` |
| 5 | inconclusive, only with `--fail-on inconclusive` |
| 6 | a secret was found where it must not be |
"""


def walk(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Yield a command and, of a group, every command in it, with the words that call each."""
    yield name, command
    if isinstance(command, click.Group):
        for below in sorted(command.commands):
            yield from walk(command.commands[below], f"{name} {below}")


def help_of(name: str, command: click.Command) -> str:
    """What a command prints as its help, on a terminal of 100 columns."""
    # As the group hands them down: click keeps the option that it made first, whoever asked for it.
    names = cli.context_settings["help_option_names"]
    context = click.Context(
        command, info_name=name, max_content_width=WIDTH, terminal_width=WIDTH, help_option_names=names
    )
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def pages() -> dict[str, str]:
    """The one page of commands."""
    parts = [HEAD]
    for name, command in walk(cli, "depose"):
        parts.append(f"## {name}\n\n```text\n{help_of(name, command)}\n```\n")
    return {"reference/commands.md": "\n".join(parts)}
