"""Checkpoints, records of questions about to be sent, and what is recorded of the machine that asks."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from authority import Authority, openssl
from depose import pipeline
from depose.asking import collect
from depose.cli.options import now
from depose.custody import keys
from depose.custody.seal import seal
from depose.custody.stamp import Source, obtain
from depose.custody.verify import verify
from depose.errors import EndpointError, EvidenceError
from depose.evidence import ledger, machine
from depose.evidence.checkpoints import Checkpoints
from depose.evidence.ledger import key
from depose.evidence.log import Chained, Log, log_path, read_log, seals_folder
from depose.evidence.records import Asking, Key, Stamp
from fakes import PATIENCE, depose, finish, scripted_case, start, until
from faults import HELD, Server
from faulty import remote_case

pytestmark = pytest.mark.usefixtures("site")

SCRIPTS = {"S1": "same", "R1": "same", "C1": "one", "C2": "two", "C3": "three"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A time-stamping authority."""
    return Authority(tmp_path_factory.mktemp("authority") / "tsa")


def registered(folder: Path) -> Path:
    """Register a small case: 20 questions."""
    scripted_case(folder, SCRIPTS)
    pipeline.register_case(folder, now)
    return folder


def sealed(folder: Path) -> Path:
    """Analyze, report and seal a case; return its bundle."""
    pipeline.analyze_case(folder, lambda line: None, now)
    pipeline.report_case(folder, pipeline.Order(formats=("html",)))
    keys.make(folder.parent / "key.pem")
    return Path(seal(folder, keys.load(folder.parent / "key.pem"), now, {}).bundle)


# --- checkpoints ------------------------------------------------------------------------------------


@pytest.mark.criterion(43)
def test_checkpoints_stand_where_they_say_and_have_tokens_that_openssl_verifies(
    authority: Authority, tmp_path: Path
) -> None:
    """One every ten records or so and one at the end: length and head are those of the chain; verify checks each."""
    folder = registered(tmp_path / "case")
    with authority.serve() as url:
        options = ("--tsa", url, "--tsa-root", authority.roots, "--checkpoint", "10")
        ran = depose("probe", folder, *options)
    assert ran.code == 0
    assert "checkpoint: " in ran.out
    records = list(read_log(folder))
    found = [one for one in records if one.entry.kind == "checkpoint"]
    assert len(found) >= 2
    for one in found:
        assert one.entry.body == {"records": one.entry.seq, "head": one.entry.prev}
        token = seals_folder(folder) / f"{one.digest}.tsr"
        openssl("ts", "-verify", "-digest", one.digest, "-in", token, "-CAfile", authority.roots)
    assert {one.digest for one in found} == {stamp.of for stamp in ledger.entries(folder).stamps}
    done = verify(sealed(folder), roots=authority.roots.read_bytes()[:0], recompute=False)
    assert sum("(checkpoint) by CN=Test time-stamping" in line for line in done.checks) == len(found)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["broken", "no server", "junk"])
def test_an_authority_that_fails_stops_nothing_and_is_recorded(authority: Authority, tmp_path: Path, how: str) -> None:
    """Every question is answered; the reason stands in the log, on the terminal and in what verify says."""
    folder = registered(tmp_path / "case")
    with authority.serve(b"<html>", 200 if how == "junk" else 500) as url:
        url = "http://127.0.0.1:1/" if how == "no server" else url
        ran = depose("probe", folder, "--tsa", url, "--tsa-root", authority.roots, "--checkpoint", "10")
    assert ran.code == 0
    assert "asked 20: 20 answered, 0 failed" in ran.out
    entries = ledger.entries(folder)
    assert len(entries.unstamped) == len(entries.checkpoints) >= 2
    assert not entries.stamps
    assert "no time-stamp of record" in ran.out
    missing = verify(sealed(folder), recompute=False).not_verified
    assert sum("was written: it has no time-stamp: " in line for line in missing) == len(entries.unstamped)


def test_a_slow_authority_holds_no_question_up(tmp_path: Path) -> None:
    """While a token is awaited the run goes on to its end, and no second one is asked for meanwhile."""
    folder = registered(tmp_path / "case")
    all_answered, asked = threading.Event(), []

    def slow(made: Chained) -> Stamp:
        asked.append(made.entry.seq)
        assert all_answered.wait(PATIENCE), "the run waits for the authority"
        raise EndpointError("too late", hint="")

    counted = [0]

    def progress(answered: int, failed: int) -> None:
        counted[0] += answered
        if counted[0] == 20:
            all_answered.set()

    pipeline.probe(folder, now, progress, checkpoints=Checkpoints(slow, every=5))
    kinds = [one.entry.kind for one in read_log(folder)]
    first = kinds.index("checkpoint")
    assert kinds[first:].count("exchange") > 10
    assert kinds.count("checkpoint") == kinds.count("unstamped") == len(asked) == 2


