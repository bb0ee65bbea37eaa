"""The expert report: what it says, what it never says, and that hostile text changes nothing."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from types import SimpleNamespace

import msgspec
import pikepdf
import pypdf
import pytest

from depose.errors import ReportError
from depose.model import (
    Candidate,
    Check,
    Excluded,
    ExhibitAnswer,
    Fact,
    Findings,
    Opinion,
    Protocol,
    Ratio,
    Span,
    Unanswered,
    canonical,
)
from depose.report import render
from depose.report.arrange import codes, conservative, likelihood, times, with_interval, worded
from depose.report.contents import SECTIONS
from depose.report.excerpts import excerpt
from depose.report.render import Setting, render_html, render_pdf
from depose.report.typography import clip, number, pvalue, visible
from depose.report.vocabulary import violations
from depose.report.wording import AGAINST, LIMITATIONS, PARTS, REASONS
from depose.statistics.verbal import PRINTED, SCALES
from reports import (
    CONTROLS,
    HOSTILE,
    OWN,
    PROSE,
    build,
    calibrated,
    drop_cut,
    exhibit,
    outline,
    own_words,
    ratio,
    words,
)


def test_every_quality_check_is_printed_and_a_failed_one_stands_out() -> None:
    """A row per check with limit, what was seen and how it ended, in the section on quality control."""
    checks = (
        Check(name="self-test", model="", limit="every known sample", seen="11 of 12; failed: twin", passed=False),
        Check(name="answered", model="S1", limit="at least 80% of its questions", seen="387 of 390", passed=True),
    )
    page = words(render_html(msgspec.structs.replace(build(), quality=checks)))
    section = page[page.rindex("Check Model Limit Seen Result") :]
    assert section.startswith(
        "Check Model Limit Seen Result self-test whole case every known sample 11 of 12; failed: twin NOT MET "
        "answered S1 at least 80% of its questions 387 of 390 met "
    )
    assert page.count("NOT MET") == 1
    assert "NOT MET" not in words(render_html(msgspec.structs.replace(build(), quality=checks[1:])))
    assert "None: no check was recorded." in words(render_html(build()))


def test_html_is_the_same_twice() -> None:
    """Identical findings give identical HTML."""
    assert render_html(calibrated()) == render_html(calibrated())


@pytest.mark.slow
def test_pdf_is_the_same_twice() -> None:
    """Identical findings give identical PDF bytes, attachments included, and leave the environment as it was."""
    findings = calibrated(questions=("distilled",), exhibits=2)
    before = dict(os.environ)
    attached = [("findings.json", canonical.canonical(findings), "the findings")]
    assert render_pdf(findings, attachments=attached) == render_pdf(findings, attachments=attached)
    assert dict(os.environ) == before


@pytest.mark.slow
def test_pdf_says_what_it_is() -> None:
    """The file claims PDF/A-3a, is tagged, and gives its attachments back with date and relationship."""
    findings = build(questions=("distilled",), exhibits=1)
    written = render_pdf(
        findings, attachments=[("findings.json", b"{}", "the findings")], dated=datetime(2026, 1, 2, tzinfo=UTC)
    ).pdf
    with pikepdf.open(io.BytesIO(written)) as pdf:
        metadata = pdf.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "en"
        [name] = pdf.attachments
        file = pdf.attachments[name].get_file()
        assert (name, file.read_bytes()) == ("findings.json", b"{}")
        assert file.creation_date == file.mod_date == datetime(2026, 1, 2, tzinfo=UTC)
        assert "/Data" in [str(associated.AFRelationship) for associated in pdf.Root.AF]
        assert "/JavaScript" not in pdf.Root.get("/Names", {})


@pytest.fixture(scope="module")
def pages() -> list[str]:
    """Text of each page of a whole report in PDF."""
    printed = render_pdf(calibrated(exhibits=14)).pdf
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(printed)).pages]


@pytest.mark.criterion(19)
def test_pdf_can_be_read(pages: list[str]) -> None:
    """Every page carries the report id, its number and the count of pages; the end mark stands on the last."""
    report_id = canonical.digest(calibrated(exhibits=14))[:12]
    for number_, page in enumerate(pages, 1):
        assert f"Report {report_id}" in page
        assert f"page {number_} of {len(pages)}" in page
        assert len(page) > 300
    assert "RETROSPECTIVE" in pages[0]
    assert "Registered, not time-stamped" in pages[0]
    assert f"End of report {report_id}" in pages[-1]


@pytest.mark.slow
@pytest.mark.parametrize("make", [build, calibrated])
def test_fifty_exhibits_leave_the_report_readable(make: Callable[..., Findings]) -> None:
    """With fifty exhibits at most 24 pages, and of each pair one of each part of the rule; the others are named."""
    findings = make(suspects=("S1", "S2"), exhibits=50)
    printed = render_pdf(findings)
    assert printed.pages <= 24
    assert [number for page in printed.exhibits for number in page] == [1, 2, 4]
    assert {findings.exhibits[n - 1].chosen for n in (1, 2, 4)} == {"median", "bottom", "top"}
    assert "all 50 stand in exhibits.csv" in words(render_html(findings))


def test_no_text_is_too_small_to_be_read_aloud() -> None:
    """Every rule of the court report's style sheet sets 9 points or more, and the body 11; feet 8.5."""
    style = files("depose.templates").joinpath("report.css").read_text("utf-8")
    expert = "\n".join(line for line in style.splitlines() if not re.search(r"body\.compliance|@(bottom|top)-", line))
    points = [float(n) for n in re.findall(r"font(?:-size)?:[^;}]*?\b(\d+(?:\.\d+)?)pt", expert)]
    assert min(points) >= 9
    assert re.search(r"html \{ font: 11pt", expert)


