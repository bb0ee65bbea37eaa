"""Models behind APIs: every byte recorded, nothing lost or asked twice, nothing told to the wrong side."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stamina

import faulty
from depose.asking import collect
from depose.case import casefile
from depose.endpoints.identity import same_model
from depose.errors import CaseError, EndpointError
from depose.evidence import ledger
from depose.evidence.log import log_path, read_blob, read_log
from depose.model import Ask, ModelSpec, Wire
from depose.model.canonical import sha256
from fakes import PATIENCE, audit, case_of, depose, finish, install, interrupt, model, start, to_toml, until, write_case
from faults import FAULTS, HELD, Server, certificate, said, some_fail
from faulty import SILENT, TLS, heard, remote, remote_case

PROVIDERS = ("openai", "anthropic", "google")
KEY = "sk-test-0123456789abcdef"


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have the scripted provider installed, and a key in the environment."""
    folder = install(tmp_path / "site")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("DEPOSE_TEST_KEY", KEY)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    return folder


@pytest.fixture
def hurried() -> Iterator[None]:
    """Let another attempt follow at once."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


def probe(folder: Path) -> dict[str, Any]:
    """Register and ask a case through the command line."""
    registered = depose("register", folder)
    assert registered.code == 0, registered.err
    ran = depose("probe", folder, "--json")
    assert ran.code == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out)
    return found


def texts(folder: Path) -> dict[str, str]:
    """The registered prompts."""
    return {prompt.id: prompt.text for prompt in ledger.entries(folder).registration.prompts}


def wire(folder: Path) -> Wire:
    """The record of the only attempt at S1."""
    (one,) = heard(folder)
    assert one.wire is not None
    return one.wire


# --- the wire formats -------------------------------------------------------------------------------


@pytest.mark.criterion(45)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_is_read_and_recorded_byte_for_byte(tmp_path: Path, provider: str, stream: bool) -> None:
    """The server saw the very bytes of the request blob; what it sent is the response blob; both give the answer."""
    with Server() as server:
        more: dict[str, Any] = {
            "provider": provider,
            "stream": stream,
            "system": "Be brief.",
            "api_key_env": "DEPOSE_TEST_KEY",
        }
        folder = remote_case(tmp_path / "case", server.url, 3, **more)
        assert probe(folder)["answered"] == 6
    seen = {sha256(one.body): one for one in server.seen}
    assert len(seen) == len(heard(folder)) == 3
    for one in heard(folder):
        assert one.wire is not None
        assert one.text == said(texts(folder)[one.prompt])
        assert read_blob(folder, one.request) == seen[one.request].body
        assert [pair for pair in seen[one.request].headers if pair[0] not in one.wire.withheld] == list(
            one.wire.request_headers
        )
        assert seen[one.request].header("accept-encoding") == "identity"
        body = read_blob(folder, one.response)
        assert (b"data: " in body) == stream
        assert (one.wire.status, one.wire.http_version, one.wire.attempt) == (200, "HTTP/1.1", 1)
        assert (one.wire.input_tokens, one.wire.output_tokens) == (7, 11)
        assert one.finish in ("stop", "end_turn", "STOP")
        assert one.wire.model_asked == one.wire.model_returned == "m-1"
        if stream:
            chunks = [json.loads(line) for line in read_blob(folder, one.wire.chunks).splitlines()]
            assert chunks[0][0] == 0
            assert chunks[-1][0] + chunks[-1][1] == len(body)
            assert len(chunks) > 1
            assert [chunk[2] for chunk in chunks] == sorted(chunk[2] for chunk in chunks)


@pytest.mark.criterion(49)
@pytest.mark.parametrize("fault", ["", "503", "refusal", "no first byte"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_a_record_lacks_has_its_reason(tmp_path: Path, provider: str, fault: str) -> None:
    """Every empty field of a wire record, and no other, stands in `missing` with a reason."""
    with Server(lambda seen: fault) as server:
        deadline = 0.5 if fault in SILENT else 60.0
        folder = remote_case(tmp_path / "case", server.url, provider=provider, attempts=1, timeout=deadline)
        probe(folder)
    found = wire(folder)
    empty = {name for name in Wire.__struct_fields__ if getattr(found, name) in ("", None, ())}
    assert set(found.missing) == empty - {"missing"}
    assert all(found.missing.values())
    assert ("fingerprint" in empty) == (provider != "openai" or fault in ("503", "no first byte"))


def test_each_question_is_a_fresh_conversation_with_a_seed_of_its_own(tmp_path: Path) -> None:
    """No request carries another question or answer; samples differ in their seed alone."""
    with Server() as server:
        folder = remote_case(tmp_path / "case", server.url, 4, samples=2)
        probe(folder)
    bodies = [one.json for one in server.seen]
    assert all([message["role"] for message in body["messages"]] == ["user"] for body in bodies)
    assert len({body["seed"] for body in bodies}) == 8
    assert len({body["messages"][0]["content"] for body in bodies}) == 4


@pytest.mark.parametrize(
    ("provider", "omit", "told"),
    [
        ("openai", [], None),
        ("openai", ["seed"], "seed"),
        ("google", ["temperature"], "temperature"),
        ("anthropic", [], "temperature and seed"),
    ],
)
def test_a_setting_that_is_not_sent_is_a_fact(tmp_path: Path, provider: str, omit: list[str], told: str | None) -> None:
    """Where a request carries no temperature or seed, the description of the item says so."""
    with Server() as server:
        folder = remote_case(tmp_path / "case", server.url, provider=provider, omit=omit)
        probe(folder)
    facts = {fact.name: fact.value for fact in collect.dossier(folder).endpoints["S1"]}
    assert facts.get("not sent") == (f"{told}; the provider's own choice holds" if told else None)


def test_fields_of_the_body_can_be_added_and_left_out(tmp_path: Path) -> None:
    """`parameters` stand in the request as they are, and what `omit` names does not."""
    with Server() as server:
        more: dict[str, Any] = {"parameters": {"logprobs": True, "top_logprobs": 3}, "omit": ["seed", "temperature"]}
        folder = remote_case(tmp_path / "case", server.url, **more)
        probe(folder)
    body = server.seen[0].json
    assert (body["logprobs"], body["top_logprobs"]) == (True, 3)
    assert not {"seed", "temperature"} & set(body)


@pytest.mark.criterion(50)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_stream_that_breaks_off_is_no_answer(tmp_path: Path, hurried: None, provider: str) -> None:
    """What came is kept, the attempt fails, and another one follows."""
    with Server(faulty.first("closed mid-body")) as server:
        folder = remote_case(tmp_path / "case", server.url, provider=provider, stream=True)
        probe(folder)
    outcomes = [(one.outcome, bool(one.response)) for one in heard(folder)]
    assert outcomes == [("failed", True), ("answered", True)]
    assert "the stream ends without" in heard(folder)[0].reason


# --- faults -----------------------------------------------------------------------------------------

ANSWERED = {
    "slow first byte": "",
    "wrong model id": "S1: MODEL MISMATCH: asked for m-1, got another-model",
    "empty answer": "S1: 1 empty (stop)",
    "refusal": "S1: 1 without an answer: refused by the provider in a field of its own",
    "duplicate headers": "",
    "gzip": "",
}
FINAL = {
    "50 MB body": "the answer is larger than 16 MiB",
    "gzip bomb": "unpacks to more than 16 MiB",
    "redirect": "redirects to http://attacker.invalid/v1, which is not followed",
    "401": "HTTP 401: not now",
    "key in the answer": "the answer holds the key that was sent and is not kept",
    TLS: "TLS: self-signed certificate",
}
REPEATED = {
    "429 with retry-after": "HTTP 429: not now",
    "429": "HTTP 429: not now",
    "500": "HTTP 500: not now",
    "503": "HTTP 503: not now",
    "no first byte": "no whole answer within {} s; stopped at: waiting for the first byte",
    "stalled body": "no whole answer within {} s; stopped at: 260 bytes of the body",
    "dripping body": "no whole answer within {} s; stopped at: ",
    "truncated JSON": "not JSON: Unterminated string",
    "wrong content type": "it is text/html, not application/json",
    "invalid UTF-8": "not UTF-8 at byte",
    "closed mid-body": "the connection broke after 260 bytes of the body",
}


def test_every_fault_has_its_row() -> None:
    """The three tables above are all the faults there are."""
    assert {*ANSWERED, *FINAL, *REPEATED} == {*FAULTS, TLS}


@pytest.mark.criterion(50)
@pytest.mark.parametrize(
    "fault", [pytest.param(one, marks=pytest.mark.slow if one == "50 MB body" else ()) for one in (*FAULTS, TLS)]
)
def test_a_fault_is_recorded_and_told(tmp_path: Path, hurried: None, fault: str) -> None:
    """Each attempt has its record with its reason; what can pass is tried again, what cannot is shown to the user."""
    row = faulty.row(tmp_path, fault, api_key_env="DEPOSE_TEST_KEY")
    outcomes = [one.outcome for one in row.exchanges]
    assert row.ran.code == 0
    if fault in ANSWERED:
        assert outcomes == [{"empty answer": "empty", "refusal": "blocked"}.get(fault, "answered")]
        assert ANSWERED[fault] in row.ran.out
    elif fault in FINAL:
        assert outcomes == ["failed"]
        assert FINAL[fault] in row.exchanges[0].reason
        assert f"S1: 1 failed: {row.exchanges[0].reason}" in row.ran.out
    else:
        assert outcomes == ["failed", "answered"]
        assert REPEATED[fault].format(f"{row.deadline:g}") in row.exchanges[0].reason
        assert "S1: 1 attempts failed and were repeated" in row.ran.out
    assert [one.wire.attempt for one in row.exchanges if one.wire] == list(range(1, len(outcomes) + 1))
    assert list(read_log(tmp_path / "case"))


@pytest.mark.parametrize(
    ("provider", "why"),
    [
        ("anthropic", "blocked by the provider: refusal, frontier_llm"),
        ("google", "blocked by the provider: SAFETY"),
    ],
)
def test_a_blocked_answer_says_why(tmp_path: Path, provider: str, why: str) -> None:
    """An answer that the provider held back is no failure, is not asked for again, and says why."""
    (one,) = faulty.row(tmp_path, "refusal", provider=provider).exchanges
    assert (one.outcome, one.reason, one.text) == ("blocked", why, "")
    why = why.removeprefix("blocked by the provider")
    assert [un.reason for un in collect.dossier(tmp_path / "case").unanswered] == [f"blocked{why}"]


def test_a_header_that_comes_twice_stands_twice_in_its_order(tmp_path: Path) -> None:
    """Response headers are kept as a list."""
    (one,) = faulty.row(tmp_path, "duplicate headers").exchanges
    assert one.wire is not None
    twice = [value for name, value in one.wire.response_headers if name == "X-Twice"]
    assert twice == ["first", "second"]


def test_an_oversized_body_is_not_read_to_its_end(tmp_path: Path) -> None:
    """Of 50 MB what came up to the limit is kept, and the connection is given up."""
    (one,) = faulty.row(tmp_path, "50 MB body").exchanges
    kept = len(read_blob(tmp_path / "case", one.response))
    assert 16 * 1024**2 < kept < 17 * 1024**2


def test_a_pause_that_the_provider_asks_for_is_kept(tmp_path: Path) -> None:
    """Between a 429 with `retry-after: 1` and the next attempt lies at least a second, as the record says."""
    first, second = faulty.row(tmp_path, "429 with retry-after").exchanges
    assert first.wire is not None
    assert second.wire is not None
    assert second.wire.sent_us - first.wire.sent_us >= 1_000_000
    assert first.wire.again.startswith("after 1 s or more: HTTP 429")


@pytest.mark.slow
def test_a_thousand_questions_with_every_fifth_attempt_failing(tmp_path: Path, hurried: None) -> None:
    """None is lost and none is answered twice, by the log and by the server's own count."""
    with Server(some_fail(0.2)) as server:
        folder = remote_case(tmp_path / "case", server.url, 100, samples=10, concurrency=16)
        done = probe(folder)
    assert (done["asked"], done["answered"], done["failed"]) == (2_000, 2_000, 0)
    found = heard(folder)
    good = Counter((one.prompt, one.sample) for one in found if one.outcome == "answered")
    assert len(good) == 1_000
    assert set(good.values()) == {1}
    failed = sum(one.outcome == "failed" for one in found)
    assert 180 < failed < 320
    plan = some_fail(0.2)
    served = Counter(one.body for one in server.seen if not plan(one))
    assert len(server.seen) == len(found)
    assert len(served) == 1_000
    assert set(served.values()) == {1}


