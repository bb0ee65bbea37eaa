"""Lines with parts in bold or colour, where the terminal has it and nobody asked for none (NO_COLOR, TERM=dumb)."""

from __future__ import annotations

import os
import sys
from typing import TextIO

import click


class Line:
    """A line of parts, each with a style such as `bold red`, or none."""

    def __init__(self, *parts: tuple[str, str]) -> None:
        self.parts = parts

    def __str__(self) -> str:
        """Write it without any style."""
        return "".join(text for text, _ in self.parts)


def colourful(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal that has colours, and whether they are wanted."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in ("", "dumb")


def plain(text: str) -> str:
    """Write out what would steer a terminal: prompts, answers and file names are other people's."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def put(line: str | Line, *, err: bool = False) -> None:
    """Print a line; what would steer the terminal is written out first."""
    stream = sys.stderr if err else sys.stdout
    if isinstance(line, Line):
        dressed = colourful(stream)
        text = "".join(_dressed(plain(part), style) if dressed else plain(part) for part, style in line.parts)
    else:
        text = plain(line)
    click.echo(text, err=err, color=True)


def _dressed(text: str, style: str) -> str:
    words = style.split()
    colour = next((word for word in words if word != "bold"), None)
    return click.style(text, fg=colour, bold="bold" in words) if words else text