@pytest.mark.criterion(24)
@pytest.mark.parametrize("text", [PROSE, HOSTILE])
def test_page_is_self_contained(text: str) -> None:
    """No script, frame, handler, link out, remote resource or path of this machine stands in the page."""
    page = render_html(build(text=text))
    seen = outline(page)
    assert not {"script", "iframe", "object", "embed", "link", "img", "base", "form", "foreignobject"} & set(seen.tags)
    for name, value in seen.attributes:
        assert not name.startswith("on")
        if name in ("href", "src", "xlink:href", "action", "data"):
            assert value.startswith("#")
    style = page.decode().split("<style>")[1].split("</style>")[0]
    assert all(url.startswith("data:font/woff2;") for url in re.findall(r"url\(([^)]*)", style))
    assert "@import" not in style
    assert not re.search(rb"/(home|root|work|tmp|usr)/|[A-Z]:\\", page)


@pytest.mark.parametrize("text", [HOSTILE, HOSTILE * 40, "x" * 1_000_000, "\n" * 5_000, "<b>" * 300, "\u0301" * 500])
def test_hostile_answers_change_no_structure(text: str) -> None:
    """Whatever an answer holds, the elements of the page are those of a harmless answer of the same cut."""
    findings = build(questions=("same",))
    harmless = "a" * min(len(text), 2_000)

    def filled(with_: str) -> Findings:
        answers = [
            msgspec.structs.replace(
                e, answers=tuple(msgspec.structs.replace(a, text=with_, spans=()) for a in e.answers)
            )
            for e in findings.exhibits
        ]
        return msgspec.structs.replace(findings, exhibits=tuple(answers))

    hostile = outline(drop_cut(render_html(filled(text))))
    assert hostile.tags == outline(drop_cut(render_html(filled(harmless)))).tags
    assert not [c for c in "".join(hostile.text) if c in "\x00\x1b\u202e\u200b\u2066\ufeff\u0085\u2028"]


@pytest.mark.slow
def test_hostile_names_are_escaped() -> None:
    """A title, authority, model name, reason or fact is text as well, in HTML and PDF."""
    findings = build(questions=("same",), exhibits=1)
    bad = HOSTILE[:300]
    item = msgspec.structs.replace(findings.items[0], name=bad, system=bad, facts=(Fact(name=bad, value=bad),))
    findings = msgspec.structs.replace(
        findings,
        title=bad,
        authority=bad,
        items=(item, *findings.items[1:]),
        amendments=(bad,),
        exhibit_rule=bad,
        unanswered=(Unanswered(model="S1", prompt=bad, sample=0, replicate=0, reason=bad),),
    )
    seen = outline(render_html(findings))
    assert not {"script", "img"} & set(seen.tags)
    assert "[U+202E]" in "".join(seen.text)
    assert render_pdf(findings).pdf[:5] == b"%PDF-"


def test_hidden_characters_are_shown() -> None:
    """Control, bidi, zero-width, unassigned and lone surrogate characters become their code point."""
    assert visible("a\x1b[0m\x00\u202eb\u200b\ud800\n\tc\r\nd\re") == (
        "a[U+001B][0m[U+0000][U+202E]b[U+200B][U+D800]\n\tc\nd[U+000D]e"
    )
    assert visible("a\u3164b\u115f\u034f\uffa0\u2800") == "a[U+3164]b[U+115F][U+034F][U+FFA0][U+2800]"
    assert visible("e" + "\u20dd" * 9) == "e\u20dd\u20dd\u20dd[6 more marks]"
    assert visible("Zoë, naïve – “ok” 漢字 🙂") == "Zoë, naïve – “ok” 漢字 🙂"
    assert (
        visible("e" + "\u0301" * 9 + "f" + "\u0301" * 4)
        == "e\u0301\u0301\u0301[6 more marks]f\u0301\u0301\u0301[1 more marks]"
    )


