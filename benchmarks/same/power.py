"""Calls until another setting is found, and false alarms: the substitution test on a bank of answers (`same/bank.py`).

    python benchmarks/same/power.py BANK [--runs 300] [--level 1000] [--kept 20] [--rounds 8] [--peer PATH]

Each run draws `kept` answers of the reference to every prompt and then as many new ones as there are rounds, without
replacement, from the variant (of the reference: others of its own). It says with which calls 90 of 100 runs have
rejected at .01, with the tokens these took, and how often same against same was rejected at any call.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depose.statistics.rates import upper_bound
from depose.statistics.substitution import Array, examine, likeness

ALPHA = 0.01
POWER = 0.9
DRAWS = 1_999
"""Permutations of a look: fewer than a real day makes, which costs a little power."""


def load(bank: Path, kind: str) -> dict[str, dict[str, Any]]:
    """Read the variants of a set, the reference first."""
    rows = [json.loads(file.read_text("utf-8")) for file in sorted(bank.glob(f"{kind}-*.json"))]
    return {row["variant"]: row for row in sorted(rows, key=lambda row: row["variant"] != "reference")}


def drawn(size: int, new: int, kept: int, rounds: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Choose kept and new answers: places in the row of the reference, followed by that of the variant, if any."""
    first = rng.permutation(size)
    return first[:kept], (size + rng.permutation(new)[:rounds] if new else first[kept : kept + rounds])


def run(alike: list[Array], size: int, new: int, kept: int, rounds: int, rng: np.random.Generator) -> int | None:
    """Make one day; calls until rejection, or None."""
    parts = []
    for among in alike:
        where = np.concatenate(drawn(size, new, kept, rounds, rng))
        parts.append(among[np.ix_(where, where)])
    order = [int(one) for _ in range(rounds) for one in rng.permutation(len(alike))]
    return examine(parts, [kept] * len(parts), order, rounds, ALPHA, rng, DRAWS).rejected_at


def row(name: str, hits: list[int | None], tokens: float, seconds: float) -> str:
    """Set one variant out as a row of a table."""
    found = sorted(hit for hit in hits if hit is not None)
    needed = found[int(np.ceil(POWER * len(hits))) - 1] if len(found) >= POWER * len(hits) else None
    share = len(found) / len(hits)
    median = f"{np.median(found):.0f}" if found else "-"
    end = f"{needed} | {needed * tokens:.0f}" if needed else "not reached | -"
    return f"| {name} | {share:.2f} | {median} | {end} | {seconds:.0f} |"


def study(bank: Path, kind: str, runs: int, level: int, kept: int, rounds: int) -> None:
    """Print the table of one set."""
    rows = load(bank, kind)
    if not rows:
        return
    reference = rows["reference"]
    rounds, kept = (
        min(rounds, min(len(r["answers"][0]) for r in rows.values())),
        min(kept, len(reference["answers"][0]) // 2),
    )
    print(f"\n{kind}: {len(reference['prompts'])} prompts, {kept} kept answers to each, at most {rounds} rounds\n")
    print(f"| variant | rejected at {ALPHA} | median calls | calls for power {POWER} | tokens out | s |")
    print("|---|---|---|---|---|---|")
    for name, one in rows.items():
        began = time.monotonic()
        own = name == "reference"
        texts = [old if own else [*old, *new] for old, new in zip(reference["answers"], one["answers"], strict=True)]
        alike = [likeness(some) for some in texts]
        size, new = len(reference["answers"][0]), 0 if own else len(one["answers"][0])
        many = level if own else runs
        hits = [run(alike, size, new, kept, rounds, np.random.default_rng([seed, 5])) for seed in range(many)]
        print(row(name, hits, float(one["tokens"]), time.monotonic() - began))
        if own:
            alarms = sum(hit is not None for hit in hits)
            print(f"same against same: {alarms} of {many} days rejected, upper bound {upper_bound(alarms, many):.4f}")
        sys.stdout.flush()


def peer(path: Path, bank: Path, runs: int, kept: int, rounds: int) -> None:
    """Run the permutation test of model-equality-testing on the same answers, one call of it on each day."""
    spec = importlib.util.find_spec("model_equality_testing")
    if spec is None:
        sys.path.insert(0, str(path))
    from model_equality_testing.algorithm import run_two_sample_test  # type: ignore[import-not-found]
    from model_equality_testing.distribution import CompletionSample  # type: ignore[import-not-found]

    rows = load(bank, "choices")
    length = 40

    def sample(answers: list[list[str]], places: list[NDArray[np.int64]]) -> Any:
        texts = [(p, answers[p][int(i)]) for p, some in enumerate(places) for i in some]
        codes = np.zeros((len(texts), length), int)
        for line, (_, text) in enumerate(texts):
            codes[line, : len(text[:length])] = [ord(letter) for letter in text[:length]]
        return CompletionSample(prompts=np.array([p for p, _ in texts]), completions=codes, m=len(answers))

    reference = rows["reference"]["answers"]
    print("\nmodel-equality-testing (MMD with the Hamming kernel, 100 permutations) on the same answers")
    print("\n| variant | p <= .01 | smallest p | s a day |\n|---|---|---|---|")
    for name, one in rows.items():
        began, found = time.monotonic(), []
        for seed in range(runs):
            rng = np.random.default_rng([seed, 5])
            own = name == "reference"
            new = 0 if own else len(one["answers"][0])
            places = [drawn(len(reference[0]), new, kept, rounds, rng) for _ in reference]
            right = [some if own else some - len(reference[0]) for _, some in places]
            left = sample(reference, [some for some, _ in places])
            told = run_two_sample_test(left, sample(one["answers"], right), b=100, stat_type="mmd_hamming")
            found.append(float(told[0]))
        spent = (time.monotonic() - began) / runs
        print(f"| {name} | {np.mean(np.array(found) <= ALPHA):.2f} | {min(found):.3f} | {spent:.1f} |")
        sys.stdout.flush()


def main() -> int:
    """Print a table for each set of the bank."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bank", type=Path)
    parser.add_argument("--sets", nargs="*", default=["choices", "open", "llmmap"])
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--level", type=int, default=1_000)
    parser.add_argument("--kept", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--peer", type=Path, help="a copy of model-equality-testing")
    parser.add_argument("--peer-runs", type=int, default=5)
    given = parser.parse_args()
    for kind in given.sets:
        study(given.bank, kind, given.runs, given.level, given.kept, given.rounds)
    if given.peer is not None:
        peer(given.peer, given.bank, given.peer_runs, given.kept, given.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
