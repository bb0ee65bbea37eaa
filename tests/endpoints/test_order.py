"""An answer is that to the question it came after."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fakes import install
from faults_of_order import EARLY, QUESTIONS, answers_behind_answers


def test_an_answer_sent_before_its_question_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway out of step sent the answer to somebody else behind ours: the next question was given it."""
    monkeypatch.setattr(sys, "path", [str(install(tmp_path / "site")), *sys.path])
    answered, reasons = answers_behind_answers(tmp_path)
    assert answered == ["Asked for."] * QUESTIONS
    assert reasons and all(EARLY in one for one in reasons)