@pytest.mark.criterion(10)
def test_limitations_cannot_be_switched_off() -> None:
    """Every limitation stands in the report, whatever protocol, flags or results the findings hold."""
    for findings in (
        build(),
        build(retrospective=False, controls=(), exhibits=0, questions=("same",)),
        msgspec.structs.replace(build(), findings=(), exhibits=(), items=(), denominators=(), time_stamped=True),
        build(protocol=Protocol(questions=("same",), exhibits=6, detectors=("length",)), questions=("same",)),
    ):
        text = words(render_html(findings))
        assert all(limitation in text for limitation in LIMITATIONS)
    assert len(LIMITATIONS) >= 11


@pytest.mark.criterion(18)
def test_signature_block_is_blank() -> None:
    """Both forms of declaration are there, and nothing that a case can hold fills them."""
    page = render_html(build()).decode()
    block = page[page.index('id="s24"') :]
    assert "under the laws of the United States of America" in block
    assert block.count("under penalty of perjury") == 4, "two forms of declaration, two draft certificates"
    assert block.count('<span class="blank"></span>') == block.count('<span class="blank short"></span>') == 4
    assert "/s/" not in block
    assert 'Expert report of <span class="blank"></span>' in page
    named = msgspec.structs.replace(build(), title="Jane Doe", authority="Jane Doe, 1 May 2026")
    changed = render_html(named).decode()
    kept = changed[changed.index('id="s24"') :].replace(canonical.digest(named), canonical.digest(build()))
    kept = kept.replace(canonical.digest(named)[:12], canonical.digest(build())[:12])
    assert kept == block


@pytest.mark.parametrize("findings", [build(), calibrated()], ids=["plain", "calibrated"])
def test_own_words_avoid_what_the_method_cannot_carry(findings: Findings) -> None:
    """Outside of the exhibits no word of the report claims more than a comparison of two propositions."""
    page = render_html(findings)
    assert not violations(own_words(page))


@pytest.mark.criterion(14, 15, 16)
def test_report_has_what_a_court_asks_for() -> None:
    """Propositions, parts of H2, denominators, deviations, blank fields and the order of sections are there."""
    findings = build(retrospective=False)
    page = render_html(findings).decode()
    text = words(page.encode())
    heads = re.findall(r"<h2 id=\"s\d+\"><span class=\"no\">(\d+)</span> ([^<]+)</h2>", page)
    assert [(int(n), title) for n, title in heads] == [(n, title) for n, (_, title) in enumerate(SECTIONS, 1)]
    assert page.count("<b>H1.</b>") == page.count("<b>H2.</b>") == 3
    assert text.count("H2a") == text.count("H2b") == 3
    assert "not evaluated: no validation study calibrates this case" in text
    assert "Likelihood ratio: not evaluated in any row, since no validation study calibrates this case" in text
    assert "against one alternative each" not in text
    assert "10140" not in text and str(390 * 25) in text
    assert "Amendments to the protocol: none." in text
    assert "gives no probability that a proposition is true" in text
    assert "RETROSPECTIVE" not in text
    assert "Registered, not time-stamped" in text
    for word in ("testimony, at trial", "compensation", "No generative model wrote"):
        assert word in text


@pytest.mark.criterion(11)
@pytest.mark.parametrize("findings", [build(), calibrated()], ids=["plain", "calibrated"])
def test_everything_is_numbered(findings: Findings) -> None:
    """Paragraphs, tables and figures are numbered without a gap; captions have class and n, each source its digest."""
    page = render_html(findings).decode()
    paragraphs = [int(n) for n in re.findall(r"¶ (\d+)</span>", page)]
    assert paragraphs == list(range(1, len(paragraphs) + 1))
    tables = re.findall(r"<caption><b>Table (\d+)\.", page)
    assert [int(n) for n in tables] == list(range(1, len(tables) + 1))
    figures = [int(n) for n in re.findall(r"<b>Fig\. (\d+)\.", page)]
    assert figures == list(range(1, 4))
    assert page.count("<svg ") == len(figures)
    captions = re.findall(r"<(?:caption|figcaption)>.*?</(?:caption|figcaption)>", page, flags=re.DOTALL)
    assert len(captions) == len(tables) + len(figures) + len(findings.exhibits)
    for caption in captions:
        assert re.search(r'class="class">[RCSOI]</span> n = ', caption)
    sources = page[page.index("<b>Sources.</b>") :]
    named = re.findall(
        r"<li>((?:Table|Fig\.|Ex\.) [^:]*): <span class=\"mono\">(\$\.[\w\[\].]+) ([0-9a-f]{12})</span>", sources
    )
    shown = sorted(label for labels, _, _ in named for label in labels.split(", "))
    fixed = re.findall(r"<caption><b>(Table \d+)\.</b>(?:(?!</caption>).)*fixed text</span>", page, flags=re.DOTALL)
    every = [f"Table {n}" for n in tables] + [f"Fig. {n}" for n in figures] + [f"Ex. {n}" for n in range(1, 7)]
    assert sorted([*shown, *fixed]) == sorted(every)
    assert canonical.digest(findings.findings[1])[:12] in sources


