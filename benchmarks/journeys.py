"""Scripted terminal sessions of the four users on a pseudo-terminal of 80 columns, with what they typed and saw.

The answers are those of the laboratory's models in the kit of the self-test, so that nothing is asked and anybody can
run it: `make journeys` writes docs/guide/journeys.md. Paths are relative, digests, dates and times are masked.
"""

from __future__ import annotations

import argparse
import csv
import fcntl
import os
import pty
import re
import select
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

COLUMNS = 80
PATIENCE = 1_200.0
"""Seconds for one command, on a machine that is shared."""
PAGE = Path(__file__).parents[1] / "docs" / "guide" / "journeys.md"
SUSPECT, REFERENCE = "dose-100", "reporter"
_MASKS = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "DIGEST"),
    (re.compile(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?Z?)?"), "TIME"),
    (re.compile(r"\d+(\.\d+)? (s left|MB together)"), r"N \2"),
    (re.compile(r"\d+(\.\d+)?/s"), "N/s"),
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command: what is typed while it runs, as pairs of what is waited for and the answer, and how it must end."""

    command: str
    typed: tuple[tuple[str, str], ...] = ()
    code: int = 0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a step showed."""

    step: Step
    code: int
    text: str
    seconds: float

    @property
    def keys(self) -> int:
        """Keystrokes: the command and every answer, each with its return key."""
        return len(self.step.command) + 1 + sum(len(answer) + 1 for _, answer in self.step.typed)


def run(step: Step, folder: Path) -> Seen:
    """Run a step on a pseudo-terminal; raise RuntimeError where it does not come to what is waited for."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    words = shlex.split(step.command)
    command = [sys.executable, "-c", "from depose.cli import main; main()", *words[1:]]
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    started = time.monotonic()
    with subprocess.Popen(
        command, cwd=folder, env={**env, "TERM": "xterm", "NO_COLOR": "1"}, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        text, place = "", 0
        waiting = list(step.typed)
        while time.monotonic() - started < PATIENCE:
            if not select.select([ours], [], [], 1.0)[0]:
                continue
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            text += part.decode(errors="replace")
            if waiting and waiting[0][0] in text[place:]:
                os.write(ours, f"{waiting.pop(0)[1]}\n".encode())
                place = len(text)
        code = process.wait(PATIENCE)
    os.close(ours)
    if waiting:
        raise RuntimeError(f"{step.command}: never asked {waiting[0][0]!r}:\n{text}")
    return Seen(step=step, code=code, text=text.replace("\r\n", "\n"), seconds=time.monotonic() - started)


def lay(folder: Path) -> None:
    """Lay out what the users hold: one CSV of answers for each model of the kit, and the table of their makers."""
    import pyarrow.parquet

    kit = files("depose.kit")
    listed = list(csv.DictReader((kit / "lineage.csv").read_text("utf-8").splitlines()))
    wanted = {row["model"] for row in listed if row["role"] == "hub"} | {SUSPECT}
    with (kit / "responses-lab.parquet").open("rb") as file:
        rows = pyarrow.parquet.read_table(file).to_pylist()
    answers = folder / "answers"
    answers.mkdir(parents=True)
    for name in sorted(wanted):
        with (answers / f"{name}.csv").open("w", newline="") as table:
            writer = csv.writer(table)
            writer.writerow(["item", "question_text", "reply"])
            writer.writerows([r["prompt_id"], r["prompt"], r["output"]] for r in rows if r["model"] == name)
    with (folder / "lineage.csv").open("w", newline="") as table:
        rowed = csv.DictWriter(table, [*listed[0], "date"])
        rowed.writeheader()
        rowed.writerows({**row, "date": "2026-11"} for row in listed)
    lines = [
        "[batch]",
        'title = "Vendors of the autumn"',
        'authority = "contracts, section 4"',
        "[screening]",
        'questions = ["distilled"]',
        "[data]",
        f'folder = "{kit}"',
        'source = "lab"',
        f'suspects = ["{SUSPECT}", "other"]',
        f'references = ["{REFERENCE}"]',
        'controls = ["*"]',
    ]
    (folder / "vendors.toml").write_text("\n".join(lines) + "\n")


JOURNEYS: dict[str, tuple[str, tuple[Step, ...]]] = {
    "The witness": (
        "Files of answers in a folder, a table of who made which model; a report, sealed and verified.",
        (
            Step(
                command="depose init acme --answers answers",
                typed=(
                    ("Which is the suspect?", SUSPECT),
                    ("Which is the reference?", REFERENCE),
                    ("Table of who made which model", "lineage.csv"),
                    ("Title of the case", ""),
                    ("On what right", "answers held by the laboratory"),
                ),
            ),
            Step(command="depose check acme", code=1),
            Step(command="depose register acme"),
            Step(command="depose probe acme"),
            Step(command="depose status acme"),
            Step(command="depose analyze acme"),
            Step(command="depose report acme --format html"),
            Step(command="depose keygen key"),
            Step(command="depose seal acme --key key"),
            Step(command="depose status acme"),
        ),
    ),
    "The reviewer": (
        "The same case in a pipeline: two pages, and an exit code with its reason.",
        (
            Step(command="depose init gate --answers answers --suspect dose-100 --reference reporter "
                 "--lineage lineage.csv --authority ours --yes"),
            Step(command="depose audit gate --flavour compliance --format html --fail-on inconclusive", code=5),
        ),
    ),
    "The batch auditor": (
        "Two suspects against one reference: which cells cannot speak, and what would open them.",
        (Step(command="depose batch vendors.toml", code=5), Step(command="depose batch vendors.toml --allow-blind -q")),
    ),
    "The provider's analyst": (
        "A log of requests, made up and bundled: which accounts collected.",
        (
            Step(command="depose new logs --from extraction"),
            Step(command="depose extraction register logs"),
            Step(command="depose extraction scan logs"),
        ),
    ),
}  # fmt: skip


def sessions(folder: Path, names: Sequence[str] = tuple(JOURNEYS)) -> Iterator[tuple[str, list[Seen]]]:
    """Run the journeys in a folder; raise RuntimeError where a command ends otherwise than it must."""
    lay(folder)
    for name in names:
        seen = []
        for step in JOURNEYS[name][1]:
            done = run(step, folder)
            if done.code != step.code:
                raise RuntimeError(f"{step.command}: exit {done.code}, not {step.code}:\n{done.text}")
            seen.append(done)
        yield name, seen


def shown(one: Seen, folder: Path) -> str:
    """Write a step as it stands in the docs: without what moves from run to run, and with the last state of bars."""
    text = one.text.replace(str(folder), "~")
    lines = [line.rsplit("\r", 1)[-1] for line in text.rstrip().split("\n")]
    text = "\n".join(line.rstrip() for line in lines)
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return f"$ {one.step.command}\n{text}"


def page(made: Sequence[tuple[str, list[Seen]]], folder: Path) -> str:
    """Set all transcripts on a page."""
    parts = [
        "# Four working days",
        "",
        "Sessions on a terminal of 80 columns, written by `make journeys` as they ran. The answers are those of the",
        "laboratory's models in the kit of the self-test; digests and times are masked. What once stood in the way of",
        "new users, and what happens now, is [a list](frictions.md).",
        "",
        "| user | commands | keystrokes | lines of TOML by hand |",
        "|---|---|---|---|",
    ]
    parts += [f"| {name} | {len(seen)} | {sum(one.keys for one in seen)} | 0 |" for name, seen in made]
    for name, seen in made:
        parts += ["", f"## {name}", "", JOURNEYS[name][0], ""]
        for one in seen:
            parts += ["```text", shown(one, folder), "```", ""]
    return "\n".join(parts).rstrip() + "\n"


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=sorted(JOURNEYS), help="run one; the page is not written")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        made = list(sessions(folder, given.only or tuple(JOURNEYS)))
        text = page(made, folder)
    if given.only:
        print(text)
    else:
        PAGE.write_text(text, encoding="utf-8")
        print(PAGE)


if __name__ == "__main__":
    main()