# --- who answered -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "returned", "same"),
    [
        ("gpt-4o", "gpt-4o", True),
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022", True),
        ("models/gemini-2.0-flash", "gemini-2.0-flash-001", True),
        ("org/m", "org/m@main", True),
        ("openai/gpt-4o", "gpt-4o-2024-08-06", True),
        ("llama3.1", "llama3.1:latest", True),
        ("llama3.1:8b", "llama3.1:70b", False),
        ("claude-sonnet-4@20250514", "claude-sonnet-4-20250514", True),
        ("claude-sonnet-4-0", "claude-sonnet-4-20250514", True),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4-20250514", True),
        ("gpt-4", "gpt-4-0613", True),
        ("anthropic/claude-sonnet-4.5", "anthropic/claude-4.5-sonnet-20250929", True),
        ("claude-sonnet-4", "claude-4.5-sonnet-20250929", False),
        ("mistral-large-latest", "mistral-large-2411", True),
        ("claude-sonnet-4", "claude-sonnet-4-5-20250929", False),
        ("claude-opus-4", "claude-opus-4-1-20250805", False),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06", False),
        ("gpt-4-0613", "gpt-4", False),
        ("gpt-5", "gpt-5.1", False),
        ("o3", "o3-2", False),
        ("gpt-4", "gpt-4o", False),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4o", "gpt-4o-mini-2024-07-18", False),
        ("m", "another", False),
        ("gpt-5.4", "gpt-4.5", False),
        ("claude-opus-4-5", "claude-opus-5-4", False),
        ("deepseek-v3", "deepseek-v2", False),
        ("x-v1:0", "x-v2:0", False),
        ("claude-v2", "claude-v2:1", False),
        ("qwen2.5:7", "qwen2.5:72", False),
        ("meta-llama/llama-3-8b", "somebody/llama-3-8b", False),
        ("openrouter/meta-llama/llama-3-8b", "meta-llama/llama-3-8b", True),
        ("openai/gpt-4o", "azure/gpt-4o", True),
        ("m", "m@our-finetune", False),
        ("/models/m-8b.gguf", "m-8b.gguf", True),
    ],
)
def test_a_snapshot_is_the_same_model_and_a_sibling_is_not(asked: str, returned: str, same: bool) -> None:
    """Names that only add a date, a tag or a route are what was asked for; digits alone are another model."""
    assert same_model(asked, returned) is same


