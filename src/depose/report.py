"""Findings to an expert report or a compliance summary: HTML, then PDF/A.

Pure: no clock, no network, no file but the bundled templates and fonts. What models wrote is hostile text: every
string is escaped, and characters that hide or reorder are shown by their code point.
"""

from __future__ import annotations

import base64
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from itertools import count
from typing import Any, Literal

from depose import arrange, canon, compliance, excerpts
from depose.annex import Annex, literature, mapping
from depose.charts import curves, ranking, timeline
from depose.contents import (
    ALTERNATIVES,
    APPENDICES,
    BACKGROUND,
    CERTIFICATES,
    CROSSWALK,
    DISCLOSURE,
    GLOSSARY,
    NO,
    SECTIONS,
    WITNESS,
)
from depose.curves import specification_curve
from depose.errors import ReportError
from depose.figures import crowded, ratio_bands, strip_plot
from depose.model import Fact, Finding, Findings, Record
from depose.produce import Bates
from depose.setting import clip, number, page, pvalue
from depose.statistics.verbal import SCALES, Scale
from depose.vocabulary import AVOIDED
from depose.wording import (
    AGAINST,
    LIMITATIONS,
    NOT_TESTED,
    OUTCOMES,
    PARTS,
    QUESTIONS_TO_VENDOR,
    REASONS,
    SENTENCES,
)

EXCERPT = ((6, 900), (8, 500), (24, 270), (10**9, 160))
"""Number of exhibits, and how many characters of an answer each shows when there are up to that many."""
MODELS = 24
"""With more models than this, those with equal counts share a row."""
CURVES = 2
"""Specification curves that are drawn; more stand in one table, since each takes half a page."""
PROMPT = {False: 220, True: 120}
"""Characters of a prompt that an exhibit shows, with up to 8 exhibits and with more."""

PAGES = 2
"""Pages of the compliance summary."""
ROWS = ((12, 5), (9, 3), (6, 2), (4, 1), (1, 0))
"""Findings and waivers that the compliance summary lists, until it fits its pages; compliance.json has them all."""
Flavour = Literal["expert", "compliance"]
Variant = Literal["a-3a", "ua-1"]

INSTALL = (
    "apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fontconfig "
    "fonts-dejavu-core (macOS: brew install pango); --format html needs none of them"
)


class Setting(Record, frozen=True, kw_only=True):
    """How findings are set: the flavour, what people added, the first production number."""

    flavour: Flavour = "expert"
    annex: Annex = Annex()
    bates: Bates | None = None


EXPERT = Setting()


def unchecked(findings: Findings, annex: Annex) -> tuple[str, ...]:
    """Name the literature and the verbal scale that nobody compared with the primary document."""
    checked = {one.id for one in annex.checks}
    names = [work.id for work in literature() if work.id not in checked]
    scale = _scale(findings)
    return (*names, *((scale.id,) if scale and not scale.checked and scale.id not in checked else ()))


def render_html(findings: Findings, setting: Setting = EXPERT) -> bytes:
    """Render one flavour of report as one self-contained page; identical findings give identical bytes.

    Raises ReportError for findings that contradict themselves, such as a p-value below its floor.
    """
    for finding in findings.findings:
        for ratio in finding.ratios:
            arrange.check(ratio)
    if setting.flavour == "compliance":
        return next(_summaries(findings, setting))
    return _page("expert.html", findings, setting, _expert(findings, setting))


def _page(template: str, findings: Findings, setting: Setting, context: dict[str, Any]) -> bytes:
    """Fill a template: what both flavours share, and the context of one of them."""
    from markupsafe import Markup

    return page(
        template,
        filters=FILTERS,
        findings=findings,
        report_id=canon.digest(findings)[:12],
        digest=canon.digest(findings),
        version=next((f.value for f in findings.software if f.name == "depose"), "version not recorded"),
        css=Markup(css(wide=_wide(findings), bates=setting.bates)),  # noqa: S704 - our own
        items={item.code: item for item in findings.items},
        sentences=SENTENCES,
        limitations=LIMITATIONS,
        pvalue=pvalue,
        paragraph=partial(next, count(1)),
        table=partial(next, count(1)),
        figure=partial(next, count(1)),
        **context,
    )


