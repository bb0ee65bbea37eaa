"""Run the validation study with seconds and peak memory: `make validate`, `make validate-all`.

    python benchmarks/validate.py [--all] [--data DIR] [--modern DIR] [--out out/validate]

Two populations are left out of each other: the ratios that are fitted on one must hold on the other, and the pairs of
one are judged by the study of the other, too. The bundled calibrations are `calibration.json` of
`out/validate/alpaca_eval` and of `out/validate/shaberi_w`, copied to `src/depose/case/calibrations/`, their error rates
are `performance.json`, copied to `studies/` there, and the scores for `depose batch` are `screening.json` of the first,
copied to `screening/`; the run says whether they are the same.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from depose.case.population import sources

MAIN, MODERN = "alpaca_eval", "shaberi_w"


def _run(data: Path, source: str, out: Path, *others: str) -> None:
    """Validate one source in a process of its own; print seconds and peak memory."""
    start = time.monotonic()
    depose = Path(sys.executable).with_name("depose")
    command: list[str | Path] = [depose, "validate", "--data", data, "--source", source, "--out", out / source]
    for one in others:
        command += ["--hold-on", out / one / "screening.json", "--judge-by", out / one / "calibration.json"]
    subprocess.run(command, check=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1024**2 if sys.platform == "linux" else 1024**3)
    print(f"{source}: {time.monotonic() - start:.0f} s, largest process {peak:.2f} GB so far\n", flush=True)


def main() -> int:
    """Validate the two large populations, or all sources, and print what was found and what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("out/validate"))
    parser.add_argument("--modern", type=Path, default=Path("../shared/data-modern"))
    options = parser.parse_args()
    if not (options.data / "lineage.csv").is_file():
        print(f"skipped: {options.data} is not here; the study needs the lineage benchmark")
        return 0
    modern = (options.modern / "lineage.csv").is_file()
    if not modern:
        print(f"skipped: {options.modern} is not here; no other population is left out")
    if modern:
        _run(options.modern, MODERN, options.out)
    _run(options.data, MAIN, options.out, *([MODERN] if modern else []))
    if modern:
        _run(options.modern, MODERN, options.out, MAIN)
    rest = [(options.data, MAIN), *([(options.modern, MODERN)] if modern else [])] if options.all else []
    for data, done in rest:
        for source in sources(data):
            if source != done:
                _run(data, source, options.out)
    folder = Path(__file__).parents[1] / "src/depose/case/calibrations"
    shipped = [("calibration", folder, MAIN), ("performance", folder / "studies", MAIN)]
    shipped += [("screening", folder / "screening", MAIN)]
    if modern:
        shipped += [("calibration", folder, MODERN), ("performance", folder / "studies", MODERN)]
    for name, home, source in shipped:
        made, there = options.out / source / f"{name}.json", home / f"{source}.json"
        same = made.read_bytes() == there.read_bytes()
        print(f"{there.relative_to(folder)} as shipped {'equals' if same else 'DIFFERS from'} {made}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