def test_another_model_that_answers_is_a_finding(tmp_path: Path) -> None:
    """The mismatch stands among the facts of the item, with the fingerprint and the number of retries."""
    with Server(lambda seen: "wrong model id") as server:
        folder = remote_case(tmp_path / "case", server.url, 2)
        probe(folder)
    facts = {fact.name: fact.value for fact in collect.dossier(folder).endpoints["S1"]}
    assert facts["MODEL MISMATCH"] == "asked for m-1, got another-model"
    assert facts["model returned"] == "another-model (2 of 2)"
    assert facts["fingerprint"] == "fp_0123456789 (2 of 2)"
    assert facts["attempts"] == "2, 0 of them retries"


@pytest.mark.parametrize("heedless", [False, True])
def test_a_model_that_cannot_exist_is_asked_for_once(tmp_path: Path, heedless: bool) -> None:
    """Where the protocol says so, each endpoint is asked once for a bogus model, in the first run alone."""
    with Server(heedless=heedless) as server:
        folder = remote_case(tmp_path / "case", server.url, 2, bogus_model=True)
        assert probe(folder)["answered"] == 4
        assert depose("probe", folder).code == 0
    bogus = [one for one in server.seen if one.json["model"] == collect.BOGUS]
    assert len(bogus) == 1
    assert len(ledger.entries(folder).controls) == 1
    facts = {fact.name: fact.value for fact in collect.dossier(folder).endpoints["S1"]}
    value = facts["asked for a model that cannot exist"]
    assert value.startswith("ANSWERED all the same" if heedless else "refused: HTTP 404")
    assert {exchange.model for exchange in ledger.entries(folder).exchanges} == {"S1", "R1"}


