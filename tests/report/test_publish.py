"""What `depose report` writes: final copies, numbered productions, the variant for readers of screens, the viewer."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pikepdf
import pyarrow
import pyarrow.parquet
import pypdf
import pytest

from depose.case import annexes
from depose.case.annexes import Annex, Check
from depose.errors import ReportError, UsageError
from depose.evidence.log import log_path
from depose.report import bates
from depose.report.render import Setting, render_html, render_pdf, unchecked
from fakes import PATIENCE, audit, depose, recorded_case
from reports import build, calibrated, words

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine: apt-get install chromium")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded case, analyzed."""
    folder = recorded_case(tmp_path_factory.mktemp("case") / "case", suspect="same", controls=20, prompts=16)
    assert audit(folder, "--format", "viewer,data").code == 0
    return folder


@pytest.mark.criterion(17)
def test_final_is_refused_while_anything_is_unchecked(case: Path) -> None:
    """--final names what nobody checked and writes nothing; with every entry in checked.toml it renders."""
    ran = depose("report", case, "--format", "html", "--final")
    assert ran.code == 1
    assert "not checked against the primary document" in ran.err
    assert not (case / "out" / "report.html").exists()
    ids = [*(work.id for work in annexes.literature()), "enfsi-2015"]
    rows = "".join(f'[[check]]\nid = "{one}"\nchecked_on = 2026-11-30\nchecked_by = "JD"\n' for one in ids)
    (case / annexes.CHECKED).write_text(rows)
    assert depose("report", case, "--format", "html", "--final").code == 0
    text = (case / "out" / "report.html").read_text()
    assert "not checked against the primary document" not in text
    assert "DRAFT" not in text
    (case / annexes.CHECKED).unlink()


@pytest.mark.criterion(17)
def test_unchecked_entries_mark_a_draft() -> None:
    """Each entry says who checked it and when, or that nobody did; while one is open the report is a draft."""
    findings = calibrated(questions=("same",))
    text = words(render_html(findings))
    open_ones = len(unchecked(findings, Annex()))
    assert f"{open_ones} sources not checked against the primary document" in text
    assert "None of these entries was checked against the primary document." in text
    half = tuple(
        Check(id=one, checked_on=date(2026, 11, 30), checked_by="JD") for one in unchecked(findings, Annex())[2:]
    )
    some = words(render_html(findings, Setting(annex=Annex(checks=half))))
    assert "Not checked against the primary document: 1, 2." in some
    assert "DRAFT · RETROSPECTIVE" in text
    assert all(work.locator.startswith(("doi:10.", "arXiv:", "jstor:")) for work in annexes.literature())
    checks = tuple(
        Check(id=one, checked_on=date(2026, 11, 30), checked_by="JD") for one in unchecked(findings, Annex())
    )
    done = words(render_html(findings, Setting(annex=Annex(checks=checks))))
    assert "on 2026-11-30 by JD" in done and "DRAFT" not in done


@pytest.mark.slow
@pytest.mark.criterion(55)
def test_production_numbers_are_never_used_twice(case: Path) -> None:
    """Every page carries its number, bates.csv maps numbers to digests, and a used number is refused with the next."""
    assert depose("report", case, "--format", "pdf", "--flavour", "compliance", "--bates", "DEP-X-0000041").code == 0
    pages = pypdf.PdfReader(case / "out" / "compliance.pdf").pages
    assert ["DEP-X-0000041" in pages[0].extract_text(), "DEP-X-0000042" in pages[1].extract_text()] == [True, True]
    rows = bates.read((case / "out" / "bates.csv").read_bytes())
    assert [one.first for one in rows] == [f"DEP-X-00000{n}" for n in (41, 42, 43)] == [one.last for one in rows]
    assert rows[0].sha256 == hashlib.sha256((case / "out" / "compliance.pdf").read_bytes()).hexdigest()
    again = depose("report", case, "--format", "pdf", "--bates", "DEP-X-0000043")
    assert again.code == 1
    assert "DEP-X-0000044" in again.err


