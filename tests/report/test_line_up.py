"""The chapter of the line-up: what it prints of findings that are known, in both flavours and for machines."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

import line_ups
from depose import pipeline
from depose.case.annexes import Annex
from depose.lineup import acts
from depose.model import Findings, canonical
from depose.model.lineup_findings import LineupFindings
from depose.report import machine_readable
from depose.report.compliance import outcome
from depose.report.figures.line_up import picks, picks_alt, strength
from depose.report.line_up_texts import rule
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


def changed(findings: Findings, plan: dict[str, Any] | None = None, **more: Any) -> str:
    """Render a report whose plan and whose only finding were changed, and take the tags out."""
    lineup = found_in(findings)
    one = msgspec.structs.replace(lineup.findings[0], **more)
    lineup = msgspec.structs.replace(lineup, findings=(one,), plan=msgspec.structs.replace(lineup.plan, **(plan or {})))
    return words_of(render_html(msgspec.structs.replace(findings, lineup=lineup)))


@pytest.mark.parametrize(
    ("statistic", "said", "unsaid"),
    [
        ("likelihood", ("Each suspect scored answers", "the suspects scored answers that were given"), ("corpus",)),
        ("text", ("was asked the same prompts", "suspects were asked the contexts"), ("No model was asked anything",)),
        (
            "continuation",
            ("was given the beginnings", "to go on from the beginnings"),
            ("No model was asked anything",),
        ),
        (
            "corpus",
            ("was searched for answers", "The corpus holds the very answers", "Not that the suspect was trained on"),
            ("No training data of any model was seen", "The suspect puts the very answers", "suspect scored answers"),
        ),
    ],
)
def test_a_report_says_what_was_done_by_its_statistic(
    findings: Findings, statistic: Any, said: tuple[str, ...], unsaid: tuple[str, ...]
) -> None:
    """What was asked of whom, what was searched, and what was not seen are those of the statistic, and no other's."""
    text = changed(findings, {"statistic": statistic}, statistic=statistic)
    assert [one for one in said if one not in text] == []
    assert [one for one in unsaid if one in text and statistic != "likelihood"] == []


def test_a_report_says_which_checks_its_opinion_did_without(findings: Findings) -> None:
    """A case that registers fewer checks than its tier asks for is indicative, and the page names what it lacks."""
    one = found_in(findings).findings[0]
    assert (one.tier, one.standing, one.opinion.verdict) == ("kept", "indicative", "indication")
    text = changed(findings)
    assert "indication , indicative only" in text.replace("</b>", "") or "indication, indicative only" in text
    lacking = [name for name in ("D1", "D2", "D3") if not {x.name: x.passed for x in one.diagnostics}[name]]
    assert f"ask for {', '.join(lacking)} as well, which the case did without" in text
    assert "no check of the premises in particular, as the case registers" in text
    limits = msgspec.structs.replace(found_in(findings).plan.limits, required=("D2",))
    assert "the checks D2 made, as the case registers" in changed(findings, {"limits": limits})
    limits = msgspec.structs.replace(limits, required=None)
    assert "every check of the premises that the tier needs made" in changed(findings, {"limits": limits})


def test_the_registered_strengths_are_printed(findings: Findings) -> None:
    """E is computed with the grid that the case registers, and that grid stands in the method."""
    assert "For each strength λ of 0.3, 0.6," in changed(findings, {"strengths": (0.3, 0.6)})


def test_no_word_is_given_where_the_opinion_is_inconclusive(findings: Findings) -> None:
    """A ratio whose premises failed has no verbal equivalent, and is struck through as its p is."""
    words = found_in(findings).findings[0].words
    assert f"Within that: {words}" in words_of(render_html(findings))
    page = render_html(with_failed_check(findings))
    text = words_of(page)
    assert "Within that:" not in text
    assert "No words follow here, since the opinion is inconclusive, and E is not valid where p is not." in text
    assert page.decode().count("<s>") >= 4


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


def test_a_key_that_was_not_opened_is_told(findings: Findings) -> None:
    """Whoever loses the key of scores that are sealed hides a result: the first page says that there may be one."""
    text = words_of(render_html(msgspec.structs.replace(findings, lineup=UNSET)))
    first = text[: text.index("1 Summary of opinions")]
    assert "exposed not answered A line-up was registered, and its key was not opened" in first
    assert "Nothing was compared" not in first and "stands beside them as a control" not in first
    assert "not answered" not in words_of(render_html(findings))


