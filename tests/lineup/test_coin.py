"""Randomised delivery: every choice is the coin's, all draws are in the log, and who asks sees an answer like any."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import line_ups
from depose.errors import CaseError, UsageError
from depose.lineup import inputs
from depose.lineup.bags import build
from depose.lineup.coin import Coin, Thrown, unfolded
from depose.lineup.middleware import RandomisedDelivery, _asked
from depose.lineup.rank_test import opened, rank_sum
from depose.lineup.unfolding import unfold
from depose.model.canonical import canonical, sha256
from depose.model.lineup_plan import LineupPlan

KEY = bytes(range(32))
COIN = Coin(KEY)


async def served(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    """Answer chat completions as a server does: as many choices as are asked for, the body in two pieces."""
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message.get("more_body"):
            break
    sizes = [value for key, value in scope["headers"] if key == b"content-length"]
    assert sizes == [str(len(body)).encode()]
    asked = json.loads(body)
    prompt = asked["messages"][-1].get("content")
    choices = [
        {"index": n, "message": {"role": "assistant", "content": f"{prompt} {n}"}, "finish_reason": "stop"}
        for n in range(asked.get("n") or 1)
    ]
    status = 429 if prompt == "busy" else 200
    called = {"role": "assistant", "content": None, "tool_calls": [{"id": "t"}]}
    choices = [one | ({"message": called} if prompt == "call" else {}) for one in choices]
    count = {"prompt_tokens": 5, "completion_tokens": 10 * len(choices), "total_tokens": 5 + 10 * len(choices)}
    data = json.dumps({"id": "x", "model": "r", "choices": choices, "usage": count}).encode()
    if b"gzip" in dict(scope["headers"]).get(b"accept-encoding", b""):
        data = gzip.compress(data)
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": data[:10], "more_body": True})
    await send({"type": "http.response.body", "body": data[10:]})


def ask(
    app: RandomisedDelivery, prompt: str, path: str = "/v1/chat/completions", accept: bytes = b"", **more: Any
) -> tuple[int, Any]:
    """Send one request through the middleware, in two pieces; return status and body."""
    body = json.dumps({"model": "r", "messages": [{"role": "user", "content": prompt}]} | more).encode()
    pieces = [
        {"type": "http.request", "body": body[:7], "more_body": True},
        {"type": "http.request", "body": body[7:], "more_body": False},
    ]
    sent: list[Any] = []
    head = [(b"authorization", b"Bearer secret-of-a-client"), (b"content-length", str(len(body)).encode())]
    head += [(b"accept-encoding", accept)] * bool(accept)

    async def receive() -> Any:
        return pieces.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": head}
    asyncio.run(app(scope, receive, send))
    data = b"".join(one.get("body", b"") for one in sent)
    said = dict(sent[0]["headers"])
    assert said[b"content-length"] == str(len(data)).encode()
    return sent[0]["status"], json.loads(data)


def app_of(log: Path, share: float = 1.0) -> RandomisedDelivery:
    """Put the middleware before the server."""
    return RandomisedDelivery(served, COIN, log, share=share, snapshot="r-1")


def test_one_of_several_draws_is_delivered_and_all_are_logged(tmp_path: Path) -> None:
    """Who asks gets one choice; the log holds all draws, the choice of the coin, and no credential."""
    app = app_of(tmp_path / "thrown.jsonl")
    answers = [ask(app, f"q{n}", temperature=0.5)[1] for n in range(20)]
    assert all(len(one["choices"]) == 1 and one["choices"][0]["index"] == 0 for one in answers)
    lines = [json.loads(line) for line in (tmp_path / "thrown.jsonl").read_text().splitlines()]
    for one, answer in zip(lines, answers, strict=True):
        assert len(one["draws"]) == 4
        assert one["draws"][one["chosen"]] == answer["choices"][0]["message"]["content"]
        assert one["chosen"] == COIN.choose(one["request_id"], 4)
        assert (one["temperature"], one["reference_snapshot"]) == (0.5, "r-1")
    assert len({one["account_code"] for one in lines}) == 1
    assert "secret-of-a-client" not in (tmp_path / "thrown.jsonl").read_text()


def test_who_asks_cannot_tell_by_counts_or_compression(tmp_path: Path) -> None:
    """One answer has one answer's share of the tokens, and what a client takes compressed is thrown for as well."""
    app = app_of(tmp_path / "thrown.jsonl")
    for n in range(4):
        said = ask(app, f"q{n}", accept=b"gzip, br")[1]
        assert len(said["choices"]) == 1
        assert said["usage"] == {"prompt_tokens": 5, "completion_tokens": 10, "total_tokens": 15}
    assert len((tmp_path / "thrown.jsonl").read_bytes().splitlines()) == 4


def test_of_answers_that_are_no_words_the_first_is_given(tmp_path: Path) -> None:
    """A call of a tool is no text that a suspect may have learnt: none is logged, and who asks gets one."""
    said = ask(app_of(tmp_path / "thrown.jsonl"), "call")[1]
    assert [one["message"]["tool_calls"] for one in said["choices"]] == [[{"id": "t"}]]
    assert not (tmp_path / "thrown.jsonl").exists()


