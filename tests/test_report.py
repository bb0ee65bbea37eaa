"""The expert report: what it says, what it never says, and that hostile text changes nothing."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser

import msgspec
import pikepdf
import pypdf
import pytest

from depose import canon
from depose.errors import ReportError
from depose.model import (
    Against,
    Candidate,
    Denominator,
    Excluded,
    Exhibit,
    ExhibitAnswer,
    Fact,
    Finding,
    Findings,
    Item,
    NotScored,
    Opinion,
    Prompt,
    Protocol,
    Question,
    Replicate,
    Result,
    Role,
    Span,
    Unanswered,
)
from depose.report import LIMITATIONS, clip, excerpt, number, pvalue, render_html, render_pdf, visible

PROSE = (
    "To keep bread fresh for longer, store it at room temperature in a paper bag or a bread box, away from direct "
    "sunlight. Avoid the refrigerator, because cold air makes the starch set and the loaf goes stale sooner.\n\n"
    "1. Let the loaf cool fully before you wrap it.\n2. Slice only what you need, and keep the cut side down.\n"
    "3. Freeze what you will not eat within three days, in slices, well wrapped.\n\nA stale loaf comes back to life "
    "after five minutes in a hot oven, once its crust has been brushed with a little water. Enjoy your bread!"
)
CONTROLS = tuple(
    f"C{i:02d}-{name}"
    for i, name in enumerate(
        (
            *("falcon", "mpt", "dolly", "rwkv", "phi", "yi", "baize", "guanaco", "recycled", "minotaur", "jina"),
            *("zephyr", "tulu", "xwin", "deita", "mixtral", "starling", "cohere", "platolm", "nous", "gemma"),
            *("opt", "bloom"),
        ),
        1,
    )
)


def build(
    *,
    suspects: Sequence[str] = ("S1",),
    references: Sequence[str] = ("R1",),
    questions: tuple[Question, ...] = ("same", "derived", "distilled"),
    exhibits: int = 6,
    text: str = PROSE,
    retrospective: bool = True,
    controls: Sequence[str] = CONTROLS,
    protocol: Protocol | None = None,
) -> Findings:
    """A whole Findings, invented and consistent."""
    findings = tuple(
        finding(q, s, r, shift=i, controls=controls)
        for i, (q, s, r) in enumerate((q, s, r) for q in questions for s in suspects for r in references)
    )
    models: list[tuple[str, Role]] = [(s, "suspect") for s in suspects]
    models += [(r, "reference") for r in references]
    models += [(c, "control") for c in controls]
    return Findings(
        format="depose findings 1",
        title="Two chat models against a reference",
        authority="own endpoint, contract section 4",
        protocol=protocol or Protocol(questions=questions),
        protocol_digest=canon.sha256(b"protocol"),
        log_head=canon.sha256(b"head"),
        registered_at="2026-11-24T06:00:00Z",
        first_asked="2026-11-24T06:01:10Z",
        last_asked="2026-11-24T06:09:41Z",
        retrospective=retrospective,
        time_stamped=False,
        software=(Fact(name="depose", value="0.1.0"), Fact(name="numpy", value="2.3.5")),
        files=(Fact(name="alpaca_eval.json", value=canon.sha256(b"file")),),
        prompts=390,
        clusters=390,
        families=(Fact(name="alpaca_eval", value="390"),),
        items=tuple(
            Item(
                code=code,
                role=role,
                name=f"{code.lower()}-chat-7b",
                provider="recorded",
                developer=f"Maker {i}",
                weight_lineage="llama-2" if i % 3 else f"base-{i}",
                data_lineage=f"sft-{i}",
                trained_on=() if i % 5 else ("Maker 1",),
                system="You are Ada." if role == "suspect" else "",
                temperature=0.7,
                max_tokens=200,
                retrospective=retrospective,
                facts=(Fact(name="weights", value=canon.sha256(code.encode())),) if role != "control" else (),
            )
            for i, (code, role) in enumerate(models)
        ),
        denominators=tuple(
            Denominator(model=code, planned=390, sent=0, answered=387, refused=4, empty=2, failed=1, excluded=3)
            for code, _ in models
        ),
        unanswered=(
            Unanswered(model="S1", prompt="alpaca-17", sample=0, replicate=0, reason="no record for this prompt"),
            Unanswered(model="S1", prompt="alpaca-29", sample=0, replicate=0, reason="empty"),
        ),
        findings=findings,
        exhibits=tuple(exhibit(i, text=text, controls=controls) for i in range(1, exhibits + 1)),
        exhibit_rule="per suspect and reference, the top 2, median 2 and bottom 1 by d, and 1 at random by seed 7.",
        replicates=(Replicate(model="R1", detector="phrases", value=3.21, prompts=390),),
        amendments=(),
    )


def finding(
    question: Question, suspect: str, reference: str, *, shift: int = 0, controls: Sequence[str] = CONTROLS
) -> Finding:
    """One finding with four detectors that gave a score and one that did not."""
    k = len(controls)
    floor = 1 / (k + 1)
    results = tuple(
        Result(
            detector=detector,
            primary=n == 0,
            prompts=390,
            value=1.52 - 0.21 * n,
            low=0.71,
            high=2.13,
            p_reference=floor,
            p_suspect=min(1.0, (1 + n) * floor),
            p=min(1.0, (1 + n) * floor),
            p_holm=min(1.0, (2 + n) * floor),
            reference_side=tuple(
                Against(model=c, value=((i * 37 + shift * 11) % 23 - 11) / 12) for i, c in enumerate(controls)
            ),
            suspect_side=tuple(
                Against(model=c, value=((i * 53 + shift * 7) % 29 - 16) / 13) for i, c in enumerate(controls)
            ),
            p_length_matched=min(1.0, 3 * floor),
            p_refusals_excluded=floor,
        )
        for n, detector in enumerate(("phrases", "openings", "fuzzy", "length"))
    )
    return Finding(
        question=question,
        suspect=suspect,
        reference=reference,
        controls=tuple(controls),
        excluded=(
            Excluded(model="X1", reason="developer of the reference"),
            Excluded(model="X2", reason="likely trained on outputs of OpenAI"),
        ),
        k=k,
        k_eff=min(k, 21),
        weight_lineages=21,
        data_lineages=22,
        floor=floor,
        k_needed=39,
        condition="a common base" if question == "distilled" else "",
        results=results,
        not_scored=(NotScored(detector="embedding", reason="model package not installed"),),
        candidates=(
            Candidate(model=reference, value=1.52, tested=True),
            Candidate(model="T2", value=1.71, tested=False),
        ),
        opinion=Opinion(verdict="inconclusive", reasons=("power", "lr_spans_one")),
    )


def exhibit(number: int, *, text: str = PROSE, controls: Sequence[str] = CONTROLS) -> Exhibit:
    """One exhibit in which reference and suspect share two passages."""
    spans = tuple(Span(start=a, end=b, controls=c) for a, b, c in ((12, 60, 2), (330, 371, 0)) if b <= len(text))
    pair = tuple(controls[:2])
    return Exhibit(
        number=number,
        suspect="S1",
        reference="R1",
        prompt=Prompt(
            id=f"alpaca-{number}", family="alpaca_eval", cluster="c", text="How do I keep bread fresh for longer?"
        ),
        rank=number,
        of=390,
        chosen=("top", "median", "bottom", "random")[number % 4],
        value=4.2 - 0.1 * number,
        controls=len(controls),
        answers=(
            *(ExhibitAnswer(model=c, text=text[40:], spans=()) for c in pair),
            ExhibitAnswer(model="S1", text=text, spans=spans),
            ExhibitAnswer(model="R1", text=text, spans=spans),
        ),
    )


HOSTILE = (
    "<script>alert(1)</script></style></td></table><img src=x onerror=alert(1)><a href='javascript:alert(1)'>x</a> "
    "\x1b[31mred\x1b[0m \x00null \u202eevil\u202c \u200bhidden \u2066iso\u2069 \ufeffbom \u0085 next \u2028 line "
    "{{ 7 * 7 }} {% include 'expert.html' %} ]]> &lt; --> <!-- \U0001f469\u200d\U0001f52c \U000e0041 "
    "data:text/html;base64,PHNjcmlwdD4= http://evil.example/x.png Z\u0301\u0302\u0303\u0304\u0305\u0306 "
    "</mark></body></html>"
)
FORBIDDEN = re.compile(
    r"match|\bprov(e|es|ed|en|ing)\b|certain(ty|ly)|\bunique|theft|\bst(ole|olen|eal)|identical source|zero error|"
    r"fingerprint|\bDNA\b|\bhigh confidence\b|statistically significant|consistent with|infring|\bcop(y|ied)\b|"
    r"\bguilt|\badmit|probability that .{0,40} was distilled|p = 0(?!\.)",
    re.IGNORECASE,
)


class Outline(HTMLParser):
    """The start tags of a page, in order, with their attributes, and the text outside of them."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        """Keep text, but not the style sheet."""
        if self.tags and self.tags[-1] != "style":
            self.text.append(data)


def outline(page: bytes) -> Outline:
    """Parse a page."""
    seen = Outline()
    seen.feed(page.decode())
    return seen


def words(page: bytes) -> str:
    """The text of a page, white space folded."""
    return re.sub(r"\s+", " ", " ".join(outline(page).text))


def test_html_is_the_same_twice() -> None:
    """Identical findings give identical HTML."""
    assert render_html(build()) == render_html(build())


def test_pdf_is_the_same_twice() -> None:
    """Identical findings give identical PDF bytes, attachments included, and leave the environment as it was."""
    findings = build(questions=("distilled",))
    before = dict(os.environ)
    attached = [("findings.json", canon.canonical(findings), "the findings")]
    assert render_pdf(findings, attachments=attached) == render_pdf(findings, attachments=attached)
    assert dict(os.environ) == before


def test_pdf_says_what_it_is() -> None:
    """The file claims PDF/A-3a, is tagged, and gives its attachments back with date and relationship."""
    findings = build(questions=("distilled",))
    written = render_pdf(
        findings, attachments=[("findings.json", b"{}", "the findings")], moment=datetime(2026, 1, 2, tzinfo=UTC)
    )
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


def test_pdf_can_be_read() -> None:
    """Every page carries the report id, its number and the count of pages; the end mark stands on the last."""
    findings = build(exhibits=14)
    report_id = canon.digest(findings)[:12]
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(render_pdf(findings))).pages]
    for number_, page in enumerate(pages, 1):
        assert f"Report {report_id}" in page
        assert f"page {number_} of {len(pages)}" in page
        assert len(page) > 300
    assert "RETROSPECTIVE" in pages[0]
    assert "registered, not time-stamped" in pages[0]
    assert f"End of report {report_id}" in pages[-1]


@pytest.mark.parametrize(("suspects", "exhibits"), [(("S1", "S2"), 50)])
def test_fifty_exhibits_fit_on_twenty_pages(suspects: tuple[str, ...], exhibits: int) -> None:
    """Two suspects, three questions and fifty exhibits make at most twenty pages."""
    written = render_pdf(build(suspects=suspects, exhibits=exhibits))
    assert len(pypdf.PdfReader(io.BytesIO(written)).pages) <= 20


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


def drop_cut(page: bytes) -> bytes:
    """Leave out the notes on what was cut, which stand only where something was."""
    return re.sub(rb'<span class="cut">[^<]*</span>', b"", page)


def test_hostile_names_are_escaped() -> None:
    """A title, authority, model name, reason or fact is text as well, in HTML and PDF."""
    findings = build(questions=("same",))
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
    assert render_pdf(findings)[:5] == b"%PDF-"


def test_hidden_characters_are_shown() -> None:
    """Control, bidi, zero-width, unassigned and lone surrogate characters become their code point."""
    assert visible("a\x1b[0m\x00\u202eb\u200b\ud800\n\tc\r\nd\re") == (
        "a[U+001B][0m[U+0000][U+202E]b[U+200B][U+D800]\n\tc\nd[U+000D]e"
    )
    assert visible("Zoë, naïve – “ok” 漢字 🙂") == "Zoë, naïve – “ok” 漢字 🙂"
    assert (
        visible("e" + "\u0301" * 9 + "f" + "\u0301" * 4)
        == "e\u0301\u0301\u0301[6 more marks]f\u0301\u0301\u0301[1 more marks]"
    )


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


def test_signature_block_is_blank() -> None:
    """Both forms of declaration are there, and nothing that a case can hold fills them."""
    page = render_html(build()).decode()
    block = page[page.index('id="s13"') :]
    assert "under the laws of the United States of America" in block
    assert block.count("under penalty of perjury") == 2
    assert block.count('<span class="blank"></span>') == block.count('<span class="blank short"></span>') == 2
    assert "/s/" not in block
    assert 'Expert report of <span class="blank"></span>' in page
    named = msgspec.structs.replace(build(), title="Jane Doe", authority="Jane Doe, 1 May 2026")
    changed = render_html(named).decode()
    kept = re.sub(canon.digest(named)[:12], canon.digest(build())[:12], changed[changed.index('id="s13"') :])
    assert kept == block


def test_own_words_avoid_what_the_method_cannot_carry() -> None:
    """Outside of the exhibits no word of the report claims more than a comparison of two propositions."""
    page = render_html(build())
    text = re.sub(rb'<div class="exhibit".*?</table>\s*</div>', b"", page, flags=re.DOTALL)
    assert not FORBIDDEN.findall(words(text))


def test_report_has_what_a_court_asks_for() -> None:
    """Propositions, parts of H2, denominators, deviations, blank fields and the order of sections are there."""
    findings = build(retrospective=False)
    page = render_html(findings).decode()
    text = words(page.encode())
    heads = re.findall(r"<h2 id=\"s\d+\"><span class=\"no\">(\d+)</span> ([^<]+)</h2>", page)
    assert [int(n) for n, _ in heads] == list(range(1, 14))
    assert [head for _, head in heads][:4] == ["Summary of opinions", "Propositions", "Method", "Items examined"]
    assert page.count("<b>H1.</b>") == page.count("<b>H2.</b>") == 3
    assert text.count("H2a") == text.count("H2b") == 3
    assert "not evaluated: no validation study calibrates this case" in text
    assert "10140" not in text and str(390 * 25) in text
    assert "Amendments to the protocol: none." in text
    assert "gives no probability that a proposition is true" in text
    assert "RETROSPECTIVE" not in text
    assert "registered, not time-stamped" in text
    for word in ("testimony of four years", "compensation", "No generative model wrote"):
        assert word in text


def test_everything_is_numbered() -> None:
    """Paragraphs, tables and figures are numbered without a gap; each caption has class, n and a digest."""
    findings = build()
    page = render_html(findings).decode()
    paragraphs = [int(n) for n in re.findall(r"¶ (\d+)</span>", page)]
    assert paragraphs == list(range(1, len(paragraphs) + 1))
    tables = re.findall(r"<caption><b>Table (\d+)\.", page)
    assert [int(n) for n in tables] == list(range(1, len(tables) + 1))
    assert re.findall(r"<b>Fig\. (\d+)\.", page) == ["1", "2", "3"]
    captions = re.findall(r"<(?:caption|figcaption)>.*?</(?:caption|figcaption)>", page, flags=re.DOTALL)
    assert len(captions) == len(tables) + 3 + len(findings.exhibits)
    for caption in captions:
        assert re.search(r'class="class">[RCSOI]</span> n = ', caption)
        assert re.search(r"\$\.[\w\[\].]+ [0-9a-f]{12}</span>", caption)
    assert canon.digest(findings.findings[1])[:12] in page


def test_exhibits_show_rule_rank_and_two_controls() -> None:
    """Each exhibit stands beside two controls, names its place in the rule, and marks what is shared."""
    findings = build()
    page = render_html(findings).decode()
    exhibits = re.findall(r'<div class="exhibit".*?</div>', page, flags=re.DOTALL)
    assert len(exhibits) == 6
    for e in exhibits:
        assert [h.split("</b> ")[1] for h in re.findall(r"<th><b>.*?(?=</th>)", e)] == [
            "reference",
            "suspect",
            "control",
            "control",
        ]
        assert re.search(r"chosen as (top|median|bottom|random): d = .* rank \d+ of 390", e)
        assert e.count("<mark>") == 4
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
    """None, one and seventy controls each make a report; seventy are listed under the figure."""
    findings = build(controls=controls, questions=("same",))
    findings = msgspec.structs.replace(findings, exhibits=())
    text = words(render_html(findings))
    assert ("There was no control to compare with" in text) is (not controls)
    assert ("From the highest, in the place of the reference" in text) is (len(controls) == 70)


def test_nothing_compared_is_said() -> None:
    """Findings without a score say so, and why, instead of leaving a gap."""
    findings = build(questions=("same",), exhibits=0)
    bare = msgspec.structs.replace(findings.findings[0], results=(), candidates=())
    text = words(render_html(msgspec.structs.replace(findings, findings=(bare,), amendments=("one", "two"))))
    assert "The primary detector gave no score. embedding: model package not installed" in text
    assert "None: no prompt was answered on both sides" in text
    assert "Amended 2 times" in text
    assert "(1) one; (2) two" in text
