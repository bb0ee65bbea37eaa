"""Findings to an expert report or a compliance summary: HTML, then PDF/A.

Pure: no clock, no network, no file but the bundled templates and fonts. What models wrote is hostile text: every
string is escaped, and characters that hide or reorder are shown by their code point.
"""

from __future__ import annotations

import gc
import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from math import log10
from typing import Any, Literal

from depose.case import annexes
from depose.case.annexes import Annex, mapping
from depose.case.independent import unseen
from depose.errors import ReportError
from depose.model import Finding, Findings, Record, canonical
from depose.report import arrange, compliance, expert, facts, first_page, line_up, line_up_texts, vocabulary
from depose.report.bates import Bates
from depose.report.fonts import dressed
from depose.report.numbering import Numbering
from depose.report.stylesheet import sheet
from depose.report.typography import (
    clip,
    code,
    exact_p,
    minus,
    moment,
    number,
    page,
    power_of_ten,
    pvalue,
    pvalue_short,
    source_date,
)
from depose.report.wording import (
    LIMITATIONS,
    LINEUP_REASONS,
    NOT_TESTED,
    OUTCOMES,
    QUESTIONS_TO_VENDOR,
    REASONS,
    SENTENCES,
)
from depose.statistics.rounding import at_least, at_most

UNRELATED = "unrelated"
"""The alternative whose ratio the compliance summary prints."""
PAGES = 2
"""Pages of the compliance summary."""
ROWS = ((12, 5), (9, 3), (6, 2), (5, 1), (4, 1), (3, 1), (2, 0), (1, 0))
"""Findings and waivers that the compliance summary lists, until it fits its pages; compliance.json has them all."""
Flavour = Literal["expert", "compliance"]
Variant = Literal["a-3a", "ua-1"]

INSTALL = (
    "apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fontconfig "
    "fonts-dejavu-core (macOS: brew install pango); --format html needs none of them"
)


class Setting(Record, frozen=True, kw_only=True):
    """How findings are set: the flavour, what people added, and for a production its first number and its legend."""

    flavour: Flavour = "expert"
    annex: Annex = Annex()
    bates: Bates | None = None
    legend: str = ""
    """On every page, such as a grade of confidentiality."""


EXPERT = Setting()


def unchecked(findings: Findings, added: Annex) -> tuple[str, ...]:
    """Name the literature and the verbal scale that nobody compared with the primary document."""
    return annexes.unchecked(arrange.scale(findings), added, arrange.works(findings))


def render_html(findings: Findings, setting: Setting = EXPERT) -> bytes:
    """Render one flavour of report as one self-contained page; identical findings give identical bytes.

    Raises ReportError for findings that contradict themselves, such as a p-value below its floor, and where the
    report would say a word that the method cannot carry.
    """
    for finding in findings.findings:
        for ratio in finding.ratios:
            arrange.check(ratio)
    with _collector_paused():
        if setting.flavour == "compliance":
            return next(_summaries(findings, setting))
        return _page("expert.html", findings, setting, expert.context(findings, setting.annex))


def _page(template: str, findings: Findings, setting: Setting, context: dict[str, Any]) -> bytes:
    """Fill a template with what both flavours share and the context of one; refuse words the method cannot carry."""
    from markupsafe import Markup

    digest = canonical.digest(findings)
    source = _sources()
    made = page(
        template,
        filters={**FILTERS, "source": source},
        findings=findings,
        report_id=digest[:12],
        digest=digest,
        version=next((f.value for f in findings.software if f.name == "depose"), "version not recorded"),
        css=Markup(sheet(findings, setting.bates)),  # noqa: S704 - our own
        legend=setting.legend,
        items={item.code: item for item in findings.items},
        sentences=SENTENCES,
        pvalue=pvalue,
        pvalue_short=pvalue_short,
        numbering=Numbering(source),
        **{"limitations": LIMITATIONS, **context},
    )
    vocabulary.refuse(made, findings, setting.annex)
    return dressed(made)


def _summaries(findings: Findings, setting: Setting) -> Iterator[bytes]:
    """Yield the compliance summary with fewer and fewer rows, its second half on a page of its own if there is room."""
    given, tried = (len(findings.findings), len(setting.annex.waivers)), set()
    for rows, waivers in ROWS:
        shown = tuple(map(min, (rows, waivers), given))
        if shown in tried:  # fewer than there is room for: the same page once more
            continue
        tried.add(shown)
        context = {**_summary(findings, setting, rows), "most_waivers": waivers}
        for apart in (True, False):
            yield _page("compliance.html", findings, setting, {**context, "apart": apart})