@pytest.mark.criterion(12, 13)
def test_exhibits_show_rule_rank_and_two_controls() -> None:
    """Each exhibit stands beside two controls, names its place in the rule, and marks what is shared."""
    findings = build()
    page = render_html(findings).decode()
    exhibits = re.findall(r'<div class="exhibit[" ].*?</div>', page, flags=re.DOTALL)
    assert len(exhibits) == 6
    for e in exhibits:
        assert re.findall(r"<th><b>[^<]*</b> (\w+), [\d,]+ characters?</th>", e) == [
            "reference",
            "suspect",
            "control",
            "control",
        ]
        assert re.search(r"chosen as (top|median|bottom|random): d = .* rank \d+ of 390", e)
        assert e.count("<mark>") >= 2
        assert '<sup class="k">2/23</sup>' in e
    assert findings.exhibit_rule in words(page.encode())


def test_long_answers_are_cut_around_what_is_shared() -> None:
    """The window holds the shared passage, is no longer than said, and the rest is counted."""
    text = "word " * 2_000 + "the shared passage here" + " tail" * 2_000
    answer = ExhibitAnswer(model="S1", text=text, spans=(Span(start=10_000, end=10_023, controls=0),))
    start, end = excerpt(answer, 300)
    assert start <= 10_000 < 10_023 <= end
    assert end - start <= 300
    e = msgspec.structs.replace(exhibit(1), answers=(answer, *exhibit(1).answers[2:]))
    page = render_html(msgspec.structs.replace(build(), exhibits=(e,))).decode()
    assert "<mark>the shared passage here</mark>" in page
    assert f"[{start:,} before]" in page


def test_spans_that_overlap_or_lie_outside_lose_no_text() -> None:
    """Odd spans change what is marked, never what is said."""
    spans = tuple(Span(start=a, end=b, controls=1) for a, b in ((5, 20), (10, 30), (28, 29), (9, 9), (600, 700)))
    e = msgspec.structs.replace(
        exhibit(1), answers=(ExhibitAnswer(model="R1", text="x" * 40 + "yz", spans=spans), *exhibit(1).answers[:3])
    )
    page = render_html(msgspec.structs.replace(build(), exhibits=(e,))).decode()
    cell = re.search(r"<td>((?:(?!</td>).)*yz)</td>", page, flags=re.DOTALL)
    assert cell is not None
    assert re.sub(r"<sup.*?</sup>|<[^>]*>", "", cell[1]) == "x" * 40 + "yz"


@pytest.mark.parametrize("k", [0, 1, 19, 20, 23, 36, 37, 299])
def test_p_is_never_printed_below_its_floor(k: int) -> None:
    """Three significant digits are rounded up, so no K prints a p below 1 / (K + 1), and never 0."""
    floor = 1 / (k + 1)
    assert float(pvalue(floor, floor)) >= floor * (1 - 1e-12)
    assert float(pvalue(floor, floor)) <= floor * 1.01
    assert pvalue(0.05, 0.01) == "0.0500"
    assert pvalue(0.1 + 0.2, 0.01) == "0.300"


def test_p_below_the_floor_is_refused() -> None:
    """Findings that contradict themselves are not rendered."""
    findings = build(questions=("same",))
    broken = msgspec.structs.replace(findings.findings[0].results[0], p=0.0)
    found = msgspec.structs.replace(findings.findings[0], results=(broken,))
    with pytest.raises(ReportError, match="below its floor"):
        render_html(msgspec.structs.replace(findings, findings=(found,)))


def test_numbers_have_a_true_minus() -> None:
    """A negative score is set with a minus sign, and a cut text says how much is left out."""
    assert number(-0.256) == "−0.26"
    assert clip("abcdef", 4) == "abcd [… 2 more]"


