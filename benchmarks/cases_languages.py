"""Looks at the cases of other languages: refusals, and characters that a font must have."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.cases_frame import Look, Seen, depose, findings, python

REPOSITORY = Path(__file__).parents[1]


def _recorded(work: Path) -> None:
    """Put the case file beside the script that copies it."""
    (work / "casefiles" / "recorded").mkdir(parents=True, exist_ok=True)
    text = (REPOSITORY / "casefiles" / "recorded" / "case.toml").read_text()
    (work / "casefiles" / "recorded" / "case.toml").write_text(text)


def refusals(folder: Path, work: Path) -> Iterator[Seen]:
    """Refusals in Chinese and Spanish, and what only sounds like one; then a case of which half are refusals."""
    said = python(folder / "t.py", cwd=work)
    yield Seen(right="no line WRONG", came=said, ok="WRONG" not in said and said.count("ok") == 8)
    _recorded(work)
    python(folder / "zh.py", "zh", "zh", "refuse", cwd=work)
    for command in ("register", "probe", "analyze"):
        depose(command, work / "zh")
    found = {one["model"]: one["refused"] for one in findings(work / "zh")["denominators"]}
    yield Seen(right="12 of 24 Chinese answers of S1 are refusals", came=str(found), ok=found.get("S1") == 12)


def glyphs(folder: Path, work: Path) -> Iterator[Seen]:
    """Answers in scripts that the bundled fonts lack."""
    _recorded(work)
    python(folder / "gen2.py", cwd=work)
    for command in ("register", "probe", "analyze"):
        depose(command, work / "mix")
    ran = depose("report", work / "mix", "--format", "pdf")
    pdf = work / "mix" / "out" / "report.pdf"
    boxes = list(_boxes(pdf.read_bytes())) if pdf.is_file() else ["no PDF"]
    yield Seen(right="no .notdef in the PDF/A", came=f"{len(boxes)} {ran.err}", ok=not boxes)
    done = subprocess.run(["pdffonts", pdf], capture_output=True, text=True, check=False)
    names = re.findall(r"^[A-Z]{6}\+(\S+)", done.stdout, re.MULTILINE)
    yield Seen(
        right="every font is one that the page carried",
        came=", ".join(names),
        ok=bool(names) and all(name.startswith(("Depose-", "Noto-")) for name in names),
    )


def _boxes(pdf: bytes) -> Iterator[str]:
    """Name the font of every glyph 0 that a page shows."""
    import pikepdf

    with pikepdf.open(io.BytesIO(pdf)) as opened:
        for page in opened.pages:
            yield from _in(page, page.obj)


def _in(content: Any, holder: Any) -> Iterator[str]:
    import pikepdf

    resources, font = holder.get("/Resources", {}), ""
    for operands, operator in pikepdf.parse_content_stream(content):
        if str(operator) == "Tf":
            font = str(resources["/Font"][str(operands[0])]["/BaseFont"])
        elif str(operator) in ("Tj", "TJ"):
            for part in operands[-1] if str(operator) == "TJ" else [operands[-1]]:
                if isinstance(part, pikepdf.String):
                    codes = bytes(part)
                    yield from (font for n in range(0, len(codes), 2) if codes[n : n + 2] == b"\0\0")
        elif str(operator) == "Do":
            inner = resources["/XObject"][str(operands[0])]
            if str(inner.get("/Subtype")) == "/Form":
                yield from _in(inner, inner)


LOOKS: dict[str, Look] = {"refusals-other-languages": refusals, "scripts-without-glyphs": glyphs}
