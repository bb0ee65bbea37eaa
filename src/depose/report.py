"""Findings to an expert report: HTML, then PDF/A.

Pure: no clock, no network, no file but the bundled templates and fonts. What models wrote is hostile text: every
string is escaped, and characters that hide or reorder are shown by their code point.
"""

from __future__ import annotations

import base64
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from functools import partial
from importlib.resources import files
from itertools import count
from typing import Any

from depose import arrange, canon, excerpts
from depose.curves import specification_curve
from depose.errors import ReportError
from depose.figures import crowded, ratio_bands, strip_plot
from depose.model import Findings
from depose.statistics.verbal import SCALES, Scale
from depose.wording import AGAINST, DISCLOSURE, LIMITATIONS, PARTS, REASONS, SENTENCES

EXCERPT = ((6, 900), (8, 500), (24, 270), (10**9, 180))
"""Number of exhibits, and how many characters of an answer each shows when there are up to that many."""
MODELS = 24
"""With more models than this, those with equal counts share a row."""
MARKS = 3
"""Combining marks shown on one character; more would climb into the lines above."""
CURVES = 2
"""Specification curves that are drawn; more stand in one table, since each takes half a page."""
PROMPT = {False: 220, True: 140}
"""Characters of a prompt that an exhibit shows, with up to 8 exhibits and with more."""

INSTALL = (
    "apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fontconfig "
    "fonts-dejavu-core (macOS: brew install pango); --format html needs none of them"
)