@pytest.mark.parametrize(
    "change",
    [lambda data: b"", lambda data: data[: data[:-1].rfind(b"\n") + 1], lambda data: data.replace(b"q0", b"q9")],
    ids=["emptied", "its last line cut", "its last line reworded"],
)
def test_a_log_that_is_cut_back_under_a_server_is_not_gone_on_with(
    tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    """Else whoever keeps it could take out any line while it is the last one, and the chain would hold."""
    log = tmp_path / "thrown.jsonl"
    app = app_of(log)
    ask(app, "q0")
    log.write_bytes(change(log.read_bytes()))
    with pytest.raises(CaseError, match="was cut back or replaced"):
        ask(app, "q1")


def test_the_coin_is_fair_and_takes_its_share() -> None:
    """Each side comes up about as often, and about the registered share of requests is taken."""
    sides = Counter(COIN.choose(f"r{n}", 4) for n in range(4_000))
    assert min(sides.values()) > 900
    assert 20 < sum(COIN.takes(f"r{n}", 0.01) for n in range(4_000)) < 65
    assert not any(COIN.takes(f"r{n}", 0.0) for n in range(100))
    assert all(COIN.takes(f"r{n}", 1.0) for n in range(100))


def test_what_is_not_randomised_passes_untouched(tmp_path: Path) -> None:
    """Streams, several answers, other paths, errors and the rest of the traffic come as the server gave them."""
    log = tmp_path / "thrown.jsonl"
    app = app_of(log)
    assert len(ask(app, "q", n=2)[1]["choices"]) == 2
    assert len(ask(app, "q", stream=True)[1]["choices"]) == 1
    assert len(ask(app, "q", path="/v1/completions")[1]["choices"]) == 1
    assert ask(app, "busy")[0] == 429
    assert len(ask(app_of(log, share=0.0), "q")[1]["choices"]) == 1
    assert not log.exists()


def test_a_log_is_unfolded_into_files_that_build(tmp_path: Path) -> None:
    """Deliveries and decoys come of the log, randomised, and bags of them; the accounts are codes."""
    log = tmp_path / "thrown.jsonl"
    app = app_of(log)
    for n in range(30):
        ask(app, f"q{n}")
    done = unfold(log.read_bytes(), "thrown.jsonl", KEY, tmp_path / "files", ())
    assert (done.requests, done.commitment) == (30, sha256(KEY))
    delivered, _ = inputs.deliveries(Path(done.files[0]))
    decoys, _ = inputs.decoys(Path(done.files[1]))
    plan = LineupPlan(accounts=(delivered[0].account_code,), chosen_by="x", sampling="x", fillers=3, tier="randomised")
    built = build(plan, delivered, decoys, 7, b"s" * 32)
    assert len(built.bags) == 30
    assert {one.tier for one in built.entries} == {"randomised"}
    places = Counter(
        one.members.index(row.text) for one, row in zip(built.bags, _in_order(built, delivered), strict=True)
    )
    assert len(places) == 4


def _in_order(built: Any, delivered: Any) -> list[Any]:
    by_bag = {one.context_sha256[:20]: one for one in delivered}
    return [by_bag[one.bag] for one in built.bags]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chosen": 9}, "and the coin says"),
        ({"commitment": "0" * 64}, "thrown with another coin"),
        ({"account_code": "another"}, "was changed after it was written"),
        ({"messages": [{"role": "user", "content": "another"}]}, "was changed after it was written"),
        ({"temperature": 1.5}, "was changed after it was written"),
        ({"before": "0" * 64}, "does not follow the line before it"),
        ({"mark": "0" * 64}, "was changed after it was written"),
        ({"delivered_at": "noon"}, "delivered_at is no time"),
        ({"draws": ["one"]}, "is no request of a randomised delivery"),
        ({"extra": 1}, "is no request of a randomised delivery"),
    ],
)
def test_a_log_that_does_not_hold_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    """A choice that the coin did not make, another coin, or a line that is none stops the unfolding."""
    log = tmp_path / "thrown.jsonl"
    ask(app_of(log), "q")
    line = json.loads(log.read_text()) | change
    with pytest.raises(CaseError) as caught:
        unfold(canonical(line), "log", KEY, tmp_path / "files", ())
    assert message in caught.value.message
    assert not (tmp_path / "files").exists()


