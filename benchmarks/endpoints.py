"""Calls a second of `depose probe` against a server on loopback, beside a bare httpx2 loop over the same requests.

Both ask the same server, which runs in a process of its own, in turns. What depose does more: order, budget, records of
every byte, log and blobs forced to disk.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests" / "support"
sys.path.insert(0, str(TESTS))
ONCE = "from depose.cli import main; main()"


@contextlib.contextmanager
def served() -> Iterator[str]:
    """Run the server beside and give its address."""
    command = [sys.executable, str(TESTS / "faults.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.communicate("")


def bare(url: str, calls: int, width: int) -> float:
    """Ask with nothing but httpx2 and threads; seconds."""
    import httpx2

    body = {"model": "m-1", "temperature": 0.7, "max_tokens": 200, "seed": 7, "stream": False}
    limits = httpx2.Limits(max_connections=width, max_keepalive_connections=width)
    with httpx2.Client(limits=limits, timeout=60) as client, ThreadPoolExecutor(width) as pool:

        def ask(number: int) -> str:
            messages = [{"role": "user", "content": f"Question {number}: how do I prune a rose?"}]
            answer = client.post(f"{url}/v1/chat/completions", json={**body, "messages": messages})
            return str(answer.json()["choices"][0]["message"]["content"])

        began = time.perf_counter()
        texts = list(pool.map(ask, range(calls)))
        spent = time.perf_counter() - began
    if len(texts) != calls:
        raise SystemExit("the bare loop lost an answer")
    return spent


def probed(url: str, calls: int, width: int, folder: Path) -> float:
    """Ask the same number of questions with depose, in this process; seconds of `probe` alone."""
    from depose import pipeline
    from depose.cli.options import now
    from fakes import case_of, model, write_case
    from faulty import remote

    models = [remote(url, concurrency=width), model("R1", "reference")]
    case = case_of(models, probes=["open_howto:100"], samples=calls // 100, replicates=1)
    write_case(folder, case)
    pipeline.register_case(folder, now)
    began = time.perf_counter()
    done = pipeline.probe(folder, now, lambda answered, failed: None)
    spent = time.perf_counter() - began
    if done.answered != calls:
        raise SystemExit(f"{done.answered} of {calls} answered: {done.notices}")
    return spent


def audited(url: str, folder: Path) -> tuple[float, float]:
    """Run an audit of 40 calls to its findings in a fresh process; seconds, and seconds of imports alone."""
    from fakes import case_of, write_case
    from faulty import remote

    models = [remote(url), remote(url, "R1", "reference")]
    models += [remote(url, f"C{n}", "control") for n in range(3)]
    write_case(folder, case_of(models, probes=["open_howto:8"], replicates=1))
    env = {**os.environ, "PYTHONPATH": str(TESTS)}
    spent = []
    for code in ("import depose.pipeline, depose.analysis.analyze, sklearn, scipy.stats, matplotlib, jinja2", ONCE):
        began = time.perf_counter()
        command = [sys.executable, "-c", code, "audit", str(folder), "--format", "html", "--json"]
        ran = subprocess.run(command, env=env, capture_output=True, check=True, text=True)
        spent.append(time.perf_counter() - began)
    if json.loads(ran.stdout)["denominators"][0]["answered"] != 8:
        raise SystemExit("the audit lost an answer")
    return spent[1], spent[0]


def main() -> None:
    """Print the two figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    ratios = []
    with served() as url, tempfile.TemporaryDirectory() as name:
        whole, imports = audited(url, Path(name) / "audit")
        print(f"40 calls, findings and report out: {whole:.1f} s, of which imports {imports:.1f} s")
        for turn in range(given.turns):
            plain = bare(url, given.calls, given.width)
            ours = probed(url, given.calls, given.width, Path(name) / f"case{turn}")
            ratios.append(plain / ours)
            print(
                f"{given.calls} calls, {given.width} in flight: depose {given.calls / ours:.0f}/s, "
                f"bare httpx2 {given.calls / plain:.0f}/s, ratio {ratios[-1]:.2f}",
                flush=True,
            )
    print(f"median ratio {statistics.median(ratios):.2f}; load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
