"""Print the acceptance criteria of the report, one per line, with the tests that check each.

    python tests/criteria.py

Runs the tests marked `criterion(number)`; leaves 1 if one fails or a criterion has none.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import pytest

CRITERIA = {
    1: "table of FRCP 26(a)(2)(B), items (iv) to (vi) blank",
    2: "both propositions in full where the ratio first appears, with parts of H2",
    3: "every ratio with interval, method, prompts, lineages and cap; number before word",
    4: "verbal term is the band of the conservative end",
    5: "verbal scale printed whole, with document and year",
    6: "no ratio above the cap of the lineages, and the cap sentence",
    7: "every error rate as k of n with bound; no bare percentage",
    8: "vocabulary lint",
    9: "summary and final opinions identical, by id",
    10: "limitations complete, whatever the configuration",
    11: "paragraphs numbered; captions with number, n, class and digest",
    12: "exhibits by a printed rule, the same on every run",
    13: "two controls beside every exhibit",
    14: "denominators",
    15: "deviations, or none",
    16: "AI use disclosed; no network while rendering",
    17: "literature with identifier and check; final copy refused",
    18: "signature block blank, both forms",
    19: "items sentence, report id, page x of y, end mark",
    20: "conditions compared; what lies outside is in the summary",
    21: "compliance: decision rule with risks, one of three outcomes",
    22: "batch matrix: family size, adjusted q-values, what is not informative hatched, no blank cell",
    23: "figures readable in grey",
    24: "no scripts, remote resources or local paths; hostile text escaped",
    38: "null result with power and its sentence",
}


class Kept:
    """Which tests check which criterion, and how they came out."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.tests: dict[int, list[str]] = defaultdict(list)
        self.failed: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests that are marked."""
        marked = [item for item in items if item.get_closest_marker("criterion")]
        for item in marked:
            name = item.nodeid.split("[")[0].removeprefix("tests/")
            for mark in item.iter_markers("criterion"):
                for number in mark.args:
                    if name not in self.tests[number]:
                        self.tests[number].append(name)
        items[:] = marked

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what did not pass."""
        if report.failed or report.skipped:
            self.failed.add(report.nodeid.split("[")[0].removeprefix("tests/"))


def main() -> int:
    """Run, print one line each, and count what is open."""
    kept = Kept()
    folder = Path(__file__).parent
    quiet = ["-o", "addopts=", "--import-mode=importlib", "-p", "no:terminal"]
    code = pytest.main([*quiet, str(folder)], plugins=[kept])
    open_ = 0
    for number, text in CRITERIA.items():
        tests = kept.tests.get(number, [])
        good = bool(tests) and not kept.failed & set(tests)
        state = "ok  " if good else "OPEN"
        open_ += state == "OPEN"
        print(f"{number:>2} {state} {text}: {', '.join(tests) or 'no test'}")
    print(f"{len(CRITERIA)} criteria, {open_} open")
    return 1 if open_ or code not in (0, 1) else 0


if __name__ == "__main__":
    sys.exit(main())