def _expert(findings: Findings, setting: Setting) -> dict[str, Any]:
    """Gather what the expert report prints."""
    scale = _scale(findings)
    results = arrange.grouped(findings.findings)
    drawings = {
        drawn.numbers[0]: _drawn(strip_plot(drawn.finding, drawn.result))
        for group in results
        for drawn in group.figures
    }
    bands = {
        number: _drawn(ratio_bands(finding, scale))
        for number, finding in enumerate(findings.findings, 1)
        if scale and arrange.evaluated(finding)
    }
    others = [drawn for group in results for drawn in group.figures if drawn.finding.curve is not None]
    specified = {
        drawn.numbers[0]: _drawn(specification_curve(drawn.finding, curve, findings.protocol.alpha))
        for drawn in others
        if len(others) <= CURVES and (curve := drawn.finding.curve) is not None
    }
    asked = set(findings.protocol.questions)
    study = findings.performance
    many = len(findings.exhibits)
    length = next(shown for most, shown in EXCERPT if many <= most)
    roles = {item.code: item.role for item in findings.items}
    checks = {one.id: one for one in setting.annex.checks}
    return {
        "draft": unchecked(findings, setting.annex),
        "checks": checks,
        "works": literature(),
        "sections": SECTIONS,
        "no": NO,
        "titles": dict(SECTIONS),
        "appendices": APPENDICES,
        "appendices_by": dict(APPENDICES),
        "first_table": 1,
        "witness": WITNESS,
        "background": BACKGROUND,
        "glossary": GLOSSARY,
        "alternatives": ALTERNATIVES,
        "crosswalk": CROSSWALK,
        "avoided": AVOIDED,
        "certificates": CERTIFICATES,
        "quality": [
            {"role": role, "n": len(found), "codes": found}
            for role in ("positive", "foil")
            for found in [[item.code for item in findings.items if item.role == role]]
        ],
        "timeline": _timeline(findings),
        "rates": [one for one in study.rates if one.question in asked] if study else [],
        "curves": [
            (one, _drawn(curves(one)))
            for one in (study.held_out if study else ())
            if one.question in asked and one.against == "unrelated"
        ],
        "rankings": {place: _drawn(ranking(one)) for place, one in _ranked(findings)},
        "primaries": [arrange.primary(finding) for finding in findings.findings],
        "results": results,
        "drawings": drawings,
        "bands": bands,
        "specified": specified,
        "scale": scale,
        "scale_checked": bool(scale and (scale.checked or scale.id in checks)),
        "named": list(dict.fromkeys(ratio.against for one in findings.findings for ratio in one.ratios)),
        "silent": arrange.silent(findings.findings),
        "compared": arrange.compared(findings.findings),
        "powers": arrange.powers(findings.findings),
        "described": arrange.described(findings.items),
        "counts": arrange.counted(findings.denominators, roles, together=len(findings.denominators) > MODELS),
        "together": len(findings.denominators) > MODELS,
        "counts_of_controls": arrange.alike(findings.findings),
        "chosen": arrange.chosen(findings.findings),
        "exhibits": [(exhibit, excerpts.excerpts(exhibit, length)) for exhibit in findings.exhibits],
        "excerpt": length,
        "line_break": excerpts.LINE_BREAK,
        "prompt_length": PROMPT[many > 8],
        "silence": Counter((u.model, u.reason) for u in findings.unanswered).most_common(),
        "parts": PARTS,
        "against": AGAINST,
        "disclosure": DISCLOSURE,
        "crowded": crowded,
    }


def _ranked(findings: Findings) -> Iterator[tuple[int, Finding]]:
    """Yield findings whose candidates are enough for a figure, equal ones once."""
    seen = set()
    for place, one in enumerate(findings.findings, 1):
        if len(one.candidates) > 2 and one.candidates not in seen:
            seen.add(one.candidates)
            yield place, one


