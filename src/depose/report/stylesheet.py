"""The style sheet of a report, with the bundled fonts in it."""

from __future__ import annotations

import base64
import re
from importlib.resources import files

import msgspec

from depose.model import Findings
from depose.report.bates import Bates


def sheet(findings: Findings, bates: Bates | None) -> str:
    """Write the style sheet of a report, with the fonts that its findings need."""
    return "\n".join((base(wide=_wide(findings)), bates.css if bates else ""))


def base(*, wide: bool) -> str:
    """Write what all pages share, `wide` with the extended Latin letters; nothing in it is fetched from elsewhere."""
    folder = files("depose.templates")
    faces = []
    for family, name, weight, style in (
        (f"Depose {family}{extra}", f"{stem}-{subset}-{weight}-{style}.woff2", weight, style)
        for family, stem in (("Serif", "source-serif-4"), ("Sans", "source-sans-3"), ("Mono", "jetbrains-mono"))
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


def _wide(findings: Findings) -> bool:
    """Whether any text needs the extended Latin letters, which cost a font each."""
    return re.search("[\u0100-\u02ff\u1e00-\u1eff]", msgspec.json.encode(findings).decode()) is not None