def test_pdf_without_a_date_is_refused() -> None:
    """Without a date in the findings or the environment there is no PDF, since its bytes would differ by the day."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        pytest.skip("SOURCE_DATE_EPOCH is set")
    undated = msgspec.structs.replace(build(), last_asked="", registered_at="")
    with pytest.raises(ReportError, match="no date"):
        render_pdf(undated, html=b"<p>x</p>")


@pytest.mark.parametrize("controls", [(), CONTROLS[:1], tuple(f"C{i}" for i in range(70))])
def test_any_number_of_controls_is_rendered(controls: tuple[str, ...]) -> None:
    """None, one and seventy controls each make a report."""
    findings = build(controls=controls, questions=("same",))
    findings = msgspec.structs.replace(findings, exhibits=())
    text = words(render_html(findings))
    assert ("There was no control to compare with" in text) is (not controls)


def test_nothing_compared_is_said() -> None:
    """Findings without a score say so, and why, instead of leaving a gap."""
    findings = build(questions=("same",), exhibits=0)
    bare = msgspec.structs.replace(findings.findings[0], results=(), candidates=())
    text = words(render_html(msgspec.structs.replace(findings, findings=(bare,), amendments=("one", "two"))))
    assert "The primary detector gave no score. embedding: model package not installed" in text
    assert "None: no prompt was answered on both sides" in text
    assert "Amended 2 times" in text
    assert "(1) one; (2) two" in text


# --- likelihood ratios ----------------------------------------------------------------------------


def cells(page: bytes, mark: str) -> dict[str, str]:
    """The cells of the opinions whose id starts with a mark, by the rest of the id."""
    found = re.findall(rf'<td[^>]* id="{mark}(\d+-[a-z]+)">(.*?)</td>', page.decode(), flags=re.DOTALL)
    return {name: re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text)).strip() for name, text in found}


@pytest.mark.criterion(9)
@pytest.mark.parametrize("findings", [build(), calibrated()], ids=["plain", "calibrated"])
def test_restated_opinions_have_the_numbers_of_the_summary(findings: Findings) -> None:
    """Cell by cell, by id, the opinions at the end are those of the summary."""
    page = render_html(findings)
    summary, restated = cells(page, "o"), cells(page, "r")
    assert summary == restated
    assert len(summary) == len(findings.findings) * (6 if findings.calibration else 5)
    if findings.calibration:
        assert summary["1-lr"] == "5.10 [3.20 to 6.80] unrelated 1.40 [0.600 to 2.90] relatives"
        assert summary["3-lr"].endswith("not evaluated: common teacher")


@pytest.mark.criterion(3, 6)
def test_ratio_is_printed_with_all_that_it_needs() -> None:
    """Number, interval, method, lineages, cap and its sentence come before the word; uncapped values in detail only."""
    page = render_html(calibrated(questions=("distilled",)))
    text = words(page)
    said = (
        "Against unrelated: likelihood ratio 5.10 [3.20 to 6.80], so that the findings are about 5.10 "
        "times more probable if H1 is true than if the suspect is a model with neither weights nor training outputs of "
        "the reference; weak support for H1 over “unrelated”."
    )
    assert said in text.replace("\N{NO-BREAK SPACE}", " ")
    assert (
        "The control set has 19 independent lineages. With none exceeding the observed score, and with the study’s own "
        "bounds, it can support a likelihood ratio of at most about 6.85. Larger model-based values were not used."
        in text
    )
    assert "bootstrap of T over prompt clusters and control lineages, joined with resampled families" in text
    assert text.count("57.3") == 2
    assert "A part of H2 is not evaluated, so that no ratio against H2 as a whole exists." in text
    assert "Against common teacher: not evaluated: too few families." in text
    for name in ("unrelated", *OWN["distilled"]):
        assert AGAINST[name] in text
    assert text.count("H1. At some stage") == text.count("H2. No such training") == 1


def test_ratio_below_one_names_the_bound_that_holds_it() -> None:
    """What limits a ratio below 1 is the true pairs of the study; the cap of the controls stands beside it."""
    findings = calibrated(questions=("distilled",))
    low = ratio(value=0.2, low=0.2, high=0.3)
    low = msgspec.structs.replace(low, reached=17, lineages=19, cap=1.06, bottom=0.2)
    one = msgspec.structs.replace(findings.findings[0], ratios=(low,))
    text = words(render_html(msgspec.structs.replace(findings, findings=(one,)))).replace("\N{NO-BREAK SPACE}", " ")
    assert (
        f"With 17 of the {one.k} controls reaching the observed score, in 19 independent lineages, the findings cannot "
        "support a likelihood ratio above about 1.06; the families of true pairs of the study cannot support one below "
        "about 0.200: that is a property of the study, not of this suspect." in text
    )
    assert "at most about 1.06" not in text


@pytest.mark.criterion(2)
def test_propositions_stand_before_the_first_ratio(pages: list[str]) -> None:
    """H1 and H2 of every question are printed in full before any likelihood ratio, on the same page."""
    first = next(page for page in pages if "3.20" in page)
    assert first.count("H1.") == first.count("H2.") == 3
    assert first.rindex("H2.") < first.index("3.20")


@pytest.mark.criterion(5)
def test_scale_is_printed_whole() -> None:
    """Every band of the scale, its document and year, and that nobody compared it with the original."""
    text = words(render_html(calibrated()))
    scale = SCALES["enfsi-2015"]
    assert f"{scale.document}, {scale.year}, not checked against the primary document" in text
    for band, printed in zip(scale.bands, PRINTED["enfsi-2015"], strict=True):
        assert f"{printed} {band.words}" in text
        assert printed.startswith(f"{band.above:,.0f}")
    assert "(between 1 and 2) (no word: the document begins at 2)" in text
    assert scale.document not in words(render_html(build()))


def test_unknown_scale_is_refused() -> None:
    """Ratios without a scale, or on one that is not known, are not rendered."""
    for name in ("", "made-up"):
        with pytest.raises(ReportError, match="verbal scale"):
            render_html(msgspec.structs.replace(calibrated(), scale=name))


@pytest.mark.criterion(6)
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (ratio(value=7.0, high=7.0), "beyond its bounds"),
        (ratio(value=5.0, high=7.0), "beyond its bounds"),
        (ratio(value=0.1, low=0.1), "beyond its bounds"),
        (msgspec.structs.replace(ratio(), low=None), "no interval"),
        (ratio(low=7.0, high=6.0), "no interval"),
        (msgspec.structs.replace(ratio(), cap=None), "no cap"),
    ],
)
def test_ratio_beyond_its_bounds_is_refused(given: Ratio, message: str) -> None:
    """A value above the cap, or without interval or cap, is never printed."""
    findings = calibrated(questions=("same",))
    broken = msgspec.structs.replace(findings.findings[0], ratios=(given,))
    with pytest.raises(ReportError, match=message):
        render_html(msgspec.structs.replace(findings, findings=(broken,)))


def test_conservative_end_is_the_one_nearer_to_one() -> None:
    """Low above 1, high below 1, and neither where the interval includes 1; small ratios are said the other way."""
    assert conservative(ratio()) == "3.20"
    assert conservative(ratio(value=0.3, low=0.25, high=0.4)) == "0.400"
    assert conservative(ratio(low=1.0)) == "spans\N{NO-BREAK SPACE}1"
    assert conservative(ratio(value=None)) == "not evaluated"
    assert times(ratio(value=0.25, low=0.21, high=0.4)).startswith(
        "the findings are about 4.00 times more probable if the suspect is a model with neither weights nor training "
        "outputs of the reference than if H1 is true"
    )
    assert [likelihood(x) for x in (4e-7, 0.0123456, 0.9996, 6.855, 12.34, 1234.5, 3e7)] == [
        "under 0.001",
        "0.0124",
        "1.00",
        "6.85",
        "12.3",
        "1,230",
        "over a million",
    ]


def test_a_ratio_held_by_one_bound_is_no_interval() -> None:
    """Value and both ends at the cap: bounded, with what the model alone would say, and no interval of no width."""
    held = msgspec.structs.replace(ratio(value=6.855, low=6.855, high=6.855), model_low=24.0, model_high=8100.0)
    assert with_interval(held) == "bounded: 6.85 (model alone 24.0 to 8,100)"
    assert with_interval(ratio()) == "5.10 [3.20 to 6.80]"
    assert worded(ratio()) == "weak support for H1 over “unrelated”"
    assert worded(msgspec.structs.replace(ratio(), words="weak support for H2 over H1")) == (
        "weak support for “unrelated” over H1"
    )
    findings = calibrated(questions=("distilled",))
    one = msgspec.structs.replace(findings.findings[0], ratios=(held,))
    text = words(render_html(msgspec.structs.replace(findings, findings=(one,))))
    assert "bounded: 6.85 (model alone 24.0 to 8,100)" in text
    assert "6.85 to 6.85" not in text


@pytest.mark.criterion(20)
def test_conditions_are_compared_and_what_lies_outside_is_in_the_summary() -> None:
    """Each condition stands beside the study's; one outside is said in section 1 as well."""
    page = render_html(calibrated())
    text = words(page)
    head, rest = text[: text.rindex("3 The witness")], text[text.rindex("13 Validation and error rates") :]
    assert "language (findings 1, 2 and 3), asked for: English; here: Dutch" in head
    assert "number of prompts" not in head
    assert "language English Dutch no 1, 2, 3" in rest
    assert "number of prompts 10 to 390 390 yes 1, 2, 3" in rest
    assert canonical.sha256(b"validation") in rest