def _drawn(svg: bytes) -> Any:
    from markupsafe import Markup

    return Markup(svg.decode())  # noqa: S704 - drawn by us


def _timeline(findings: Findings) -> Any:
    """Draw the times that can be read; nothing where fewer than two can."""
    events = []
    for name, text in (
        ("protocol registered", findings.registered_at),
        ("first question", findings.first_asked),
        ("last question", findings.last_asked),
    ):
        if _read_time(text) is not None:
            events.append(Fact(name=name, value=text))
    return _drawn(timeline(events)) if len(events) > 1 else None


def _read_time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _summaries(findings: Findings, setting: Setting) -> Iterator[bytes]:
    """Yield the compliance summary with fewer and fewer rows."""
    for rows, waivers in ROWS:
        context = _summary(findings, setting, rows)
        yield _page("compliance.html", findings, setting, {**context, "most_waivers": waivers})


def _summary(findings: Findings, setting: Setting, most: int) -> dict[str, Any]:
    """Gather what the compliance summary prints, with at most so many findings, those for review first."""
    numbered = sorted(
        enumerate(findings.findings, 1), key=lambda one: (compliance.of_finding(one[1]) != compliance.REVIEW, one[0])
    )[:most]
    result = compliance.outcome(findings)
    codes = list(dict.fromkeys(code for _, one in numbered for code in one.opinion.reasons))
    return {
        "marks": (["DRAFT"] if unchecked(findings, setting.annex) else [])
        + (["RETROSPECTIVE"] if findings.retrospective else []),
        "suspects": [item for item in findings.items if item.role == "suspect"],
        "outcome": result,
        "outcomes": OUTCOMES,
        "alarms": compliance.risks(findings, "false alarm"),
        "misses": compliance.risks(findings, "miss:"),
        "powers": compliance.powers(findings),
        "rows": [_row(number, one) for number, one in sorted(numbered, key=lambda one: one[0])],
        "reasons_used": [(code, REASONS.get(code, code)) for code in codes],
        "not_tested": NOT_TESTED,
        "questions": QUESTIONS_TO_VENDOR[result],
        "waivers": compliance.waived(findings, setting.annex.waivers),
        "mapped": mapping(),
    }


def _row(number_: int, finding: Finding) -> dict[str, Any]:
    result = arrange.primary(finding)
    values = [one.value for one in (*result.reference_side, *result.suspect_side)] if result else []
    ratio = next((one for one in finding.ratios if one.value is not None), None)
    return {
        "number": number_,
        "finding": finding,
        "result": result,
        "low": min(values, default=None),
        "high": max(values, default=None),
        "ratio": arrange.conservative(ratio) if ratio else "not evaluated",
        "outcome": compliance.of_finding(finding),
    }


class Printed(Record, frozen=True, kw_only=True):
    """A PDF and the number of its pages."""

    pdf: bytes
    pages: int


def render_pdf(
    findings: Findings,
    setting: Setting = EXPERT,
    *,
    html: bytes | None = None,
    attachments: Sequence[tuple[str, bytes, str]] = (),
    moment: datetime | None = None,
    variant: Variant = "a-3a",
) -> Printed:
    """Render the report as PDF/A-3a or PDF/UA-1 with attachments (name, content, description), from local bytes only.

    The compliance summary has exactly two pages: rows of findings give way until it has. `moment` dates the
    attachments; without it SOURCE_DATE_EPOCH, else the time of the last answer. Raises ReportError where a system
    library is missing.
    """
    moment = _moment(findings, moment)
    if html is None and setting.flavour == "compliance":
        pages: Iterable[bytes] = _summaries(findings, setting)
    else:
        pages = (render_html(findings, setting) if html is None else html,)
    with _source_date(moment):
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
                created=moment,
                modified=moment,
                relationship="Data",
                url_fetcher=fetcher,
            )
            for name, content, description in attachments
        ]
        for one in pages:
            laid = HTML(string=one, encoding="utf-8", url_fetcher=fetcher).render(pdf_variant=f"pdf/{variant}")
            if setting.flavour == "expert" or len(laid.pages) == PAGES:
                laid.metadata.attachments = attached
                written = bytes(laid.write_pdf(pdf_variant=f"pdf/{variant}"))
                return Printed(pdf=written, pages=len(laid.pages))
    raise ReportError("the compliance summary does not fit two pages", hint="shorten title, authority or waivers")