def test_a_log_is_whole_and_of_one_coin(tmp_path: Path) -> None:
    """A request that stands twice, an empty log, a short key and a folder that is not empty are errors."""
    log = tmp_path / "thrown.jsonl"
    ask(app_of(log), "q")
    for data, key, message in (
        (2 * log.read_bytes(), KEY, "stands twice"),
        (b"", KEY, "holds no request"),
        (log.read_bytes(), b"short", "the key of a coin has 5 bytes"),
        (log.read_bytes(), bytes(32), "thrown with another coin"),
    ):
        with pytest.raises(CaseError, match=message):
            unfold(data, "log", key, tmp_path / "files", ())
    with pytest.raises(UsageError, match="is not an empty folder"):
        unfold(log.read_bytes(), "log", KEY, tmp_path, ())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[1:], "line 1: .* does not follow the line before it"),
        (lambda lines: [lines[0], *lines[2:]], "line 2: .* does not follow the line before it"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "line 1: .* does not follow the line before it"),
        (lambda lines: [*lines, lines[-1]], "stands twice"),
        (lambda lines: [*lines[:3], _unmarked(lines[3]), *lines[4:]], "line 4: .* does not follow the line before it"),
    ],
    ids=["first left out", "second left out", "moved", "repeated", "a line without a mark"],
)
def test_a_log_is_a_chain_that_only_the_coin_can_make(
    tmp_path: Path, change: Callable[[list[bytes]], list[bytes]], message: str
) -> None:
    """Who keeps the log and has not the key can leave out, move or repeat no line but the last ones."""
    log = tmp_path / "thrown.jsonl"
    app = app_of(log)
    for n in range(5):
        ask(app, f"q{n}")
    lines = log.read_bytes().splitlines(keepends=True)
    assert unfold(b"".join(lines), "log", KEY, tmp_path / "files", ()).chained
    with pytest.raises(CaseError, match=message):
        unfold(b"".join(change(lines)), "log", KEY, tmp_path / "other", ())
    plain = b"".join(map(_unmarked, lines))
    assert not unfold(plain, "log", KEY, tmp_path / "plain", ()).chained


def _unmarked(line: bytes) -> bytes:
    kept = {name: value for name, value in json.loads(line).items() if name not in ("mark", "before")}
    return json.dumps(kept).encode() + b"\n"


def test_a_log_goes_on_after_a_kill_and_in_another_process(tmp_path: Path) -> None:
    """What a kill left of a line is cut off, two writers make one chain, and a log without marks is refused."""
    log = tmp_path / "thrown.jsonl"
    ask(app_of(log), "q1")
    with log.open("ab") as file:
        file.write(log.read_bytes()[:-10])
    first, second = app_of(log), app_of(log)
    for n, app in enumerate((first, second, first), 2):
        ask(app, f"q{n}")
    done = unfold(log.read_bytes(), "log", KEY, tmp_path / "files", ())
    assert (done.requests, done.chained) == (4, True)
    log.write_bytes(b"".join(map(_unmarked, log.read_bytes().splitlines())))
    with pytest.raises(CaseError, match="carries no mark of this coin"):
        app_of(log)
    log.write_bytes(b"junk\n")
    with pytest.raises(CaseError, match="ends in what is no throw"):
        app_of(log)


@pytest.mark.parametrize(
    "more",
    [
        {"temperature": "hot"},
        {"top_p": [1]},
        {"max_tokens": 1.5},
        {"max_tokens": 2**60},
        {"tools": ["a tool"]},
        {"tools": [{"deep": 2**60}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a picture"}]}]},
        {"messages": []},
        {"messages": [{"role": "user"}]},
    ],
    ids=str,
)
def test_no_request_can_spoil_the_log(tmp_path: Path, more: dict[str, Any]) -> None:
    """A request that no line can hold passes untouched, and gets one answer; the log stays readable."""
    log = tmp_path / "thrown.jsonl"
    app = app_of(log)
    ask(app, "q1")
    before = log.read_bytes()
    if more.get("messages") != []:
        assert len(ask(app, "q2", **more)[1]["choices"]) == 1
    assert log.read_bytes() == before
    assert _asked(json.dumps({"messages": [{"role": "user", "content": "q"}]} | more).encode()) is None


def test_p_is_uniform_where_another_account_asks_because_an_answer_was_good() -> None:
    """Over 60 logs of a coin p of a suspect that learnt nothing and likes good answers is low in few.

    An account that the case does not name asks a context again where the first answer was good. With fillers of that
    second throw beside the first answer p was low in most such logs.
    """
    low = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        thrown: list[Thrown] = []
        good: dict[str, float] = {}
        for n in range(60):
            for account, hour in (("A1", 12), ("Z", 13)):
                name = rng.bytes(16).hex()
                draws = tuple(f"{name} {place}" for place in range(3))
                good |= dict(zip(draws, rng.normal(size=3).tolist(), strict=True))
                thrown.append(
                    Thrown(
                        request_id=name,
                        messages=line_ups.one_prompt(f"Question {n}?"),
                        draws=draws,
                        chosen=(chosen := COIN.choose(name, 3)),
                        commitment=COIN.commitment,
                        account_code=account,
                        delivered_at=f"2026-03-01T{hour}:00:00Z",
                    )
                )
                if good[draws[chosen]] < 0:
                    break
        found = build(line_ups.plan(fillers=4), *unfolded(COIN, thrown, {}), seed, bytes(32))
        assert {len(one.members) for one in found.bags} == {3}
        likes = np.array([[good[text] for text in one.members] for one in found.bags])
        keys = np.array([one.received for one in found.entries], dtype=bool)
        low += 10 ** rank_sum(opened(likes, keys)).log10_p <= 0.05
    assert low <= 9  # 3 are expected
