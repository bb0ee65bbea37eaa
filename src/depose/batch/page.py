"""The matrix as a page: heat map, dendrogram, hits, what the numbers carry; pure.

The heat map is a table: every cell has its number, so that nothing rests on a shade. Darker is a larger likelihood
ratio; a hit has a frame and a mark; what is not informative is hatched and has a letter for its reason.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib.resources import files

from depose.batch.dendrogram import dendrogram
from depose.batch.matrix import HITS, Matrix, ranked
from depose.batch.screen import Judged
from depose.errors import ReportError
from depose.model import Record
from depose.report.render import INSTALL
from depose.report.stylesheet import base
from depose.report.typography import clip, number, page, pvalue

COLUMNS = 12
"""References beside each other; more stand in a further table."""
DARKEST = 4.0
"""Log10 likelihood ratio at which a shade is full."""
LISTED = 200
"""Hits, changes and drifts that the page lists; matrix.json has them all."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Square(Record, frozen=True, kw_only=True):
    """One cell of the heat map: what it shows and how."""

    text: str
    title: str
    style: str
    kind: str
    """`hit`, `lead`, `none` or `hatched`."""


def render(matrix: Matrix, digest: str) -> bytes:
    """Render a matrix, named by the digest of its bytes, as one self-contained page."""
    from markupsafe import Markup

    reasons = sorted({one.reason for one in matrix.cells if one.reason})
    letters = {reason: _letter(place) for place, reason in enumerate(reasons)}
    css = base(wide=True) + "\n" + (files("depose.templates") / "batch.css").read_text("utf-8")
    return page(
        "batch.html",
        filters={"number": number, "clip": clip},
        m=matrix,
        css=Markup(css),  # noqa: S704 - our own
        digest=digest,
        version=next((one.value for one in matrix.software if one.name == "depose"), ""),
        maps=[(one.question, list(_maps(matrix, one.question, letters))) for one in matrix.asked],
        pvalue=pvalue,
        letters=[(letter, reason) for reason, letter in letters.items()],
        hits=ranked(matrix),
        dendrogram=[Markup(part) for part in dendrogram(matrix)],  # noqa: S704 - drawn by us
        listed=LISTED,
        claimable=HITS[0],
    )


def _letter(place: int) -> str:
    """a, b, ..., z, aa, ab, ..."""
    more, last = divmod(place, len(LETTERS))
    return (_letter(more - 1) if more else "") + LETTERS[last]


def _maps(
    matrix: Matrix, question: str, letters: dict[str, str]
) -> Iterator[tuple[Sequence[str], list[tuple[str, list[Square]]]]]:
    """Yield the references of each table and its rows."""
    cells = {(one.suspect, one.reference): one for one in matrix.cells if one.question == question}
    names = [one.name for one in matrix.references]
    for start in range(0, len(names), COLUMNS):
        columns = names[start : start + COLUMNS]
        yield (
            columns,
            [(one.name, [_square(cells[one.name, name], letters) for name in columns]) for one in matrix.suspects],
        )


def _square(one: Judged, letters: dict[str, str]) -> Square:
    if one.log10_lr is None:
        t = "" if one.t is None else f", T {number(one.t)}"
        return Square(text=letters[one.reason], title=one.reason + t, style="", kind="hatched")
    shade = round(100 - 45 * min(max(one.log10_lr / DARKEST, 0.0), 1.0))
    mark = {HITS[0]: "▲ ", HITS[1]: "△ "}.get(one.outcome, "")
    numbers = f"T {number(one.t or 0.0)}, p {one.p:.3f}, q {one.q:.3f}, local FDR {one.lfdr:.3f}, K_eff {one.k_eff}"
    return Square(
        text=mark + number(one.log10_lr, 1),
        title=f"{one.outcome}: {numbers}",
        style=f"background: hsl(0, 0%, {shade}%)",
        kind={HITS[0]: "hit", HITS[1]: "lead"}.get(one.outcome, "none"),
    )


# --- PDF --------------------------------------------------------------------------------------------


def pdf(html: bytes) -> bytes:
    """Set a page as PDF/A from local bytes only; dated by SOURCE_DATE_EPOCH alone, so that it can be made again."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = before or "0"
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except OSError as error:
        raise ReportError(f"PDF needs a system library: {error}", hint=INSTALL) from error
    else:
        fetcher = URLFetcher(allowed_protocols={"data"})
        return bytes(HTML(string=html, encoding="utf-8", url_fetcher=fetcher).write_pdf(pdf_variant="pdf/a-3a"))
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
