"""How fast evidence is written and verified, as ratios to plain writes and to sha256sum; does memory stay flat?

Writes N exchanges of 4 kB through the log, then the same bytes by plain buffered writes with as many fsyncs; then
verifies (form, number, chain, canonical bytes, Merkle leaf) and runs sha256sum on the same file. Side by side, so that
a busy machine slows both.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from depose.custody import merkle
from depose.evidence.log import Log, chained, log_path, read_log

EVERY = 100
"""Exchanges between two fsyncs."""


def main() -> None:
    """Print rates and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exchanges", type=int, default=100_000)
    count = parser.parse_args().exchanges
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as place:
        case = Path(place)
        text = "All happy families are alike; each unhappy family is unhappy in its own way. " * 60
        write = _timed(lambda: _through_the_log(case, count, text[:4_096]))
        grown = [_memory()]
        log = log_path(case)
        plain = _timed(lambda: _plainly(case / "plain", log))
        subprocess.run(["cat", log], stdout=subprocess.DEVNULL, check=True)
        read = _timed(lambda: sum(1 for _ in read_log(case)))
        sha = _timed(lambda: subprocess.run(["sha256sum", log], stdout=subprocess.DEVNULL, check=True))
        leaves: list[bytes] = []
        tree = _timed(lambda: _with_tree(log, leaves))
        size = log.stat().st_size / 1e6
    print(f"{count} exchanges of 4 kB, {size:.0f} MB, an fsync every {EVERY}")
    for name, seconds, other, against in (
        ("append", write, plain, "plain writes, the same fsyncs"),
        ("read", read, sha, "sha256sum"),
        ("verify", tree, sha, "sha256sum, with the Merkle tree"),
    ):
        rate = f"{count / seconds:8.0f}/s {size / seconds:6.0f} MB/s"
        print(f"{name:7} {rate} {seconds / other:6.2f} x {against} ({other:.2f} s)")
    print(f"memory: {grown[0]:.0f} MB at most after appending")


def _memory() -> float:
    """Peak of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _through_the_log(case: Path, count: int, text: str) -> None:
    from depose.cli.options import now

    body = dict.fromkeys(("finish", "reason", "request", "response", "source", "started", "ended"), "")
    half = 0.0
    with Log(case, now) as log:
        for number in range(count):
            log.append("exchange", {**body, "model": "S1", "prompt": f"p{number}", "sample": 0, "text": text})
            if number % EVERY == EVERY - 1:
                log.sync()
            if number == count // 10:
                half = _memory()
    print(f"memory while appending: {half:.0f} MB after a tenth, {_memory():.0f} MB at the end")


def _plainly(file: Path, log: Path) -> None:
    with file.open("wb") as out, log.open("rb") as lines:
        for number, line in enumerate(lines):
            out.write(line)
            if number % EVERY == EVERY - 1:
                out.flush()
                os.fsync(out.fileno())


def _with_tree(log: Path, leaves: list[bytes]) -> None:
    def lines(file: BinaryIO) -> Iterator[bytes]:
        for line in file:
            leaves.append(merkle.leaf(line[:-1]))
            yield line

    with log.open("rb") as file:
        for _ in chained(lines(file), str(log)):
            pass
    merkle.root(leaves)


if __name__ == "__main__":
    main()