def test_a_run_that_is_cut_short_waits_for_no_token(tmp_path: Path) -> None:
    """Where a run ends in an error its last token is given up, with that reason, and no checkpoint claims an end."""
    folder = registered(tmp_path / "case")
    release = threading.Event()

    def hangs(made: Chained) -> Stamp:
        release.wait(PATIENCE)
        raise EndpointError("too late", hint="")

    def breaks(answered: int, failed: int) -> None:
        if ledger.entries(folder).checkpoints:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        pipeline.probe(folder, now, breaks, checkpoints=Checkpoints(hangs, every=5))
    release.set()
    entries = ledger.entries(folder)
    assert [one.reason for one in entries.unstamped] == ["the run was cut short before the authority had answered"]
    assert len(entries.checkpoints) == 1
    assert [run.event for run in entries.runs] == ["begin", "end"]


@pytest.mark.slow
def test_a_token_that_a_kill_left_behind_is_not_sealed(authority: Authority, tmp_path: Path) -> None:
    """A token that was kept and never noted in the log stays out of the bundle, which verifies."""
    folder = registered(tmp_path / "case")
    pipeline.probe(folder, now, lambda *_: None)
    with authority.serve() as url:
        made = ledger.entries(folder).checkpoints[-1]
        obtain(folder, Source(url=url, roots=authority.roots.read_bytes()), made)
    assert (seals_folder(folder) / f"{made.digest}.tsr").is_file()
    bundle = sealed(folder)
    assert verify(bundle, recompute=False).checks
    assert f"evidence/seals/{made.digest}".encode() not in bundle.read_bytes()


def test_a_checkpoint_of_another_log_is_no_evidence(tmp_path: Path) -> None:
    """A chained checkpoint that names another length or head is refused by whatever reads the log."""
    folder = registered(tmp_path / "case")
    with Log(folder, now) as log:
        log.append("checkpoint", {"records": 1, "head": "0" * 64})
    with pytest.raises(EvidenceError, match="is a checkpoint of another log"):
        ledger.entries(folder)


def test_an_unknown_kind_of_record_is_no_evidence(tmp_path: Path) -> None:
    """A record that no depose writes is not passed over in silence."""
    folder = registered(tmp_path / "case")
    with Log(folder, now) as log:
        log.append("remark", {})
    with pytest.raises(EvidenceError, match="is a 'remark', which is no kind"):
        ledger.entries(folder)


# --- questions about to be sent ---------------------------------------------------------------------


@pytest.mark.criterion(50)
def test_every_question_is_on_record_before_it_is_sent(tmp_path: Path) -> None:
    """At the moment when the server sees a request, as many questions at least stand in the log on disk."""
    unknown: list[str] = []
    with Server() as server:
        folder = remote_case(tmp_path / "case", server.url, 12, concurrency=3)

        def plan(seen: object) -> str:
            announced = sum(
                len(one.entry.body["asks"]) - (one.entry.body["asks"][0][0] == "R1")
                for one in read_log(folder)
                if one.entry.kind == "asking"
            )
            if announced < len(server.seen):
                unknown.append(f"{len(server.seen)} requests, {announced} announced")
            return ""

        server.plan = plan
        assert depose("register", folder).code == 0
        assert depose("probe", folder).code == 0
    assert len(server.seen) == 12
    assert not unknown
    open_: set[Key] = set()
    for one in read_log(folder):
        if one.entry.kind == "asking":
            open_ |= {(m, p, s, r) for m, p, s, r in one.entry.body["asks"]}
        if one.entry.kind == "exchange":
            body = one.entry.body
            open_.remove((body["model"], body["prompt"], body["sample"], body["replicate"]))
    assert not open_
    assert ledger.entries(folder).lost == ()


@pytest.mark.slow
@pytest.mark.criterion(50)
def test_questions_that_a_kill_met_in_flight_are_named(tmp_path: Path, site: Path) -> None:
    """Every question that is asked anew after a kill has a record of being sent and none of an answer."""
    with Server() as server:
        server.plan = lambda seen: HELD if len(server.seen) > 5 else ""
        folder = remote_case(tmp_path / "case", server.url, 30, concurrency=4)
        assert depose("register", folder).code == 0
        process = start("probe", folder, path=[site])
        until(lambda: len(server.seen) == 9, process)
        process.kill()
        finish(process)
        sent = {seen.body for seen in server.seen}
        lost = set(ledger.entries(folder).lost)
        server.plan = lambda seen: ""
        assert depose("probe", folder).code == 0
        again = [seen.body for seen in server.seen if seen.nth > 1]
    entries = ledger.entries(folder)
    names = {entries_request(folder, one.request): key(one) for one in entries.exchanges if one.model == "S1"}
    assert again, "the kill met nothing in flight"
    assert {names[body] for body in again} <= lost
    assert {names[body] for body in sent} <= lost | {key(one) for one in entries.exchanges}
    assert set(entries.lost) == lost
    assert len(entries.lost) <= 8 + 1


