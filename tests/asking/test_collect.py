"""Asking: nothing twice, nothing lost, nothing beyond the budget, whenever it is stopped."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import pytest

from depose import pipeline
from depose.analysis.inventory import denominators
from depose.asking import collect
from depose.asking.collect import Collected
from depose.asking.imports import import_answers
from depose.case.budget import Estimate
from depose.errors import CaseError, EndpointError, EvidenceError, PluginError
from depose.evidence import ledger
from depose.evidence.log import Log, log_path, read_blob, read_log
from depose.model import Compared, Exchange
from depose.model.canonical import canonical, sha256
from fakes import (
    Clock,
    Ran,
    answer,
    case_of,
    depose,
    files_in,
    finish,
    fit,
    gate,
    model,
    recorded_case,
    scripted_case,
    start,
    until,
    write_case,
)
from thinned import thinned

pytestmark = pytest.mark.usefixtures("site")


def quiet(answered: int, failed: int) -> None:
    """Take no notice of progress."""


def ask(folder: Path) -> Collected:
    """Register a case and ask what is open."""
    pipeline.register_case(folder, Clock())
    return collect.collect(folder, Clock(), quiet)


def exchanges(folder: Path) -> tuple[Exchange, ...]:
    """All that stands in the log, checked."""
    return ledger.entries(folder).exchanges


def keys(found: Sequence[Exchange]) -> list[tuple[str, str, int, int]]:
    """What was asked."""
    return [(one.model, one.prompt, one.sample, one.replicate) for one in found]


def asked(folder: Path) -> list[str]:
    """Every question that reached a scripted model, as the model noted it."""
    notes = folder.parent / f"asked-{folder.name}.txt"
    return notes.read_text().splitlines() if notes.is_file() else []


THREE = {"S1": "same", "R1": "same", "C1": "other"}


# --- what is asked, and how it is recorded ----------------------------------------------------------


def test_every_model_is_asked_everything_once(tmp_path: Path) -> None:
    """Each model gets each prompt, sample and replicate exactly once, and the log holds the answers."""
    folder = scripted_case(tmp_path / "case", THREE, samples=2, replicates=2)
    done = ask(folder)
    found = exchanges(folder)
    assert (done.asked, done.answered, done.failed, done.waiting, done.stopped) == (32, 32, 0, (), "")
    assert Counter(one.model for one in found) == {"S1": 8, "R1": 16, "C1": 8}
    assert len(set(keys(found))) == 32
    texts = {prompt.id: prompt.text for prompt in ledger.entries(folder).registration.prompts}
    assert all(
        one.text == answer("other" if one.model == "C1" else "same", one.prompt + texts[one.prompt]) for one in found
    )


def test_raw_bytes_are_kept_and_named_in_the_record(tmp_path: Path) -> None:
    """What was sent and what came back stand as blobs under the digests in the exchange."""
    folder = scripted_case(tmp_path / "case", THREE)
    ask(folder)
    texts = {prompt.id: prompt.text for prompt in ledger.entries(folder).registration.prompts}
    for one in exchanges(folder):
        assert read_blob(folder, one.request) == texts[one.prompt].encode()
        assert read_blob(folder, one.response) == one.text.encode()
        assert one.response == sha256(one.text.encode())
        assert "2026-01-01" < one.started < one.ended


def test_models_are_interleaved_in_an_order_that_the_seed_decides(tmp_path: Path) -> None:
    """No model is asked in one block; the same seed gives the same order and another seed another."""
    orders = []
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        folder = scripted_case(tmp_path / name, THREE, probes=["open_howto:20"], seed=seed)
        ask(folder)
        orders.append(keys(exchanges(folder)))
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    order = [key[0] for key in orders[0]]
    for third in (order[:20], order[20:40], order[40:]):
        assert set(third) == set(THREE)
    assert max(len(list(run)) for _, run in groupby(order)) < 10


def test_a_batch_is_as_large_as_the_endpoint_likes_and_loses_nothing(tmp_path: Path) -> None:
    """Batches that do not divide the number of questions still ask each once."""
    folder = scripted_case(tmp_path / "case", THREE, batch=3)
    assert ask(folder).asked == 12
    assert len(set(asked(folder))) == len(asked(folder)) == 12


def test_facts_of_every_endpoint_are_recorded(tmp_path: Path) -> None:
    """What answered is described in the log before it is asked."""
    folder = scripted_case(tmp_path / "case", THREE)
    ask(folder)
    kinds = [chained.entry.kind for chained in read_log(folder)]
    asking = [kind for kind in kinds if kind in ("asking", "exchange")]
    assert kinds[:5] == ["protocol", "run", *["endpoint"] * 3]
    assert asking == ["asking", "exchange"] * 12
    assert kinds[5:] == [*asking, "run", "checkpoint"]
    assert {code: facts[0].value for code, facts in ledger.entries(folder).endpoints.items()} == THREE


def test_half_of_a_surrogate_pair_in_an_answer_does_not_stop_the_run(tmp_path: Path) -> None:
    """A character that no log can hold is marked in the text, while the raw bytes are kept."""
    folder = scripted_case(tmp_path / "case", {**THREE, "C1": "surrogate"})
    assert ask(folder).answered == 12
    one = next(one for one in exchanges(folder) if one.model == "C1")
    assert one.text == "half \ufffd of a face"
    assert read_blob(folder, one.response) == b'"half \\ud83d of a face"'


def test_a_provider_that_loses_replies_is_stopped(tmp_path: Path) -> None:
    """Fewer replies than questions would be matched to the wrong ones, so that nothing of them is recorded."""
    folder = scripted_case(tmp_path / "case", {"S1": "short", "R1": "short"}, batch=2)
    with pytest.raises(PluginError, match="gave 1 replies to 2 questions"):
        ask(folder)
    assert exchanges(folder) == ()


# --- stopping and going on --------------------------------------------------------------------------


def test_nothing_is_asked_again_when_all_is_answered(tmp_path: Path) -> None:
    """A second run asks nothing and leaves the log as it is."""
    folder = scripted_case(tmp_path / "case", THREE)
    ask(folder)
    before = files_in(folder)
    assert ask(folder).asked == 0
    assert files_in(folder) == before


def test_failed_questions_are_asked_again_and_empty_answers_are_not(tmp_path: Path) -> None:
    """A failure is recorded and repeated in the next run; an empty answer is an answer."""
    folder = scripted_case(tmp_path / "case", {"S1": "once", "R1": "empty"})
    first, second, third = ask(folder), ask(folder), ask(folder)
    assert (first.asked, first.answered, first.empty, first.failed) == (8, 0, 4, 4)
    assert (second.asked, second.answered, second.failed) == (4, 4, 0)
    assert third.asked == 0
    found = [one for one in exchanges(folder) if one.model == "S1"]
    assert [one.outcome for one in found] == ["failed"] * 4 + ["answered"] * 4
    dossier = collect.dossier(folder)
    assert {one.model for one in dossier.transcripts} == {"S1"}
    assert [(one.model, one.reason) for one in dossier.unanswered] == [("R1", "empty answer")] * 4


@pytest.mark.slow
def test_a_kill_at_any_moment_loses_nothing_that_was_answered(tmp_path: Path, site: Path) -> None:
    """Killed three times and run to its end, each question has one answer, and a kill costs one question at most."""
    folder = scripted_case(tmp_path / "case", dict.fromkeys(THREE, "slow"), probes=["open_howto:30", "open_lists:30"])
    pipeline.register_case(folder, Clock())
    chance = random.Random()
    counts = [0]
    for _ in range(3):
        gate(folder).write_text(str(counts[-1] + 50))
        process = start("probe", folder, path=[site])
        until(lambda: log_path(folder).read_bytes().count(b'"exchange"') > counts[-1], process)
        time.sleep(chance.uniform(0, 0.12))
        process.kill()
        finish(process)
        counts.append(len(exchanges(folder)))
    gate(folder).unlink()
    assert counts == sorted(set(counts))
    before, reached = log_path(folder).read_bytes(), len(asked(folder))
    assert reached <= counts[-1] + 3, "only what was being asked at the moment of a kill may be lost"
    ran = finish(start("probe", folder, path=[site]))
    assert ran.code == 0
    assert ran.out.startswith(f"asked {180 - counts[-1]}: {180 - counts[-1]} answered, 0 failed")
    assert len(asked(folder)) - reached == 180 - counts[-1]
    found = exchanges(folder)
    assert log_path(folder).read_bytes().startswith(before[: before.rfind(b"\n") + 1])
    assert len(found) == len(set(keys(found))) == 180


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    """While one run writes, another is told so and asks nothing."""
    folder = scripted_case(tmp_path / "case", THREE)
    pipeline.register_case(folder, Clock())
    with Log(folder, Clock()):
        ran = depose("probe", folder)
    assert (ran.code, asked(folder)) == (1, [])
    assert "another depose is writing here" in ran.first


# --- when everything fails --------------------------------------------------------------------------

HTML = {"probe": (), "audit": ("--format", "html")}
"""Options of a command that spare it the PDF."""


@pytest.mark.slow
@pytest.mark.criterion(60)
@pytest.mark.parametrize("command", ["probe", "audit"])
def test_all_endpoints_failing_is_never_success(tmp_path: Path, command: str) -> None:
    """Where every question fails, the reason is printed and the exit code is 1, every time."""
    folder = scripted_case(tmp_path / "case", {"S1": "fails", "R1": "fails"})
    fit(folder)
    for _ in range(2):
        ran = depose(command, folder, *HTML[command])
        assert ran.code == 1
        assert "error: all 8 questions failed; the most frequent reason: HTTP 503" in ran.err
    report = folder / "out" / "report.html"
    assert report.exists() == (command == "audit")
    assert command == "probe" or "no answer of S1 and R1" in report.read_text()


@pytest.mark.parametrize("command", thinned(["audit", "probe"], 2))
def test_recorded_files_without_any_answer_are_never_success(tmp_path: Path, command: str) -> None:
    """Files that answer nothing that is asked end with exit 1, the first time and ever after."""
    folder = recorded_case(tmp_path / "case", suspect="same", controls=1, prompts=3)
    (folder / "prompts.csv").write_text("prompt_id,prompt\nz,Never asked.\n")
    fit(folder)
    for _ in range(2):
        ran = depose(command, folder, *HTML[command])
        assert (ran.code, ran.out) == (1, "")
        assert "no such answer in answers.jsonl" in ran.err


def test_a_single_missing_answer_does_not_make_the_next_run_fail(tmp_path: Path) -> None:
    """What a registered file does not hold is looked up once; running again asks nothing and changes nothing."""
    folder = recorded_case(tmp_path / "case", suspect="same", controls=1, prompts=3)
    lines = (folder / "answers.jsonl").read_text().splitlines()
    (folder / "answers.jsonl").write_text("\n".join(lines[1:]))
    assert depose("register", folder).code == 0
    first = depose("probe", folder, "--json")
    assert (first.code, json.loads(first.out)["failed"]) == (0, 1)
    before = files_in(folder)
    second = depose("probe", folder, "--json")
    assert (second.code, json.loads(second.out)["asked"]) == (0, 0)
    assert files_in(folder) == before


# --- budget -----------------------------------------------------------------------------------------


def budgeted(folder: Path, batch: int = 1, prices: Any = None, **budget: Any) -> Path:
    """Write a scripted case with a budget."""
    models = [
        model(code, role, provider="scripted", model="same", revision=str(batch))
        for code, role in (("S1", "suspect"), ("R1", "reference"))
    ]
    case = {**case_of(models, probes=["open_howto:10"], replicates=1), "budget": budget}
    return write_case(folder, {**case, "prices": prices} if prices else case)


@pytest.mark.parametrize("batch", [1, 4, 1000])
@pytest.mark.parametrize("limit", [1, 7, 19, 20])
def test_a_budget_of_requests_is_spent_and_not_passed(tmp_path: Path, batch: int, limit: int) -> None:
    """As many questions are asked as the budget allows, whatever the size of a batch, and none more in a second run."""
    folder = budgeted(tmp_path / "case", batch, requests=limit)
    done = ask(folder)
    assert 1 <= done.asked <= limit
    assert done.asked == limit or batch > 1
    assert (done.stopped == "") == (limit == 20)
    again = ask(folder)
    assert len(asked(folder)) == done.asked + again.asked == limit
    assert ask(folder).asked == 0


def test_a_budget_of_tokens_or_money_is_not_passed(tmp_path: Path) -> None:
    """Upper bounds of what was asked stay within the limit, and one more question would pass it."""
    rows = collect_estimate(budgeted(tmp_path / "free"))
    tokens = sum(row.input_tokens + row.output_tokens for row in rows)
    folder = budgeted(tmp_path / "tokens", tokens=tokens // 2)
    done = ask(folder)
    assert done.stopped == f"the budget of {tokens // 2:g} tokens would be passed"
    left = sum(row.input_tokens + row.output_tokens for row in collect.estimate(folder))
    assert tokens - left <= tokens // 2 < tokens - left + 400
    prices = {code: {"input": 1e4, "output": 2e4} for code in ("S1", "R1")}
    folder = budgeted(tmp_path / "money", prices=prices, money=10.0)
    assert ask(folder).stopped == "the budget of 10 money would be passed"
    assert 0 < len(asked(folder)) < 20
    assert depose("probe", folder).out.splitlines()[-1].startswith("stopped: the budget of 10 money")


def test_a_budget_too_small_for_one_question_is_an_error(tmp_path: Path) -> None:
    """Where not even the first question fits, nothing is asked and the exit code says so."""
    folder = budgeted(tmp_path / "case", tokens=10)
    fit(folder)
    for command in ("audit", "probe"):
        ran = depose(command, folder, *HTML[command])
        assert (ran.code, asked(folder)) == (1, [])
        assert "nothing is answered: the budget of 10 tokens would be passed" in ran.err


def test_recorded_answers_cost_nothing(tmp_path: Path) -> None:
    """Looking up what was recorded is no request."""
    folder = recorded_case(tmp_path / "case", suspect="same", controls=1, prompts=3)
    file = folder / "case.toml"
    file.write_text(file.read_text() + "\n[budget]\nrequests = 1\n")
    assert (ask(folder).answered, ask(folder).stopped) == (9, "")


def collect_estimate(folder: Path) -> tuple[Estimate, ...]:
    """Register a case and estimate it."""
    pipeline.register_case(folder, Clock())
    return collect.estimate(folder)


def test_a_dry_run_asks_nothing_and_gives_upper_bounds(tmp_path: Path) -> None:
    """Counts are exact, tokens are at least the bytes sent and the tokens allowed, and cost follows from both."""
    prompts = ["😀" * 50, "数" * 80, "plain"]
    prices = {"S1": {"input": 2.0, "output": 10.0}}
    models = [model("S1", "suspect", provider="scripted", system="Be brief."), model("R1", "reference")]
    folder = write_case(
        tmp_path / "case", {**case_of(models, probes=[], prompts="p.json", max_tokens=100), "prices": prices}
    )
    (folder / "p.json").write_text(json.dumps([{"prompt": text} for text in prompts]))
    assert depose("register", folder).code == 0
    before = files_in(folder)
    ran = depose("probe", folder, "--dry-run", "--json")
    suspect, reference = json.loads(ran.out)
    assert (suspect["questions"], suspect["output_tokens"]) == (3, 300)
    assert suspect["input_tokens"] >= sum(len(f"Be brief.{text}".encode()) for text in prompts)
    assert suspect["cost"] == pytest.approx((suspect["input_tokens"] * 2 + 300 * 10) / 1e6)
    assert (reference["questions"], reference["cost"]) == (3, None)
    assert files_in(folder) == before
    assert asked(folder) == []
    assert "R1" not in depose("probe", folder, "--dry-run").out.partition("\n\n")[0]  # its answers stand in a file


# --- import -----------------------------------------------------------------------------------------


def waiting_case(folder: Path) -> Path:
    """Write a case whose suspect has no file yet."""
    recorded_case(folder, suspect="same", controls=1, prompts=3)
    file = folder / "case.toml"
    file.write_text(file.read_text().replace('file = "answers.jsonl"\n', "", 1))
    pipeline.register_case(folder, Clock())
    return folder


def imported(folder: Path, rows: list[dict[str, Any]], *options: str) -> Ran:
    """Import rows for the suspect."""
    file = folder.parent / "rows.json"
    file.write_text(json.dumps(rows))
    return depose("import", folder, "--model", "S1", file, *options)


def test_a_model_without_a_file_waits_for_an_import(tmp_path: Path) -> None:
    """Asking says who still waits, and after the import the answers are there, with their file and row."""
    folder = waiting_case(tmp_path / "case")
    ran = depose("probe", folder)
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "waiting for depose import: S1")
    ran = imported(folder, [{"id": f"q{n}", "output": f"answer {n}"} for n in range(3)])
    assert (ran.code, ran.out) == (
        0,
        "S1: 3 recorded, 0 missing in the file, 0 were there before: 100% of its 3 questions\n",
    )
    found = [one for one in exchanges(folder) if one.model == "S1"]
    assert sorted((one.prompt, one.text) for one in found) == [(f"q{n}", f"answer {n}") for n in range(3)]
    digest = sha256((tmp_path / "rows.json").read_bytes())
    assert {one.source for one in found} == {f"rows.json sha256:{digest} row {n}" for n in (1, 2, 3)}
    assert "waiting" not in depose("probe", folder).out


def test_rows_that_fit_no_prompt_are_listed_and_missing_ones_can_follow(tmp_path: Path) -> None:
    """A partial file is taken, its odd rows are shown written out, and a second file fills the gaps only."""
    folder = waiting_case(tmp_path / "case")
    ran = imported(folder, [{"id": "q0", "output": "first"}, {"id": "", "prompt": "\x1b[2J\nodd", "output": "x"}])
    assert ran.code == 1  # two questions stay open, and a row was left out
    assert ran.out.splitlines() == [
        "S1: 1 recorded, 2 missing in the file, 0 were there before: 33% of its 3 questions",
        "1 row was not used:",
        "  1: no registered prompt has its id or its words",
        "    row 2: \\x1b[2J\\nodd",
    ]
    ran = imported(folder, [{"id": f"q{n}", "output": "second"} for n in (1, 2)], "--json")
    done = json.loads(ran.out)
    assert (ran.code, done["answered"], done["missing"], done["already"], done["unaligned"]) == (0, 2, 0, 1, [])
    texts = {one.prompt: one.text for one in collect.dossier(folder).transcripts if one.model == "S1"}
    assert texts == {"q0": "first", "q1": "second", "q2": "second"}


def test_an_import_that_answers_nothing_is_an_error(tmp_path: Path) -> None:
    """A file none of whose rows fits ends with exit 1, not with a line that looks like success."""
    folder = waiting_case(tmp_path / "case")
    ran = imported(folder, [{"id": "z", "output": "x"}])
    assert ran.code == 1
    assert ran.first.endswith(
        "rows.json: no row answers any of the 3 open questions to S1; nothing was recorded. "
        "1 rows: no registered prompt has its id or its words (row 1: z)"
    )
    assert exchanges(folder) == ()
    digest = sha256((tmp_path / "rows.json").read_bytes())
    assert not (folder / "evidence" / "blobs" / digest).exists()


def test_an_import_for_a_model_that_is_asked_live_is_refused(tmp_path: Path) -> None:
    """Only a recorded model of the case takes recorded answers."""
    folder = scripted_case(tmp_path / "case", THREE)
    pipeline.register_case(folder, Clock())
    (tmp_path / "rows.json").write_text('[{"id": "a", "output": "x"}]')
    for code, says in (("S1", "S1: not a recorded model"), ("X9", "X9: no such model in the case")):
        with pytest.raises(EndpointError, match=says):
            import_answers(folder, code, tmp_path / "rows.json", "", Clock())
    assert exchanges(folder) == ()


# --- reading the log --------------------------------------------------------------------------------


def test_a_log_that_does_not_begin_with_a_protocol_is_no_evidence(tmp_path: Path) -> None:
    """Records of an unknown shape are errors of evidence, not crashes."""
    folder = scripted_case(tmp_path / "case", THREE)
    pipeline.register_case(folder, Clock())
    good = ledger.entries(folder).registration
    for name, events, says in (
        ("a", [("exchange", {})], "does not begin with a protocol"),
        ("b", [("note", {})], "does not begin with a protocol"),
        ("c", [("protocol", {"case": 1})], "record 0 of the log is no Registration"),
        ("d", [("protocol", good), ("endpoint", {"model": 1})], "record 1 of the log is no Described"),
    ):
        with Log(tmp_path / name, Clock()) as log:
            for kind, body in events:
                log.append(kind, body)
        with pytest.raises(EvidenceError, match=says):
            ledger.entries(tmp_path / name)
    with Log(tmp_path / "e", Clock()):
        pass
    with pytest.raises(CaseError, match="the log is empty"):
        ledger.entries(tmp_path / "e")


def test_the_dossier_does_not_depend_on_the_order_of_the_answers(tmp_path: Path) -> None:
    """Transcripts come in a fixed order with every question either answered or accounted for."""
    folder = scripted_case(tmp_path / "case", {**THREE, "C2": "fails"})
    ask(folder)
    dossier = collect.dossier(folder)
    assert [(one.model, one.prompt) for one in dossier.transcripts] == sorted(
        (one.model, one.prompt) for one in dossier.transcripts
    )
    assert len(dossier.transcripts) == 12
    assert [(one.model, one.reason) for one in dossier.unanswered] == [("C2", "HTTP 503")] * 4
    assert dossier.head == list(read_log(folder))[-1].digest
    assert dossier.registered_at < dossier.first_asked < dossier.last_asked
    assert canonical(dossier) == canonical(collect.dossier(folder))


def test_a_later_failure_does_not_undo_an_answer(tmp_path: Path) -> None:
    """Where a log holds an answer and then a failure of the same question, the answer stands."""
    folder = scripted_case(tmp_path / "case", THREE)
    ask(folder)
    one = exchanges(folder)[0]
    with Log(folder, Clock()) as log:
        log.append("exchange", msgspec.structs.replace(one, outcome="failed", text="", reason="late"))
    dossier = collect.dossier(folder)
    assert dossier.unanswered == ()
    assert one.text in {kept.text for kept in dossier.transcripts if kept.prompt == one.prompt}


def test_an_answer_to_what_was_never_asked_is_refused(tmp_path: Path) -> None:
    """A chained record of a question outside the protocol is evidence that does not verify, not a bonus."""
    folder = scripted_case(tmp_path / "case", THREE)
    pipeline.register_case(folder, Clock())
    pipeline.probe(folder, Clock(), lambda answered, failed: None)
    exchange = ledger.entries(folder).exchanges[0]
    with Log(folder, Clock()) as log:
        log.append("exchange", msgspec.structs.replace(exchange, prompt="never asked"))
    with pytest.raises(EvidenceError, match="never asked"):
        collect.dossier(folder)


@pytest.mark.parametrize(("status", "default"), [("cut_length", True), ("cut_filter", False), ("unknown", True)])
def test_which_ends_are_compared_is_a_table_of_the_protocol(tmp_path: Path, status: str, default: bool) -> None:
    """Answers that ended in a way are compared by default or not, and otherwise where the protocol says so."""
    folder = scripted_case(tmp_path / "case", {"S1": "same", "R1": "same"})
    ask(folder)
    found = ledger.entries(folder)
    ended = [
        msgspec.structs.replace(one, status=status, finish="word") if one.model == "S1" else one
        for one in found.exchanges
    ]
    for switch in (None, True, False):
        registration = found.registration
        if switch is not None:
            table = msgspec.convert({status: switch}, Compared)
            protocol = msgspec.structs.replace(registration.case.protocol, compared=table)
            case = msgspec.structs.replace(registration.case, protocol=protocol)
            registration = msgspec.structs.replace(registration, case=case)
        changed = msgspec.structs.replace(found, exchanges=tuple(ended), registration=registration)
        dossier = collect.dossier_of(changed, "case")
        kept = [one for one in dossier.transcripts if one.model == "S1"]
        left = [one for one in dossier.unanswered if one.model == "S1"]
        assert bool(kept) == (default if switch is None else switch)
        assert len(kept) + len(left) == 4
        seen = [*((one.status, one.finish) for one in kept), *((one.status, one.finish) for one in left)]
        assert set(seen) == {(status, "word")}
        (counts,) = (one for one in denominators(dossier) if one.model == "S1")
        assert (counts.sent, counts.answered) == (4, len(kept))
        assert counts.blocked + counts.withheld == len(left)
        assert [(one.status, one.finish, one.n) for one in counts.ended] == [(status, "word", 4)]


def test_a_log_of_before_is_read(tmp_path: Path) -> None:
    """Exchanges without a status, as 0.1 wrote them, count as they did; what they end in follows from their words."""
    folder = scripted_case(tmp_path / "case", {"S1": "same", "R1": "same"})
    ask(folder)
    before = collect.dossier(folder)
    path = log_path(folder)
    entries_ = [json.loads(line) for line in path.read_text().splitlines()]
    lines, prev = [], "0" * 64
    for entry in entries_:
        if entry["kind"] == "exchange":
            del entry["body"]["status"], entry["body"]["reasoning"]
        if entry["kind"] == "protocol":
            del entry["body"]["case"]["protocol"]["compared"]
        entry["prev"] = prev
        if entry["kind"] == "checkpoint":
            entry["body"]["head"] = prev
        line = canonical(entry)
        prev = sha256(line)
        lines.append(line)
    path.write_bytes(b"\n".join(lines) + b"\n")
    after = collect.dossier(folder)
    assert (after.transcripts, after.unanswered) == (before.transcripts, before.unanswered)
    assert {one.status for one in after.transcripts} == {"whole"}
