"""Randomised delivery in front of a server that speaks chat completions: an ASGI middleware without dependencies.

For a share of the requests it asks for several answers at once (`n`), delivers the one that the coin chooses, and
writes all of them down before the answer leaves. Whoever asked sees an answer like any other, with its share of the
tokens. Requests that stream, that ask for several answers themselves, that no line of the log could hold, or that are
not for chat completions pass untouched; of answers that no line could hold, such as calls of tools, the first is given.
A server that takes no `n`, or says what nobody can read, is asked again as it was asked first.

    app = RandomisedDelivery(app, Coin(Path("coin.key").read_bytes()), Path("thrown.jsonl"), share=0.01)
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
from msgspec import Meta

from depose.errors import CaseError, DeposeError, UsageError
from depose.lineup.coin import Coin, Thrown
from depose.model.base import ready
from depose.model.canonical import UNREADABLE, canonical
from depose.model.lineup import Turn

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
PATH = "/chat/completions"
LARGEST = 32 * 1024**2
"""Bytes of a body that is looked into; a larger one passes untouched."""
BESIDE = ("tool_calls", "function_call", "refusal", "audio")
"""What an answer may hold that is no text."""
NO_SUCH = (400, 404, 405, 422, 501)
"""Statuses of a server that does not take several answers at once, or takes none of this request."""
CREDENTIALS = ("authorization", "api-key", "x-api-key")
"""Headers in which a client shows who it is; the first one that is there counts."""
FRAMING = (b"content-length", b"transfer-encoding")
"""Headers that say how a body is sent: whoever changes the body says it anew."""
OF_ANSWERS = "completion_tokens"
"""How counts begin that are of all answers together."""


class RandomisedDelivery:
    """Delivers one of several draws by a committed coin, and logs all of them; several processes may write one log."""

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
        model: str = "",
        credentials: Sequence[str] = CREDENTIALS,
    ) -> None:
        """Go on with a log, or begin one; raise CaseError for one whose last line carries no mark of the coin.

        With `model` requests for any other one pass untouched, as they must where a server has several: `snapshot` is
        the state of one. `credentials` names the headers by which the server tells its clients, the deciding one first.
        Raises UsageError for a share, a number of fillers or a place of the log that there cannot be.
        """
        if not 0 <= share <= 1:
            raise UsageError(f"share {share}: is none of the traffic", hint="from 0 to 1, such as 0.01")
        if fillers < 1:
            raise UsageError(
                f"fillers {fillers}: a coin needs two answers at least", hint="fillers=3, or 1 for the least"
            )
        if not log.parent.is_dir():
            raise UsageError(f"{log}: its folder is not there", hint=f"make it before the server begins: {log.parent}")
        self._model, self._credentials = model, tuple(name.lower() for name in credentials)
        self._app, self._coin, self._log = app, coin, log
        self._share, self._draws = share, fillers + 1
        self._written: tuple[int, bytes] | None = None
        self._snapshot, self._stack = snapshot, stack
        if log.exists():
            with log.open("rb") as file:
                self._mark(_end(file)[1])

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith(PATH):
            await self._app(scope, receive, send)
            return
        body, whole = await _body(receive)
        name = secrets.token_hex(16)
        asked = _asked(body) if whole and self._coin.takes(name, self._share) else None
        if asked is None or (self._model and asked.get("model") != self._model):
            await self._app(scope, _again(body, whole, receive), send)
            return
        more = msgspec.json.encode(asked | {"n": self._draws})
        answered: list[Message] = []

        async def hold(message: Message) -> None:
            answered.append(message)

        await self._app(_sized(scope, len(more)), _again(more, True, receive), hold)
        data = b"".join(one.get("body", b"") for one in answered if one["type"] == "http.response.body")
        start = next((one for one in answered if one["type"] == "http.response.start"), None)
        if start is None:  # whoever asked has gone
            return
        said = _said(data) if start["status"] == 200 else None
        if start["status"] in NO_SUCH or (start["status"] == 200 and said is None):
            await self._app(scope, _again(body, True, receive), send)
            return
        delivered = data if said is None else self._delivered(name, scope, asked, said, data)
        headers = [(key, value) for key, value in start["headers"] if key.lower() not in FRAMING]
        await send({**start, "headers": [*headers, (b"content-length", str(len(delivered)).encode())]})
        await send({"type": "http.response.body", "body": delivered})

    def _delivered(
        self, name: str, scope: MutableMapping[str, Any], asked: dict[str, Any], said: dict[str, Any], data: bytes
    ) -> bytes:
        """Choose, write down, and return the body that is delivered; one answer alone is passed on."""
        if len(said["choices"]) < 2:
            return data
        texts = _texts(said["choices"])
        if texts is None:
            return msgspec.json.encode(_alone(said, 0))
        chosen = self._coin.choose(name, len(texts))
        line = Thrown(
            request_id=name,
            **_logged(asked),
            draws=texts,
            chosen=chosen,
            commitment=self._coin.commitment,
            account_code=self._coin.account(_credential(scope, self._credentials)),
            delivered_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            reference_snapshot=self._snapshot,
            stack_id=self._stack,
        )
        self.write(line)  # before it leaves: what was delivered is always in the log
        return msgspec.json.encode(_alone(said, chosen))

    def _mark(self, last: bytes) -> str:
        """Return the mark of the last line of a log; raise CaseError where it carries none of this coin."""
        if not last:
            return ""
        try:
            line = msgspec.json.decode(last, type=ready(Thrown))
        except UNREADABLE as error:
            raise CaseError(f"{self._log}: ends in what is no throw: {error}", hint="begin a new log") from error
        if line != self._coin.marked(line, str(line.before)):
            raise CaseError(f"{self._log}: its last line carries no mark of this coin", hint="begin a new log")
        return str(line.mark)

    def write(self, line: Thrown) -> None:
        """Add a line to the log, chained to the last one, whole or not at all; raises OSError."""
        with self._log.open("a+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._need_written(file)
            end, last = _end(file)
            written = canonical(self._coin.marked(line, self._mark(last))) + b"\n"
            data = memoryview(written)
            try:
                file.truncate(end)
                while data:
                    data = data[file.write(data) :]
                os.fsync(file.fileno())
            except OSError:
                file.truncate(end)
                raise
            self._written = end, written

    def _need_written(self, file: BinaryIO) -> None:
        """Raise CaseError where the line that was written last stands no longer where it did."""
        if self._written is not None:
            start, line = self._written
            file.seek(start)
            if file.read(len(line)) != line:
                raise CaseError(
                    f"{self._log}: was cut back or replaced since this server last wrote to it",
                    hint="put the log back as it was; what came since is not chained to it",
                )


def _said(data: bytes) -> dict[str, Any] | None:
    """Read what a server said; None where it is no list of answers that can be read and written."""
    try:
        said: Any = msgspec.json.decode(data)
        msgspec.json.encode(said)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) and isinstance(said.get("choices"), list) else None


def _credential(scope: MutableMapping[str, Any], names: Sequence[str]) -> str:
    """Return what a client shows of itself, in one spelling however it is sent; nothing where it shows nothing."""
    headers = {key.lower().decode("latin-1"): value.decode("latin-1") for key, value in reversed(scope["headers"])}
    shown = next((headers[name] for name in names if headers.get(name, "").strip()), "").split()
    if not shown:
        return ""
    return " ".join((shown[0].capitalize(), *shown[1:])) if len(shown) > 1 else f"Bearer {shown[0]}"


def _texts(choices: list[Any]) -> tuple[str, ...] | None:
    """Return the words of each answer; None where one is more than words, or another thing."""
    messages = [one.get("message") if isinstance(one, dict) else None for one in choices]
    found = []
    for one in messages:
        if not isinstance(one, dict) or any(one.get(name) for name in BESIDE):
            return None
        if not isinstance(one.get("content"), str):
            return None
        found.append(one["content"])
    return tuple(found)


def _alone(said: dict[str, Any], place: int) -> dict[str, Any]:
    """Return an answer with one of its choices, as if it alone had been asked for: its share of the tokens."""
    choices, usage = said["choices"], said.get("usage")
    sizes = [len(msgspec.json.encode(one)) for one in choices]
    alone = said | {"choices": [choices[place] | {"index": 0}] if isinstance(choices[place], dict) else choices[:1]}
    if not isinstance(usage, dict):
        return alone
    mine = {name: _part(usage[name], sizes, place) for name in usage if name.startswith(OF_ANSWERS)}
    prompt, answer = usage.get("prompt_tokens"), mine.get("completion_tokens")
    if isinstance(prompt, int) and isinstance(answer, int) and "total_tokens" in usage:
        mine["total_tokens"] = prompt + answer
    return alone | {"usage": usage | mine}


def _part(count: Any, sizes: list[int], place: int) -> Any:
    if isinstance(count, dict):
        return {name: _part(one, sizes, place) for name, one in count.items()}
    if isinstance(count, bool) or not isinstance(count, int):
        return count
    return max(round(count * sizes[place] / sum(sizes)), min(count, 1))


def _end(file: BinaryIO) -> tuple[int, bytes]:
    """Return where the last whole line of a log ends, and that line; what a kill left of another one is behind it."""
    size, data = file.seek(0, os.SEEK_END), b""
    while (start := size - len(data)) and data[: data.rfind(b"\n") + 1].count(b"\n") < 2:
        more = min(start, max(65_536, len(data)))
        file.seek(start - more)
        data = file.read(more) + data
    whole = data[: data.rfind(b"\n") + 1]
    return size - len(data) + len(whole), whole.splitlines()[-1] if whole else b""


class _Logged(msgspec.Struct, frozen=True, kw_only=True):
    """What a line of the log holds of a request, by the names of the interface."""

    messages: Annotated[tuple[Turn, ...], Meta(min_length=1)]
    tools: tuple[dict[str, Any], ...] | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None


def _logged(asked: dict[str, Any]) -> dict[str, Any]:
    """Take of a request what a line of the log holds; raises ValidationError or DeposeError for what none can."""
    turns = [{"role": one["role"], "content": one["content"]} for one in asked["messages"]]
    found = msgspec.convert(asked | {"messages": turns}, ready(_Logged))
    canonical(found)
    return {**{name: getattr(found, name) for name in found.__struct_fields__}, "tools": found.tools or ()}


def _asked(body: bytes) -> dict[str, Any] | None:
    """Read a request; None for one that streams, asks for several answers itself, or that no line could hold."""
    try:
        found: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    if found.get("stream") or found.get("n") not in (None, 1):
        return None
    try:
        _logged(found)
    except (DeposeError, msgspec.ValidationError, KeyError, TypeError):
        return None
    return found


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
    """Put another length into a request, whose answer is to come as it is, not compressed."""
    headers = [(key, value) for key, value in scope["headers"] if key.lower() not in (*FRAMING, b"accept-encoding")]
    return {**scope, "headers": [*headers, (b"content-length", str(size).encode())]}