def _summary(findings: Findings, setting: Setting, most: int) -> dict[str, Any]:
    """Gather what the compliance summary prints, with at most so many findings, those for review first."""
    numbered = sorted(
        enumerate(findings.findings, 1), key=lambda one: (first_page.STRENGTH[one[1].opinion.verdict], one[0])
    )[:most]
    result = compliance.outcome(findings)
    codes = list(dict.fromkeys(code for _, one in numbered for code in one.opinion.reasons))
    return {
        "marks": (["DRAFT"] if unchecked(findings, setting.annex) else [])
        + (["RETROSPECTIVE"] if findings.retrospective else []),
        "suspects": [item for item in findings.items if item.role == "suspect"],
        "outcome": result,
        "outcomes": OUTCOMES,
        "unseen": unseen(findings.protocol.questions),
        "risks": [
            (said, rows)
            for said, what in (
                ("False alarm", compliance.ALARM),
                ("Review of relatives of another kind", compliance.ALARM_KIN),
                ("Miss", compliance.MISS),
            )
            if (rows := compliance.risks(findings, what)) or what != compliance.ALARM_KIN
        ],
        "risk_prompts": sorted({one.prompts for one in findings.performance.opinions}) if findings.performance else [],
        "powers": compliance.powers(findings),
        "rows": [_row(number, one) for number, one in sorted(numbered, key=lambda one: one[0])],
        "reasons_used": [(code, REASONS.get(code, code)) for code in codes],
        "not_tested": NOT_TESTED,
        "questions": QUESTIONS_TO_VENDOR[result],
        **_of_line_up(findings),
        "lined_up": [(one, compliance.of_finding(one)) for one in compliance.lined_up(findings)][:most],
        "lineup_reasons": LINEUP_REASONS,
        "waivers": compliance.waived(findings, setting.annex.waivers),
        "mapped": mapping(),
    }


def _of_line_up(findings: Findings) -> dict[str, Any]:
    """Say of a line-up what is true of it, and not what holds for likeness."""
    lineup = line_up.lineup_of(findings)
    said = {"lineup": lineup, "lineup_alone": line_up_texts.alone(findings, lineup)}
    if lineup is None:
        return {**said, "limitations": facts.limitations(findings, LIMITATIONS)}
    return {
        **said,
        "lineup_rule": line_up_texts.rule(lineup),
        "limitations": line_up_texts.limitations(findings, lineup),
    }


def _row(number_: int, finding: Finding) -> dict[str, Any]:
    result = arrange.primary(finding)
    values = [one.value for one in (*result.reference_side, *result.suspect_side)] if result else []
    ratio = next((one for one in finding.ratios if one.value is not None and one.against == UNRELATED), None)
    return {
        "number": number_,
        "finding": finding,
        "result": result,
        "low": min(values, default=None),
        "high": max(values, default=None),
        "ratio": ("bounded: " if ratio.low == ratio.high else "") + arrange.conservative(ratio)
        if ratio
        else "not evaluated",
        "outcome": compliance.of_finding(finding),
    }


class Printed(Record, frozen=True, kw_only=True):
    """A PDF, the number of its pages, and the exhibits that stand on each."""

    pdf: bytes
    pages: int
    exhibits: tuple[tuple[int, ...], ...]


def render_pdf(
    findings: Findings,
    setting: Setting = EXPERT,
    *,
    html: bytes | None = None,
    attachments: Sequence[tuple[str, bytes, str]] = (),
    dated: datetime | None = None,
    variant: Variant = "a-3a",
) -> Printed:
    """Render the report as PDF/A-3a or PDF/UA-1 with attachments (name, content, description), from local bytes only.

    The compliance summary has exactly two pages: rows of findings give way until it has. `dated` dates the
    attachments; without it SOURCE_DATE_EPOCH, else the time of the last answer. Raises ReportError where a system
    library is missing.
    """
    dated = _date(findings, dated)
    if html is None and setting.flavour == "compliance":
        pages: Iterable[bytes] = _summaries(findings, setting)
    else:
        pages = (render_html(findings, setting) if html is None else html,)
    with _source_date(dated), _collector_paused():
        try:
            from weasyprint import HTML, Attachment
            from weasyprint.urls import URLFetcher
        except OSError as error:
            raise ReportError(f"PDF needs a system library: {error}", hint=INSTALL) from error
        fetcher = URLFetcher(allowed_protocols={"data"})
        attached = [
            Attachment(
                string=content,
                name=name,
                description=description,
                created=dated,
                modified=dated,
                relationship="Data",
                url_fetcher=fetcher,
            )
            for name, content, description in attachments
        ]
        for one in pages:
            laid = HTML(string=one, encoding="utf-8", url_fetcher=fetcher).render(pdf_variant=f"pdf/{variant}")
            if setting.flavour == "expert" or len(laid.pages) == PAGES:
                laid.metadata.attachments = attached
                written = bytes(laid.write_pdf(finisher=_compressed_once, pdf_variant=f"pdf/{variant}"))
                printed = Printed(pdf=written, pages=len(laid.pages), exhibits=tuple(map(_exhibits, laid.pages)))
                del laid
                return printed
    raise ReportError("the compliance summary does not fit two pages", hint="shorten title, authority or waivers")


