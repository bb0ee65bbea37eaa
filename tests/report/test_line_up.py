"""The chapter of the line-up: what it prints of findings that are known, in both flavours and for machines."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

import line_ups
from depose import pipeline
from depose.case.annexes import Annex
from depose.lineup import acts
from depose.model import Findings
from depose.model.lineup_findings import LineupFindings
from depose.report import machine_readable
from depose.report.compliance import outcome
from depose.report.figures.line_up import picks, picks_alt, strength
from depose.report.render import Setting, render_html, render_pdf
from depose.report.typography import exact_p
from fakes import depose


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A line-up whose key is open, and that was analyzed."""
    folder = line_ups.opened(tmp_path_factory.mktemp("chapter"))
    pipeline.analyze_case(folder, lambda line: None, line_ups.clock_after(folder))
    return folder


@pytest.fixture(scope="module")
def findings(case: Path) -> Findings:
    """Its findings."""
    return pipeline.read_findings(case)[1]


def found_in(findings: Findings) -> LineupFindings:
    """Return what the line-up found."""
    assert isinstance(findings.lineup, LineupFindings)
    return findings.lineup


def words_of(page: bytes) -> str:
    """Take the tags out of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.decode()))


def with_failed_check(findings: Findings) -> Findings:
    """Let a check of the premises have failed."""
    lineup = found_in(findings)
    one = lineup.findings[0]
    opinion = msgspec.structs.replace(one.opinion, verdict="inconclusive", reasons=("diagnostics",))
    failed = msgspec.structs.replace(one, valid=False, opinion=opinion)
    return msgspec.structs.replace(findings, lineup=msgspec.structs.replace(lineup, findings=(failed,)))


def test_the_chapter_says_what_was_found(findings: Findings) -> None:
    """Picks, chance, p, area, Gamma, the order of acts and the assumptions stand in the report, numbered 11A."""
    text, one = words_of(render_html(findings)), found_in(findings).findings[0]
    for said in (
        "11A The line-up of delivered answers",
        f"put a delivered answer first in {one.picks} of 120 line-ups",
        f"from {one.band[0]} to {one.band[1]} in 95 of 100 tests",
        exact_p(one.log10_p),
        "The finding says nothing of the route",
        "by the provider's analyst".replace("'", "&#39;"),
        "kept by Notary N.",
        "what the log holds is what left the endpoint",
        "No question of likeness was asked; section 11A",
    ):
        assert said in text, said
    assert "RETROSPECTIVE" not in text


def test_a_line_up_alone_is_reported_without_controls_and_detectors(findings: Findings) -> None:
    """No sentence of a report on likeness stands where nothing was compared; the first page says what was seen."""
    text = words_of(render_html(findings))
    first = text[: text.index("1 Summary of opinions")]
    assert "other models as controls" not in text
    assert "The suspect puts the very answers that these accounts received before others" in first
    assert "checks of the premises" in first
    assert "that learnt nothing of these deliveries" in first
    for gone in (
        "Rarity.",
        "Centring.",
        "Common training data",
        "seen from the outside only",
        "0 of 0 checks",
        "S and R1",
    ):
        assert gone not in text, gone
    for there in ("In a line-up of n members", "A learnt preference says nothing of the route", "checks D1 and D2"):
        assert there in text, there
    assert "Who knew the key while the suspect was scored?" in text
    page = render_html(findings).decode()
    anchors = set(re.findall(r' id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors


def test_a_null_line_up_says_how_much_it_would_have_found(findings: Findings) -> None:
    """Above alpha no cause is sought for a p that is none; a ratio below 1 is said the other way round."""
    lineup = found_in(findings)
    one = msgspec.structs.replace(
        lineup.findings[0],
        opinion=msgspec.structs.replace(lineup.findings[0].opinion, verdict="no indication", reasons=()),
        log10_p=-0.05,
        log10_p_holm=0.0,
        log10_e=-0.6,
        gamma=1.0,
        tipping=0.0,
    )
    text = words_of(
        render_html(msgspec.structs.replace(findings, lineup=msgspec.structs.replace(lineup, findings=(one,))))
    )
    assert "p is above 0.05 by itself, so that no unrecorded cause need be sought for it." in text
    assert "p stays at or below" not in text
    assert "The places are 3.98 times more probable if delivery is irrelevant" in text
    assert "Not that no outputs were used: those of other accounts leave no trace here" in text


def test_a_failed_check_strikes_p_through(findings: Findings) -> None:
    """The exact p stays on the page, struck through as not valid here, in both flavours; nothing is indicated."""
    spoiled = with_failed_check(findings)
    p = exact_p(found_in(findings).findings[0].log10_p_holm)
    for flavour in (Setting(), Setting(flavour="compliance")):
        page = render_html(spoiled, flavour)
        assert f"<s>{p}</s>" in page.decode()
        assert "not valid here" in words_of(page)
        assert "a check of the premises failed" in words_of(page)
    assert outcome(spoiled) == "inconclusive"


def test_the_summary_has_two_pages_and_the_outcome(findings: Findings) -> None:
    """The compliance summary shows the line-up in its table and its outcome, and keeps to two pages."""
    page = render_html(findings, Setting(flavour="compliance"))
    assert "indication – review" in words_of(page)
    assert f"{found_in(findings).findings[0].picks} of 120" in words_of(page)
    assert render_pdf(findings, Setting(flavour="compliance")).pages == 2


def test_what_machines_read(findings: Findings) -> None:
    """compliance.json, JUnit and the schema know the question."""
    (row,) = json.loads(machine_readable.summary(findings, Annex()))["line_up"]
    assert (row["question"], row["outcome"], row["bags"]) == ("exposed", "indication – review", 120)
    junit = machine_readable.junit(findings, Annex()).decode()
    assert 'name="exposed"' in junit
    assert 'failures="1"' in junit
    assert b'"LineupFindings"' in machine_readable.schema()


def test_figures_draw_what_they_say(findings: Findings) -> None:
    """Figures are the same bytes each time, and say in words what they show."""
    one = found_in(findings).findings[0]
    assert picks(one) == picks(one)
    assert strength(one, 0.05) == strength(one, 0.05)
    assert f"first in {one.picks} of 120 line-ups" in picks_alt(one)
    assert picks_alt(one).encode()[:40] in picks(one)
    assert f"{one.picks} of 120".encode() in picks(one)


@pytest.mark.parametrize(
    ("log10", "text"),
    [(0.0, "1.000"), (-1.0, "0.100"), (-3.0, "0.001"), (-14.41, "3.9e-15"), (-400.0, "1.0e-400"), (-5.0004, "1.0e-5")],
)
def test_powers_of_ten(log10: float, text: str) -> None:
    """A probability is rounded up to two digits, however small it is."""
    assert exact_p(log10) == text


def test_commands_say_it(case: Path) -> None:
    """The test of a case prints its line, records it once, and exits as it is asked to."""
    done = depose("lineup", "test", case)
    assert done.code == 0, done.err
    assert "indication" in done.out
    assert not re.search(r"[:;] ;", done.out)
    assert ": not made: " in done.out
    assert "self-test" not in depose("status", case).out
    assert depose("lineup", "test", case, "--fail-on", "indication").code == 4
    (one,) = json.loads(depose("lineup", "test", case, "--json").out)["findings"]
    assert one["bags"] == 120
    assert acts.act_due(case) == f"depose lineup test {case}"
    assert depose("lineup", "seal", case).code == 1
    assert "the key is open" in depose("lineup", "seal", case).err