def test_what_was_not_done_is_not_said_to_be(findings: Findings) -> None:
    """Works, settings, the coin and the share are those of this case: none of a method that was not used."""
    text = words_of(render_html(findings))
    assert "Rosenbaum" in text and "Blind baselines" in text and "Clopper" in text
    assert "empirical cross-entropy" not in text and "Cllr" not in text
    assert "None was asked for an answer" in text and "not asked" in text
    assert "committed to beforehand" not in text
    assert "asked for an answer, so that settings" not in changed(findings, {"statistic": "text"}, statistic="text")
    assert "left a trace (one-sided" in text
    assert "do not show that any delivery left a trace" in changed(findings, share=0.0)


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
    [
        (0.0, "1.000"),
        (-1.0, "0.100"),
        (-3.0, "0.001"),
        (-14.41, "3.9e-15"),
        (-400.0, "1.0e-400"),
        (-5.0004, "1.0e-5"),
        (-1.3010299956639813, "0.050"),
    ],
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


def test_a_report_on_a_line_up_alone_says_where_its_things_stand(findings: Findings) -> None:
    """Quoted answers, exhibits and sources are those of its own chapter; no study and no evaluation is spoken of."""
    text = words_of(render_html(findings))
    lineup = found_in(findings)
    assert "model outputs appear in section 11A only" in text
    assert "sections 1, 6, 7, 11, 11A, 12, 13 and 21" in text
    assert "exhibits that summarise or support the opinions section 11A" in text
    assert "no validation study. Further material" in text
    assert "Study, sha256" not in text
    assert "independent evaluations that are printed" not in text
    assert "nobody but those who made it has evaluated or repeated it" in text
    shown = lineup.findings[0].exhibits[0]
    source = canonical.digest(shown)[:12]
    assert f"Line-up {shown.bag[:8]} : $.lineup.findings[0].exhibits[0] {source}".replace(" :", ":") in text


def test_what_a_line_up_could_have_missed_is_never_rounded_away(findings: Findings) -> None:
    """A power just under one is no certainty, and a miss never 0; what speaks for H2 speaks against one form alone."""
    opinion = msgspec.structs.replace(found_in(findings).findings[0].opinion, verdict="no indication", reasons=())
    given: dict[str, Any] = {
        "power": 0.99995,
        "opinion": opinion,
        "log10_e": -0.61,
        "words": "weak support for H2 over H1",
    }
    given |= {"gamma": 9.409, "share": 0.749, "tipping": 0.3999, "log10_p_holm": -4.0}
    text = changed(findings, None, **given)
    assert "with probability 0.99 or more what" in text
    assert "at a power of 0.99 for" in text
    assert "a miss, at the registered share and strength, at most 0.01" in text
    assert "at least a share of 0.74 of" in text
    assert "a factor Γ of 9.40, and" in text
    assert "less than 0.399." in text
    assert "1.00" not in text[text.index("How robust") : text.index("How robust") + 600]
    assert "weak support for H2 over a preference of that form, which is not all of H1" in text


def test_the_summary_of_a_line_up_alone_speaks_of_no_likeness(findings: Findings) -> None:
    """Its rule, risks, counts, dates and limits are those of the line-up: nobody was asked, no control stood beside."""
    text = words_of(render_html(findings, Setting(flavour="compliance")))
    lineup = found_in(findings)
    one = lineup.findings[0]
    assert "Review at an exact p, adjusted (Holm) over suspects" in text
    assert f"of at most 0.05, {rule(lineup)} and none failed" in text
    assert "where delivery was a draw, at most 0.05, exactly" in text
    assert f"{one.suspect} at most " in text
    assert f"Tested. {one.bags} line-ups" in text
    assert "none asked to none asked" not in text
    assert "A learnt preference says nothing of the route" in text
    for likeness in ("19 independent controls", "0 prompts in 0 clusters", "not a random sample", "Bare words"):
        assert likeness not in text
    pages = render_pdf(findings, Setting(flavour="compliance")).pages
    assert pages == 2
