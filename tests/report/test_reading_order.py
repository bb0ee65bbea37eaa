"""Text taken out of the court report by a tool that knows nothing of it reads in the order of the report."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pikepdf
import pytest

from depose.report.contents import APPENDICES, SECTIONS
from depose.report.render import render_pdf
from reports import calibrated
from studied_reports import studied

needs_poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="no pdftotext: apt-get install poppler-utils")


@pytest.fixture(scope="module")
def pdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A court report with two suspects, ratios, a study and fourteen exhibits."""
    path = tmp_path_factory.mktemp("pdf") / "report.pdf"
    path.write_bytes(render_pdf(studied(calibrated(suspects=("S1", "S2"), exhibits=14))).pdf)
    return path


@pytest.fixture(scope="module", params=[(), ("-raw",)], ids=["reading order", "content order"])
def text(request: pytest.FixtureRequest, pdf: Path) -> str:
    """What pdftotext takes out of it, in the order that it guesses, and in that of the file."""
    done = subprocess.run(("pdftotext", *request.param, pdf, "-"), capture_output=True, text=True, check=True)
    return done.stdout.replace("\f", "\n")


def numbers(pattern: str, text: str) -> list[int]:
    """The numbers that a pattern finds, in order."""
    return [int(found) for found in re.findall(pattern, text, flags=re.MULTILINE)]


@pytest.mark.slow
@needs_poppler
def test_paragraphs_tables_figures_and_exhibits_follow_each_other(text: str) -> None:
    """Each kind of number runs from 1 without a gap and never back; tables named in a text aside."""
    for pattern, least in ((r"¶\s*(\d+)", 40), (r"^Fig\. (\d+)\.", 4)):
        found = numbers(pattern, text)
        assert len(found) > least
        assert found == list(range(1, len(found) + 1)), pattern
    assert numbers(r"^Ex\. (\d+)\.", text) == [1, 2, 4]
    tables = numbers(r"^Table (\d+)\. [A-Z]", text)
    assert tables == list(range(1, len(tables) + 1))


@pytest.mark.slow
@needs_poppler
def test_sections_and_appendices_stand_in_order(text: str) -> None:
    """Every heading comes after the one before it, once the list of contents is past."""
    heads = [f"{n} {title}" for n, (_, title) in enumerate(SECTIONS, 1)]
    heads += [f"{letter} Appendix: {title}" for letter, title in APPENDICES]
    folded = re.sub(r"[ \t]+", " ", text)
    body = folded[folded.index("nothing here is filled by the tool") :]
    places = [re.search(rf"^{re.escape(head)}$", body, flags=re.MULTILINE) for head in heads[3:]]
    assert all(places), [head for head, place in zip(heads[3:], places, strict=True) if not place]
    starts = [place.start() for place in places if place]
    assert starts == sorted(starts)


@pytest.mark.slow
@needs_poppler
def test_an_exhibit_reads_caption_codes_then_answers(text: str) -> None:
    """Caption, then who said it, then what was said, and the next exhibit after all of that."""
    for number, following in ((1, 2), (2, 4)):
        part = text[text.index(f"Ex. {number}. ") : text.index(f"Ex. {following}. ")]
        assert part.index("d = ") < part.index("R1 reference") < part.index("To keep bread")
        assert part.index("R1 reference") < part.index("S1 suspect") < part.index("control,")


@pytest.mark.slow
def test_figures_and_headings_are_tagged(pdf: Path) -> None:
    """In the tree of tags every figure has a description, and headings and table heads are what they are."""
    kinds: dict[str, int] = {}
    with pikepdf.open(pdf) as opened:
        waiting = [opened.Root.StructTreeRoot]
        while waiting:
            node = waiting.pop()
            kind = str(node.get("/S", ""))
            kinds[kind] = kinds.get(kind, 0) + 1
            if kind == "/Figure":
                assert len(str(node.Alt)) > 40
            below = node.get("/K", [])
            nodes = below if isinstance(below, pikepdf.Array) else [below]
            waiting += [one for one in nodes if isinstance(one, pikepdf.Dictionary)]
    assert kinds["/Figure"] == 7
    assert kinds["/H1"] == 1 and kinds["/H2"] == len(SECTIONS) + len(APPENDICES)
    assert kinds["/Table"] > 20 and kinds["/TH"] > 100 and kinds["/Caption"] > 20
