"""Randomised delivery before odd servers and clients: nobody is worse off, and an account is one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from depose.errors import UsageError
from depose.lineup.coin import Coin
from depose.lineup.middleware import RandomisedDelivery
from depose.lineup.unfolding import unfold

KEY = bytes(range(32))
Headers = Sequence[tuple[bytes, bytes]]
Reply = Callable[[dict[str, Any]], tuple[int, bytes] | None]


def answer(asked: dict[str, Any], **more: Any) -> tuple[int, bytes]:
    """Answer as often as asked, and say `more` beside it."""
    choices = [{"index": n, "message": {"role": "assistant", "content": f"t{n}"}} for n in range(asked.get("n") or 1)]
    return 200, json.dumps({"choices": choices} | more).encode()


class Server:
    """A server that keeps what it was asked."""

    def __init__(self, reply: Reply, headers: Headers = ()) -> None:
        self._reply, self._headers = reply, list(headers)
        self.asked: list[dict[str, Any]] = []
        self.headers: list[Headers] = []

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Read one request and answer it."""
        self.asked.append(json.loads((await receive())["body"]))
        self.headers.append(scope["headers"])
        found = self._reply(self.asked[-1])
        if found is not None:
            await send({"type": "http.response.start", "status": found[0], "headers": self._headers})
            await send({"type": "http.response.body", "body": found[1]})


def ask(app: RandomisedDelivery, headers: Headers = (), gone: bool = False, **more: Any) -> list[Any]:
    """Send a request; return what came, which is nothing where the client has gone."""
    body = json.dumps({"model": "r", "messages": [{"role": "user", "content": "hi"}]} | more).encode()
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if gone:
            raise ConnectionError
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": list(headers)}
    asyncio.run(app(scope, receive, send))
    return sent


def before(server: Server, log: Path, **more: Any) -> RandomisedDelivery:
    """Put a middleware that takes all of the traffic before a server."""
    return RandomisedDelivery(server, Coin(KEY), log, **{"share": 1.0} | more)


def lines(log: Path) -> list[Any]:
    """Read a log."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


@pytest.mark.parametrize(
    "reply",
    [
        lambda asked: (400, b'{"error": "n must be 1"}') if asked.get("n", 1) > 1 else answer(asked),
        lambda asked: (422, b"{}") if asked.get("n", 1) > 1 else answer(asked),
        lambda asked: answer(asked, logprobs=float("nan")),
        lambda asked: answer(asked, note="\ud83d"),
        lambda asked: (200, b"data: {}\n\n") if asked.get("n", 1) > 1 else answer(asked),
    ],
    ids=["takes no n", "takes no n, otherwise", "not a number", "half a character", "no JSON"],
)
def test_who_asks_gets_one_answer_where_the_coin_cannot_be_thrown(reply: Reply, tmp_path: Path) -> None:
    """It came with four, or as an error. Nothing is logged, and the request is served as it was sent."""
    server, log = Server(reply), tmp_path / "log"
    start, body = ask(before(server, log))
    assert (start["status"], len(json.loads(body["body"])["choices"]), lines(log)) == (200, 1, [])
    assert [one.get("n") for one in server.asked] == [4, None]


def test_other_errors_are_not_asked_again(tmp_path: Path) -> None:
    """A server that is busy, or has failed, is not burdened twice."""
    server = Server(lambda asked: (503, b"{}"))
    assert ask(before(server, tmp_path / "log"))[0]["status"] == 503
    assert len(server.asked) == 1


def test_a_server_that_says_nothing_ends_nothing(tmp_path: Path) -> None:
    """As it does where whoever asked has gone: no line, no error of our own."""
    assert ask(before(Server(lambda asked: None), tmp_path / "log")) == []
    assert lines(tmp_path / "log") == []


def test_a_body_has_one_length(tmp_path: Path) -> None:
    """Pieces of an unknown number and a length exclude each other, to the server and from it."""
    chunked = [(b"Transfer-Encoding", b"chunked")]
    server = Server(answer, chunked)
    start, body = ask(before(server, tmp_path / "log"), chunked)
    sent = dict(server.headers[0])
    assert set(sent) == {b"content-length"}
    assert start["headers"] == [(b"content-length", str(len(body["body"])).encode())]


def test_an_account_is_one_however_its_credential_is_spelt(tmp_path: Path) -> None:
    """Else a client could scatter its answers over as many accounts as it likes, or all of them be one."""
    log = tmp_path / "log"
    spelt: list[Headers] = [
        [(b"Authorization", b"Bearer k")],
        [(b"authorization", b"bearer  k ")],
        [(b"authorization", b"BEARER k")],
        [(b"x-api-key", b"k")],
        [(b"api-key", b"k")],
    ]
    for headers in (*spelt, [(b"x-api-key", b"other")], []):
        ask(before(Server(answer), log), headers)
    *same, other, nobody = [one["account_code"] for one in lines(log)]
    assert set(same) == {Coin(KEY).account("Bearer k")}
    assert len({same[0], other, nobody}) == 3
    both = [(b"authorization", b"Bearer made-up"), (b"x-api-key", b"k")]
    ask(before(Server(answer), log, credentials=["X-API-Key"]), both)
    assert lines(log)[-1]["account_code"] == same[0]


def test_only_the_model_whose_state_is_named_is_thrown_for(tmp_path: Path) -> None:
    """A server of several models would log answers of all of them as those of one state."""
    log, server = tmp_path / "log", Server(answer)
    app = before(server, log, model="big", snapshot="big-1")
    for model in ("small", "big"):
        ask(app, model=model)
    assert ([one.get("n") for one in server.asked], len(lines(log))) == ([None, 4], 1)


def test_a_client_that_has_gone_and_asks_again_is_two_requests(tmp_path: Path) -> None:
    """What was drawn is written before it leaves, whoever takes it; the chain holds and each throw has its own name."""
    log = tmp_path / "log"
    app = before(Server(answer), log)
    for gone in (True, False, True):
        if gone:
            with pytest.raises(ConnectionError):
                ask(app, gone=True)
        else:
            ask(app)
    assert len({one["request_id"] for one in lines(log)}) == 3
    assert unfold(log.read_bytes(), "log", KEY, tmp_path / "out", ()).chained


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"share": float("nan")}, "share nan"),
        ({"share": -0.1}, "share -0.1"),
        ({"share": 1.5}, "share 1.5"),
        ({"fillers": 0}, "fillers 0"),
        ({"log": "nowhere/log"}, "its folder is not there"),
    ],
)
def test_what_cannot_work_is_refused_before_anybody_asks(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    """Else each request that the coin takes would fail, or none be thrown for without a word."""
    log = tmp_path / more.pop("log", "log")
    with pytest.raises(UsageError, match=said):
        before(Server(answer), log, **more)
