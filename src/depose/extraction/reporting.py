"""Findings to a report and to a page for compliance, as HTML and PDF; from findings and tables alone.

The words are held to the same list as those of the court report. `consistent with coordinated collection` stands once,
beside what was expected of the other proposition.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from depose.case.untrusted_files import read_untrusted
from depose.errors import ReportError, UsageError
from depose.evidence.log import write_whole
from depose.extraction import conduct, plan, tables
from depose.extraction.figures import figures
from depose.extraction.findings import LAYERS, REASONS, ExtractionFindings
from depose.extraction.tables import Tables
from depose.model import Record
from depose.model.canonical import canonical, sha256
from depose.report import vocabulary
from depose.report.fonts import dressed
from depose.report.stylesheet import base
from depose.report.typography import clip, number, page, pvalue, visible
from depose.statistics.rounding import at_least, at_most

LISTED = 40
"""Accounts of a group, and pairs, that the report lists; exhibits.csv has them all."""
SENTENCE = "consistent with coordinated collection"
WORDS = {
    "indication": "At least one set of accounts shares rare templates more closely than random tables with the same "
    "margins do, and acts as one besides: in the same slots, or by cards or networks in common. That is what "
    f"was expected if the accounts collected in concert, and not if each went its own way: {SENTENCE}, and with any "
    "other reason for which people act together, such as a firm that tests models.",
    "shared prompts, concert not shown": "At least one set of accounts shares rare templates more closely than random "
    "tables with the same margins do, and nothing shows that its accounts act together. A benchmark, a course or a "
    "framework that no list names leaves the same trace. The set is a lead for people who know the customers; nobody "
    "is named by it.",
    "no group found": "No set of accounts stood out at the registered level. That is no finding that nobody "
    "collected: the limits say what the test does not see.",
    "inconclusive": "There is not enough to compare with, for the reasons named; nothing follows in either direction.",
}


class Exposure(Record, frozen=True, kw_only=True):
    """What a line-up on the deliveries of these groups found."""

    log10_e: float
    source: str


def write(case: Path, formats: Sequence[str], exposure: str = "") -> tuple[str, ...]:
    """Write the report and the page for compliance; raise ReportError where one would say too much."""
    folder = plan.folder_of(case)
    found = conduct.read_findings(folder)
    made = tables.read(folder / "out" / "tables")
    said = read_exposure(Path(exposure)) if exposure else None
    written: list[str] = []
    for name, template in (("report-extraction", "extraction.html"), ("compliance-extraction", "extraction-page.html")):
        html = render(found, made, template, said)
        for form in formats:
            goal = folder / "out" / f"{name}.{form}"
            write_whole(goal, html if form == "html" else pdf(html))
            written.append(str(goal))
    return tuple(written)


def read_exposure(file: Path) -> Exposure:
    """Read log10 E of a line-up from its findings; raise UsageError where there is none."""
    try:
        found = msgspec.json.decode(read_untrusted(file, 64 * 1024**2))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: {error}", hint="findings of a line-up, in JSON") from error
    value = _search(found, "log10_e")
    if value is None or not math.isfinite(value):
        raise UsageError(f"{file}: no log10_e in it", hint="findings of a line-up on these deliveries")
    return Exposure(log10_e=value, source=file.name)


def _search(value: Any, name: str) -> float | None:
    if isinstance(value, dict):
        if isinstance(value.get(name), int | float):
            return float(value[name])
        value = list(value.values())
    if isinstance(value, list):
        return next((one for part in value if (one := _search(part, name)) is not None), None)
    return None


def render(found: ExtractionFindings, made: Tables, template: str, exposure: Exposure | None) -> bytes:
    """Render one page; identical findings and tables give identical bytes."""
    from markupsafe import Markup

    digest = sha256(canonical(found))
    drawn = {}
    if template == "extraction.html":
        for group in found.groups:
            drawn[group.code] = [(caption, Markup(svg.decode())) for caption, svg in figures(found, group, made)]  # noqa: S704
    css = base(wide=True) + "\n" + (files("depose.templates") / "batch.css").read_text("utf-8")
    joint = None
    if exposure is not None and found.groups:
        joint = math.log10(max(group.e for group in found.groups)) + exposure.log10_e
    html = page(
        template,
        filters={"number": number, "clip": clip, "at_least": at_least, "at_most": at_most},
        f=found,
        css=Markup(css),  # noqa: S704 - our own
        digest=digest,
        version=next((one.value for one in found.software if one.name == "depose"), ""),
        words=WORDS[found.opinion.verdict],
        reasons=[REASONS[one] for one in found.opinion.reasons],
        layers=LAYERS,
        figures=drawn,
        floor=1 / (found.swaps + 1),
        pvalue=pvalue,
        listed=LISTED,
        exposure=exposure,
        joint=joint,
    )
    refuse(html, found)
    return dressed(html)


def refuse(html: bytes, found: ExtractionFindings) -> None:
    """Raise ReportError where a page says a word that the method cannot carry; names that others gave are left out."""
    text = vocabulary.own_words(html)
    foreign = [found.title, found.authority, *(one.name for one in found.sources), SENTENCE]
    for one in sorted(foreign, key=len, reverse=True):
        text = re.sub(re.escape(" ".join(visible(one).split())), " … ", text)
    if hits := vocabulary.violations(text):
        raise ReportError(f"the report would say {hits[0].around!r}", hint="this is a fault of depose")


def pdf(html: bytes) -> bytes:
    """Set a page as PDF/A."""
    from depose.report.render import INSTALL
    from depose.report.typography import source_date

    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except OSError as error:
        raise ReportError(f"PDF needs a system library: {error}", hint=INSTALL) from error
    import os

    before = source_date()
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")
    try:
        fetcher = URLFetcher(allowed_protocols={"data"})
        return bytes(HTML(string=html, encoding="utf-8", url_fetcher=fetcher).write_pdf(pdf_variant="pdf/a-3a"))
    finally:
        if before is None:
            os.environ.pop("SOURCE_DATE_EPOCH", None)
