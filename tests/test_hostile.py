"""Sixty hostile answers: no element, request, path or line of the report comes from them."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator

import msgspec
import pytest

from depose.model import Exchange, Findings, Prompt
from depose.report import render_html, render_pdf
from depose.viewer import Recorded, render
from hostile import ANSWERS
from test_report import build, drop_cut, outline

SHOWN = "\x00\x1b\x9b\u202e\u2066\u200b\ufeff\u2028\u2029\u0085\U000e0041"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Refuse and list every connection that is tried."""
    tried: list[object] = []

    def refuse(_self: socket.socket, address: object) -> None:
        tried.append(address)
        raise OSError("the network is refused")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    yield tried


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


@pytest.mark.criterion(24)
def test_answers_change_no_structure_of_the_report() -> None:
    """With all sixty in its exhibits, the report has the elements and attributes of one with harmless answers."""
    hostile = outline(drop_cut(render_html(corpus(clean))))
    harmless = outline(drop_cut(render_html(corpus(lambda text: "a" * min(len(text), 3_000)))))
    assert hostile.tags == harmless.tags
    assert hostile.attributes == harmless.attributes
    assert not set(SHOWN) & set("".join(hostile.text))


@pytest.mark.criterion(24)
@pytest.mark.parametrize("script", [False, True])
def test_answers_change_no_structure_of_the_viewer(script: bool) -> None:
    """Whole answers, each on a page of its own, leave the elements of the viewer as they are."""
    findings = build(questions=("same",), exhibits=0)
    plain = outline(case_page(findings, "a", script=script)).tags
    for text in ANSWERS:
        seen = outline(case_page(findings, clean(text), script=script))
        assert seen.tags == plain
        assert not set(SHOWN) & set("".join(seen.text))


@pytest.mark.criterion(24)
def test_whole_corpus_makes_a_pdf_without_a_request(offline: list[object]) -> None:
    """All sixty in one report with the network refused: a PDF, and nothing was asked for."""
    printed = render_pdf(corpus(clean))
    assert printed.pdf.startswith(b"%PDF-")
    assert not re.search(rb"/(JavaScript|JS|Launch|URI|SubmitForm|GoToR)\b", printed.pdf)
    assert offline == []


def case_page(findings: Findings, text: str, *, script: bool = False) -> bytes:
    """A viewer with one prompt and one answer."""
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
    prompts = (Prompt(id="p1", family="f", cluster="c", text="How do I keep bread?"),)
    return render(findings, prompts, (Recorded(seq=3, digest="ab" * 32, exchange=exchange),), (), script=script)