def render_html(findings: Findings) -> bytes:
    """Render the expert report as one self-contained page; identical findings give identical bytes.

    Raises ReportError for findings that contradict themselves, such as a p-value below its floor.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def finalize(value: object) -> object:
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=PackageLoader("depose.templates", ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        number=number,
        clip=clip,
        source=_source,
        reasons=_reasons,
        codes=arrange.codes,
        lr=arrange.likelihood,
        conservative=arrange.conservative,
        times=arrange.times,
        listed=_listed,
    )
    scale = _scale(findings)
    for finding in findings.findings:
        for ratio in finding.ratios:
            arrange.check(ratio)
    results = arrange.grouped(findings.findings)
    drawings = {
        drawn.numbers[0]: Markup(strip_plot(drawn.finding, drawn.result).decode())  # noqa: S704 - drawn by us
        for group in results
        for drawn in group.figures
    }
    bands = {
        number: Markup(ratio_bands(finding, scale).decode())  # noqa: S704 - drawn by us
        for number, finding in enumerate(findings.findings, 1)
        if scale and arrange.evaluated(finding)
    }
    others = [drawn for group in results for drawn in group.figures if drawn.finding.curve is not None]
    curves = {
        drawn.numbers[0]: Markup(specification_curve(drawn.finding, curve, findings.protocol.alpha).decode())  # noqa: S704 - drawn by us
        for drawn in others
        if len(others) <= CURVES and (curve := drawn.finding.curve) is not None
    }
    many = len(findings.exhibits)
    length = next(shown for most, shown in EXCERPT if many <= most)
    roles = {item.code: item.role for item in findings.items}
    page = environment.get_template("expert.html").render(
        findings=findings,
        report_id=canon.digest(findings)[:12],
        digest=canon.digest(findings),
        version=next((f.value for f in findings.software if f.name == "depose"), "version not recorded"),
        css=Markup(_css(wide=_wide(findings))),  # noqa: S704 - our own
        items={item.code: item for item in findings.items},
        primaries=[arrange.primary(finding) for finding in findings.findings],
        results=results,
        drawings=drawings,
        bands=bands,
        curves=curves,
        scale=scale,
        named=list(dict.fromkeys(ratio.against for one in findings.findings for ratio in one.ratios)),
        silent=arrange.silent(findings.findings),
        compared=arrange.compared(findings.findings),
        powers=arrange.powers(findings.findings),
        described=arrange.described(findings.items),
        counts=arrange.counted(findings.denominators, roles, together=len(findings.denominators) > MODELS),
        together=len(findings.denominators) > MODELS,
        counts_of_controls=arrange.alike(findings.findings),
        chosen=arrange.chosen(findings.findings),
        exhibits=[(exhibit, excerpts.excerpts(exhibit, length)) for exhibit in findings.exhibits],
        excerpt=length,
        line_break=excerpts.LINE_BREAK,
        prompt_length=PROMPT[many > 8],
        silence=Counter((u.model, u.reason) for u in findings.unanswered).most_common(),
        sentences=SENTENCES,
        limitations=LIMITATIONS,
        parts=PARTS,
        against=AGAINST,
        disclosure=DISCLOSURE,
        pvalue=pvalue,
        crowded=crowded,
        paragraph=partial(next, count(1)),
        table=partial(next, count(1)),
        figure=partial(next, count(1)),
    )
    return page.encode()


def render_pdf(
    findings: Findings,
    *,
    html: bytes | None = None,
    attachments: Sequence[tuple[str, bytes, str]] = (),
    moment: datetime | None = None,
) -> bytes:
    """Render the report as PDF/A-3a with attachments (name, content, description); nothing remote is fetched.

    `moment` dates the attachments; without it SOURCE_DATE_EPOCH, else the time of the last answer. Raises ReportError
    where a system library is missing.
    """
    moment = _moment(findings, moment)
    page = render_html(findings) if html is None else html
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
        written = HTML(string=page, encoding="utf-8", url_fetcher=fetcher).write_pdf(
            pdf_variant="pdf/a-3a", attachments=attached
        )
    return bytes(written)


def visible(text: str) -> str:
    """Show what hides or reorders (control, bidi, zero-width, unassigned) as [U+....]; keep line breaks and tabs."""
    shown = []
    marks = 0
    for character in text.replace("\r\n", "\n"):
        category = unicodedata.category(character)
        if category == "Mn":
            marks += 1
            if marks > MARKS:
                continue
        elif marks:
            shown.append(_more_marks(marks))
            marks = 0
        hidden = category[0] == "C" or category in ("Zl", "Zp")
        shown.append(f"[U+{ord(character):04X}]" if hidden and character not in "\n\t" else character)
    return "".join((*shown, _more_marks(marks)))


def _more_marks(count: int) -> str:
    return f"[{count - MARKS:,} more marks]" if count > MARKS else ""


def number(value: float, places: int = 2) -> str:
    """A number with a fixed count of decimals and a true minus sign."""
    return f"{value:.{places}f}".replace("-", "−")


def pvalue(p: float, floor: float) -> str:
    """Three significant digits, rounded up, so that no print is below the floor. Raises ReportError below it."""
    if not p >= floor * (1 - 1e-9) > 0:
        raise ReportError(
            f"a p-value of {p} is below its floor {floor}",
            hint="the findings contradict themselves; run depose analyze again",
        )
    exact = Decimal(repr(round(p, 12)))
    return str(exact.quantize(Decimal(1).scaleb(exact.adjusted() - 2), ROUND_CEILING))


def clip(text: str, length: int) -> str:
    """The first characters, with a note of how many are left out."""
    return text if len(text) <= length else f"{text[:length]} [… {len(text) - length:,} more]"


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


def _wide(findings: Findings) -> bool:
    """Whether any text needs the extended Latin letters, which cost a font each."""
    return re.search("[\u0100-\u02ff\u1e00-\u1eff]", canon.canonical(findings).decode()) is not None


def _css(*, wide: bool) -> str:
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
    return "\n".join((*faces, (folder / "report.css").read_text("utf-8")))


def _moment(findings: Findings, given: datetime | None) -> datetime:
    """The time that the files inside the PDF carry."""
    if given is not None:
        return given
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        if not epoch.isascii() or not epoch.isdigit():
            raise ReportError(f"SOURCE_DATE_EPOCH is not a number of seconds: {epoch}", hint="unset it")
        return datetime.fromtimestamp(int(epoch), UTC)
    for text in (findings.last_asked, findings.registered_at):
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
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
