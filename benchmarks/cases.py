"""Try every small input of ../shared/cases that failed once: what is right, and what came out.

    python benchmarks/cases.py [--cases ../shared/cases] [--only FOLDER]

`LOOKS` says for each folder which function looks at it; ends with 1 unless all of them are right.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import cases_imports, cases_languages, cases_live
from benchmarks.cases_frame import Look, Seen, cell

LOOKS: dict[str, Look] = {**cases_live.LOOKS, **cases_imports.LOOKS, **cases_languages.LOOKS}


def seen_in(name: str, folder: Path, work: Path) -> tuple[Seen, ...]:
    """Look at one folder; one that nobody looks at is not right."""
    if name not in LOOKS:
        return (Seen(right="somebody looks at it", came="nobody does", ok=False),)
    return tuple(LOOKS[name](folder, work))


def main() -> int:
    """Print one row for each thing that must be right."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=Path, default=Path("../shared/cases"))
    parser.add_argument("--only", action="append", default=[], help="name of a folder; may be given several times")
    options = parser.parse_args()
    if not options.cases.is_dir():
        print(f"skipped: {options.cases} is not here")
        return 0
    names = options.only or sorted(one.name for one in options.cases.iterdir() if one.is_dir())
    start, wrong, rows = time.monotonic(), [], 0
    print("| case | right | came out | |\n|---|---|---|---|")
    for name in names:
        with tempfile.TemporaryDirectory() as work:
            for one in seen_in(name, (options.cases / name).resolve(), Path(work)):
                rows += 1
                wrong += [] if one.ok else [name]
                print(f"| {name} | {cell(one.right)} | {cell(one.came)} | {'ok' if one.ok else 'WRONG'} |", flush=True)
    print(f"{len(names)} cases, {rows} rows, {len(wrong)} wrong: {time.monotonic() - start:.0f} s")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
