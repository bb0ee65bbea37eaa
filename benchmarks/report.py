"""Seconds and pages of the court report of an audited case with fifty exhibits: `make bench-report`.

    python benchmarks/report.py [CASE]

Analyzes CASE (default: cases/demo) again with as many exhibits for each pair as make fifty, renders HTML and PDF,
and prints the CPU seconds of each, pages and size; the same for the report as registered, the compliance summary and
the viewer.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import msgspec

from depose.analysis import results
from depose.asking import collect
from depose.case import calibration
from depose.evidence import ledger
from depose.features.packaged import cache_folder
from depose.model import Dossier, Findings
from depose.report import render
from depose.report.publish import Order, publish

EXHIBITS, SECONDS, PAGES = 50, 5.0, 24


def with_exhibits(dossier: Dossier, count: int) -> Dossier:
    """The same answers under a protocol that shows so many exhibits, spread over the pairs."""
    roles = [spec.role for spec in dossier.registration.case.models]
    each = -(-count // (roles.count("suspect") * roles.count("reference")))
    replace = msgspec.structs.replace
    case = dossier.registration.case
    case = replace(case, protocol=replace(case.protocol, exhibits=each))
    return replace(dossier, registration=replace(dossier.registration, case=case))


def analyzed(folder: Path, count: int | None) -> Findings:
    """The findings of a case, with so many exhibits or those registered."""
    entries = ledger.entries(folder)
    dossier = collect.dossier_of(entries, str(folder))
    loaded = calibration.load(dossier.registration.case.protocol.calibration, folder)
    chosen = with_exhibits(dossier, count) if count else dossier
    found = results.results(chosen, loaded, cache_folder(), lambda _: None).findings
    return msgspec.structs.replace(found, exhibits=found.exhibits[: count or len(found.exhibits)])


def timed(findings: Findings, flavour: render.Flavour) -> tuple[float, float, render.Printed]:
    """CPU seconds of HTML and of PDF, without the imports that a first report pays for."""
    setting = render.Setting(flavour=flavour)
    start = time.process_time()
    html = render.render_html(findings, setting)
    middle = time.process_time()
    printed = render.render_pdf(findings, setting, html=html if flavour == "expert" else None)
    return middle - start, time.process_time() - middle, printed


def viewer_size(folder: Path, findings: Findings) -> tuple[int, int, int]:
    """Files of the viewer, their bytes together and those of the largest."""
    made = publish(folder, findings, b"", b"", Order(formats=("viewer",)))
    sizes = [len(content) for _, content in made]
    return len(sizes), sum(sizes), max(sizes)


def main() -> int:
    """Measure, print one line of JSON for each report, and compare with the targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", nargs="?", type=Path, default=Path("cases/demo"))
    given = parser.parse_args()
    if not (given.case / "evidence").is_dir():
        sys.exit(f"{given.case}: no audited case; make demo")
    registered = analyzed(given.case, None)
    many = analyzed(given.case, EXHIBITS)
    timed(registered, "expert")  # the first one pays for imports
    late = False
    for name, findings, flavour in (
        ("as registered", registered, "expert"),
        (f"{len(many.exhibits)} exhibits", many, "expert"),
        ("compliance", registered, "compliance"),
    ):
        html, pdf, printed = timed(findings, flavour)  # type: ignore[arg-type]
        print(
            json.dumps(
                {
                    "report": name,
                    "cpu_seconds_html": round(html, 2),
                    "cpu_seconds_pdf": round(pdf, 2),
                    "pages": printed.pages,
                    "kilobytes": len(printed.pdf) // 1024,
                }
            )
        )
        late |= html + pdf > SECONDS or printed.pages > PAGES
    count, total, largest = viewer_size(given.case, registered)
    print(json.dumps({"viewer_files": count, "kilobytes": total // 1024, "largest_kilobytes": largest // 1024}))
    print(f"targets: {SECONDS:g} s of CPU and {PAGES} pages: {'missed' if late else 'met'}")
    return int(late)


if __name__ == "__main__":
    sys.exit(main())
