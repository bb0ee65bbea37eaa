"""Findings of a case to files: reports, viewer, machine-readable outputs, productions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from depose.case import annexes
from depose.case.parquet_table import columns
from depose.case.tables import LARGEST
from depose.case.untrusted_files import read_untrusted
from depose.errors import ReportError, UsageError, shell
from depose.evidence import ledger
from depose.evidence.log import read_log
from depose.model import Exchange, Findings, Record
from depose.model.canonical import canonical, sha256
from depose.report import bates as produce
from depose.report import editable, machine_readable, render, viewer
from depose.report.typography import visible

FORMATS = ("pdf", "html", "docx", "form", "viewer", "data")
BATES = "bates.csv"
LEGEND = 60
"""Characters of a legend, which shares the head of a page."""


class Order(Record, frozen=True, kw_only=True):
    """What to render, and how."""

    formats: tuple[str, ...] = ("pdf", "html")
    flavour: render.Flavour = "expert"
    variant: render.Variant = "a-3a"
    final: bool = False
    """Refuse while anything printed is not checked against its primary document."""
    bates: str = ""
    """Number the pages of a production from here on."""
    legend: str = ""
    """What each page of a production says besides, such as a grade of confidentiality."""


def publish(
    folder: Path, findings: Findings, data: bytes, exhibits: bytes, order: Order
) -> Iterator[tuple[str, bytes]]:
    """Yield each file of `out` with its name; raise before the first one where the order cannot be carried out."""
    found = ledger.entries(folder)
    if findings.log_head != found.head:
        raise ReportError(
            f"{folder}/out/findings.json: made from another state of the log", hint=f"depose analyze {shell(folder)}"
        )
    check_formats(order.formats)
    added = annexes.read(folder)
    open_ = render.unchecked(findings, added)
    if order.final and open_:
        raise ReportError(
            f"--final: not checked against the primary document: {', '.join(open_)}",
            hint=f"check each, and say so in {folder / annexes.CHECKED}",
        )
    numbers = _production(order)
    plain = render.Setting(flavour=order.flavour, annex=added)
    setting = msgspec.structs.replace(plain, bates=numbers, legend=order.legend)
    name = "report" if order.flavour == "expert" else "compliance"
    html = None
    if {"html", "docx", "form"} & set(order.formats):
        html = render.render_html(findings, plain)
        if "html" in order.formats:
            yield f"{name}.html", html
        if "docx" in order.formats:
            yield f"{name}.docx", editable.docx(html, render.dated(findings))
        if "form" in order.formats:
            yield f"{name}-form.pdf", render.render_form(findings, html)
    if "pdf" in order.formats:
        attached = [
            ("findings.json", data, "The findings from which this report is rendered"),
            ("protocol.json", canonical(found.registration), "The registered protocol"),
            ("exhibits.csv", exhibits, "Index of the exhibits"),
        ]
        for file in annexes.FILES:
            if (folder / file).is_file():
                attached.append((file, (folder / file).read_bytes(), "Added by the users of this case"))
        same = html if setting == plain and order.flavour == "expert" else None
        printed = render.render_pdf(findings, setting, html=same, attachments=attached, variant=order.variant)
        if numbers:
            rows = _rows(f"{name}.pdf", printed, data, numbers, order.legend)
            yield BATES, _numbered(folder, rows)
            yield f"exhibits-{order.bates}.csv", produce.index(exhibits, rows)
        yield f"{name}.pdf", printed.pdf
    if "data" in order.formats:
        yield from machine_readable.files(findings, added)
    if "viewer" in order.formats:
        records = tuple(_records(folder))
        scores = _scores(folder / "out" / "scores.parquet")
        yield from viewer.pages(findings, found.registration.prompts, records, scores)


def check_formats(wanted: Sequence[str]) -> None:
    """Raise UsageError for what is no format of a report; one text, or none at all, is no list of them."""
    unknown = [wanted] if isinstance(wanted, str) else [one for one in wanted if one not in FORMATS]
    if unknown or not wanted:
        raise UsageError(
            f"no formats of a report: {unknown[0][:40]!r}" if unknown else "no format of a report is named",
            hint=f"name some of {', '.join(FORMATS)}",
        )


def _production(order: Order) -> produce.Bates | None:
    """Read what an order says of a production."""
    if order.legend and not order.bates:
        raise ReportError("--legend stands on the pages of a production", hint="add --bates PREFIX-0000001")
    if order.legend != visible(order.legend) or len(order.legend) > LEGEND:
        raise ReportError(f"--legend: at most {LEGEND} characters that can be seen", hint="such as CONFIDENTIAL")
    if order.bates and "pdf" not in order.formats:
        raise ReportError("--bates numbers the pages of a PDF", hint="add pdf to --format")
    return produce.parse(order.bates) if order.bates else None


def _rows(
    name: str, printed: render.Printed, data: bytes, numbers: produce.Bates, legend: str
) -> list[produce.Produced]:
    """Number the report page by page, with the exhibits on each, and findings.json by one slip-sheet number."""
    pages = [
        produce.Produced(
            first=numbers.number(page),
            last=numbers.number(page),
            object=f"{name}, page {page + 1} of {printed.pages}",
            sha256=sha256(printed.pdf),
            exhibit=" ".join(map(str, shown)),
            legend=legend,
        )
        for page, shown in enumerate(printed.exhibits)
    ]
    slip = numbers.number(printed.pages)
    native = produce.Produced(
        first=slip, last=slip, object="findings.json (native)", sha256=sha256(data), exhibit="", legend=legend
    )
    return [*pages, native]


def _numbered(folder: Path, rows: Sequence[produce.Produced]) -> bytes:
    """Enter a production into the map of earlier ones; the same one is entered once."""
    path = folder / "out" / BATES
    earlier = produce.read(path.read_bytes()) if path.is_file() else ()
    same = {(one.first, one.sha256) for one in earlier}
    fresh = [one for one in rows if (one.first, one.sha256) not in same]
    return produce.table(produce.add(earlier, fresh))


def _records(folder: Path) -> Iterator[viewer.Recorded]:
    for chained in read_log(folder):
        if chained.entry.kind == "exchange":
            exchange = msgspec.convert(chained.entry.body, Exchange)
            yield viewer.Recorded(seq=chained.entry.seq, digest=chained.digest, exchange=exchange)


def _scores(path: Path) -> Sequence[viewer.Score]:
    """Read the table of scores that analyze wrote; none where it is gone."""
    if not path.is_file():
        return ()
    names = viewer.Score.__struct_fields__
    try:
        read = columns(read_untrusted(path, LARGEST), names)
        rows = [dict(zip(names, row, strict=True)) for row in zip(*(read[name] for name in names), strict=True)]
        return msgspec.convert(rows, list[viewer.Score])
    except (OSError, ValueError, KeyError) as error:
        raise ReportError(f"{path}: not a table of scores: {error}", hint="depose analyze CASE writes it") from error