@pytest.mark.slow
@pytest.mark.criterion(55)
def test_exhibits_are_found_by_the_number_of_their_page(case: Path) -> None:
    """In a production every page carries the legend, and map and index say on which page each exhibit stands."""
    order = ("--format", "pdf,html", "--bates", "DEP-Y-0000001", "--legend", "CONFIDENTIAL")
    assert depose("report", case, *order).code == 0
    pages = [page.extract_text() for page in pypdf.PdfReader(case / "out" / "report.pdf").pages]
    assert all("CONFIDENTIAL" in page for page in pages)
    with (case / "out" / "exhibits-DEP-Y-0000001.csv").open(newline="") as file:
        index = list(csv.DictReader(file))
    assert len(index) == 6
    for row in index:
        text = pages[int(row["page"][-7:]) - 1]
        assert f"Ex. {row['exhibit']}." in text and row["page"] in text
        assert row["legend"] == "CONFIDENTIAL"
    rows = [one for one in bates.read((case / "out" / "bates.csv").read_bytes()) if one.first.startswith("DEP-Y")]
    assert len(rows) == len(pages) + 1
    assert sorted(int(n) for one in rows for n in one.exhibit.split()) == [1, 2, 3, 4, 5, 6]
    assert "add --bates" in depose("report", case, "--format", "pdf", "--legend", "X").err
    assert "--legend" in depose("report", case, "--bates", "DEP-Y-0000900", "--legend", "\u202ex").err


@pytest.mark.parametrize("text", ["0000001", "dep-0000001", "DEP-1", "DEP-0000000", "DEP 0000001", "D-0000001;}"])
def test_odd_production_numbers_are_refused(text: str) -> None:
    """A prefix of capitals and at least seven digits, and nothing that could enter the style sheet."""
    with pytest.raises(UsageError, match="--bates"):
        bates.parse(text)


def test_map_of_numbers_is_read_strictly() -> None:
    """A map that is not one is not overwritten."""
    with pytest.raises(ReportError, match=r"bates\.csv"):
        bates.read(b"a,b\n1,2\n")


@pytest.mark.slow
def test_accessible_variant_says_what_it_is() -> None:
    """--pdf-variant ua-1 is tagged, has a title and language, and describes every figure."""
    findings = build(questions=("same",), exhibits=1)
    with pikepdf.open(io.BytesIO(render_pdf(findings, variant="ua-1").pdf)) as pdf:
        assert pdf.open_metadata()["pdfuaid:part"] == "1"
        assert pdf.Root.MarkInfo.Marked
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert str(pdf.Root.Lang) == "en"


@pytest.mark.criterion(24)
def test_viewer_links_every_answer_to_its_record(case: Path) -> None:
    """Every exchange of the log stands on one page, once, with the digest of its line, and no page holds a script."""
    lines = log_path(case).read_bytes().splitlines()
    pages = [path.read_text() for path in sorted((case / "out" / "viewer").iterdir())]
    assert len(pages) == 16
    together = "".join(pages)
    assert together.count('<td class="answer">') == sum(b'"kind":"exchange"' in line for line in lines)
    for number, line in enumerate(lines, 1):
        if b'"kind":"exchange"' in line:
            assert together.count(f"{number}<br>{hashlib.sha256(line).hexdigest()[:12]}") == 1
    for text in pages:
        assert "<script" not in text
        assert "default-src 'none'" in text
        assert str(case) not in text


@pytest.mark.criterion(24)
def test_lists_lead_to_every_prompt_and_back(case: Path) -> None:
    """Both lists name all pages in order; each page leads back, and to its neighbours; no link leads elsewhere."""
    out = case / "out"
    for name in ("viewer.html", "explore.html"):
        page = (out / name).read_text()
        assert re.findall(r'href="([^"]*)"', page) == [f"viewer/{n:04d}.html" for n in range(1, 17)]
        assert ("<script>" in page) is (name == "explore.html")
        assert "default-src 'none'" in page
        assert str(case) not in page
    for n in (1, 7, 16):
        links = re.findall(r'href="([^"]*)"', (out / "viewer" / f"{n:04d}.html").read_text())
        assert links == ["../viewer.html", *(f"{near:04d}.html" for near in (n - 1, n + 1) if 0 < near < 17)]
        assert all((out / "viewer" / link).is_file() for link in links)


