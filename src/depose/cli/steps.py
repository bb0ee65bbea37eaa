"""What may be done next: a command that runs as it stands, told from any other advice by reading it as one."""

from __future__ import annotations

import contextlib
import io
import shlex
from collections.abc import Sequence

import click

TO_FILL = frozenset(
    (
        *("BUNDLE", "CASE", "CODE", "DATE", "DIR", "FILE", "FILES", "FOLDER", "KEY", "KEY.pub", "MODEL", "N", "NAME"),
        *("PACK", "PATH", "PEM", "PROVIDER", "REASON", "SOURCE", "TEXT", "URL"),
    )
)
"""Words that stand for what only a person can fill in."""


def advice(said: str) -> str:
    """Set `next: ` before a command that runs as it stands, and `hint: ` before any other advice."""
    return f"{'next' if runs(said) else 'hint'}: {said}"


def runs(said: str) -> bool:
    """Tell whether a line is a command of depose, or several with && between, in which nothing is to be filled in."""
    try:
        words = shlex.split(said)
    except ValueError:
        return False
    parts = _parted(words)
    values = [word.partition("=")[2] if word.startswith("-") and "=" in word else word for word in words]
    if any(one in TO_FILL or one == "..." for one in values):
        return False
    return bool(words) and all(part[:1] == ["depose"] and _read(part[1:]) for part in parts)


def _parted(words: Sequence[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words:
        if word == "&&":
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def _read(words: list[str]) -> bool:
    """Let click read a command line, and run nothing; tell whether it could."""
    from depose.cli import cli

    command: click.Command | None = cli
    parent: click.Context | None = None  # what a command inherits, such as the names of --help, click keeps for good
    while isinstance(command, click.Group) and words:
        parent = click.Context(command, parent, command.name, **command.context_settings)
        command, words = command.get_command(parent, words[0]), words[1:]
    if command is None or isinstance(command, click.Group):
        return False
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            command.make_context(command.name, words, parent)
        except click.exceptions.Exit:  # --help says what there is, and ends
            return True
        except click.ClickException:
            return False
    return True
