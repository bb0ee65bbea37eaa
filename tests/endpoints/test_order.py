"""An answer is that to the question it came after."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import httpcore2
import pytest

from depose.endpoints import network
from depose.errors import EndpointError
from fakes import install
from faults_of_order import EARLY, HANDLERS, HONEST, QUESTIONS, asked, too_large


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the provider of the fakes."""
    monkeypatch.setattr(sys, "path", [str(install(tmp_path / "site")), *sys.path])


@pytest.mark.parametrize("name", HANDLERS)
def test_an_answer_sent_before_its_question_is_none(tmp_path: Path, name: str) -> None:
    """A gateway out of step sent the answer to somebody else behind ours, whole or begun: the next was given it."""
    answered, reasons = asked(tmp_path, HANDLERS[name])
    assert answered == ["Asked for."] * QUESTIONS
    assert reasons and all(EARLY in one for one in reasons)


@pytest.mark.parametrize("name", HONEST)
def test_a_harmless_server_is_heard(tmp_path: Path, name: str) -> None:
    """What says nothing behind an answer fails no attempt."""
    assert asked(tmp_path, HONEST[name]) == (["Asked for."] * QUESTIONS, [])


def test_a_server_that_answers_and_leaves_ends_no_run(tmp_path: Path) -> None:
    """Its address was looked up when it had left: a traceback, for all models."""
    assert re.search(r"HTTP 413|connection broke", too_large(tmp_path))


def test_a_release_of_the_transport_that_hides_what_came_behind_is_named() -> None:
    """Names that httpcore2 keeps to itself say it: where they are gone no answer counts, and the message says why."""
    stream = network._Stream(httpcore2.NetworkStream(), network._Threads(), None)
    response = httpcore2.Response(200, content=b"Asked for.", extensions={"network_stream": stream})
    with pytest.raises(EndpointError, match=r"httpcore2 [\d.]+ does not show what came behind an answer") as caught:
        network._end(response)
    assert "pip install" in str(caught.value.hint)
