"""Whom the accounts are compared with: the accused alone, a clean period that is not there, days without a log."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

import request_logs as logs
from depose.errors import EvidenceError
from depose.evidence.log import utc_now, write_whole
from depose.extraction import beginning, beside, caveats, conduct, importing, oddities, plan, reporting, tables
from depose.extraction.findings import ExtractionFindings
from depose.extraction.manifest import Manifest, SourceOf, read_manifest
from depose.model.canonical import canonical

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


def source(name: str, losses: dict[str, int], duplicates: int = 0) -> SourceOf:
    """A log of the manifest."""
    return SourceOf(name=name, sha256=name, bytes=1, format="litellm", rows=9, duplicates=duplicates, losses=losses,
                    truncated=False, sampled=False, without=(), texts=False)  # fmt: skip


def test_what_many_logs_have_in_common_is_said_once() -> None:
    """A watched folder of forty days does not hide what one day lost; of a few logs each is named."""
    days = [source(f"{n}.csv", {importing.ZONELESS: n + 1, oddities.AHEAD: 7}, n % 2) for n in range(40)]
    every = Manifest(format="", hash_key="", sources=(*days, source("odd.csv", {"impossible times": 1})), files=())
    assert caveats.losses(every) == (
        "odd.csv: 1 impossible times",
        f"40 logs: 820 {importing.ZONELESS}; most in 39.csv",
        f"40 logs: up to 7 {oddities.AHEAD}; most in 9.csv",
        f"20 logs: 20 {caveats.AGAIN}; most in 9.csv",
    )
    few = msgspec.structs.replace(every, sources=every.sources[1:4])
    assert len(caveats.losses(few)) == 8


def test_a_release_of_a_model_that_nobody_asked_is_told(tmp_path: Path) -> None:
    """Its name may be another one in the logs; the test of it would be missing without a word."""
    releases = '\n[[releases]]\nmodel = "m-1"\nat = "2026-05-02"\n\n[[releases]]\nmodel = "m-2"\nat = "2026-05-03"\n'
    found = scanned(tmp_path / "case", logs.CASE + releases)
    assert [one for one in found.warnings if "release" in one] == [
        "m-2: no request of the tested period has this model; its release is not tested"
    ]


def test_a_report_says_how_many_logs_it_does_not_list(tmp_path: Path) -> None:
    """A table that ends at forty rows does not look as if there were no more."""
    found = scanned(tmp_path / "case", logs.CASE)
    many = msgspec.structs.replace(found, sources=found.sources * 45, warnings=("a remark",) * 47)
    write_whole(tmp_path / "case" / "out" / conduct.FINDINGS, canonical(many))
    reporting.write(tmp_path / "case", ["html"])
    said = (tmp_path / "case" / "out" / "report-extraction.html").read_text()
    assert "and 5 further logs" in said
    assert "and 7 further remarks" in said


@pytest.mark.parametrize("data", [b"\xff", b"{", b'{"format": "\\ud800"}', b'{"x": ' + b'{"x": ' * 100_000, b"[]"])
def test_findings_and_a_manifest_that_are_none_are_refused(tmp_path: Path, data: bytes) -> None:
    """Half a letter, deep nesting, another kind of JSON: each reader meets them by the same error."""
    for name, read in (
        ("out/findings-extraction.json", conduct.read_findings),
        ("events/manifest.json", read_manifest),
    ):
        file = tmp_path / name
        file.parent.mkdir()
        file.write_bytes(data)
        with pytest.raises(EvidenceError, match=r"not findings|not a manifest"):
            read(tmp_path)


@pytest.mark.parametrize("data", [b"\xff", b"{", b'["\\ud800"]', b'["xyz"]', b'["1"]', b"[" * 100_000, b"{}"])
def test_public_prompts_that_are_none_are_refused_by_import_and_scan(tmp_path: Path, data: bytes) -> None:
    """What an import took down may have been changed since."""
    file = tmp_path / "events" / "public.json"
    file.parent.mkdir()
    file.write_bytes(data)
    with pytest.raises(EvidenceError, match=r"public\.json: not what an import wrote"):
        beside.public_of(file.parent)
