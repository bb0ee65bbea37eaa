"""The matrix as a page: heat map, dendrogram, hits, what the numbers carry; pure."""

from __future__ import annotations

import os
from importlib.resources import files

from depose.batch.dendrogram import dendrogram
from depose.batch.heat_map import heat_map, letter
from depose.batch.matrix import HITS, Matrix, ranked
from depose.errors import ReportError
from depose.report.arrange import likelihood
from depose.report.fonts import dressed
from depose.report.render import INSTALL
from depose.report.stylesheet import base
from depose.report.typography import clip, number, page, power_of_ten, pvalue
from depose.statistics.rounding import at_most

LISTED = 200
"""Hits, changes and drifts that the page lists; matrix.json has them all."""


def render(matrix: Matrix, digest: str) -> bytes:
    """Render a matrix, named by the digest of its bytes, as one self-contained page."""
    from markupsafe import Markup

    reasons = sorted({one.reason for one in matrix.cells if one.reason})
    letters = {reason: letter(place) for place, reason in enumerate(reasons)}
    css = base(wide=True) + "\n" + (files("depose.templates") / "batch.css").read_text("utf-8")
    made = page(
        "batch.html",
        filters={
            "number": number,
            "lr": likelihood,
            "at_most": at_most,
            "clip": clip,
            "power_of_ten": power_of_ten,
            "named": lambda code: named(matrix, code),
        },
        m=matrix,
        css=Markup(css),  # noqa: S704 - our own
        digest=digest,
        version=next((one.value for one in matrix.software if one.name == "depose"), ""),
        maps=[(one.question, list(heat_map(matrix, one.question, letters))) for one in matrix.asked],
        pvalue=pvalue,
        letters=[(letter, reason) for reason, letter in letters.items()],
        hits=ranked(matrix),
        dendrogram=[Markup(part) for part in dendrogram(matrix)],  # noqa: S704 - drawn by us
        listed=LISTED,
        claimable=HITS[0],
    )
    return dressed(made)


def named(matrix: Matrix, code: str) -> str:
    """Write a code with its maker, as a reader knows the model."""
    found = next((one for one in (*matrix.suspects, *matrix.references) if one.name == code), None)
    return (
        f"{code} {found.developer}" if found is not None and found.developer and found.developer not in code else code
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
