"""Draws: the delivered contexts are asked again under the delivered settings, once each, within the budget."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import stamina

import line_ups
from depose import pipeline
from depose.errors import CaseError, EndpointError, UsageError
from depose.evidence.log import read_blob, read_log
from depose.lineup import acts, inputs
from depose.lineup.bags import is_late
from depose.lineup.draw import DECOYS, Drawn, Wish, draw, estimate
from depose.model.lineup_plan import LineupPlan
from faults import Server, said

WISH = Wish(snapshot="r-1", drawn_by="the analyst")
LATER = line_ups.clock_after(Path())


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a key into the environment."""
    monkeypatch.setenv("DEPOSE_TEST_KEY", "sk-test-0123456789abcdef")


def case_of(root: Path, server: Server, provider: str = "openai", more: str = "") -> Path:
    """Register a case whose reference is behind a server."""
    reach = f'provider = "{provider}"\nmodel = "r"\nbase_url = "{server.url}/v1"\napi_key_env = "DEPOSE_TEST_KEY"\n'
    text = line_ups.CASE.replace(
        'role = "reference"\nprovider = "recorded"\n', f'role = "reference"\nallow_private = true\n{reach}'
    )
    folder = line_ups.case(root / "case", text=text + more)
    pipeline.register_case(folder, line_ups.clock())
    return folder


def files(root: Path, count: int = 4, **more: Any) -> Path:
    """Write deliveries, the first of them in the midst of a conversation."""
    delivered, _ = line_ups.rows(count, **more)
    before = delivered[0]["messages"]
    delivered[0]["messages"] = [*before, {"role": "assistant", "content": "Yes."}, {"role": "user", "content": "Why?"}]
    return line_ups.written(root, "deliveries.jsonl", delivered)


def drawn(folder: Path, deliveries: Path, wish: Wish = WISH) -> Drawn:
    """Draw into the folder beside the deliveries."""
    return draw(folder, deliveries, deliveries.parent / "draws", wish, LATER, lambda answered, failed: None)


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google"])
def test_contexts_are_asked_as_they_were(tmp_path: Path, provider: str) -> None:
    """Whole conversations go out under the delivered settings, and each answer comes back as a decoy of its context."""
    deliveries = files(tmp_path, temperature=0.3, max_tokens=77)
    with Server() as server:
        folder = case_of(tmp_path, server, provider)
        done = drawn(folder, deliveries)
        sent = [seen.json for seen in server.seen]
    assert (done.contexts, done.wanted, done.drawn, done.came, done.failed) == (4, 12, 12, 12, 0)
    rows, _ = inputs.decoys(Path(done.decoys))
    contexts = {inputs.context_of(one): one for one in inputs.deliveries(deliveries)[0]}
    for one in rows:
        assert one.text == said(contexts[one.context_sha256].messages[-1].content)
        assert (one.reference_snapshot, one.drawn_by, one.tier) == ("r-1", "the analyst", "resampled")
        assert (one.temperature, one.max_tokens) == (0.3, 77)
    whole = json.dumps(sent)
    assert whole.count('"Yes."') == 3
    assert whole.count("Be brief.") == 12
    if provider == "openai":
        assert {(body["temperature"], body["max_tokens"]) for body in sent} == {(0.3, 77)}
        assert len({body["seed"] for body in sent}) == 12
        turns = next(body["messages"] for body in sent if len(body["messages"]) > 2)
        assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user"]


def test_every_byte_is_kept(tmp_path: Path) -> None:
    """The log of a draw holds request and answer of each decoy, and none of it is in the case."""
    deliveries = files(tmp_path)
    with Server() as server:
        folder = case_of(tmp_path, server)
        drawn(folder, deliveries)
        sent = sorted(seen.body for seen in server.seen)
    log = [one.entry for one in read_log(tmp_path / "draws") if one.entry.kind == "exchange"]
    assert sorted(read_blob(tmp_path / "draws", one.body["request"]) for one in log) == sent
    held = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    assert b"Question 1?" not in held


def test_nothing_is_drawn_twice(tmp_path: Path) -> None:
    """What failed is drawn by the next run, and nothing else; the file is that of one whole run."""
    deliveries = files(tmp_path)
    hopeless = {"on": True}

    def plan(seen: Any) -> str:
        return "401" if hopeless["on"] and "Question 2?" in seen.body.decode() else ""

    with Server(plan) as server, stamina.set_testing(True, attempts=1, cap=True):
        folder = case_of(tmp_path, server)
        first = drawn(folder, deliveries)
        hopeless["on"], before = False, len(server.seen)
        second = drawn(folder, deliveries)
        assert (first.failed, first.drawn) == (3, 9)
        assert (second.came, second.drawn, len(server.seen) - before) == (3, 12, 3)
        whole = (tmp_path / "draws" / DECOYS).read_bytes()
        assert drawn(folder, deliveries).came == 0
        assert (tmp_path / "draws" / DECOYS).read_bytes() == whole