# --- pace, budget, giving up ------------------------------------------------------------------------


def test_no_more_requests_are_under_way_than_allowed(tmp_path: Path) -> None:
    """With four at once, each answered when all four were asked, eight questions are never asked five at a time."""
    four = threading.Barrier(4)
    with Server(lambda seen: "" * four.wait(PATIENCE)) as server:
        folder = remote_case(tmp_path / "case", server.url, 8, concurrency=4)
        probe(folder)
    spans = [(one.wire.sent_us, one.wire.last_byte_us or 0) for one in heard(folder) if one.wire]
    most = max(sum(begin <= moment < end for begin, end in spans) for moment, _ in spans)
    assert most == 4


@pytest.mark.criterion(59)
@pytest.mark.parametrize("limit", [{"rpm": 600.0}, {"tpm": 6_000.0}])
def test_requests_are_spaced_as_the_rates_say(tmp_path: Path, limit: dict[str, float]) -> None:
    """None of 600 requests a minute is sent before its tenth of a second; tokens are those that the provider counts."""
    with Server() as server:
        more = {"concurrency": 1, "max_tokens": 5_000} if "tpm" in limit else {"concurrency": 4}
        folder = remote_case(tmp_path / "case", server.url, 5, **more, **limit)
        probe(folder)
    sent = sorted(one.wire.sent_us for one in heard(folder) if one.wire)  # from the opening of the endpoint
    least = 60 / 600 if "rpm" in limit else 18 * 60 / 6_000
    assert len(sent) == 5
    assert all(moment >= place * least * 1e6 for place, moment in enumerate(sent))
    assert sent[-1] < 50e6  # the 5,000 tokens that an answer may have would take as long as this, each


