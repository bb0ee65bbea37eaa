"""The kernel says what rapidfuzz says; it runs here under Triton's interpreter, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from depose.detectors.fuzzy import fuzzy
from depose.features.extract import LIMIT, Bag, Features
from depose.features.fuzzy_matching import matcher
from depose.model import Prompt

KERNEL = Path(__file__).parents[2] / "benchmarks" / "fuzzy_kernel.py"
needs_triton = pytest.mark.skipif(find_spec("triton") is None, reason="triton is not installed: pip install .[gpu]")
EDGES = """
import numpy as np
from depose.features import fuzzy_matching as matching
from depose.detectors.fuzzy import ratios

groups = [
    [], ["only"], ["", ""], ["", "a"], ["a", "b"], ["a" * 64, "a" * 64], ["a" * 65, "a" * 130], ["ab" * 64, "ba" * 64],
    ["half \\ud83d", "half \\ud83c"], ["abc", "acb", "", "b"], ["a" * 4096, "a" * 63], ["a" * 5000, "ba" * 40],
]
for block in (1, 32, 4096):
    for kernel, exact in zip(matching.match(groups, "cpu", block), ratios(groups), strict=True):
        np.testing.assert_array_equal(kernel, exact)
matching.PAIRS = 1  # a launch for each group
for kernel, exact in zip(matching.match(groups, "cpu", 4096), ratios(groups), strict=True):
    np.testing.assert_array_equal(kernel, exact)
print("equal")
"""


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Python under the interpreter of Triton."""
    environ = os.environ | {"TRITON_INTERPRET": "1"}
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, env=environ)


@pytest.mark.slow
@needs_triton
def test_edges() -> None:
    """Empty texts, word borders, carries over all words, too long texts and single launches agree."""
    done = run("-c", EDGES)
    assert done.stdout == "equal\n", done.stderr


@pytest.mark.slow
@needs_triton
def test_random_pairs() -> None:
    """Random Unicode pairs agree to the bit; `make kernel` does it on 10,000 of up to 3,000 characters."""
    done = run(KERNEL, "--pairs", "400", "--longest", "400", "--no-compile")
    assert done.returncode == 0, done.stderr
    assert "400 pairs, 0 differ" in done.stdout


@pytest.mark.slow
@needs_triton
def test_compiles_for_a_gpu(tmp_path: Path) -> None:
    """The kernel compiles to a cubin for sm_90 without spilling a register."""
    environ = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"} | {"TRITON_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, KERNEL, "--pairs", "0"], capture_output=True, text=True, check=False, env=environ
    )
    assert done.returncode == 0, done.stderr
    assert "cubin: " in done.stdout
    assert "0 bytes spill stores" in done.stdout


def test_detector_takes_the_path_it_is_given() -> None:
    """The detector hands a given matcher the cut and lower-cased texts of each prompt, and uses what it returns."""
    prompts = tuple(Prompt(id=name, family="f", text=name, cluster=name) for name in "pq")
    bag = Bag(
        models=("a", "b", "c"), prompts=prompts, answers=((("One", "two"), ("three",), ()), (("x" * 900,), ("y",), ()))
    )
    seen: list[list[str]] = []

    def constant(groups: Sequence[Sequence[str]]) -> list[NDArray[np.float64]]:
        seen.extend(map(list, groups))
        return [np.full((len(group), len(group)), 0.25 * len(group)) for group in groups]

    values = fuzzy(bag, Features(match=constant)).values
    assert seen == [["one", "two", "three"], ["x" * LIMIT, "y"]]
    np.testing.assert_allclose(values[:, 0, 1], [0.75, 0.5])
    assert np.isnan(values[:, 2]).all()


def test_cpu_uses_rapidfuzz() -> None:
    """Without an NVIDIA GPU there is no matcher, so that the detector uses rapidfuzz."""
    assert matcher("cpu") is None
    assert matcher("mps") is None