def test_a_budget_holds_over_all_runs(tmp_path: Path) -> None:
    """A draw stops before its budget is passed, has some decoys of each context, and the next run goes no further."""
    deliveries = files(tmp_path)
    with Server() as server:
        folder = case_of(tmp_path, server, more="\n[budget]\nrequests = 5\n")
        assert estimate(folder, deliveries, tmp_path / "draws", WISH).questions == 12
        done = drawn(folder, deliveries)
        assert done.stopped == "the budget of 5 requests would be passed"
        assert len(server.seen) == 5
        contexts = {one.context_sha256 for one in inputs.decoys(Path(done.decoys))[0]}
        assert len(contexts) == 4
        assert drawn(folder, deliveries).came == 0
        assert estimate(folder, deliveries, tmp_path / "draws", WISH).questions == 7
        assert len(server.seen) == 5


def test_what_cannot_be_drawn_is_counted(tmp_path: Path) -> None:
    """Contexts with tools, or that end otherwise than with the user, are left out and counted."""
    delivered, _ = line_ups.rows(3)
    delivered[0]["tools"] = [{"name": "look_up"}]
    delivered[1]["messages"].append({"role": "tool", "content": "12"})
    deliveries = line_ups.written(tmp_path, "deliveries.jsonl", delivered)
    with Server() as server:
        done = drawn(case_of(tmp_path, server), deliveries)
    assert done.contexts == 1
    assert sorted(one.name.partition(":")[0] for one in done.left_out) == [
        "that do not end with a message of the user",
        "with tools",
    ]


def test_what_a_draw_refuses(tmp_path: Path) -> None:
    """Another draw in the folder, a place in the case, several settings, a suspect, and a dead service are errors."""
    deliveries = files(tmp_path, top_p=0.9)
    with Server(lambda seen: "401") as server, stamina.set_testing(True, attempts=1, cap=True):
        folder = case_of(tmp_path, server)
        with pytest.raises(EndpointError, match="answers failed; the first reason"):
            drawn(folder, deliveries)
        assert {seen.json["top_p"] for seen in server.seen} == {0.9}
        assert all("temperature" not in seen.json and "max_tokens" not in seen.json for seen in server.seen)
        with pytest.raises(CaseError, match="holds another draw"):
            drawn(folder, deliveries, Wish(snapshot="r-2", drawn_by=""))
        with pytest.raises(UsageError, match="lies in the case folder"):
            draw(folder, deliveries, folder / "draws", WISH, LATER, lambda answered, failed: None)
        with pytest.raises(UsageError, match="S1: is no model that may draw"):
            drawn(folder, deliveries, Wish(snapshot="r-1", drawn_by="", model="S1"))
        with pytest.raises(CaseError, match="C1: is recorded, and draws nothing"):
            drawn(folder, deliveries, Wish(snapshot="r-1", drawn_by="", model="C1"))
        rows, _ = line_ups.rows(2)
        rows[0]["top_p"] = 0.5
        with pytest.raises(CaseError, match="top_p is set in some rows and not"):
            drawn(folder, line_ups.written(tmp_path, "mixed.jsonl", rows))
        rows, _ = line_ups.rows(2)
        rows[0]["max_tokens"] = 512
        with pytest.raises(CaseError, match="max_tokens is set in some rows and not"):
            drawn(folder, line_ups.written(tmp_path, "cut.jsonl", rows))


@pytest.mark.parametrize(
    ("provider", "wish", "more", "said"),
    [
        ("openai", WISH, {}, []),
        ("openai", Wish(snapshot="", drawn_by=""), {}, ["no --snapshot"]),
        ("openai", Wish(snapshot="r-2", drawn_by=""), {}, ["these decoys are drifted"]),
        ("openai", WISH, {"reference_snapshot": ""}, ["deliveries without reference_snapshot"]),
        ("anthropic", WISH, {}, ["decoys end at 200 tokens"]),
        ("anthropic", WISH, {"max_tokens": 50}, []),
    ],
)
def test_what_sets_a_draw_apart_is_said_before_it(
    tmp_path: Path, provider: str, wish: Wish, more: dict[str, Any], said: list[str]
) -> None:
    """A state that is not named or another one, and a length that the deliveries do not name, are told beforehand."""
    delivered, _ = line_ups.rows(2, **more)
    deliveries = line_ups.written(tmp_path, "deliveries.jsonl", delivered)
    with Server() as server:
        notes = estimate(case_of(tmp_path, server, provider), deliveries, tmp_path / "draws", wish).notes
    assert len(notes) == len(said)
    assert all(part in note for part, note in zip(said, notes, strict=True))


def test_a_draw_is_built_upon(tmp_path: Path) -> None:
    """What was drawn fits the deliveries: bags come of it, of the registered tier at best."""
    deliveries = files(tmp_path)
    with Server() as server:
        folder = case_of(tmp_path, server)
        done = drawn(folder, deliveries)
    with pytest.raises(CaseError, match="M = 0"):  # the case registers randomised answers, these are resampled
        acts.build_bags(folder, deliveries, Path(done.decoys), tmp_path / "key.json", LATER)


def test_the_cut_off_is_a_day() -> None:
    """A delivery on the last day of training is not after it, in whatever zone its time is given."""
    plan = LineupPlan(accounts=("A1",), chosen_by="x", sampling="x", cutoff="2026-03-14")
    assert not is_late(plan, "2026-03-14T23:59:59Z")
    assert is_late(plan, "2026-03-14T23:30:00-02:00")
    assert not is_late(plan, "")
