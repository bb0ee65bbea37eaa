"""Amendments of a case whose models answer over a network: what no longer counts, and what was spent all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from depose import pipeline
from depose.asking import collect
from depose.case import casefile
from depose.custody import leaks
from depose.evidence import ledger
from fakes import Clock, case_of, model, write_case
from faults import Server
from faulty import remote

pytestmark = pytest.mark.usefixtures("site")


def ask(folder: Path) -> collect.Collected:
    """Ask what is open, without a look at the case file."""
    return collect.collect(folder, Clock(), lambda answered, failed: None)


def write(folder: Path, models: list[dict[str, Any]], probe: str, **budget: Any) -> None:
    """Write the case, again where it was there before."""
    write_case(folder, {**case_of(models, probes=[probe], replicates=1), "budget": budget})


def begun(folder: Path, models: list[dict[str, Any]], **budget: Any) -> collect.Collected:
    """Register a case of two prompts and ask them."""
    write(folder, models, "open_howto:2", **budget)
    pipeline.register_case(folder, Clock())
    return ask(folder)


@pytest.mark.parametrize("change", [{"parameters": {"logprobs": True}}, {"omit": ["seed"]}])
def test_answers_to_another_request_body_count_no_more(tmp_path: Path, change: dict[str, Any]) -> None:
    """What is put into a request, or left out, decides an answer: an amendment of it has the model asked again."""
    folder = tmp_path / "case"
    reference = model("R1", "reference", provider="scripted", model="same")
    with Server() as server:
        assert begun(folder, [remote(server.url), reference]).answered == 4
        write(folder, [remote(server.url, **change), reference], "open_howto:2")
        pipeline.amend(folder, "another body", Clock())
        assert {one.model for one in ledger.entries(folder).superseded} == {"S1"}
        assert ask(folder).answered == 2
    assert len(server.seen) == 4


def test_what_was_asked_before_an_amendment_stays_spent(tmp_path: Path) -> None:
    """Requests and tokens of questions that are in the protocol no more still count against the budget."""
    folder = tmp_path / "case"
    with Server() as server:
        models = [remote(server.url, concurrency=1), model("R1", "reference")]
        assert begun(folder, models, requests=3).stopped == ""
        write(folder, models, "open_lists:2", requests=3)
        pipeline.amend(folder, "other prompts", Clock())
        assert len(ledger.entries(folder).superseded) == 2
        done = ask(folder)
    assert (done.answered, done.stopped) == (1, "the budget of 3 requests would be passed")
    assert len(server.seen) == 3


def test_a_seal_looks_for_keys_in_files_too(tmp_path: Path) -> None:
    """The key file of a model is read again for the search, where it is still there."""
    file = tmp_path / "key"
    file.write_text("sk-test-0123456789abcdef\n")
    gone = remote("http://127.0.0.1:9", "R1", "reference", api_key_file=str(tmp_path / "gone"))
    models = [remote("http://127.0.0.1:9", api_key_file=str(file)), gone]
    write(tmp_path / "case", models, "open_howto:2")
    case = casefile.read(tmp_path / "case")
    assert leaks.of_files([case]) == {"key file of S1": b"sk-test-0123456789abcdef"}