def entries_request(folder: Path, name: str) -> bytes:
    """Read the bytes of a request."""
    return (folder / "evidence" / "blobs" / name).read_bytes()


@pytest.mark.slow
def test_a_question_that_is_given_up_is_not_lost(tmp_path: Path) -> None:
    """After the last of its attempts, or where its model is given up, a question is noted as left unanswered."""
    for fault, attempts in (("503", 2), ("401", 1)):
        with Server(lambda seen, fault=fault: fault) as server:  # type: ignore[misc]
            folder = remote_case(tmp_path / fault, server.url, 12, attempts=attempts)
            assert depose("register", folder).code == 0
            assert depose("probe", folder).code == 0
        assert ledger.entries(folder).lost == ()
        left = [tuple(ask) for one in read_log(folder) if one.entry.kind == "left" for ask in one.entry.body["asks"]]
        assert len(left) == len(set(left))
        assert len(left) == 12 or fault == "401", "each was tried twice, and another attempt might have helped"


def test_what_a_kill_met_in_flight_counts_against_the_budget(tmp_path: Path) -> None:
    """Nobody knows whether it was charged, so that one of two requests is gone."""
    folder = scripted_case(tmp_path / "case", SCRIPTS)
    with (folder / "case.toml").open("a") as file:
        file.write("[budget]\nrequests = 2\n")
    pipeline.register_case(folder, now)
    ask = ledger.asks(ledger.entries(folder).registration)[0]
    with Log(folder, now) as log:
        log.append("asking", Asking(asks=(key(ask),)))
    assert ledger.entries(folder).lost == (key(ask),)
    ran = depose("probe", folder)
    assert "asked 1: 1 answered, 0 failed" in ran.out
    assert "the budget of 2 requests would be passed" in ran.out


def test_a_question_answered_twice_is_no_evidence(tmp_path: Path) -> None:
    """Whoever could choose between two answers could choose the findings."""
    folder = registered(tmp_path / "case")
    pipeline.probe(folder, now, lambda *_: None)
    first = next(one for one in ledger.entries(folder).exchanges)
    with Log(folder, now) as log:
        log.append("exchange", first)
    with pytest.raises(EvidenceError, match=f"a question is answered twice: {first.model}, {first.prompt}"):
        collect.dossier(folder)


# --- the machine ------------------------------------------------------------------------------------


@pytest.mark.criterion(52)
def test_clock_and_software_are_recorded_as_a_run_begins_and_ends(tmp_path: Path) -> None:
    """Both ends of a run say what steers the clock and by how much it may be off, and with what software."""
    folder = registered(tmp_path / "case")
    pipeline.probe(folder, now, lambda *_: None)
    begin, end = ledger.entries(folder).runs
    assert (begin.event, end.event) == ("begin", "end")
    for run in (begin, end):
        assert run.clock.source
        assert (run.clock.synchronised is None) == bool(run.clock.missing)
        assert {fact.name for fact in run.facts} == {"depose", "python", "openssl", "httpx2", "system"}
    done = verify(sealed(folder), recompute=False)
    assert any(line.startswith("the times of the log") for line in done.not_verified) == bool(begin.flagged)


@pytest.mark.criterion(52)
@pytest.mark.parametrize(
    ("synchronised", "off_by", "missing", "says"),
    [
        (True, 0.02, "", ""),
        (True, 1.5, "", "may have been off by 1.5 s"),
        (False, 16.0, "", "no time service steered the clock"),
        (None, None, "unknown system", "the error of the clock is not known: unknown system"),
    ],
)
def test_a_clock_that_may_be_off_flags_the_run(
    synchronised: bool | None, off_by: float | None, missing: str, says: str
) -> None:
    """More than a second, nobody to steer it, or nobody who knows: each is said; within a second nothing is."""
    clock = machine.Clockwork(source="x", synchronised=synchronised, off_by=off_by, missing=missing)
    flagged = machine.Run(event="begin", facts=(), clock=clock).flagged
    assert says in flagged
    assert bool(flagged) == bool(says)


def test_a_system_that_cannot_be_asked_gives_a_reason() -> None:
    """Where depose does not know how to ask the kernel, the record says so instead of being silent."""
    found = machine.clockwork("plan9")
    assert (found.synchronised, found.off_by) == (None, None)
    assert "plan9" in found.missing


def test_a_run_with_nothing_to_ask_writes_nothing(tmp_path: Path) -> None:
    """No run, no checkpoint: going on with a finished case leaves every byte alone."""
    folder = registered(tmp_path / "case")
    pipeline.probe(folder, now, lambda *_: None)
    before = log_path(folder).read_bytes()
    assert depose("probe", folder).code == 0
    assert log_path(folder).read_bytes() == before
