"""Import and scan killed at random moments: the same bytes at the end as of a run that nobody disturbed.

Of the findings three fields are left out that hold times of day, or digests of such: the head of the log, the
registration, and when it was made.

    python benchmarks/extraction/kills.py --kills 20 --seed 1

Both commands run as processes of their own and get SIGKILL after a random share of the time that they take undisturbed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BYTES = ("events/**/*.parquet", "events/manifest.json", "out/findings-extraction.json", "out/exhibits.csv")
TIMED = ("log_head", "registered", "registered_at")
DEPOSE = (sys.executable, "-m", "depose", "extraction")


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of every file that must be the same."""
    found = {}
    for one in (one for pattern in BYTES for one in sorted(folder.glob(pattern))):
        data = one.read_bytes()
        if one.name.startswith("findings"):
            said = json.loads(data)
            data = json.dumps({name: value for name, value in said.items() if name not in TIMED}).encode()
        found[str(one.relative_to(folder))] = hashlib.sha256(data).hexdigest()
    return found


def finished(command: list[str], within: float | None = None) -> bool:
    """Run a command, killed after so many seconds; tell whether it came to its end, raise SystemExit if it failed."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            _, errors = process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return False
    if process.returncode:
        raise SystemExit(f"{' '.join(command[3:5])} ended with {process.returncode}:\n{errors[-1_000:]}")
    return True


def main() -> None:
    """Make a log, run it undisturbed and disturbed, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    draw = random.Random(asked.seed)  # noqa: S311
    with tempfile.TemporaryDirectory() as name:
        first, second = Path(name) / "undisturbed", Path(name) / "disturbed"
        finished([*DEPOSE, "simulate", str(first), "--accounts", "120", "--days", "14", "--seed", "3"])
        shutil.copytree(first, second)

        def commands(case: Path) -> list[list[str]]:
            key = str(case / "custodian.key")
            log = str(case / "log.jsonl.gz")
            return [[*DEPOSE, "import", str(case), log, "--format", "litellm", "--hash-key", key],
                    [*DEPOSE, "scan", str(case)]]  # fmt: skip

        took = []
        for command in commands(first):
            start = time.monotonic()
            finished(command)
            took.append(time.monotonic() - start)
        killed = 0
        while killed < asked.kills:
            for command, seconds in zip(commands(second), took, strict=True):
                if killed < asked.kills and not finished(command, draw.uniform(0.02, 1) * seconds):
                    killed += 1
                    break
        for command in commands(second):
            finished(command)
        same = digests(first) == digests(second)
        print(f"{killed} kills, {len(digests(first))} files: {'the same bytes' if same else 'DIFFERENT BYTES'}")
        if not same:
            one, other = digests(first), digests(second)
            raise SystemExit("\n".join(sorted(name for name in one | other if one.get(name) != other.get(name))))


if __name__ == "__main__":
    main()
