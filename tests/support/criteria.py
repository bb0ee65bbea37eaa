"""Print the acceptance criteria of report, protocol and custody, one per line, with the tests that check each.

    python tests/support/criteria.py

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
    25: "a confirmatory protocol is asked only after a verified time-stamp",
    26: "a change of protocol is an amendment with a time-stamp of its own, listed in the report",
    27: "pilot answers never enter a confirmatory analysis",
    28: "prompts drawn again from the seed",
    29: "scored under blind codes, unblinded after the digest of the scores",
    30: "a run without its controls of quality is inconclusive",
    31: "ten fine-tunes of one base change the independent count by at most one",
    32: "duplicated prompts do not shrink the interval",
    33: "adjusted over the family; raw and adjusted printed",
    34: "what a model says of itself has no weight",
    35: "rival candidates ranked, the rank printed",
    36: "held-out pairs share no lineage with what was fitted",
    37: "sensitivity by axis, share of analyses per band",
    38: "null result with power and its sentence",
    39: "sha256sum alone sees any changed byte",
    40: "the printed diff sees an added and a missing file",
    41: "a record and its line of the manifest removed: seen by chain and signature",
    42: "openssl verifies the signature; fingerprint as keygen and VERIFY.md print it",
    43: "openssl verifies all tokens, past their expiry too with -attime",
    44: "the protocol's token precedes the first question; both are printed",
    45: "digests of raw bytes; words and questions read again from them",
    46: "findings computed again to the byte, offline; within a stated tolerance on other processors",
    47: "any number traced to its records by a printed query",
    48: "one record proved by the enclosed script, no other shown",
    49: "all fields of an exchange, or the reason why not",
    50: "retries, refusals, time-outs, broken streams, questions in flight are records; logs verify after a kill",
    51: "no client cache; a request id for each of two like prompts",
    52: "clock source and error at begin and end; a clock that may be off flags the run",
    53: "sealed objects are read-only and never rewritten",
    54: "a derived copy names its parent and what was changed",
    55: "production numbers never twice",
    56: "no form of a key in any byte; a planted one stops the seal with exit 6",
    57: "credential headers dropped before anything is written",
    58: "redaction is a new copy with ranges and reasons",
    59: "authority required, terms stored; rates, retries and budgets enforced",
    60: "exit codes",
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
    folder = Path(__file__).parents[1]
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