@pytest.mark.criterion(59)
@pytest.mark.parametrize("limit", [1, 3, 7])
def test_retries_count_against_the_budget_of_requests(tmp_path: Path, hurried: None, limit: int) -> None:
    """The server sees exactly as many requests as the budget allows, however many of them fail."""
    with Server(lambda seen: "503" if seen.nth < 3 else "") as server:
        models = [remote(server.url, concurrency=1), model("R1", "reference", file="none.csv")]
        folder = write_case(tmp_path / "case", {**case_of(models, replicates=1), "budget": {"requests": limit}})
        (folder / "none.csv").write_text("prompt,output\nNobody asks this.,x\n")
        assert depose("register", folder).code == 0
        depose("probe", folder)
        depose("probe", folder)
    assert len(server.seen) == len(heard(folder)) == limit


def test_a_budget_counts_what_the_provider_counted(tmp_path: Path) -> None:
    """Four answers of 18 tokens fit into a budget that their upper bounds would pass at once."""
    with Server() as server:
        models = [remote(server.url, concurrency=1), model("R1", "reference")]
        budget = {"budget": {"tokens": 500, "money": 1.0}, "prices": {"S1": {"input": 100.0, "output": 200.0}}}
        folder = write_case(tmp_path / "case", {**case_of(models, replicates=1), **budget})
        assert probe(folder)["answered"] == 4
    assert len(server.seen) == 4


