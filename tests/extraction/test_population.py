"""Whom the accounts are compared with: the accused alone, a clean period that is not there, days without a log."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

import request_logs as logs
from depose.evidence.log import utc_now
from depose.extraction import beginning, conduct, importing, plan, reporting, tables
from depose.extraction.findings import ExtractionFindings

CLEAN = logs.CASE + 'clean = ["2026-04-01", "2026-04-28"]\n\n[strata]\nfewest = 19\n\n[tests]\nswaps = 99\n'


def scanned(folder: Path, text: str) -> ExtractionFindings:
    """A case of 40 accounts whose prompts are of one template each, and each of three others shared by some."""
    logs.case(folder, text)
    rows = logs.litellm(160)
    for n, row in enumerate(rows):
        words = f"Say {'abcdefghij'[n % 10] * 3} and then {'klmnopqrst'[n % 7] * 4} to all of them"
        row |= {"user": f"u{n % 40}", "messages": [{"role": "user", "content": words}]}
    manner = importing.Manner(format="litellm", hash_key=str(logs.key_of(folder)))
    importing.load(folder, [logs.lines(folder / "log.jsonl", rows)], manner)
    return conduct.scan_case(folder, utc_now).findings


def test_accused_accounts_alone_are_counted_and_nothing_is_tested(tmp_path: Path) -> None:
    """However many they are: no p, no group, numbers for people, and a request that says why."""
    found = scanned(tmp_path / "case", CLEAN.replace("fewest = 19", "fewest = 19\naccused_alone = true"))
    assert (found.opinion.verdict, found.opinion.reasons) == ("inconclusive", ("population",))
    assert (found.accounts.tested, found.pairs.tests, found.groups, found.totals.accounts) == (0, 0, (), 40)
    out = tmp_path / "case" / "out"
    assert "all of them are accused" in (out / "request.md").read_text()
    described = (out / "descriptives.csv").read_text().splitlines()
    assert described[1].split(",")[1] == "40"
    assert len(described) == 22
    reporting.write(tmp_path / "case", ["html"])
    assert "was not looked at" in (out / "report-extraction.html").read_text()


def test_a_clean_period_without_a_log_is_no_placebo(tmp_path: Path) -> None:
    """The scan says which days have no request, and the report does not call an empty period clean."""
    found = scanned(tmp_path / "case", CLEAN)
    assert "clean" in found.opinion.reasons
    assert found.opinion.verdict != "inconclusive"
    assert found.warnings[:2] == (
        "25 of 28 days of the tested period have no request; the first 2026-05-04",
        "28 of 28 days of the clean period have no request; the first 2026-04-01",
    )
    reporting.write(tmp_path / "case", ["html"])
    said = (tmp_path / "case" / "out" / "report-extraction.html").read_text()
    assert "next to nothing of the clean period" in said
    assert "where there was no campaign, gave p" not in said


@pytest.mark.parametrize("fewest", [1, 3, 10])
def test_a_tier_or_a_country_of_few_accounts_is_named_in_no_table(fewest: int) -> None:
    """Whoever is alone in a country would be known by it."""
    made = pa.table({"account": [1, 2, 3, 4], "tier": ["a", "a", "a", "b"], "country": ["DE", None, "LI", "DE"]})
    shown = tables.without_small_cells(made, fewest)
    few = tables.FEW
    assert shown["tier"].to_pylist() == {1: ["a", "a", "a", "b"], 3: ["a", "a", "a", few], 10: [few] * 4}[fewest]
    wanted = {1: ["DE", None, "LI", "DE"], 3: [few, None, few, few], 10: [few, None, few, few]}[fewest]
    assert shown["country"].to_pylist() == wanted


def test_begin_writes_that_the_accused_are_alone(tmp_path: Path) -> None:
    """The case file has it, and reads back."""
    said = beginning.Said(title="t", authority="a", tested=("2026-05-01", "2026-05-28"), accused_alone=True)
    beginning.begin(tmp_path / "case", said, tmp_path / "key")
    assert plan.read(tmp_path / "case").strata == msgspec.structs.replace(plan.Strata(), accused_alone=True)
