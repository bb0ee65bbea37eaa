"""Rivals of the substitution test on the same days of the same answers (`same/bank.py`): `make bench-same-peers`.

    python benchmarks/same/peers.py BANK [--fpverify FOLDER] [--equality] [--runs 20] [--variants ...]

fpverify (a checkout of it; its e-process with the tolerance that it fits to the kept answers, its own way to read an
answer) sees each answer as it comes, like ours. model-equality-testing (installed; MMD with the Hamming kernel on the
first 40 characters, 100 permutations) is called once, when all answers of the day are there.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from power import ALPHA, DRAWS, drawn, load

from depose.statistics.substitution import examine, likeness

KEPT, ROUNDS = 20, 8
LENGTH = 40
"""Characters of an answer that model-equality-testing compares."""


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day: kept and new answers to each prompt, and the order in which new ones came."""

    kept: list[list[str]]
    new: list[list[str]]
    order: list[int]
    seed: int


Test = Callable[[Day], int | None]
"""After how many calls a day was rejected, if it was."""


def day(reference: list[list[str]], other: list[list[str]] | None, seed: int) -> Day:
    """Draw one day, the same for every test."""
    rng = np.random.default_rng([seed, 5])
    kept, new = [], []
    for place, said in enumerate(reference):
        first, then = drawn(len(said), len(other[place]) if other else 0, KEPT, ROUNDS, rng)
        both = [*said, *(other[place] if other else [])]
        kept.append([both[int(at)] for at in first])
        new.append([both[int(at)] for at in then])
    order = [int(one) for _ in range(ROUNDS) for one in rng.permutation(len(reference))]
    return Day(kept=kept, new=new, order=order, seed=seed)


def ours(one: Day) -> int | None:
    """Test a day by `depose watch`."""
    alike = [likeness([*old, *new]) for old, new in zip(one.kept, one.new, strict=True)]
    rng = np.random.default_rng([one.seed, 6])
    return examine(alike, [KEPT] * len(alike), one.order, ROUNDS, ALPHA, rng, DRAWS).rejected_at


def fpverify() -> Test:
    """Return the test of fpverify."""
    betting, calibrate, normalize = (
        importlib.import_module(f"fpverify.{name}") for name in ("betting", "calibrate", "normalize")
    )

    def read(text: str) -> str:
        found: str = normalize.normalize("int" if any(letter.isdigit() for letter in text) else "word", text)
        return found

    def test(one: Day) -> int | None:
        counts = {(str(at), "en"): Counter(map(read, said)) for at, said in enumerate(one.kept)}
        config = betting.BettingConfig(alpha=ALPHA)
        config.delta = calibrate.calibrate_delta(counts, config)
        process = betting.SequentialBettingTest(counts, config)
        turn = [0] * len(one.new)
        for calls, prompt in enumerate(one.order, 1):
            process.observe((str(prompt), "en"), read(one.new[prompt][turn[prompt]]))
            turn[prompt] += 1
            if process.decided:
                return calls
        return None

    return test


def equality() -> Test:
    """Return the test of model-equality-testing, which may ask for all answers at once alone."""
    from model_equality_testing.algorithm import run_two_sample_test  # type: ignore[import-not-found]
    from model_equality_testing.distribution import CompletionSample  # type: ignore[import-not-found]

    def sample(answers: Sequence[Sequence[str]]) -> Any:
        texts = [(prompt, text[:LENGTH]) for prompt, said in enumerate(answers) for text in said]
        codes = np.zeros((len(texts), LENGTH), int)
        for row, (_, text) in enumerate(texts):
            codes[row, : len(text)] = [ord(letter) for letter in text]
        return CompletionSample(prompts=np.array([at for at, _ in texts]), completions=codes, m=len(answers))

    def test(one: Day) -> int | None:
        p = float(run_two_sample_test(sample(one.kept), sample(one.new), b=100, stat_type="mmd_hamming")[0])
        return len(one.order) if p <= ALPHA else None

    return test


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bank", type=Path)
    parser.add_argument("--fpverify", type=Path, help="a checkout of fpverify")
    parser.add_argument("--equality", action="store_true", help="model-equality-testing is installed")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--variants", nargs="*")
    given = parser.parse_args()
    tests: dict[str, Test] = {"depose watch": ours}
    if given.fpverify:
        sys.path.insert(0, str(given.fpverify))
        tests["fpverify"] = fpverify()
    if given.equality:
        tests["model-equality-testing"] = equality()
    rows = load(given.bank, "choices")
    reference = rows["reference"]["answers"]
    print(
        f"{len(reference)} choices, {KEPT} kept answers to each, {ROUNDS} new ones; {given.runs} days, alpha {ALPHA}\n"
    )
    print("| other setting | test | found | calls, median of those found | s a day |\n|---|---|---|---|---|")
    for name in given.variants or rows:
        days = [day(reference, None if name == "reference" else rows[name]["answers"], at) for at in range(given.runs)]
        for told, test in tests.items():
            began = time.process_time()
            hits = [test(one) for one in days]
            spent = (time.process_time() - began) / len(days)
            found = [hit for hit in hits if hit is not None]
            median = f"{np.median(found):.0f}" if found else "-"
            print(f"| {name} | {told} | {len(found)} of {len(days)} | {median} | {spent:.2f} |")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
