"""Speed, side by side where a peer is installed: `make bench`.

1. `depose --help`: median of five runs, and which heavy packages it imported.
2. The prompt-level permutation test on one pair: 805 prompts, 23 controls, 9,999 permutations; beside it one
   permutation of model-equality-testing on 805 answers of 200 characters, where `make bench-peers` has installed it.

The numbers are of the machine that runs this; only ratios compare.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from depose.statistics.permutation import PERMUTATIONS, prompt_level

HEAVY = ("torch", "spacy", "matplotlib", "weasyprint", "sklearn", "numpy", "scipy", "transformers")
PROMPTS, CONTROLS = 805, 23
PEER = Path("build/peers-venv/bin/python")
PEER_PERMUTATIONS = 20
PEER_CODE = f"""
import json, time, warnings
warnings.simplefilter("ignore")
import numpy as np
from model_equality_testing.algorithm import run_two_sample_test
from model_equality_testing.distribution import CompletionSample
rng = np.random.default_rng(0)
texts = rng.integers(97, 123, (2, {PROMPTS}, 200))
a, b = (CompletionSample(prompts=np.zeros({PROMPTS}, int), completions=one, m=1) for one in texts)
start = time.perf_counter()
run_two_sample_test(a, b, pvalue_type="permutation_pvalue", stat_type="mmd_hamming", b={PEER_PERMUTATIONS})
print(json.dumps((time.perf_counter() - start) / {PEER_PERMUTATIONS}))
"""


def help_time() -> tuple[float, list[str]]:
    """Time `depose --help`, and list the heavy packages among its imports."""
    depose = Path(sys.executable).with_name("depose")
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([depose, "--help"], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    traced = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "from depose.cli import cli; cli(['--help'])"],
        check=True,
        capture_output=True,
        text=True,
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in traced.stderr.splitlines()}
    return statistics.median(times), sorted(imported & set(HEAVY))


def permutation_time() -> float:
    """Time the prompt-level test on made scores."""
    rng = np.random.default_rng(0)
    pair, controls = rng.normal(0.2, 1, PROMPTS), rng.normal(size=(PROMPTS, CONTROLS))
    clusters = [str(i) for i in range(PROMPTS)]
    start = time.perf_counter()
    prompt_level(pair, controls, clusters, rng)
    return time.perf_counter() - start


def peer_time() -> float | None:
    """Time one permutation of model-equality-testing, if it is installed."""
    if not PEER.is_file():
        return None
    done = subprocess.run([PEER, "-c", PEER_CODE], check=False, capture_output=True, text=True)
    return float(json.loads(done.stdout)) if done.returncode == 0 else None


def main() -> int:
    """Print what was measured."""
    median, heavy = help_time()
    print(f"depose --help: {median:.3f} s (median of 5); heavy imports: {', '.join(heavy) or 'none'}")
    ours = permutation_time()
    print(
        f"prompt-level test, {PROMPTS} prompts, {CONTROLS} controls, {PERMUTATIONS} permutations: {ours:.2f} s, "
        f"{ours / PERMUTATIONS * 1e6:.0f} microseconds a permutation"
    )
    peer = peer_time()
    if peer is None:
        print("model-equality-testing: not installed here (make bench-peers installs it); no ratio")
    else:
        ratio = peer / (ours / PERMUTATIONS)
        print(f"model-equality-testing: {peer:.3f} s a permutation, {ratio:.0f} times ours")
    return 0


if __name__ == "__main__":
    sys.exit(main())
