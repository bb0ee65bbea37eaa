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

from depose import canon
from depose.errors import ReportError
from depose.figures import crowded, strip_plot
from depose.model import Exhibit, ExhibitAnswer, Finding, Findings, Record, Result, Span

SENTENCES = {
    "purpose": "This report compares how probable the recorded observations are under two stated explanations. "
    "It does not say which explanation is true.",
    "ratio": "A value above 1 favours H1 over H2; below 1 favours H2 over H1; 1 favours neither.",
    "interval": "The interval reflects variation over prompts, repeats and controls; it does not cover explanations "
    "left out of H2.",
    "items": "Results relate only to the items and dates listed.",
    "replay": "Re-running the scoring on the sealed data gives the same figures. Re-querying the service may not.",
}
"""Fixed sentences, version 1."""

LIMITATIONS = (
    "The models were seen from the outside only: what they answered, not how they were made.",
    "No training data of any model was seen. What a model was trained on is inferred from its answers or taken from "
    "what was published about it.",
    "The likeness has no direction: by itself it does not say which of two models came first, and it does not say who "
    "asked for the outputs, or whether that was allowed.",
    "Incidental exposure, such as published outputs of the reference on the web, may look like light training on them.",
    "The controls are not a random sample of all models. They are those that could be asked and whose lineage is known "
    "well enough; an undocumented relation of a control to the reference makes the test weaker.",
    "A provider may have changed the service between or during the dates listed, without notice.",
    "The method was examined under few conditions. Other languages, tasks, sampling settings and system prompts than "
    "those listed are outside of what was examined.",
    "Paraphrase, filtering, mixing of teachers and other deliberate changes lower the sensitivity. A result that is "
    "not an indication is not evidence that no training took place.",
    "The method is young, with little independent replication.",
    "Verbal scales are a convention. The numbers come first, and a word adds nothing to them.",
    "Every result is conditional on the two propositions as worded here. Other propositions give other results.",
    "What a model says about its own name or maker was not used.",
)
"""Printed in every report; no configuration reaches them."""

REASONS = {
    "controls": "fewer than 19 independent clean controls",
    "power": "the power of the test in this case is below 0.8 or not known",
    "quality": "a quality check failed or was not run",
    "range": "the case lies outside the conditions examined in validation",
    "refusals": "more than a fifth of the answers are refusals",
    "shared_base": "suspect and reference share a base model, and too few controls share it with them",
    "kind": "the findings do not tell one kind of relation from another",
    "length": "the result is not there when answers of equal length are compared",
    "lr_spans_one": "the likelihood ratio is not evaluated, or its interval includes\N{NO-BREAK SPACE}1",
}

EXCERPT = {False: 900, True: 270}
"""Characters of an answer that an exhibit shows, with up to 12 exhibits and with more."""
LINE_BREAK = 28
"""Characters that a line break counts for, so that lists take no more room than prose."""
MARKS = 3
"""Combining marks shown on one character; more would climb into the lines above."""
LEAD = 40
"""Characters shown before the first shared passage of a cut answer."""
PROMPT = {False: 300, True: 140}
"""Characters of a prompt that an exhibit shows, likewise."""

INSTALL = (
    "apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fontconfig "
    "fonts-dejavu-core (macOS: brew install pango); --format html needs none of them"
)


class Part(Record, frozen=True, kw_only=True):
    """A run of characters of an answer; `controls` says how many controls share it, None that it is not marked."""

    text: str
    controls: int | None = None


