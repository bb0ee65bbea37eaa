"""Sixty hostile answers: no element, request, path or line of the report comes from them."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

import msgspec
import pikepdf
import pytest

from depose.model import Exchange, Findings, Prompt
from depose.report.render import render_html
from depose.report.viewer import Recorded, pages
from hostile import ANSWERS
from reports import build, drop_cut, outline

SHOWN = "\x00\x1b\x9b\u202e\u2066\u200b\ufeff\u2028\u2029\u0085\U000e0041"


CHILD = """
import sys
tried = []

def refuse(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        tried.append(event)
        raise OSError("the network is refused")
    if event == "urllib.Request" and not str(args[0]).startswith("data:"):
        tried.append(str(args[0]))
        raise OSError("the network is refused")

sys.addaudithook(refuse)
import msgspec
from depose.model import Findings
from depose.report.render import render_pdf

printed = render_pdf(msgspec.json.decode(sys.stdin.buffer.read(), type=Findings))
sys.stderr.write(f"{printed.pages} pages; tried {tried}")
sys.stdout.buffer.write(printed.pdf)
"""
"""Renders findings in a process whose every attempt to reach out is refused and kept."""
ASKS = """
import urllib.request
try:
    urllib.request.urlopen("http://127.0.0.1:9/")
except OSError as error:
    print(error, tried)
"""


def alone(code: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run code in a process of its own, where the system allows it with no network at all."""
    without = ("unshare", "--net")
    allowed = shutil.which("unshare") and not subprocess.run((*without, "true"), capture_output=True).returncode
    ran = (*(without if allowed else ()), sys.executable, "-c", code)
    return subprocess.run(ran, input=data, capture_output=True, check=True)


def corpus(of: Callable[[str], str]) -> Findings:
    """A report whose sixty exhibits hold one answer of the corpus each, made over."""
    findings = build(questions=("same",), exhibits=60)
    exhibits = tuple(
        msgspec.structs.replace(
            e, answers=tuple(msgspec.structs.replace(a, text=of(text)[:8_000], spans=()) for a in e.answers)
        )
        for e, text in zip(findings.exhibits, ANSWERS, strict=True)
    )
    return msgspec.structs.replace(findings, exhibits=exhibits)


def clean(text: str) -> str:
    """What JSON can hold: analysis never sees a lone surrogate."""
    return text.encode("utf-8", "replace").decode()


@pytest.mark.criterion(24)
def test_corpus_has_sixty_answers() -> None:
    """Sixty, each another."""
    assert len(set(ANSWERS)) == len(ANSWERS) == 60


def _but_fonts(attributes: Sequence[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    return [one for one in attributes if one[0] != "font-family"]


@pytest.mark.criterion(24)
def test_answers_change_no_structure_of_the_report() -> None:
    """With all sixty in its exhibits, the report has the elements and attributes of one with harmless answers."""
    hostile = outline(drop_cut(render_html(corpus(clean))))
    harmless = outline(drop_cut(render_html(corpus(lambda text: "a" * min(len(text), 3_000)))))
    assert hostile.tags == harmless.tags
    # Fonts follow the scripts of the answers; nothing else does.
    assert _but_fonts(hostile.attributes) == _but_fonts(harmless.attributes)
    assert not set(SHOWN) & set("".join(hostile.text))


@pytest.mark.criterion(24)
@pytest.mark.parametrize(
    "place",
    [
        pytest.param(0, id="viewer"),
        pytest.param(1, id="explore", marks=pytest.mark.slow),
        pytest.param(2, id="prompt", marks=pytest.mark.slow),
    ],
)
def test_answers_change_no_structure_of_the_viewer(place: int) -> None:
    """Whole texts, as answer and as prompt, leave the elements of the viewer's pages as they are."""
    findings = build(questions=("same",), exhibits=0)
    plain = outline(case_page(findings, "a", place)).tags
    for text in ANSWERS:
        seen = outline(case_page(findings, clean(text), place))
        assert seen.tags == plain
        assert not set(SHOWN) & set("".join(seen.text))


@pytest.mark.slow
@pytest.mark.criterion(16, 24)
def test_whole_corpus_makes_a_pdf_without_a_request() -> None:
    """All sixty in one report with the network refused: a PDF, and nothing was asked for."""
    done = alone(CHILD, msgspec.json.encode(corpus(clean)))
    assert done.stdout.startswith(b"%PDF-")
    assert re.search(rb"\d+ pages; tried \[\]$", done.stderr), done.stderr[-500:]
    assert not re.search(rb"/(JavaScript|JS|Launch|URI|SubmitForm|GoToR)\b", done.stdout)
    with pikepdf.open(io.BytesIO(done.stdout)) as pdf:
        assert all(("/AA" not in page and not page.get("/Annots")) or links(page) for page in pdf.pages)


def links(page: pikepdf.Page) -> bool:
    """Whether all annotations of a page are links inside of the document."""
    return all(one.Subtype == "/Link" and "/A" not in one and "/Dest" in one for one in page.Annots)


def test_a_request_would_be_refused_and_seen() -> None:
    """The process that renders without a network does see a request where there is one."""
    done = alone(CHILD.partition("import msgspec")[0] + ASKS)
    assert b"the network is refused" in done.stdout and b"http://127.0.0.1:9/" in done.stdout


def case_page(findings: Findings, text: str, place: int) -> bytes:
    """One page of a viewer with one prompt and one answer, both of this text."""
    exchange = Exchange(
        model="S1",
        prompt="p1",
        sample=0,
        replicate=0,
        outcome="answered",
        text=text,
        finish="stop",
        reason="",
        request="",
        response="",
        source="",
        started="2026-11-24T06:01:10Z",
        ended="2026-11-24T06:01:11Z",
    )
    prompts = (Prompt(id="p1", family="f", cluster="c", text=text),)
    made = pages(findings, prompts, (Recorded(seq=3, digest="ab" * 32, exchange=exchange),), ())
    return list(made)[place][1]
