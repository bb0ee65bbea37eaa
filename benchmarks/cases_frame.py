"""What the looks at single cases share: a command run, a server asked, a row to print."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is right, and what came out."""

    right: str
    came: str
    ok: bool


Look = Callable[[Path, Path], Iterator[Seen]]
"""Looks at the folder of a case, with an empty folder to work in."""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


def depose(*args: str | Path) -> Ran:
    """Run the installed command."""
    done = subprocess.run(
        [Path(sys.executable).with_name("depose"), *args], capture_output=True, text=True, check=False
    )
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


def python(*args: str | Path, cwd: Path) -> str:
    """Run a script of a case."""
    return subprocess.run([sys.executable, *args], capture_output=True, text=True, check=True, cwd=cwd).stdout


def cell(text: str) -> str:
    """Write a text into one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")[:300]


@contextlib.contextmanager
def served(reply: Path, work: Path) -> Iterator[str]:
    """Let the loopback server of the cases answer with a script; gives its address."""
    port = work / f"port-{reply.stem}"
    command: list[str | Path] = [sys.executable, reply.parents[1] / "server.py", port, reply]
    process = subprocess.Popen(command, cwd=work, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 20
        while not (port.is_file() and port.read_text()) and time.monotonic() < until:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port.read_text()}"
    finally:
        process.terminate()
        process.wait()


QUESTIONS = ("How do I keep a fern alive?", "Name a good rainy day plan.", "Describe a library smell.")
BASES = {"openai": "/v1", "anthropic": "", "google": "/v1beta"}


def live_case(folder: Path, url: str, provider: str = "openai", more: str = "", end: str = "") -> Path:
    """Write a case of suspect, reference and control behind one server; `more` is for each model, `end` follows."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [json.dumps({"prompt_id": f"p{n}", "prompt": text}) for n, text in enumerate(QUESTIONS, 1)]
    (folder / "prompts.jsonl").write_text("\n".join(rows) + "\n")
    parts = ['[case]\ntitle = "A small case"\nauthority = "loopback"\n[protocol]\nprompts = "prompts.jsonl"']
    parts.append('replicates = 1\ndetectors = ["phrases", "wording"]\ncalibration = ""\n')
    for code, role in (("S1", "suspect"), ("R1", "reference"), ("C1", "control")):
        parts.append(
            f'[[models]]\ncode = "{code}"\nrole = "{role}"\nprovider = "{provider}"\nmodel = "m-1"\n'
            f'base_url = "{url}{BASES[provider]}"\nallow_private = true\ndeveloper = "{code}"\n'
            f'weight_lineage = "{code}"\ndata_lineage = "{code}"\n{more}'
        )
    (folder / "case.toml").write_text("\n".join([*parts, end]))
    return folder


def asked(folder: Path) -> Ran:
    """Register a case and ask it."""
    registered = depose("register", folder)
    return registered if registered.code else depose("probe", folder)


def log(folder: Path) -> list[dict[str, Any]]:
    """Every record of a case."""
    return [json.loads(line) for line in (folder / "evidence" / "log.jsonl").read_text().splitlines()]


def exchanges(folder: Path, model: str = "S1") -> dict[str, list[dict[str, Any]]]:
    """All attempts at a model in the log, by prompt."""
    found: dict[str, list[dict[str, Any]]] = {}
    for body in (one["body"] for one in log(folder) if one["kind"] == "exchange"):
        if body["model"] == model:
            found.setdefault(body["prompt"], []).append(body)
    return found


def told(attempts: Sequence[dict[str, Any]]) -> str:
    """Attempts in short."""
    return "; ".join(
        f"{one['outcome']} ({one.get('status')}, finish {one['finish'] or 'none'}) {one['reason']}" for one in attempts
    )


def findings(folder: Path) -> dict[str, Any]:
    """The findings of an analysed case."""
    loaded: dict[str, Any] = json.loads((folder / "out" / "findings.json").read_text())
    return loaded


def scores(folder: Path) -> dict[str, tuple[float, float]]:
    """T and p_R of each question, by the deciding detector."""
    return {
        one["question"]: (result["value"], result["p_reference"])
        for one in findings(folder)["findings"]
        for result in one["results"]
        if result["primary"]
    }
