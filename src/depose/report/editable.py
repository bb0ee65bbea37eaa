"""The report as a word processor's file, for a witness who goes on writing: the words and numbers of the page.

Made from the rendered page, so that nothing is computed or worded a second time. A figure cannot be drawn there: its
caption stands, with the words and numbers that stand in it.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from depose.errors import ReportError

LEVELS = {"h1": 0, "h2": 1, "h3": 2, "h4": 3}
BLOCKS = ("p", "h1", "h2", "h3", "h4", "table", "ul", "ol", "dl", "figure", "section", "div", "nav", "svg", "pre")
SKIPPED = ("style", "script", "title", "head", "template")
UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What XML cannot hold."""
BLANK = "_" * 40


def docx(page: bytes, dated: datetime) -> bytes:
    """Write a page of the report as .docx; the same page and date give the same bytes.

    Raises ReportError where the page has no body.
    """
    from docx import Document
    from lxml import html

    body = html.document_fromstring(page.decode()).find("body")
    if body is None:
        raise ReportError("a page without a body cannot be turned into .docx", hint="this is a fault of depose")
    made = Document()
    _told(made, dated)
    _mixed(made, body)
    buffer = io.BytesIO()
    made.save(buffer)
    return _fixed(buffer.getvalue())


def _told(made: Any, dated: datetime) -> None:
    about = made.core_properties
    about.author, about.title, about.comments = "depose", "Expert report", "to be completed by the witness"
    about.created = about.modified = dated.replace(tzinfo=None)


def _block(made: Any, node: Any) -> None:
    """Write one element of the page, and what follows it outside of elements."""
    name = node.tag if isinstance(node.tag, str) else ""
    if not name or name in SKIPPED:
        return
    if name in LEVELS:
        made.add_heading(_text(node), LEVELS[name])
    elif name == "table":
        _table(made, node)
    elif name in ("ul", "ol"):
        for item in node:
            made.add_paragraph(_text(item), style="List Bullet" if name == "ul" else "List Number")
    elif name == "dl":
        for term, meaning in zip(node.findall("dt"), node.findall("dd"), strict=False):
            line = made.add_paragraph()
            line.add_run(f"{_text(term)}: ").bold = True
            line.add_run(_text(meaning))
    elif name == "svg":
        made.add_paragraph(f"In the figure: {_text(node)}", style="Intense Quote")
    elif name not in ("p", "pre", "a", "span") and any(_is_block(child) for child in node):
        _mixed(made, node)
    elif _text(node):
        _paragraph(made, node)


def _is_block(node: Any) -> bool:
    return node.tag in BLOCKS or (isinstance(node.tag, str) and any(_is_block(child) for child in node))


def _mixed(made: Any, node: Any) -> None:
    """Write what holds blocks: its own words before, between and after them, too."""
    if _clean(node.text):
        made.add_paragraph(_clean(node.text))
    for child in node:
        _block(made, child)
        if _clean(child.tail):
            made.add_paragraph(_clean(child.tail))


def _paragraph(made: Any, node: Any) -> None:
    line = made.add_paragraph()
    for text, style in _runs(node, ""):
        run = line.add_run(text)
        run.bold = style in ("b", "strong", "th")
        run.italic = style in ("i", "em")


def _runs(node: Any, style: str) -> Iterator[tuple[str, str]]:
    """Yield the words of an element with the element that marks them; a blank is a line to write on."""
    if "blank" in (node.get("class") or "").split():
        yield BLANK, ""
        return
    if node.tag == "svg":
        yield f" [figure: {_text(node)}]", ""
        return
    mark = node.tag if node.tag in ("b", "strong", "i", "em", "mark", "sup", "sub") else style
    if node.text:
        yield _spaces(node.text), mark
    for child in node:
        if isinstance(child.tag, str) and child.tag not in SKIPPED:
            yield from _runs(child, mark)
        if child.tail:
            yield _spaces(child.tail), mark


def _text(node: Any) -> str:
    if node.tag == "svg":
        return " ".join(filter(None, (_clean(part) for part in node.itertext())))
    parts = [text for text, _ in _runs(node, "")]
    parts = [f"{text} " if node.tag in ("tr", "li") else text for text in parts]
    return _clean("".join(parts))


def _clean(text: str | None) -> str:
    return " ".join(_spaces(text or "").split())


def _spaces(text: str) -> str:
    return UNFIT.sub("\ufffd", re.sub(r"[ \t\r\n]+", " ", text))


def _table(made: Any, node: Any) -> None:
    """Write a table with its caption; cells that span several columns or rows take them."""
    caption = node.find("caption")
    if caption is not None:
        _paragraph(made, caption)
    rows = [[cell for cell in row if cell.tag in ("td", "th")] for row in node.iter("tr") if _owner(row) is node]
    width = max((sum(int(cell.get("colspan", 1)) for cell in row) for row in rows), default=0)
    if not width:
        return
    width += max((int(cell.get("rowspan", 1)) > 1 for row in rows for cell in row), default=False)
    table = made.add_table(rows=len(rows), cols=width)
    table.style = "Table Grid"
    taken: set[tuple[int, int]] = set()
    grid = [list(line.cells) for line in table.rows]
    for number, row in enumerate(rows):
        column = 0
        for cell in row:
            while (number, column) in taken:
                column += 1
            down, right = int(cell.get("rowspan", 1)), int(cell.get("colspan", 1))
            last = min(column + right, width) - 1
            taken |= {(r, c) for r in range(number, number + down) for c in range(column, column + right)}
            goal = grid[number][column]
            if last > column:
                goal = goal.merge(grid[number][last])
            goal.text = "\n".join(filter(None, _parts(cell)))
            for paragraph in goal.paragraphs:
                for run in paragraph.runs:
                    run.bold = cell.tag == "th"
            column += right
    made.add_paragraph()


def _owner(row: Any) -> Any:
    return next(row.iterancestors("table"))


def _parts(cell: Any) -> Iterator[str]:
    """Yield the words of a cell, blocks within it on lines of their own."""
    if not any(_is_block(child) for child in cell):
        yield _text(cell)
        return
    yield _clean(cell.text)
    for child in cell:
        yield from _parts(child) if isinstance(child.tag, str) else ()
        yield _clean(child.tail)


def _fixed(data: bytes) -> bytes:
    """Write the parts of the file again in one order and with one date."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in sorted(given.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            made.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), given.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()