def test_a_model_that_nobody_may_ask_is_given_up(tmp_path: Path) -> None:
    """After three refusals of the key no more questions are sent in this run, and the rest count as not asked."""
    with Server(lambda seen: "401") as server:
        folder = remote_case(tmp_path / "case", server.url, 40, concurrency=1)
        done = probe(folder)
    assert 3 <= len(server.seen) <= 5
    assert done["asked"] == len(server.seen) + 40
    assert "S1: asked no more in this run" in done["notices"]
    reasons = Counter(one.reason for one in collect.dossier(folder).unanswered)
    assert reasons == {"HTTP 401: not now": len(server.seen), "not asked": 40 - len(server.seen)}


@pytest.mark.slow
def test_an_interrupt_waits_for_what_is_under_way(tmp_path: Path, site: Path) -> None:
    """After Ctrl-C nothing more is sent, every answer under way is recorded, and going on asks only the rest."""
    with Server() as server:
        server.plan = lambda seen: HELD if len(server.seen) > 4 else ""
        folder = remote_case(tmp_path / "case", server.url, 60, concurrency=4)
        assert depose("register", folder).code == 0
        process = start("probe", folder, path=[site])
        until(lambda: len(server.seen) == 8, process)
        ran = interrupt(process, server.release.set)
        assert (ran.code, ran.out) == (1, "")
        assert "answers under way; interrupt again to leave them" in ran.err
        assert ran.err.splitlines()[-1] == "stopped; run the same command again to go on"
        assert len(server.seen) == len(heard(folder)) < 60
        server.plan = lambda seen: ""
        assert depose("probe", folder).code == 0
    assert len(server.seen) == len({(one.prompt, one.sample) for one in heard(folder)}) == 60


@pytest.mark.slow
def test_a_kill_costs_only_what_was_under_way(tmp_path: Path, site: Path) -> None:
    """After SIGKILL the log verifies, and at most the requests that were under way are asked again."""
    with Server() as server:
        server.plan = lambda seen: HELD if len(server.seen) > 8 else ""
        folder = remote_case(tmp_path / "case", server.url, 40, concurrency=4)
        assert depose("register", folder).code == 0
        process = start("probe", folder, path=[site])
        until(lambda: len(server.seen) == 12, process)
        process.kill()
        finish(process)
        kept = len(heard(folder))
        assert len(server.seen) - kept <= 8
        server.plan = lambda seen: ""
        assert depose("probe", folder).code == 0
    good = Counter(one.prompt for one in heard(folder) if one.outcome == "answered")
    assert (len(good), set(good.values())) == (40, {1})


# --- addresses, TLS, proxies ------------------------------------------------------------------------


def ask_one(spec: ModelSpec, folder: Path) -> tuple[str, str]:
    """Ask one question of an endpoint without a case."""
    from depose.endpoints.openai import open_openai

    ask = Ask(model="S1", prompt="p", sample=0, replicate=0, text="Hi?", system="", temperature=0, max_tokens=9, seed=1)
    (reply,) = open_openai(spec, folder).ask([ask])
    return reply.outcome, reply.reason


def test_a_private_address_needs_the_word_of_the_case(tmp_path: Path) -> None:
    """A name that leads to this machine is refused at the moment of connecting, before anything is sent."""
    context, _, _ = certificate(tmp_path, "127.0.0.1")
    with Server(context=context) as server:
        spec = ModelSpec(
            code="S1", role="suspect", provider="openai", model="m", base_url=f"https://localhost:{server.port}/v1"
        )
        outcome, reason = ask_one(spec, tmp_path)
    assert outcome == "failed"
    assert "a private address" in reason
    assert server.seen == []


def test_http_never_leaves_for_a_public_address(tmp_path: Path) -> None:
    """With `allow_private`, http is for private addresses; a public one is refused without a packet."""
    spec = ModelSpec(
        code="S1", role="suspect", provider="openai", model="m", base_url="http://1.1.1.1/v1", allow_private=True
    )
    assert ask_one(spec, tmp_path) == ("failed", "1.1.1.1 is 1.1.1.1, a public address")