@pytest.mark.criterion(38)
def test_p_is_said_to_be_unadjusted_over_suspects_and_questions() -> None:
    """Where there are several findings, the summary and the decision rule say what Holm is not taken over."""
    several, one = words(render_html(build())), words(render_html(build(questions=("same",))))
    assert "not over suspects or questions, and printed" in several and "all scored findings, since one of 3" in several
    assert "not over suspects or questions, and printed" in one and "over all scored findings. K" in one
    summary = words(render_html(build(), Setting(flavour="compliance")))
    assert "adjusted (Holm) over references, not over suspects or questions" in summary


def test_power_is_said_to_be_that_of_the_adjusted_test() -> None:
    """With two references the power stands beside the alpha that Holm asks of the smaller p."""
    assert "p at or below alpha with as many" in words(render_html(calibrated()))
    assert "p at or below alpha / 2, as Holm asks" in words(render_html(calibrated(references=("R1", "R2"))))


def test_settings_are_not_claimed_of_recorded_answers() -> None:
    """How recorded answers were asked is said to be unknown; of a case without them nothing of the kind is said."""
    recorded, live = (words(render_html(build(retrospective=one))) for one in (True, False))
    for said in ("how they had been asked is not known to this report", "Of recorded items nothing was asked"):
        assert said in recorded
        assert said not in live


