"""The tutorials do what they say: every command is run, and what it prints is what the page prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from transcripts import Shell, blocks, executed, pattern, steps

PAGES = sorted(Path(__file__).parents[1].glob("docs/tutorials/*.md"))

LONG = ("batch-auditor", "expert-witness", "extraction", "own-study", "release-gate")
"""Tutorials that compile loops, run a self-test or render a report."""


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page.stem, marks=pytest.mark.slow if page.stem in LONG else ())
        for page in PAGES
        if page.stem != "index"
    ],
)
def test_a_tutorial_prints_what_it_says(page: Path, tmp_path: Path) -> None:
    """Blocks run in order, in an empty folder; `...` stands for what differs from run to run."""
    shell, names, said, ran = Shell(tmp_path), dict[str, object](), "", 0
    for language, block in blocks(page.read_text("utf-8")):
        if language == "console":
            for step in steps(block):
                printed, ran = shell.run(step.typed), ran + 1
                assert pattern(step.printed).match(printed), f"{step.typed}\n{printed}"
        elif language == "python":
            said, ran = executed(block, names, tmp_path), ran + 1
        elif language == "text":
            assert pattern(block.rstrip("\n")).match(said), said
        else:
            raise AssertionError(f"a block of {language}, which nobody runs")
    assert ran > 3


def test_every_tutorial_is_found() -> None:
    """There is one for each user, one for a notebook, and their index."""
    assert {page.stem for page in PAGES} >= {"expert-witness", "compliance-reviewer", "batch-auditor", "notebook"}
