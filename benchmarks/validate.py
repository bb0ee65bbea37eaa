"""Run the validation study with seconds and peak memory: `make validate`, `make validate-all`.

    python benchmarks/validate.py [--all] [--data ../shared/data] [--out out/validate]

The bundled calibration is `out/validate/alpaca_eval/calibration.json` of such a run, copied to
`src/depose/case/calibrations/alpaca_eval.json`, and the scores for `depose batch` are `screening.json`, copied to
`screening/alpaca_eval.json` there; the run says whether they are still the same.
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

MAIN = "alpaca_eval"


def main() -> int:
    """Validate one source, or all of them, and print what was found and what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("out/validate"))
    options = parser.parse_args()
    if not (options.data / "lineage.csv").is_file():
        print(f"skipped: {options.data} is not here; the study needs the lineage benchmark")
        return 0
    depose = Path(sys.executable).with_name("depose")
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    for source in sources(options.data) if options.all else (MAIN,):
        start = time.monotonic()
        command = [depose, "validate", "--data", options.data, "--source", source, "--out", options.out / source]
        subprocess.run(command, check=True, env=environment)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (
            1024**2 if sys.platform == "linux" else 1024**3
        )
        print(f"{source}: {time.monotonic() - start:.0f} s, largest process {peak:.2f} GB so far\n", flush=True)
    folder = Path(__file__).parents[1] / "src/depose/case/calibrations"
    for name, home in (("calibration", folder), ("screening", folder / "screening")):
        made, shipped = options.out / MAIN / f"{name}.json", home / f"{MAIN}.json"
        same = made.read_bytes() == shipped.read_bytes()
        print(f"{shipped.relative_to(folder)} as shipped {'equals' if same else 'DIFFERS from'} {made}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
