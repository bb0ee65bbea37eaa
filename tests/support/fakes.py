"""Small real implementations: scripted models of known truth, a clock that counts, recorded case folders.

The scripted provider and its odd relatives are plugins like any other: `install` writes the metadata of a
package that offers them, and whoever has that folder on the path can name them in a case.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depose import pipeline, selftest
from depose.cli import main
from depose.cli.options import now
from depose.evidence.log import Log, log_path
from depose.model import Ask, Fact, ModelSpec, Prompt, Reply, SelfTest

TESTS = Path(__file__).parent
PATIENCE = 600.0
"""Seconds after which what a test waits for is taken never to come: no machine that works is so slow."""
STOCK = tuple(
    f"{a}{b}{c}"
    for a in ("ka", "lo", "mi", "nu", "po", "ra", "si", "te")
    for b in ("bo", "da", "fe", "gu", "hi")
    for c in ("n", "r", "s", "t")
)


class Clock:
    """A clock that moves on by a millisecond whenever somebody looks at it."""

    def __init__(self) -> None:
        self._now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> str:
        """Return the time in the form that the log wants."""
        self._now += timedelta(milliseconds=1)
        return self._now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# --- answers of known truth -------------------------------------------------------------------------


def words(count: int, *seed: str) -> list[str]:
    """Make up words; the same seed gives the same words."""
    rng = np.random.default_rng([int.from_bytes(part.encode(), "big") % 2**63 for part in seed])
    return [str(word) for word in rng.choice(STOCK, count)]


def answer(truth: str, prompt: str) -> str:
    """Answer a prompt as `same` (the reference itself), `light` (every ninth word changed) or anybody else."""
    said = words(40, "reference", prompt)
    if truth == "light":
        return " ".join("zut" if place % 9 == 4 else word for place, word in enumerate(said))
    return " ".join(said if truth == "same" else words(40, truth, prompt))


class Scripted:
    """A model whose answers are known before it is asked; `spec.model` says how it behaves."""

    def __init__(self, spec: ModelSpec, folder: Path) -> None:
        self._how = spec.model
        self.batch = int(spec.revision or 1)
        self._asked = folder.parent / f"asked-{folder.name}.txt"
        self._gate = gate(folder)

    def facts(self) -> tuple[Fact, ...]:
        """Say what it plays."""
        return (Fact(name="script", value=self._how),)

    def ask(self, asks: Sequence[Ask]) -> tuple[Reply, ...]:
        """Answer, and note every question in a file beside the case folder."""
        with self._asked.open("a") as file:
            file.writelines(f"{ask.model} {ask.prompt} {ask.sample} {ask.replicate}\n" for ask in asks)
        replies = tuple(self._reply(ask) for ask in asks)
        return replies[:-1] if self._how == "short" else replies

    def _reply(self, ask: Ask) -> Reply:
        if self._how == "fails":
            return Reply(outcome="failed", reason="HTTP 503")
        if self._how == "empty":
            return Reply(outcome="empty", response=b"{}")
        if self._how == "surrogate":
            return Reply(outcome="answered", text="half \ud83d of a face", response=b'"half \\ud83d of a face"')
        if self._how == "once" and self._asked.read_text().count(f"{ask.model} {ask.prompt} ") < 2:
            return Reply(outcome="failed", reason="first try fails")
        if self._how == "slow":
            time.sleep(0.004)
            self._wait()
        text = answer(self._how, ask.prompt + ask.text)
        return Reply(outcome="answered", text=text, finish="stop", request=ask.text.encode(), response=text.encode())

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while self._gate.is_file() and self._asked.read_text().count("\n") > int(self._gate.read_text() or 0):
            assert time.monotonic() < end, f"{self._gate} was never opened"
            time.sleep(0.004)


def gate(folder: Path) -> Path:
    """File with a number of questions: slow models keep what they are asked after so many until the file is gone."""
    return folder.parent / f"gate-{folder.name}.txt"


def open_scripted(spec: ModelSpec, folder: Path) -> Scripted:
    """Open a scripted model."""
    return Scripted(spec, folder)


def few(count: int, rng: np.random.Generator) -> tuple[Prompt, ...]:
    """Be a broken probe: one prompt too few."""
    return tuple(Prompt(id=f"few-{n}", family="few", cluster=f"few/{n}", text=f"Say {n}.") for n in range(count - 1))


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """Stand in for a sentence encoder: unit vectors that depend on the text alone."""
    rows = [np.random.default_rng(list(text.encode()) or [0]).normal(size=16) for text in texts]
    return np.array([row / np.linalg.norm(row) for row in rows], np.float32).reshape(len(texts), 16)


def mask(texts: Sequence[str]) -> list[list[str]]:
    """Stand in for a tagger: of each word its last letter stays, of other marks everything."""
    return [re.findall(r"\w(?!\w)|[^\w ]", text) for text in texts]


PLUGINS = """
[depose.providers]
scripted = fakes:open_scripted
[depose.probes]
few = fakes:few
[depose.detectors]
broken_import = fakes_that_are_missing:detect
raising_import = fakes_raising:detect
no_function = fakes:STOCK
"""


def install(folder: Path, entry_points: str = PLUGINS, name: str = "depose_fakes") -> Path:
    """Write the metadata of a package that offers plugins; put the folder on the path to have it."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points)
    (folder / "fakes_raising.py").write_text("raise RuntimeError('no licence found')\n")
    return folder