def test_a_certificate_that_is_trusted_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record holds TLS version, cipher and digest of the leaf certificate, which is also kept."""
    context, pem, der = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with Server(context=context) as server:
        folder = remote_case(tmp_path / "case", server.url)
        probe(folder)
    found = wire(folder)
    assert found.certificate == sha256(der)
    assert read_blob(folder, found.certificate) == der
    assert found.tls.startswith("TLSv1.3 TLS_")
    assert found.peer == f"127.0.0.1:{server.port}"


def test_a_trusted_certificate_of_another_host_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are checked as well as signatures."""
    context, pem, _ = certificate(tmp_path, "elsewhere.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with Server(context=context) as server:
        spec = ModelSpec(
            code="S1", role="suspect", provider="openai", model="m", base_url=server.url, allow_private=True
        )
        outcome, reason = ask_one(spec, tmp_path)
    assert outcome == "failed"
    assert "IP address mismatch" in reason
    assert server.seen == []


def test_no_proxy_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY and its kin are not heeded."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Server() as server:
        folder = remote_case(tmp_path / "case", server.url)
        assert probe(folder)["answered"] == 2


class _Tunnel(socketserver.StreamRequestHandler):
    """A proxy that connects and passes bytes on."""

    def handle(self) -> None:
        line = self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        self.server.asked.append(line)  # type: ignore[attr-defined]
        host, _, port = line.split()[1].decode().partition(":")
        with socket.create_connection((host, int(port))) as there:
            self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            pump = threading.Thread(target=_pass_on, args=(there, self.connection), daemon=True)
            pump.start()
            _pass_on(self.connection, there)


def _pass_on(source: socket.socket, goal: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            goal.sendall(data)


def test_a_proxy_that_the_case_names_is_used_and_sees_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS goes through it to the endpoint, whose certificate is the one recorded."""
    context, pem, der = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with Server(context=context) as server, socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Tunnel) as proxy:
        proxy.daemon_threads = True
        asked: list[bytes] = []
        proxy.asked = asked  # type: ignore[attr-defined]
        threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{proxy.server_address[1]}"
        folder = remote_case(tmp_path / "case", server.url, proxy=url, api_key_env="DEPOSE_TEST_KEY")
        assert probe(folder)["answered"] == 2
        proxy.shutdown()
    assert asked == [f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\n".encode()]
    assert wire(folder).certificate == sha256(der)
    assert wire(folder).peer == url.removeprefix("http://")
    facts = {fact.name: fact.value for fact in collect.dossier(folder).endpoints["S1"]}
    assert facts["proxy"] == url


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "openai needs a model": ({"model": ""}, "$.models[0].model: missing; which model?"),
    "a public endpoint needs a key": ({"base_url": ""}, "$.models[0].api_key_env: missing"),
    "one key": ({"api_key_env": "A", "api_key_file": "/b"}, "$.models[0].api_key_file: there is api_key_env too"),
    "http": (
        {"base_url": "http://api.example/v1", "allow_private": False},
        "base_url: http sends the key and the answers in clear",
    ),
    "scheme": ({"base_url": "ftp://api.example"}, "base_url: 'ftp://api.example' is not an address"),
    "no host": ({"base_url": "https:///v1"}, "base_url: 'https:///v1' is not an address"),
    "bad port": ({"base_url": "https://h:99999/"}, "is not an address"),
    "password": ({"base_url": "https://me:secret@h/"}, "base_url: holds a name or password"),
    "query": ({"base_url": "https://h/?key=secret"}, "base_url: goes on after the path"),
    "proxy password": ({"proxy": "http://me:secret@h"}, "proxy: holds a name or password"),
    "private behind a proxy": (
        {"base_url": "https://10.0.0.1/", "proxy": "http://p:3128", "allow_private": False},
        "base_url: a private address",
    ),
    "n": ({"parameters": {"n": 3}}, "$.models[0].parameters: 'n' follows from the case"),
    "no number": ({"parameters": {"x": 2**60}}, "$.models[0].parameters: a value has no canonical JSON form"),
    "no time": ({"timeout": 0.0}, "$.models[0].timeout: Expected a number >= 0.1"),
    "crowd": ({"concurrency": 1_000}, "$.models[0].concurrency: Expected a whole number <= 256"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_an_endpoint_is_said_before_it_is_asked(name: str) -> None:
    """Each mistake is an error at its place in the case file, and no credential in it is repeated."""
    changed, says = BAD[name]
    models = [remote("https://api.example") | changed, model("R1", "reference")]
    with pytest.raises(CaseError) as error:
        casefile.parse(to_toml(case_of(models)))
    assert says in error.value.message
    assert "secret" not in str(error.value)


def test_an_endpoint_without_its_key_is_an_error_that_names_the_variable(tmp_path: Path) -> None:
    """The run stops before anything is asked."""
    with Server() as server:
        folder = remote_case(tmp_path / "case", server.url, api_key_env="DEPOSE_NO_SUCH_KEY")
        assert depose("register", folder).code == 0
        ran = depose("probe", folder)
    assert (ran.code, server.seen) == (1, [])
    assert ran.first == "error: S1: the environment variable DEPOSE_NO_SUCH_KEY is not set"


def test_a_key_file_must_be_private_and_outside_the_case(tmp_path: Path) -> None:
    """A file that others can read, or that would be handed on with the case, is refused; a good one is used."""
    file = tmp_path / "key"
    file.write_text("sk-file-0123456789\n")
    with Server() as server:
        folder = remote_case(tmp_path / "case", server.url, api_key_file=str(file))
        assert depose("register", folder).code == 0
        file.chmod(0o644)
        assert "others can read it" in depose("probe", folder).err
        file.chmod(0o600)
        assert depose("probe", folder).code == 0
        assert server.seen[0].header("authorization") == "Bearer sk-file-0123456789"
        inside = remote_case(tmp_path / "inside", server.url, api_key_file=str(tmp_path / "inside" / "key"))
        (inside / "key").write_text("sk-file-0123456789")
        (inside / "key").chmod(0o600)
        assert depose("register", inside).code == 0
        assert "a key must not stand in the case folder" in depose("probe", inside).err


def test_a_key_with_a_line_break_is_refused_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no header can hold is an error that does not repeat the key."""
    from depose.endpoints import keys

    monkeypatch.setenv("DEPOSE_TEST_KEY", "sk-secret\nX-Evil: 1")
    spec = ModelSpec(code="S1", role="suspect", provider="openai", model="m", api_key_env="DEPOSE_TEST_KEY")
    with pytest.raises(EndpointError) as error:
        keys.read(spec, tmp_path)
    assert "sk-secret" not in str(error.value)


@pytest.mark.criterion(60)
def test_all_endpoints_failing_leaves_a_log_that_verifies(tmp_path: Path) -> None:
    """`audit` ends with exit 1 after a report that says that nobody answered."""
    with Server(lambda seen: "503") as server:
        models = [remote(server.url, attempts=1), remote(server.url, "R1", "reference", attempts=1)]
        folder = write_case(tmp_path / "case", case_of(models, replicates=1))
        ran = audit(folder, "--format", "html", "--allow-blind")
    assert ran.code == 1
    assert "all 8 questions failed; the most frequent reason: HTTP 503: not now" in ran.err
    kinds = Counter(chained.entry.kind for chained in read_log(folder))
    assert (kinds["protocol"], kinds["endpoint"], kinds["exchange"]) == (1, 2, 8)
    html = (folder / "out" / "report.html").read_text()
    assert "no answer of S1 and R1" in html
    assert "HTTP 503: not now" in html
    assert log_path(folder).stat().st_size > 0
    assert os.environ["DEPOSE_TEST_KEY"] == KEY
