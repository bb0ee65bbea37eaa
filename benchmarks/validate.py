"""Run the validation study with seconds and peak memory: `make validate`, `make validate-all`.

    python benchmarks/validate.py [--all] [--data DIR] [--modern DIR] [--out out/validate]

Two populations are left out of each other: the ratios that are fitted on one must hold on the other, and the pairs of
one are judged by the study of the other, too. The bundled calibrations are `calibration.json` of
`out/validate/alpaca_eval` and of `out/validate/shaberi_w`, copied to `src/depose/case/calibrations/`, their error rates
are `performance.json`, copied to `studies/` there, and the scores for `depose batch` are `screening.json` of the first,
copied to `screening/`; the run says whether they are the same, and which rows of areas in docs/validation.md are not.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


def _shown(detector: dict[str, Any], question: str, kinds: tuple[str, ...]) -> str:
    areas = detector[question]["auc_within_reference"]
    matched = detector[question].get("auc_within_reference_length_matched", {})
    made = [{**areas, "matched": matched.get("documented")}[kind]["value"] for kind in kinds]
    return " / ".join(re.sub(r"^0", "", f"{area:.3f}") for area in made)


def stale(page: str, out: Path, populations: tuple[str, ...]) -> Iterator[str]:
    """Yield the rows of the areas within reference on a page that are not what the runs in `out` found."""
    start = page.index("## Areas within reference")
    tables = page[start : page.index("\n## ", start)].split("\n| detector |")[1:]
    for source, table in zip(populations, tables, strict=True):
        found = json.loads((out / source / "validation.json").read_text("utf-8"))["detectors"]
        for row in re.findall(r"^\| (?:`(\w+)`|closeness in length.*?) \|(.*)\|$", table, re.MULTILINE):
            name, cells = row[0] or "length", [cell.replace("*", "").strip() for cell in row[1].split("|")]
            kinds = ("documented", "all", "matched") if row[0] else ("documented", "all")
            made = [_shown(found[name], question, kinds) for question in ("same", "derived", "distilled")]
            if made != cells:
                yield f"docs/validation.md, {source}, {name}: {cells}, found {made}"


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
    if modern:
        page = (Path(__file__).parents[1] / "docs/validation.md").read_text("utf-8")
        rows = [*stale(page, options.out, (MAIN, MODERN))]
        print("\n".join(rows) or "the areas in docs/validation.md are those found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