# --- case folders -----------------------------------------------------------------------------------


def to_toml(case: Mapping[str, Any]) -> str:
    """Write tables of plain values, and lists of tables, as TOML."""
    parts = []
    for name, table in case.items():
        if isinstance(table, list):
            for one in table:
                parts.append(f"[[{name}]]\n{_pairs(one)}")
                parts += [f"[{name}.{key}]\n{_pairs(value)}" for key, value in one.items() if isinstance(value, dict)]
        else:
            parts.append(f"[{name}]\n{_pairs(table)}")
            parts += [f"[{name}.{key}]\n{_pairs(value)}" for key, value in table.items() if isinstance(value, dict)]
    return "\n".join(parts)


def _pairs(table: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items() if not isinstance(value, dict))


def model(code: str, role: str, **more: Any) -> dict[str, Any]:
    """Describe a recorded model with a developer and lineages of its own."""
    own = {name: f"{name}-{code}" for name in ("developer", "weight_lineage", "data_lineage")}
    return {"code": code, "role": role, "provider": "recorded", "released": "2025-01", **own, **more}


def case_of(models: Sequence[Mapping[str, Any]], **protocol: Any) -> dict[str, Any]:
    """Describe a case of these models; by default one fast detector, four prompts, no calibration."""
    return {
        "case": {"title": "A made-up case", "authority": "made-up models"},
        "protocol": {
            "probes": ["open_howto:4"],
            "detectors": ["phrases"],
            "primary": dict.fromkeys(("same", "derived", "distilled"), "phrases"),
            "bootstrap": 99,
            "calibration": "",
            **protocol,
        },
        "models": list(models),
    }


def write_case(folder: Path, case: Mapping[str, Any]) -> Path:
    """Write a case folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "case.toml").write_text(to_toml(case), encoding="utf-8")
    return folder


def scripted_case(folder: Path, scripts: Mapping[str, str], *, batch: int = 1, **protocol: Any) -> Path:
    """Write a case of scripted models: code to script; the first is the suspect, the second the reference."""
    roles = ["suspect", "reference", *["control"] * len(scripts)]
    models = [
        model(code, role, provider="scripted", model=script, revision=str(batch))
        for (code, script), role in zip(scripts.items(), roles, strict=False)
    ]
    drawn = {"seed_from": "token"} if protocol.get("phase") == "confirmatory" else {}
    return write_case(folder, case_of(models, **{"replicates": 1, **drawn, **protocol}))


def recorded_case(folder: Path, *, suspect: str, controls: int, prompts: int, seed: int = 1) -> Path:
    """Write a case of recorded models: suspect S1 (of that truth), reference R1, controls of distinct lineages."""
    rng = np.random.default_rng(seed)
    truths = {"S1": suspect, "R1": "same", **{f"C{k}": f"control {k} of {seed}" for k in range(1, controls + 1)}}
    texts = [f"Tell me about {' and '.join(rng.choice(STOCK, 2))}, number {n}." for n in range(prompts)]
    folder.mkdir(parents=True, exist_ok=True)
    rows = [f"q{n},{json.dumps(text)},made-up" for n, text in enumerate(texts)]
    (folder / "prompts.csv").write_text("\n".join(["prompt_id,prompt,category", *rows, ""]))
    lines = [
        json.dumps({"prompt_id": f"q{n}", "prompt": text, "model": code, "output": answer(truth, text)})
        for code, truth in truths.items()
        for n, text in enumerate(texts)
    ]
    (folder / "answers.jsonl").write_text("\n".join(lines) + "\n")
    roles = {"S1": "suspect", "R1": "reference"}
    models = [model(code, roles.get(code, "control"), file="answers.jsonl", model=code) for code in truths]
    return write_case(folder, case_of(models, probes=[], prompts="prompts.csv", detectors=["phrases", "length"]))


def files_in(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder, by name, with the bytes of files: what a command must not have changed."""
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