def _compressed_once(_: Any, pdf: Any) -> None:
    """Compress every stream now: the identifier of a PDF is a digest of all, for which each would be made once more."""
    for one in pdf.objects:
        if getattr(one, "compress", False):
            packed = one.data.partition(b"\nstream\n")[2]
            one.stream, one.compress = [packed.removesuffix(b"\nendstream")], False
            one.extra["Filter"] = "/FlateDecode"


BLANK = re.compile(rb'<span class="blank( [a-z]+)?"></span>')
"""What a witness fills."""


def render_form(findings: Findings, html: bytes) -> bytes:
    """Render a page of the report as a PDF whose blanks can be filled on a screen; no PDF/A, which has no forms.

    Raises ReportError where a system library is missing.
    """
    numbers = itertools.count(1)

    def field(found: re.Match[bytes]) -> bytes:
        kind, number_ = found[1] or b"", next(numbers)
        name = b'name="blank-%03d" title="to be completed by the witness"' % number_
        if kind.strip() in (b"full", b"slot"):
            return b'<textarea class="blank%b" %b></textarea>' % (kind, name)
        return b'<input type="text" class="blank%b" %b>' % (kind, name)

    with _source_date(dated(findings)), _collector_paused():
        try:
            from weasyprint import HTML
            from weasyprint.urls import URLFetcher
        except OSError as error:
            raise ReportError(f"PDF needs a system library: {error}", hint=INSTALL) from error
        page_ = HTML(
            string=BLANK.sub(field, html), encoding="utf-8", url_fetcher=URLFetcher(allowed_protocols={"data"})
        )
        return bytes(page_.write_pdf(pdf_forms=True))


def _exhibits(page: Any) -> tuple[int, ...]:
    """The numbers of the exhibits on a page, by the anchors that stand there."""
    return tuple(sorted(int(name[1:]) for name in page.anchors if name[:1] == "e" and name[1:].isdecimal()))


def _reasons(codes: Iterable[str]) -> str:
    return "; ".join(REASONS.get(code, code) for code in codes)


def _listed(numbers: Iterable[int]) -> str:
    """Name findings by number: finding 1; findings 1, 2 and 3."""
    *first, last = (str(one) for one in numbers)
    return f"findings {', '.join(first)} and {last}" if first else f"finding {last}"


def _sources() -> Callable[[Any], str]:
    """Digest a part of findings, once in a page for all captions that name it."""
    known: dict[int, tuple[Any, str]] = {}

    def source(value: Any) -> str:
        if id(value) not in known:
            known[id(value)] = (value, canonical.digest(value)[:12])
        return known[id(value)][1]

    return source


FILTERS: dict[str, Callable[..., Any]] = {
    "power_of_ten": power_of_ten,
    "log10": log10,
    "number": number,
    "at_least": at_least,
    "at_most": at_most,
    "clip": clip,
    "minus": minus,
    "reasons": _reasons,
    "codes": arrange.codes,
    "lr": arrange.likelihood,
    "conservative": arrange.conservative,
    "times": arrange.times,
    "ratio": arrange.with_interval,
    "worded": arrange.worded,
    "code": code,
    "listed": _listed,
    "power": exact_p,
}


def dated(findings: Findings) -> datetime:
    """Return the date that files made from findings carry."""
    return _date(findings, None)


def _date(findings: Findings, given: datetime | None) -> datetime:
    """The time that the files inside the PDF carry."""
    if given is not None:
        return given
    if (epoch := source_date()) is not None:
        return epoch
    for text in (findings.last_asked, findings.registered_at):
        if (found := moment(text)) is not None:
            return found
    raise ReportError("the findings carry no date", hint="set SOURCE_DATE_EPOCH, or run depose analyze again")


@contextmanager
def _source_date(when: datetime) -> Iterator[None]:
    """Fix the date that font tools write, and put the environment back afterwards."""
    name = "SOURCE_DATE_EPOCH"
    before = os.environ.get(name)
    os.environ[name] = before or str(int(when.timestamp()))
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Draw and lay out without the cycle collector: what is made lives to the end."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