def test_null_result_prints_its_power() -> None:
    """No indication is said with the power, as k of n pairs and families, and the null sentence."""
    findings = calibrated(questions=("same",))
    null = msgspec.structs.replace(findings.findings[0], opinion=Opinion(verdict="no indication", reasons=()))
    text = words(render_html(msgspec.structs.replace(findings, findings=(null,))))
    assert "with probability 0.83 (14 of 17 true pairs, from 9 families; lower bound over families 0.00)." in text
    assert "None was detected." in text
    assert "This is not proof of absence" in text
    assert "This is not proof of absence" not in words(render_html(findings))


def test_prompt_level_p_is_secondary() -> None:
    """The test over prompts is one line, labelled conditional and secondary, and never in the summary."""
    text = words(render_html(calibrated(questions=("same",))))
    assert "Prompt-level p, conditional on these models and secondary, from 9,999 sign flips: 0.0001." in text
    assert "0.0001" not in text[: text.rindex("3 The witness")]


def test_candidates_that_cannot_be_told_apart_are_named() -> None:
    """The confidence set of the closest candidate is said, and who is out of it."""
    findings = build(questions=("same",))
    rivals = (
        Candidate(model="T2", value=1.71, tested=False),
        Candidate(model="R1", value=1.52, tested=True),
        Candidate(model="T3", value=0.2, tested=False, in_set=False),
    )
    one = msgspec.structs.replace(findings.findings[0], candidates=rivals)
    text = words(render_html(msgspec.structs.replace(findings, findings=(one,))))
    assert "Not told apart from the closest, T2: R1." in text
    assert "Less close than T2 by the paired test over prompt clusters: T3." in text


@pytest.mark.criterion(1)
def test_disclosure_items_are_left_to_the_witness() -> None:
    """All six items of the rule have a row, and the last three are blank."""
    page = render_html(calibrated()).decode()
    rows = re.findall(r"<tr><td>\((i|ii|iii|iv|v|vi)\)</td>.*?</tr>", page)
    assert rows == ["i", "ii", "iii", "iv", "v", "vi"]
    assert page.count("</span> to be completed by the witness") == 3


def test_streams_of_a_pdf_are_compressed_once() -> None:
    """What the identifier of a PDF is made from is what is written: the same bytes, made a single time."""
    pydyf = pytest.importorskip("pydyf")
    stream = pydyf.Stream([b"0 0 m", b"stream", b"endstream"] * 50, {"N": 3}, compress=True)
    before = stream.data
    render._compressed_once(None, SimpleNamespace(objects=[stream, pydyf.Dictionary()]))
    assert not stream.compress
    assert stream.data == before