# --- the command line -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def first(self) -> str:
        """The first line on stderr."""
        return self.err.partition("\n")[0]


@contextlib.contextmanager
def _argv(args: Sequence[str]) -> Iterator[None]:
    before = sys.argv
    sys.argv = ["depose", *args]
    try:
        yield
    finally:
        sys.argv = before


def depose(*args: str | Path) -> Ran:
    """Run `depose` through its real entry point, in this process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with _argv([str(a) for a in args]), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as done:
            code = done.code if isinstance(done.code, int) else 1
    return Ran(code=code, out=out.getvalue(), err=err.getvalue())


@cache
def passed() -> SelfTest:
    """Pass the self-test of the recorded samples, once in this process."""
    found = selftest.selftest(None, lambda line: None, live=False)
    assert found.passed
    return found


def fit(folder: Path) -> Path:
    """Register a case and note in its log that this installation is fit: an audit of it then tests nothing again."""
    pipeline.register_case(folder, now)
    with Log(folder, now) as log:
        log.append("selftest", passed())
    return folder


def audit(folder: Path, *options: str | Path) -> Ran:
    """Audit a case on an installation that is known to be fit."""
    return depose("audit", fit(folder), *options)


def start(*args: str | Path, path: Sequence[Path] = (), flags: Sequence[str] = ()) -> subprocess.Popen[str]:
    """Start `depose` in a process of its own, with further folders on its path."""
    known = os.environ.get("PYTHONPATH", "")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, path), str(TESTS), *filter(None, [known])])}
    command = [sys.executable, *flags, "-c", "from depose.cli import main; main()", *map(str, args)]
    return subprocess.Popen(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process: subprocess.Popen[str]) -> Ran:
    """Wait for a started command."""
    out, err = process.communicate(timeout=PATIENCE)
    return Ran(code=process.returncode, out=out, err=err)


def killed(folder: Path, site: Path, seconds: float) -> None:
    """Start to ask, and kill it so long after it wrote its first record."""
    process = start("probe", folder, path=[site])
    size = log_path(folder).stat().st_size
    while log_path(folder).stat().st_size == size and process.poll() is None:
        time.sleep(0.002)
    time.sleep(seconds)
    process.kill()
    finish(process)


def until(reached: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until a process has got somewhere; one that ends before it got there is a failure."""
    end = time.monotonic() + PATIENCE
    while not reached():
        assert process.poll() is None or reached(), process.communicate()
        assert time.monotonic() < end, "it never got there"
        time.sleep(0.002)


def interrupt(process: subprocess.Popen[str], go_on: Callable[[], object]) -> Ran:
    """Interrupt a run, let it go on once it says that it waits for what is under way, and wait for its end."""
    assert process.stderr is not None
    assert process.stdout is not None
    process.send_signal(signal.SIGINT)
    said = ""
    while "answers under way" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    go_on()
    said += process.stderr.read()
    return Ran(out=process.stdout.read(), code=process.wait(PATIENCE), err=said)


def plain(text: str) -> str:
    """Take the digests out of a text, for comparing outputs."""
    return re.sub(r"[0-9a-f]{12,64}", "<digest>", text)
