"""Runs whose disk fills up and gets room again, or whose log is replaced, at random moments.

As a script it is one such run: it asks a case, and writes into a file on another disk how many answers it reported.
Where a small file system can be mounted (as root), it is filled by another file; elsewhere the run itself is forbidden
at random moments to let files grow (RLIMIT_FSIZE), which needs no rights: a write fails in its midst just the same.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from depose import pipeline
from depose.cli.options import now
from depose.errors import DeposeError
from depose.evidence import ledger
from depose.evidence.log import log_path
from fakes import TESTS, Ran

DISK = 48 * 1024**2


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[bool]:
    """Mount a small file system; tell whether that worked."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(place)], check=True)


@dataclass(kw_only=True)
class Tally:
    """What became of the runs."""

    runs: int = 0
    stopped: int = 0
    """Runs that ended with a message."""
    verified: int = 0
    broken: int = 0
    lost: int = 0
    """Answers that were reported and are not in the log."""
    odd: list[str] = field(default_factory=list)
    """Runs that ended otherwise than with success or a message."""


def _started(folder: Path, reports: Path, site: Path, how: str, seed: int) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(TESTS)])}
    command = [sys.executable, __file__, str(folder), str(reports), how, str(seed)]
    return subprocess.Popen(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _finished(process: subprocess.Popen[str]) -> Ran:
    out, err = process.communicate(timeout=120)
    return Ran(code=process.returncode, out=out, err=err)


def _checked(folder: Path, reports: Path, ran: Ran, tally: Tally) -> None:
    """Compare the log with what was reported."""
    tally.runs += 1
    tally.stopped += ran.code == 1
    if ran.code not in (0, 1) or "Traceback" in ran.err:
        tally.odd.append(ran.err[-600:])
    try:
        found = ledger.entries(folder)
    except DeposeError as error:
        tally.broken += 1
        tally.odd.append(error.message)
        return
    tally.verified += 1
    answered = {ledger.key(one) for one in found.exchanges if one.outcome == "answered"}
    reported = sum(map(int, reports.read_text().split())) if reports.exists() else 0
    tally.lost += max(0, reported - len(answered))


def on_a_full_disk(folder: Path, reports: Path, site: Path, runs: int, chance: random.Random, *, own: bool) -> Tally:
    """Run again and again on a disk that fills up and gets room again; `own` where the folder has a disk of its own."""
    tally = Tally()
    ballast = folder.parent / "ballast"
    for _ in range(runs):
        process = _started(folder, reports, site, "plain" if own else "limited", chance.randrange(10**6))
        while own and process.poll() is None:
            time.sleep(chance.uniform(0, 0.5))
            with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(b"\0" * chance.choice([1, 512, 4_096, 65_536, 1024**2]))
            time.sleep(chance.uniform(0, 0.05))
            ballast.unlink()
        _checked(folder, reports, _finished(process), tally)
    return tally


# --- a log that is replaced -------------------------------------------------------------------------


def _renamed(path: Path, old: bytes) -> None:
    other = path.with_name("restored")
    other.write_bytes(old)
    other.replace(path)


def _overwritten(path: Path, old: bytes) -> None:
    path.write_bytes(old)


def _emptied(path: Path, old: bytes) -> None:
    os.truncate(path, 0)


def _deleted(path: Path, old: bytes) -> None:
    path.unlink()


def _appended(path: Path, old: bytes) -> None:
    with path.open("ab") as file:
        file.write(b'{"seq":0}\n')


ACTS: tuple[Callable[[Path, bytes], None], ...] = (_renamed, _overwritten, _emptied, _deleted, _appended)


def with_another_log(folder: Path, reports: Path, site: Path, runs: int, chance: random.Random) -> Tally:
    """Replace the log at a random moment of each run, do what the message says, and look for what was reported."""
    tally = Tally()
    path = log_path(folder)
    for number in range(runs):
        before = path.read_bytes()
        process = _started(folder, reports, site, "plain", 0)
        while path.stat().st_size == len(before) and process.poll() is None:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.3))
        process.send_signal(signal.SIGSTOP)
        there = path.read_bytes()
        ACTS[number % len(ACTS)](path, before)
        process.send_signal(signal.SIGCONT)
        ran = _finished(process)
        kept = list(path.parent.glob("log-kept-*.jsonl"))
        if not kept:  # it was done already
            path.write_bytes(there)
        elif " on, are in " in ran.err:
            path.write_bytes(before + kept[0].read_bytes())
            kept[0].unlink()
        else:
            kept[0].replace(path)
        _checked(folder, reports, ran, tally)
    return tally


# --- one run ----------------------------------------------------------------------------------------


def _forbid(path: Path, chance: random.Random) -> None:
    """Forbid this process from time to time to let a file grow beyond about the size of the log."""
    while True:
        time.sleep(chance.uniform(0, 0.5))
        size = path.stat().st_size + chance.choice([0, 1, 100, 1_000, 4_000])
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        time.sleep(chance.uniform(0, 0.05))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def main() -> None:
    """Ask a case and report every answer that is said to be recorded."""
    folder, reports, how, seed = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    if how == "limited":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        chance = random.Random(seed)
        threading.Thread(target=_forbid, args=(log_path(folder), chance), daemon=True).start()
    told: list[int] = []
    try:
        pipeline.probe(folder, now, lambda answered, failed: told.append(answered))
    except (DeposeError, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        with reports.open("a") as file:
            file.write(f"{sum(told)}\n")


if __name__ == "__main__":
    main()