def test_lists_and_pages_name_models_beside_their_codes(case: Path) -> None:
    """Whoever opens the first page reads who is meant by S1 and R1, in the opinions and above the answers."""
    found = {one["code"]: one["name"] for one in json.loads((case / "out" / "findings.json").read_bytes())["items"]}
    suspect, reference = (f"{code} {found[code]}" for code in ("S1", "R1"))
    assert f"<td>{suspect}, {reference}</td>" in (case / "out" / "viewer.html").read_text()
    assert f"<h2>{reference} and {suspect} side by side</h2>" in (case / "out" / "viewer" / "0001.html").read_text()


def browse(page: Path, *flags: str) -> str:
    """Open a page in headless Chromium and give back what it made of it."""
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--virtual-time-budget=4000",
            *flags,
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return done.stdout


@pytest.mark.slow
@needs_chromium
def test_viewer_opens_in_a_browser(case: Path) -> None:
    """Without a script every prompt is listed, and its answers are there to read."""
    seen = browse(case / "out" / "viewer.html")
    assert seen.count("data-place=") == 16
    assert "as registered" not in seen
    assert browse(case / "out" / "viewer" / "0003.html").count('<td class="answer">') == 22


@pytest.mark.slow
@needs_chromium
def test_explorer_sorts_and_filters_in_a_browser(case: Path, tmp_path: Path) -> None:
    """Its own script runs under its policy: sorting by score reorders prompts, and a word hides those without it."""
    page = (case / "out" / "explore.html").read_text()
    assert browse(case / "out" / "explore.html").count("data-place=") == 16
    drive = 'find.value = "no such word";'
    script = page[page.index("<script>") + 8 : page.index("</script>")]
    driven = script + f"\n{drive} sort.value = 'down'; update();"
    file = tmp_path / "driven.html"
    file.write_text(page.replace(script, driven).replace("script-src 'sha256-", "script-src 'unsafe-inline' 'x-"))
    seen = browse(file)
    assert seen.count('hidden=""') == 16
    assert '<output id="shown">0</output>' in seen
    places = [float(part.split('"')[0]) for part in seen.split('data-score="')[1:]]
    assert places == sorted(places, reverse=True)


@pytest.mark.slow
@needs_chromium
def test_policy_stops_what_is_not_ours(case: Path, tmp_path: Path) -> None:
    """A script added to the page afterwards does not run."""
    page = (case / "out" / "explore.html").read_text()
    file = tmp_path / "planted.html"
    file.write_text(page.replace("</body>", "<script>document.title = 'planted'</script></body>"))
    assert "<title>planted</title>" not in browse(file)


@pytest.mark.parametrize("broken", [b"x", None])
def test_a_table_of_scores_that_is_none_is_named(case: Path, tmp_path: Path, broken: bytes | None) -> None:
    """A damaged table of scores, and a table of something else, are one error with the file and the next step."""
    copy = tmp_path / "case"
    shutil.copytree(case, copy)
    table = copy / "out" / "scores.parquet"
    if broken is None:
        pyarrow.parquet.write_table(pyarrow.table({"detector": ["length"]}), table)
    else:
        table.write_bytes(broken)
    ran = depose("report", copy, "--format", "viewer")
    assert ran.code == 1
    assert ran.err.startswith(f"error: {table}: not a table of scores")
    assert "depose analyze" in ran.err


@pytest.mark.parametrize("epoch", ["soon", "-1", "9" * 14, "9" * 5000])
def test_a_source_date_that_is_none_is_named(case: Path, monkeypatch: pytest.MonkeyPatch, epoch: str) -> None:
    """SOURCE_DATE_EPOCH that is no number of seconds, or beyond the year 9999, is an error with a next step."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    ran = depose("report", case, "--format", "html")
    assert ran.code == 1
    assert ran.err.startswith("error: SOURCE_DATE_EPOCH is not a number of seconds")
    assert "unset it" in ran.err
