"""Randomised delivery in front of a server that speaks chat completions: an ASGI middleware without dependencies.

For a share of the requests it asks for several answers at once (`n`), delivers the one that the coin chooses, and
writes all of them down before the answer leaves. Whoever asked sees an answer like any other. Requests that stream,
that ask for several answers themselves, or that are not for chat completions pass untouched.

    app = RandomisedDelivery(app, Coin(Path("coin.key").read_bytes()), Path("thrown.jsonl"), share=0.01)
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from depose.lineup.coin import Coin, Thrown
from depose.model.base import ready
from depose.model.canonical import canonical
from depose.model.lineup import Turn

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
PATH = "/chat/completions"
LARGEST = 32 * 1024**2
"""Bytes of a body that is looked into; a larger one passes untouched."""


class RandomisedDelivery:
    """Delivers one of several draws by a committed coin, and logs all of them; one process writes one log."""

    def __init__(
        self,
        app: App,
        coin: Coin,
        log: Path,
        *,
        share: float = 0.01,
        fillers: int = 3,
        snapshot: str = "",
        stack: str = "",
    ) -> None:
        self._app, self._coin, self._log = app, coin, log
        self._share, self._draws = share, fillers + 1
        self._snapshot, self._stack = snapshot, stack

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith(PATH):
            await self._app(scope, receive, send)
            return
        body, whole = await _body(receive)
        name = secrets.token_hex(16)
        asked = _asked(body) if whole and self._coin.takes(name, self._share) else None
        if asked is None:
            await self._app(scope, _again(body, whole, receive), send)
            return
        more = msgspec.json.encode(asked | {"n": self._draws})
        answered: list[Message] = []

        async def hold(message: Message) -> None:
            answered.append(message)

        await self._app(_sized(scope, len(more)), _again(more, True, receive), hold)
        data = b"".join(one.get("body", b"") for one in answered if one["type"] == "http.response.body")
        start = next(one for one in answered if one["type"] == "http.response.start")
        delivered = self._delivered(name, scope, asked, data) if start["status"] == 200 else data
        headers = [(key, value) for key, value in start["headers"] if key.lower() != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", str(len(delivered)).encode())]})
        await send({"type": "http.response.body", "body": delivered})

    def _delivered(self, name: str, scope: MutableMapping[str, Any], asked: dict[str, Any], data: bytes) -> bytes:
        """Choose, write down, and return the body that is delivered; what is no whole answer is passed on."""
        try:
            said: Any = msgspec.json.decode(data)
            texts = tuple(str(one["message"]["content"] or "") for one in said["choices"])
            turns = msgspec.convert(
                [{"role": one["role"], "content": one["content"]} for one in asked["messages"]], ready(tuple[Turn, ...])
            )
        except (msgspec.DecodeError, msgspec.ValidationError, KeyError, TypeError):
            return data
        if len(texts) < 2:
            return data
        chosen = self._coin.choose(name, len(texts))
        credential = next((value for key, value in scope["headers"] if key.lower() == b"authorization"), b"")
        line = Thrown(
            request_id=name,
            messages=turns,
            tools=tuple(asked.get("tools") or ()),
            draws=texts,
            chosen=chosen,
            commitment=self._coin.commitment,
            account_code=self._coin.account(credential.decode("latin-1")),
            delivered_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            reference_snapshot=self._snapshot,
            stack_id=self._stack,
            temperature=asked.get("temperature"),
            top_p=asked.get("top_p"),
            max_tokens=asked.get("max_tokens"),
        )
        with self._log.open("ab") as file:  # before it leaves: what was delivered is always in the log
            file.write(canonical(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return msgspec.json.encode(said | {"choices": [said["choices"][chosen] | {"index": 0}]})


def _asked(body: bytes) -> dict[str, Any] | None:
    """Read a request; None for one that streams, or that asks for several answers itself."""
    try:
        found: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    if not isinstance(found, dict):
        return None
    plain = not found.get("stream") and found.get("n") in (None, 1) and isinstance(found.get("messages"), list)
    return found if plain else None


async def _body(receive: Receive) -> tuple[bytes, bool]:
    """Read a body, and tell whether that is all of it."""
    data = b""
    while len(data) <= LARGEST:
        message = await receive()
        data += message.get("body", b"")
        if not message.get("more_body"):
            return data, True
    return data, False


def _again(data: bytes, whole: bool, rest: Receive) -> Receive:
    """Hand a body over once more, and then whatever else comes."""
    given = False

    async def receive() -> Message:
        nonlocal given
        if given:
            return await rest()
        given = True
        return {"type": "http.request", "body": data, "more_body": not whole}

    return receive


def _sized(scope: MutableMapping[str, Any], size: int) -> MutableMapping[str, Any]:
    headers = [(key, value) for key, value in scope["headers"] if key.lower() != b"content-length"]
    return {**scope, "headers": [*headers, (b"content-length", str(size).encode())]}
