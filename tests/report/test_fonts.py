"""Characters of every script on a page: drawn with fonts that the page carries, or shown by code point; never a box."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pikepdf
import pytest
from fontTools.ttLib.woff2 import WOFF2Reader

from depose.errors import ReportError
from depose.report import fonts
from depose.report.render import render_html, render_pdf
from reports import build

pytest.importorskip("justmytype_intl_cjk")
MIXED = "東京は日本の首都。 Привет, мир! مرحبا 한국 ไทย हिन्दी 中文 ｶﾅ"
UNKNOWN = "😀 \U0001d4b2ell \u1401 ✅"


def styled(page: bytes) -> str:
    """The style sheet of a page."""
    return page.decode().partition("<style>")[2].partition("</style>")[0]


def glyphs(pdf: bytes) -> Iterator[tuple[str, int]]:
    """Yield every glyph that is shown on the pages of a PDF, with its font."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        for page in opened.pages:
            yield from _shown(page, page.obj)


def _shown(content: Any, holder: Any) -> Iterator[tuple[str, int]]:
    resources = holder.get("/Resources", {})
    font, wide = "", False
    for operands, operator in pikepdf.parse_content_stream(content):
        name = str(operator)
        if name == "Tf":
            found = resources["/Font"][str(operands[0])]
            font, wide = str(found["/BaseFont"]), str(found["/Subtype"]) == "/Type0"
        elif name in ("Tj", "TJ", "'", '"'):
            parts = operands[-1] if name == "TJ" else [operands[-1]]
            for part in parts:
                if isinstance(part, pikepdf.String):
                    codes = bytes(part)
                    assert wide, font
                    yield from ((font, int.from_bytes(codes[n : n + 2], "big")) for n in range(0, len(codes), 2))
        elif name == "Do":
            inner = resources["/XObject"][str(operands[0])]
            if str(inner.get("/Subtype")) == "/Form":
                yield from _shown(inner, inner)


@pytest.fixture(scope="module")
def printed() -> bytes:
    """A report whose answers hold many scripts, as PDF/A."""
    return render_pdf(build(text=f"{MIXED} {UNKNOWN}", questions=("same",))).pdf


@pytest.mark.slow
def test_no_character_is_drawn_as_a_box(printed: bytes) -> None:
    """No glyph of any page is .notdef, which ISO 19005-3, 6.2.11.8 forbids, and no font is one of the machine."""
    found = list(glyphs(printed))
    assert len(found) > 1_000
    assert [font for font, glyph in found if glyph == 0] == []
    names = {font.partition("+")[2] for font, _ in found}
    assert {"Noto-Sans-JP", "Noto-Sans-Arabic", "Noto-Sans-Thai"} <= names
    assert not [name for name in names if not name.startswith(("Noto-", "Depose-"))]


def test_what_no_font_has_is_shown_by_its_code_point() -> None:
    """Emoji and rare scripts come out as [U+....], in the text and wherever else they stood."""
    page = render_html(build(text=UNKNOWN, questions=("same",))).decode()
    assert "[U+1F600]" in page
    assert "[U+1D4B2]ell" in page
    assert "😀" not in page


def test_only_the_glyphs_of_the_page_are_embedded() -> None:
    """A page of a few Japanese characters carries kilobytes, not the whole font; the same page has the same bytes."""
    first = render_html(build(text="東京は日本の首都。", questions=("same",)))
    assert first == render_html(build(text="東京は日本の首都。", questions=("same",)))
    face = re.search(r'font-family: "Noto Sans JP"; src: url\(data:font/woff2;base64,([^)]*)\)', styled(first))
    assert face is not None
    assert len(face.group(1)) < 20_000


def test_every_font_is_packed_so_that_it_is_unpacked_at_once() -> None:
    """No font of a page has tables that were transformed: to turn them back took a twentieth of a report."""
    page = styled(render_html(build(text="東京は日本の首都。 ā", questions=("same",))))
    packed = re.findall(r"url\(data:font/woff2;base64,([^)]*)\)", page)
    assert len(packed) > 7
    for one in packed:
        tables = WOFF2Reader(io.BytesIO(base64.b64decode(one))).tables
        assert not [tag for tag, entry in tables.items() if entry.transformed]


def test_a_page_of_latin_letters_is_left_as_it_is() -> None:
    """Where every bundled font has every character, nothing is added."""
    page = render_html(build(text="Nothing but ASCII.", questions=("same",)))
    assert "Noto Sans" not in styled(page)
    assert fonts.dressed(page) == page
    assert fonts.dressed(b"<style></style>") == b"<style></style>"


@pytest.mark.slow
def test_without_the_packages_every_other_script_is_written_out() -> None:
    """An installation without Noto shows code points, whatever fonts the machine has."""
    page = b'<style>@font-face { font-family: "Depose Sans" }</style><p>' + "Мир 東京 é".encode() + b"</p>"
    absent = [msgspec.structs.replace(font, package="depose_no_such_package") for font in fonts.ALL]
    assert "<p>[U+041C][U+0438][U+0440] [U+6771][U+4EAC] é</p>" in fonts.dressed(page, absent).decode()
    assert "<p>Мир 東京 é</p>" in fonts.dressed(page).decode()


def test_a_mark_that_the_font_of_its_letter_lacks_is_written_out() -> None:
    """A mark is drawn by the font of its letter or not at all: two fonts for one letter give a box."""
    page = render_html(build(text="x\u0e48 ก\u0e48 東", questions=("same",))).decode()
    assert "x[U+0E48]" in page
    assert "ก\u0e48" in page


def test_another_font_under_the_name_is_refused() -> None:
    """A font that is not the pinned one draws nothing into a court report."""
    page = b'<style>@font-face { font-family: "Depose Sans" }</style>' + "東".encode()
    other = msgspec.structs.replace(fonts.SYMBOLS, sha256="0" * 64)
    with pytest.raises(ReportError, match="not the font that was pinned"):
        fonts.dressed(page, [other])
