"""Shell sessions and Python blocks of a tutorial, run as a reader would type them.

A block marked `console` holds lines that begin with `$ ` (typed), `> ` (typed on) or neither (printed). `depose` runs
through its real entry point in this process, everything else in bash. `...` in what is printed stands for anything.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from fakes import depose

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SETS = re.compile(r"[A-Z_]+=")


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What is typed, and what the page says that it prints."""

    typed: str
    printed: str


def blocks(page: str) -> list[tuple[str, str]]:
    """The blocks of a page with their languages, in order."""
    return [(found[1], found[2]) for found in BLOCK.finditer(page)]


def steps(block: str) -> list[Step]:
    """Take a console block apart."""
    found: list[Step] = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        more = 1
        while more < len(lines) and lines[more][:2] in (">", "> "):
            more += 1
        typed = "\n".join([lines[0], *(line[2:] for line in lines[1:more])])
        found.append(Step(typed=typed, printed="\n".join(lines[more:])))
    return found


def pattern(printed: str) -> re.Pattern[str]:
    """What a page prints as a pattern: `...` alone on a line stands for any lines, elsewhere for a part of one."""
    parts = [
        r"(?:.*\n)*?" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + "\n"
        for line in printed.splitlines()
    ]
    return re.compile("".join(parts) + r"\Z")


class Shell:
    """A session in a folder: variables and the last exit code go on from one command to the next."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._code = folder, 0
        self._said: list[str] = []
        self._path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def _bash(self, command: str) -> subprocess.CompletedProcess[str]:
        script = "\n".join([*self._said, f"(exit {self._code})", command])
        return subprocess.run(
            ["bash", "-c", script],
            capture_output=True,
            text=True,
            check=False,
            cwd=self._folder,
            env={**os.environ, "PATH": self._path},
        )

    def run(self, typed: str) -> str:
        """Run one command; return what it prints, or, of one that fails and prints nothing, its error."""
        if not typed.startswith("depose "):
            ran = self._bash(typed)
            if SETS.match(typed):
                self._said.append(typed)
            self._code = ran.returncode
            return ran.stdout or (ran.stderr if ran.returncode else "")
        words = self._bash(typed.replace("depose ", r"printf '%s\0' ", 1)).stdout.split("\0")[:-1]
        with contextlib.chdir(self._folder):
            done = depose(*words)
        self._code = done.code
        return done.out or (done.err if done.code else "")


def executed(code: str, names: dict[str, object], folder: Path) -> str:
    """Run a Python block after those before it; return what it prints."""
    out = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out):
        exec(compile(code, "tutorial", "exec"), names)  # noqa: S102 - a page of ours
    return out.getvalue()
