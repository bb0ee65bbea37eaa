"""The scripted sessions of the four users run to their ends, on a terminal of 80 columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from working_days import journeys


@pytest.mark.slow
def test_every_user_gets_through_the_day(tmp_path: Path) -> None:
    """Each command ends as it must, asks what it is answered, and wraps what it says of findings."""
    made = journeys()
    seen = dict(made.sessions(tmp_path))
    assert set(seen) == set(made.JOURNEYS)
    check = next(one for one in seen["The witness"] if one.step.command.startswith("depose check"))
    assert max(map(len, check.text.splitlines())) <= made.COLUMNS
    assert "lineages by name, 19 needed" in check.text


def test_the_page_shows_the_sessions_that_are_scripted() -> None:
    """Every command of the script stands on the page, and no other."""
    made = journeys()
    page = made.PAGE.read_text("utf-8")
    shown = [line.removeprefix("$ ") for line in page.splitlines() if line.startswith("$ ")]
    assert shown == [step.command for _, steps in made.JOURNEYS.values() for step in steps]