def test_the_contents_are_two_halves_in_order() -> None:
    """Every section and appendix once, in its order, in halves that no page break parts."""
    page = render_html(build(text="Nothing but ASCII.", questions=("same",))).decode()
    halves = re.findall(r'<div class="half">(.*?)</div>', page, flags=re.DOTALL)
    assert len(halves) == 2
    named = re.findall(r'class="no">([^<]*)<', "".join(halves))
    assert named == [*map(str, range(1, len(SECTIONS) + 1)), *"ABCDEFGHIJ"[: len(named) - len(SECTIONS)]]


def test_every_alternative_has_a_plain_explanation() -> None:
    """Each ratio that a part of H2 names is explained."""
    for parts in PARTS.values():
        assert len(parts) >= 3
        assert {part.against for part in parts} - {""} <= set(AGAINST)


# --- equal things are said once -------------------------------------------------------------------


def test_equal_findings_share_figure_and_table() -> None:
    """Questions with the same bag and scores share figure and table; another detector has its own figure."""
    findings = build()
    first = findings.findings[0]
    same = tuple(
        msgspec.structs.replace(
            first,
            question=question,
            results=tuple(msgspec.structs.replace(r, primary=r.detector == name) for r in first.results),
        )
        for question, name in (("same", "phrases"), ("derived", "phrases"), ("distilled", "openings"))
    )
    page = render_html(msgspec.structs.replace(findings, findings=same))
    text = words(page)
    assert page.count(b"<svg ") == 2
    assert "score, controls and figure as for finding 1" in text
    assert "Findings 1, 2 and 3 by detector" in text
    assert "phrases (1, 2)" in text
    assert "openings (3)" in text
    assert [f'id="f{n}"'.encode() in page for n in (1, 2, 3)] == [True] * 3


def test_many_models_take_little_room() -> None:
    """Equal facts, equal counts and equal reasons for leaving out are one row each, with ranges of codes."""
    names = [f"C{i}" for i in range(1, 70)]
    findings = build(controls=names)
    facts = (Fact(name="file", value="all.parquet"), Fact(name="file sha256", value=canonical.sha256(b"all")))
    items = tuple(
        msgspec.structs.replace(i, facts=(*facts, Fact(name="model in file", value=i.name))) for i in findings.items
    )
    left = tuple(Excluded(model=f"D{i}", reason="its lineage is represented by another control") for i in range(1, 46))
    found = tuple(msgspec.structs.replace(one, excluded=left) for one in findings.findings)
    text = words(render_html(msgspec.structs.replace(findings, items=items, findings=found)))
    assert text.count("all.parquet") == 1
    assert "S1, R1, C1–C69 (71 models): file all.parquet" in text
    assert "C1–C69 control, 69 390 0 387" in text
    assert text.count("its lineage is represented by another control") == 1
    assert "its lineage is represented by another control 45 D1–D45" in text


def test_codes_are_listed_as_ranges() -> None:
    """Three or more in a row become a range; names that hold no count stay as they are."""
    assert codes(["C1", "C2", "C3", "C5", "C6", "R1"]) == "C1–C3, C5, C6, R1"
    assert codes(["C9", "C10", "C11"]) == "C9–C11"
    assert codes(["alpaca-7b", "alpaca-8b", "x"]) == "alpaca-7b, alpaca-8b, x"
    assert codes(["C08", "C09", "C10", "C11"]) == "C08–C11"
    assert codes(["C9", "C010", "C11"]) == "C9, C010, C11"
    assert codes([]) == ""


@pytest.mark.parametrize(("text", "shown"), [("", "[an empty answer]"), (" \n", "[white space only]"), ("1", "1")])
def test_short_answers_look_meant(text: str, shown: str) -> None:
    """An empty or very short answer is said to be one, with its length."""
    answers = (ExhibitAnswer(model="S1", text=text, spans=()), *exhibit(1).answers[3:], *exhibit(1).answers[:2])
    e = msgspec.structs.replace(exhibit(1), answers=answers)
    page = render_html(msgspec.structs.replace(build(), exhibits=(e,))).decode()
    assert shown in page[page.index('id="e1"') :]
    assert f"{len(text)} character{'s' if len(text) != 1 else ''}</th>" in page


def test_more_controls_than_nineteen_may_be_too_few() -> None:
    """Where alpha is small, 26 controls can be too few: no sentence says that they are fewer than 19."""
    assert "19, or more where alpha is small" in REASONS["controls"]
    said = words(render_html(build()))
    assert "Fewer than 19 independent controls, or fewer than p needs to reach alpha at all" in said
    said = words(render_html(build(), Setting(flavour="compliance")))
    assert "at least 19 independent controls and as many as p needs" in said
