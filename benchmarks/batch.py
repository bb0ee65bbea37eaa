"""Screen every model of alpaca_eval against ten references: `make bench-batch`.

    python benchmarks/batch.py [--data ../shared/data] [--out out/bench-batch] [--kills 20] [--no-ray]

Prints seconds and peak memory (all processes together, shared pages once) at a quarter, a half and all of the suspects;
what one more vendor costs; whether another engine, and runs killed at random moments, end with the same bytes; and how
many hits are true, by the labels of the population, at the declared local false-discovery rate. References are those
with most documented true pairs. Every model but the added vendor may be a control.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depose.batch.matrix import HITS
from depose.case import population
from depose.case.population import Member, Pair, Population
from depose.statistics.rates import lower_bound, upper_bound

SOURCE = "alpaca_eval"
REFERENCES = 10
FDR = 0.1


@dataclass(frozen=True, kw_only=True)
class Took:
    """What a run took."""

    seconds: float
    gigabytes: float
    code: int


def batch_file(
    path: Path, data: Path, suspects: Sequence[str], references: Sequence[str], controls: Sequence[str]
) -> Path:
    """Write a batch file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lists = {"suspects": suspects, "references": references, "controls": controls}
    lines = ["[batch]", 'title = "alpaca_eval"', 'authority = "published benchmark outputs, research use"']
    lines += ["[screening]", f"fdr = {FDR}", "[data]", f"folder = {json.dumps(str(data))}", f'source = "{SOURCE}"']
    lines += [f"{name} = {json.dumps(list(names), ensure_ascii=False)}" for name, names in lists.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def start(file: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start `depose batch` in a session of its own, so that it can be killed with its workers."""
    depose = Path(sys.executable).with_name("depose")
    command = [str(one) for one in (depose, "batch", file, "--out", out, *more)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def tree(root: int) -> set[int]:
    """A process and all that descend from it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = entry.read_text()
        except OSError:
            continue
        parents[int(entry.parent.name)] = int(text.rpartition(")")[2].split()[1])
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def memory(root: int) -> int:
    """Kilobytes of a process tree, shared pages divided among those that share them."""
    total = 0
    for pid in tree(root):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


def run(file: Path, out: Path, *more: str) -> Took:
    """Run a batch to its end, looking at its memory ten times a second."""
    began = time.monotonic()
    process = start(file, out, *more)
    peak = 0
    watching = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not watching.wait(0.1):
            peak = max(peak, memory(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, said = process.communicate()
    seconds = time.monotonic() - began
    watching.set()
    watcher.join()
    if process.returncode:
        print(said.decode(), file=sys.stderr)
    return Took(seconds=seconds, gigabytes=peak / 1024**2, code=process.returncode)


def fresh(out: Path) -> Path:
    """Start from nothing."""
    shutil.rmtree(out, ignore_errors=True)
    return out


def kill_runs(file: Path, out: Path, kills: int, seconds: float, expected: bytes) -> tuple[int, int, int]:
    """Kill runs at random moments and start them again; count kills, runs that were finished, and equal results."""
    rng = random.Random(7)  # noqa: S311 - moments, not secrets
    killed = finished = equal = 0
    fresh(out)
    while killed < kills:
        process = start(file, out)
        try:
            process.communicate(timeout=rng.uniform(0, seconds))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.communicate()
            killed += 1
            continue
        finished += 1
        equal += (out / "matrix.json").read_bytes() == expected
        fresh(out)
    done = run(file, out)
    finished += done.code == 0
    equal += (out / "matrix.json").read_bytes() == expected
    return killed, finished, equal


def truth(pairs: Sequence[Pair]) -> dict[tuple[str, str], Pair]:
    """Labelled pairs by suspect and reference; the same model in both directions."""
    found = {(one.suspect, one.reference): one for one in pairs}
    for one in pairs:
        if one.relation == "same_model":
            found.setdefault((one.reference, one.suspect), one)
    return found


def kind(pair: Pair | None, one: Member, other: Member) -> str:
    """Sort a hit by what is known of it; siblings and models of one maker or base are neither true nor false."""
    if pair is None:
        near = one.developer == other.developer or one.weight_lineage == other.weight_lineage
        return "of one maker or base, not listed" if near else "not listed"
    if pair.label is None:
        return "sibling or likely"
    if pair.label:
        return "true"
    return "false, documented" if pair.documented else "false as far as documented"


def discoveries(matrix: dict[str, Any], made: Population) -> None:
    """Print how many hits there are, and how many of those with a label are false; of how many families of suspects."""
    known = truth(made.pairs)
    members = {one.name: one for one in made.members}

    def kinds(cells: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
        pairs = [(one["suspect"], one["reference"]) for one in cells]
        return [(kind(known.get(pair), *(members[name] for name in pair)), members[pair[0]].family) for pair in pairs]

    hits = [one for one in matrix["cells"] if one["outcome"] in HITS]
    for asked in matrix["asked"]:
        mine = kinds([one for one in hits if one["question"] == asked["question"]])
        print(f"  {asked['question']:<10} {_rates(mine)}; expected false by the model {asked['expected_false']:.1f}")
    print(f"  {'all':<10} {_rates(kinds(hits))}")
    low = [one for one in matrix["cells"] if one["lfdr"] is not None and one["lfdr"] <= FDR]
    print(f"  by the local rate alone, whatever p: {_rates(kinds(low))}")


def _rates(found: Sequence[tuple[str, str]]) -> str:
    counts = Counter(name for name, _ in found)
    true, documented = counts["true"], counts["false, documented"]
    false = documented + counts["false as far as documented"]
    listed = (f"{n} {name} ({len({f for k, f in found if k == name})} families)" for name, n in sorted(counts.items()))
    parts = [f"{len(found)} hits: {', '.join(listed) or 'none'}"]
    for name, k in (("documented", documented), ("all labels", false)):
        n = true + k
        bounds = f"{lower_bound(k, n):.3f}-{upper_bound(k, n):.3f}" if n else "none"
        parts.append(
            f"realised FDR, {name}: {k}/{n}{f' = {k / n:.3f}' if n else ''} (one-sided exact 95 % bounds {bounds})"
        )
    return "; ".join(parts)


def main() -> int:
    """Measure, and print a line for each measurement."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("out/bench-batch"))
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--no-ray", action="store_true")
    options = parser.parse_args()
    data, out = options.data.resolve(), options.out.resolve()
    if not (data / "lineage.csv").is_file():
        print(f"skipped: {data} is not here; this benchmark needs the lineage benchmark")
        return 0
    made = population.read(data, SOURCE)
    names = sorted(one.name for one in made.members)
    true = Counter(one.reference for one in made.pairs if one.label == 1)
    ranked = sorted(true, key=lambda name: (-true[name], name))
    references = ranked[:REFERENCES]
    vendor = next(name for name in reversed(names) if name not in references)
    rest = [name for name in names if name != vendor]
    print(f"{len(names)} suspects, references {', '.join(references)}; vendor added last: {vendor}", flush=True)

    failed = False
    whole = Took(seconds=0, gigabytes=0, code=0)
    sizes: dict[int, tuple[Path, Took]] = {}
    for step in (4, 2, 1):
        suspects = names[::step]
        file = batch_file(out / f"every-{step}.toml", data, suspects, references, rest)
        whole = run(file, fresh(out / f"every-{step}"))
        failed |= whole.code != 0
        sizes[step] = (file, whole)
        rows = f"{len(suspects)} suspects, {len(suspects) * len(references)} cells"
        print(f"{rows}: {whole.seconds:.1f} s ({whole.seconds / 60:.2f} min), {whole.gigabytes:.2f} GB", flush=True)

    file = batch_file(out / "added.toml", data, rest, references, rest)
    run(file, fresh(out / "added"))
    idle = run(file, out / "added")
    more = run(batch_file(out / "added.toml", data, names, references, rest), out / "added")
    expected = (out / "every-1" / "matrix.json").read_bytes()
    same = (out / "added" / "matrix.json").read_bytes() == expected
    failed |= not same
    print(
        f"one vendor more: {more.seconds:.1f} s, {more.seconds / whole.seconds:.1%} of the whole; a run with no row to "
        f"make {idle.seconds:.1f} s, so that the row itself costs {(more.seconds - idle.seconds) / whole.seconds:.1%}; "
        f"{'the same bytes as' if same else 'NOT as'} made at once",
        flush=True,
    )

    if options.no_ray or importlib.util.find_spec("ray") is None:
        print("ray: not measured (pip install 'depose[ray]')")
    else:
        ray = run(sizes[1][0], fresh(out / "ray"), "--engine", "ray")
        same = ray.code == 0 and (out / "ray" / "matrix.json").read_bytes() == expected
        failed |= not same
        print(
            f"ray: {ray.seconds:.1f} s, {ray.seconds / whole.seconds:.2f} times the process pool; "
            f"{'the same bytes' if same else 'OTHER bytes'}",
            flush=True,
        )

    if options.kills:
        file, took = sizes[1]
        killed, finished, equal = kill_runs(file, out / "killed", options.kills, took.seconds, expected)
        failed |= finished != equal
        print(f"killed at {killed} random moments: {equal} of {finished} results identical", flush=True)

    print(f"false discoveries at a local rate of {FDR}, lineages of each cell left out, {REFERENCES} references:")
    discoveries(json.loads(expected), made)
    wide = batch_file(out / "wide.toml", data, names, ranked, rest)
    failed |= run(wide, out / "wide").code != 0
    print(f"the same with all {len(ranked)} references of documented true pairs:")
    discoveries(json.loads((out / "wide" / "matrix.json").read_bytes()), made)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
