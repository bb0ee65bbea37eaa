"""The fuzzy kernel without a GPU: `make kernel`.

1. Under Triton's interpreter, on random pairs of Unicode texts of 0 to 3,000 characters: how many ratios differ from
   rapidfuzz (exit 1 if any does). Alphabets of 1 to 500 letters from all planes, so that pairs have much in common.
2. Compiled ahead of time for sm_90: the sizes of the stages, and what ptxas says of registers and spills.

Nothing here runs on a GPU, and nothing is timed on one.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

LONGEST = 3_000
POOL = 8_000
BATCH = 2_000
BLOCK = 1 << 16
"""Words of one program under the interpreter, which pays for every operation and not for its size."""
ARCH = 90
LANES, PAIRS = 16, 2
"""As for texts of the 800 characters that the detector reads: two pairs to a warp."""


def pairs(count: int, longest: int, seed: int) -> list[list[str]]:
    """Draw pairs of texts; the second is a thinned copy of the first, has the same letters, or mostly others."""
    draw = random.Random(seed)  # noqa: S311
    pool = [
        chr(draw.choice((draw.randrange(32, 127), draw.randrange(0x10000), draw.randrange(0x110000))))
        for _ in range(POOL)
    ]
    made = []
    for _ in range(count):
        letters = draw.sample(pool, draw.randint(1, 500))
        first = "".join(draw.choices(letters, k=draw.randint(0, longest)))
        kind = draw.randrange(3)
        if kind == 0:
            second = "".join(c for c in first if draw.random() < 0.8)
        elif kind == 1:
            second = "".join(draw.choices(letters, k=draw.randint(0, longest)))
        else:
            second = "".join(draw.choices(draw.sample(pool, 50) + letters[:50], k=draw.randint(0, longest)))
        made.append([first, second])
    return made


def differing(count: int, longest: int, seed: int) -> int:
    """Compare kernel and rapidfuzz on `count` random pairs, and say in how many the ratios are not the same float."""
    from depose.detectors.fuzzy import ratios
    from depose.features.fuzzy_matching import match

    wrong, start = 0, time.perf_counter()
    every = pairs(count, longest, seed)
    for at in range(0, count, BATCH):
        part = every[at : at + BATCH]
        kernel = match(part, "cpu", BLOCK)
        wrong += sum(not np.array_equal(*both) for both in zip(kernel, ratios(part), strict=True))
        print(f"{at + len(part)} pairs, {wrong} differ, {time.perf_counter() - start:.0f} s", flush=True)
    return wrong


def compile_ahead() -> None:
    """Compile for sm_90 and print the log."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from depose.features.lcs_kernel import lcs

    kernel: Any = lcs
    integers = {"pairs": "i32", "letters": "i32"}
    narrow = {"pattern_of", "other_of", "out", "codes", "lengths", "rows"}
    signature = {
        name: integers.get(name, "constexpr" if name.isupper() else "*i32" if name in narrow else "*i64")
        for name in kernel.arg_names
    }
    source = ASTSource(kernel, signature, {"PAIRS": PAIRS, "LANES": LANES})
    made: Any = triton.compile(source, target=GPUTarget("cuda", ARCH, 32), options={"num_warps": 1})
    print(f"triton {triton.__version__}, sm_{ARCH}, {PAIRS} pairs of {LANES} words to a program of one warp")
    for stage, code in made.asm.items():
        print(f"{stage}: {len(code)} {'bytes' if isinstance(code, bytes) else 'characters'}")
    assembler = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "ptxas"
    with tempfile.TemporaryDirectory() as folder:
        ptx = Path(folder) / "lcs.ptx"
        ptx.write_text(made.asm["ptx"])
        done = subprocess.run(
            [assembler, "-v", f"--gpu-name=sm_{ARCH}a", ptx, "-o", Path(folder) / "lcs.cubin"],
            check=True,
            capture_output=True,
            text=True,
        )
    print(done.stderr.strip())


@click.command()
@click.option("--pairs", "count", default=10_000, show_default=True, help="Random pairs; 0 compares none.")
@click.option("--longest", default=LONGEST, show_default=True, help="Characters of a text at most.")
@click.option("--seed", default=7, show_default=True)
@click.option("--compile/--no-compile", "compiles", default=True, show_default=True, help="Compile for sm_90.")
def main(count: int, longest: int, seed: int, compiles: bool) -> None:
    """Check the fuzzy kernel without a GPU."""
    if compiles:
        # Compiling and interpreting exclude each other in one process.
        compile_ahead() if not count else subprocess.run([sys.executable, __file__, "--pairs", "0"], check=True)
    if count:
        os.environ["TRITON_INTERPRET"] = "1"
        sys.exit(1 if differing(count, longest, seed) else 0)


if __name__ == "__main__":
    main()
