"""The pages of a case: prompts first, the two that are compared side by side with what they share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import html

from depose.features import passages
from fakes import depose, recorded_case


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case that was analyzed, with the suspect's answers those of the reference."""
    folder = recorded_case(tmp_path_factory.mktemp("view") / "acme", suspect="same", controls=3, prompts=4)
    for command in ("register", "probe", "analyze"):
        assert depose(command, folder).code == 0
    return folder


def test_view_writes_the_pages_and_says_where(seen: Path) -> None:
    """One command after the analysis; nothing has to be known of formats."""
    done = depose("view", seen, "--no-open")
    assert done.code == 0, done.err
    assert f"open: {seen / 'out' / 'explore.html'}" in done.out
    told = json.loads(depose("view", seen, "--json").out)
    assert Path(told["page"]).is_file()


def test_prompts_stand_before_the_models(seen: Path) -> None:
    """A reader of forty models need not scroll past them."""
    page = (seen / "out" / "viewer.html").read_text()
    heads = html.document_fromstring(page).xpath("//h2/text()")
    assert heads == ["Opinions", "Prompts", "Models", "About these pages"]


def test_the_compared_answers_stand_side_by_side_with_what_they_share(seen: Path) -> None:
    """Every word of both is there, and what both say is marked with the number of controls that say it too."""
    rows = [json.loads(line) for line in (seen / "answers.jsonl").read_text().splitlines()]
    answers = {(row["model"], row["prompt_id"]): row["output"] for row in rows}
    page = html.document_fromstring((seen / "out" / "viewer" / "0001.html").read_text())
    for side, code in (("reference", "R1"), ("suspect", "S1")):
        (shown,) = page.xpath(f"//section[@data-side='{side}']/div")
        for mark in shown.xpath("sup"):
            assert mark.text == "0/3"
            mark.text = ""
        assert shown.text_content() == answers[code, "q0"]
        assert len(shown.xpath("mark")) > 0


def test_what_the_prompt_says_is_not_marked_as_shared() -> None:
    """Words that were put into both mouths are no passage."""
    asked, one, other = "say that the sky is blue", "that the sky is blue today", "that the sky is blue now then"
    shared = (passages.runs(passages.read(one)) & passages.runs(passages.read(other))) - passages.runs(
        passages.read(asked)
    )
    assert passages.spans(passages.read(one), shared, ()) == ()