class Excerpt(Record, frozen=True, kw_only=True):
    """What an exhibit shows of one answer."""

    model: str
    role: str
    before: int
    """Characters left out before."""
    parts: tuple[Part, ...]
    after: int
    """Characters left out after."""


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
    environment.filters.update(number=number, clip=clip, source=_source, reasons=_reasons)
    figures = {
        position: Markup(strip_plot(finding, result).decode())  # noqa: S704 - drawn by us
        for position, finding in enumerate(findings.findings)
        if (result := primary(finding)) is not None
    }
    many = len(findings.exhibits) > 12
    page = environment.get_template("expert.html").render(
        findings=findings,
        report_id=canon.digest(findings)[:12],
        digest=canon.digest(findings),
        version=next((f.value for f in findings.software if f.name == "depose"), "version not recorded"),
        css=Markup(_css(wide=_wide(findings))),  # noqa: S704 - our own
        items={item.code: item for item in findings.items},
        primaries=[primary(finding) for finding in findings.findings],
        figures=figures,
        exhibits=[(exhibit, _excerpts(exhibit, EXCERPT[many])) for exhibit in findings.exhibits],
        excerpt=EXCERPT[many],
        line_break=LINE_BREAK,
        prompt_length=PROMPT[many],
        control_sets=_control_sets(findings.findings),
        silence=Counter((u.model, u.reason) for u in findings.unanswered).most_common(),
        sentences=SENTENCES,
        limitations=LIMITATIONS,
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


def primary(finding: Finding) -> Result | None:
    """The result that decides the question, if it was scored."""
    return next((result for result in finding.results if result.primary), None)


def excerpt(answer: ExhibitAnswer, length: int) -> tuple[int, int]:
    """Where to cut an answer: the window of that length that holds the most shared text, the first of equals."""
    text = answer.text
    if _end(text, 0, length) == len(text):
        return 0, len(text)
    spans = _spans(answer)
    starts = [0, *(_word(text, max(0, span.start - LEAD)) for span in spans[:200])]
    windows = [(start, _end(text, start, length)) for start in dict.fromkeys(starts)]
    return max(windows, key=lambda w: sum(max(0, min(s.end, w[1]) - max(s.start, w[0])) for s in spans[:400]))


def _excerpts(exhibit: Exhibit, length: int) -> list[Excerpt]:
    """Reference first, then suspect, then the controls."""
    roles = {exhibit.reference: "reference", exhibit.suspect: "suspect"}
    ordered = sorted(exhibit.answers, key=lambda a: [exhibit.reference, exhibit.suspect, a.model].index(a.model))
    return [_cut(answer, roles.get(answer.model, "control"), length) for answer in ordered]


def _cut(answer: ExhibitAnswer, role: str, length: int) -> Excerpt:
    start, end = excerpt(answer, length)
    parts: list[Part] = []
    at = start
    for span in _spans(answer):
        left, right = max(span.start, at), min(span.end, end)
        if left < right:
            if at < left:
                parts.append(Part(text=_lines(answer.text[at:left])))
            parts.append(Part(text=_lines(answer.text[left:right]), controls=span.controls))
            at = right
    if at < end:
        parts.append(Part(text=_lines(answer.text[at:end])))
    return Excerpt(model=answer.model, role=role, before=start, parts=tuple(parts), after=len(answer.text) - end)


def _spans(answer: ExhibitAnswer) -> list[Span]:
    return sorted((s for s in answer.spans if 0 <= s.start < s.end <= len(answer.text)), key=lambda s: (s.start, s.end))


def _word(text: str, start: int) -> int:
    """The next start of a word, where one is near."""
    space = text.find(" ", start, start + LEAD // 2)
    return space + 1 if start and space >= 0 else start


def _end(text: str, start: int, length: int) -> int:
    """Where the room runs out, a line break counting for several characters; never inside a word that ends near."""
    end, room = start, length
    while end < len(text) and room > 0:
        room -= _room(text[end])
        end += 1
    space = text.rfind(" ", max(start, end - LEAD // 2), end)
    return space if end < len(text) and space > start else end


def _room(character: str) -> int:
    """How many characters wide one character is shown."""
    if character == "\n":
        return LINE_BREAK
    if not character.isprintable():
        return len("[U+0000]")
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _lines(text: str) -> str:
    """Leave out blank lines."""
    while "\n\n" in text:
        text = text.replace("\n\n", "\n")
    return text


def _control_sets(findings: Iterable[Finding]) -> list[tuple[list[int], Finding]]:
    """Group the findings, by number, that used and left out the same controls."""
    groups: dict[object, tuple[list[int], Finding]] = {}
    for position, finding in enumerate(findings, 1):
        groups.setdefault((finding.controls, finding.excluded), ([], finding))[0].append(position)
    return list(groups.values())


def _reasons(codes: Iterable[str]) -> str:
    return "; ".join(REASONS.get(code, code) for code in codes)


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