def _reasons(codes: Iterable[str]) -> str:
    return "; ".join(REASONS.get(code, code) for code in codes)


def _listed(numbers: Iterable[int]) -> str:
    """Name findings by number: finding 1; findings 1, 2 and 3."""
    *first, last = (str(one) for one in numbers)
    return f"findings {', '.join(first)} and {last}" if first else f"finding {last}"


def _scale(findings: Findings) -> Scale | None:
    """The verbal scale that words were chosen by. Raises ReportError where there are words, or ratios, but no scale."""
    if findings.scale in SCALES:
        return SCALES[findings.scale]
    if findings.scale or any(arrange.evaluated(finding) for finding in findings.findings):
        raise ReportError(
            f"the verbal scale {findings.scale!r} is not one of {', '.join(SCALES)}", hint="run depose analyze again"
        )
    return None


def _source(value: Any) -> str:
    return canon.digest(value)[:12]


FILTERS: dict[str, Callable[..., Any]] = {
    "number": number,
    "clip": clip,
    "source": _source,
    "reasons": _reasons,
    "codes": arrange.codes,
    "lr": arrange.likelihood,
    "conservative": arrange.conservative,
    "times": arrange.times,
    "listed": _listed,
}


def _wide(findings: Findings) -> bool:
    """Whether any text needs the extended Latin letters, which cost a font each."""
    return re.search("[\u0100-\u02ff\u1e00-\u1eff]", canon.canonical(findings).decode()) is not None


def css(*, wide: bool, bates: Bates | None) -> str:
    """The style sheet, with the fonts in it."""
    folder = files("depose.templates")
    faces = []
    for family, name, weight, style in (
        (f"Depose {family}{extra}", f"{stem}-{subset}-{weight}-{style}.woff2", weight, style)
        for family, stem in (
            ("Serif", "source-serif-4"),
            ("Sans", "source-sans-3"),
            ("Mono", "jetbrains-mono"),
        )
        for extra, subset in (("", "latin"), (" Ext", "latin-ext"))[: 1 + wide]
        for weight, style in ((400, "normal"), (400, "italic"), (600, "normal"))
    ):
        font = folder / "fonts" / name
        if font.is_file():
            data = base64.b64encode(font.read_bytes()).decode()
            faces.append(
                f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-style: {style}; '
                f"src: url(data:font/woff2;base64,{data}) }}"
            )
    return "\n".join((*faces, (folder / "report.css").read_text("utf-8"), bates.css if bates else ""))


def _moment(findings: Findings, given: datetime | None) -> datetime:
    """The time that the files inside the PDF carry."""
    if given is not None:
        return given
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        if not epoch.isascii() or not epoch.isdigit():
            raise ReportError(f"SOURCE_DATE_EPOCH is not a number of seconds: {epoch}", hint="unset it")
        return datetime.fromtimestamp(int(epoch), UTC)
    for text in (findings.last_asked, findings.registered_at):
        if (found := _read_time(text)) is not None:
            return found
    raise ReportError("the findings carry no date", hint="set SOURCE_DATE_EPOCH, or run depose analyze again")


@contextmanager
def _source_date(moment: datetime) -> Iterator[None]:
    """Fix the date that font tools write, and put the environment back afterwards."""
    name = "SOURCE_DATE_EPOCH"
    before = os.environ.get(name)
    os.environ[name] = before or str(int(moment.timestamp()))
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
