"""A model behind a network, asked one question per request, each attempt recorded as it was.

The body is serialised once and those bytes are sent; the answer is kept as received, before it is decoded or read.
Credentials go into one header, which is left out of the record. An answer that holds the credential is not kept.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from depose.endpoints import keys
from depose.endpoints.http_outcome import Told, judge, values
from depose.endpoints.network import Heard, Line
from depose.endpoints.wire_format import Dialect, Opaque, Unreadable, decoded
from depose.endpoints.wire_values import counted
from depose.evidence.log import Clock
from depose.model import Ask, Fact, ModelSpec, Reply, Wire
from depose.model.canonical import canonical, sha256

HeaderText = tuple[tuple[str, str], ...]


OWN = ("httpcore2", "TLS library")
"""What an endpoint says of the machine that asks."""


def said(spec: ModelSpec, dialect: Dialect, key: str) -> tuple[Fact, ...]:
    """Say where a model is reached and how: all that follows from the case."""
    return (
        Fact(name="endpoint", value=(spec.base_url or dialect.base_url).rstrip("/") + dialect.path(spec, spec.stream)),
        Fact(name="wire format", value=dialect.name),
        Fact(name="model asked for", value=spec.model),
        *(Fact(name=name, value=value) for name, value in dialect.headers),
        Fact(name="key", value=key or "none sent"),
        *_settings_not_sent(spec, dialect),
        Fact(name="streamed", value="yes" if spec.stream else "no"),
        Fact(name="client cache", value="none"),
        *((Fact(name="proxy", value=spec.proxy),) if spec.proxy else ()),
    )


def _settings_not_sent(spec: ModelSpec, dialect: Dialect) -> tuple[Fact, ...]:
    """Name the settings of the protocol that a request does not carry."""
    ask = Ask(model="", prompt="", sample=0, replicate=0, text="", system="", temperature=0, max_tokens=1, seed=0)
    body = dialect.body(spec, ask)
    sent = {**body, **body.get("generationConfig", {})}
    gone = [name for name in ("temperature", "seed") if name not in sent]
    value = f"{' and '.join(gone)}; the provider's own choice holds"
    return (Fact(name="not sent", value=value),) if gone else ()


class Remote:
    """One model at one endpoint; `attempt` may be called from several threads at once."""

    batch = 1

    def __init__(self, spec: ModelSpec, folder: Path, dialect: Dialect) -> None:
        self._key = keys.read(spec, folder)
        self._spec = spec
        self._dialect = dialect
        base = (spec.base_url or dialect.base_url).rstrip("/")
        self._url = base + dialect.path(spec, spec.stream)
        self._host = urlsplit(base).netloc
        self._agent = f"depose/{version('depose')}"
        self._plain = urlsplit(base).scheme == "http"
        reach: Any = "private" if self._plain else "any" if spec.allow_private else "public"
        self._line = Line(base, reach=reach, proxy=spec.proxy, connections=spec.concurrency)

    def facts(self) -> tuple[Fact, ...]:
        """Say where the model is reached, and how."""
        return (
            *said(self._spec, self._dialect, keys.origin_of(self._spec)),
            *(
                Fact(name=name, value=value)
                for name, value in zip(OWN, (version(OWN[0]), ssl.OPENSSL_VERSION), strict=True)
            ),
        )

    def ask(self, asks: Sequence[Ask]) -> tuple[Reply, ...]:
        """Ask each question once, one after the other."""
        return tuple(self.attempt(ask, 1, _utc) for ask in asks)

    def attempt(self, ask: Ask, number: int, clock: Clock) -> Reply:
        """Ask one question once, in a fresh conversation; a failure is a reply that says whether to try again."""
        body = canonical(self._dialect.body(self._spec, ask))
        shown, secret = self._headers(body)
        sent = tuple((name.encode(), value.encode()) for name, value in shown + secret)
        heard = self._line.send(self._url, sent, body, self._spec.timeout, clock)
        told = judge(self._dialect, heard, self._spec.stream, datetime.now(UTC))
        if self._key and (opaque := _opaque(heard)):
            heard = replace(heard, body=b"", chunks=(), trouble="size", reason=opaque)
            told = judge(self._dialect, heard, self._spec.stream, datetime.now(UTC))
        if self._key and self._key.stands_in(_everything(heard, told)):
            heard = _withheld(heard, self._key)
            told = judge(self._dialect, heard, self._spec.stream, datetime.now(UTC))
        chunks = b"".join(json.dumps(one).encode() + b"\n" for one in heard.chunks) if self._spec.stream else b""
        return Reply(
            outcome=told.outcome,
            text=told.settled.text if told.settled else "",
            finish=told.reading.finish if told.reading else "",
            status=told.status,
            reasoning=told.settled.reasoning if told.settled else "",
            reason=told.reason,
            request=body,
            response=heard.body,
            wire=self._wire(heard, told, ask, number, shown, tuple(name for name, _ in secret), chunks),
            kept=(heard.certificate, chunks),
            again=told.again,
            hopeless=told.hopeless,
        )

    def _headers(self, body: bytes) -> tuple[HeaderText, HeaderText]:
        """Write all headers; those with credentials apart."""
        shown = (
            ("Host", self._host),
            ("User-Agent", self._agent),
            ("Accept", "text/event-stream" if self._spec.stream else "application/json"),
            ("Accept-Encoding", "identity"),
            ("Cache-Control", "no-store"),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            *self._dialect.headers,
        )
        return shown, (self._dialect.secret(self._key.reveal()),) if self._key else ()

    def _wire(
        self,
        heard: Heard,
        told: Told,
        ask: Ask,
        number: int,
        shown: HeaderText,
        secret: tuple[str, ...],
        chunks: bytes,
    ) -> Wire:
        reading, absent = told.reading, self._dialect.absent
        counts = counted(reading, ask) if reading else None
        nothing = 0 if _not_sent(heard) else None
        named = values(heard, self._dialect.request_id) if self._dialect.request_id else []
        wire = Wire(
            attempt=number,
            method="POST",
            url=self._url,
            request_headers=shown,
            withheld=secret,
            status=heard.status,
            http_version=heard.http_version,
            response_headers=tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in heard.headers),
            request_id=named[0] if named else "",
            response_id=reading.id if reading else "",
            model_asked=self._spec.model,
            model_returned=reading.model if reading else "",
            fingerprint=reading.fingerprint if reading else "",
            input_tokens=counts.input_tokens if counts else nothing,
            output_tokens=counts.output_tokens if counts else nothing,
            sent_at=heard.sent_at,
            first_byte_at=heard.first_byte_at,
            last_byte_at=heard.last_byte_at,
            sent_us=heard.sent_us,
            first_byte_us=heard.first_byte_us,
            last_byte_us=heard.last_byte_us,
            peer=heard.peer,
            tls=heard.tls,
            certificate=sha256(heard.certificate) if heard.certificate else "",
            chunks=sha256(chunks) if chunks else "",
            again="" if told.again is None else f"after {told.again:g} s or more: {told.reason[:100]}",
            missing={},
        )
        empty = [name for name in wire.__struct_fields__ if getattr(wire, name) in ("", None, ()) and name != "missing"]
        why = {name: absent.get(name) or self._why_missing(name, heard, told) for name in empty}
        return msgspec.structs.replace(wire, missing=why | (counts.doubts if counts else {}))

    def _why_missing(self, name: str, heard: Heard, told: Told) -> str:
        if name == "withheld":
            return "the case names no key"
        if name in ("tls", "certificate"):
            return "plain http" if self._plain else "no answer came over TLS"
        if name == "chunks":
            return "nothing came" if self._spec.stream else "not streamed"
        if name == "again":
            return "no other attempt would help" if told.outcome == "failed" else "the question is settled"
        if heard.status is None or (name.startswith("last_byte") and heard.trouble):
            return f"not received: {heard.reason}"
        if name in ("http_version", "response_headers", "peer", "first_byte_at", "first_byte_us", "last_byte_us"):
            return "the connection does not tell"
        if told.reading is None and name != "request_id":
            return "no answer was read"
        if name in ("input_tokens", "output_tokens"):
            return "the provider gave none that can be: its upper bound is counted"
        return "the provider gave none"


def _not_sent(heard: Heard) -> bool:
    """Tell whether there was no connection, so that no provider can have counted anything."""
    unconnected = heard.trouble in ("connect", "address", "tls")
    return heard.status is None and (unconnected or heard.reason.endswith("stopped at: connecting"))


def _utc() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _everything(heard: Heard, told: Told) -> bytes:
    """All that would be written of an answer; what was read can hold in one piece what came in several."""
    read = told.reading
    texts = [
        heard.reason,
        told.reason,
        *(
            (read.text, read.finish, read.model, read.id, read.fingerprint, read.refusal, read.reasoning)
            if read
            else ()
        ),
        *((told.settled.text, told.settled.reasoning) if told.settled else ()),
    ]
    bodies = [heard.body, heard.certificate, *(part for pair in heard.headers for part in pair)]
    return b"\n".join([*bodies, *(text.encode("utf-8", "replace") for text in texts)])


def _opaque(heard: Heard) -> str:
    """Say why a body cannot be searched for the credential, or nothing; such a body is not kept."""
    try:
        decoded(heard.body, values(heard, "content-encoding"))
    except Opaque as error:
        return f"HTTP {heard.status}: {error}; not kept: it cannot be searched for the key that was sent"
    except Unreadable:
        pass  # broken, and searched as far as it goes
    return ""


def _withheld(heard: Heard, key: keys.Key) -> Heard:
    """Keep of an answer that holds the credential only that it came."""
    shown = tuple(
        (b"withheld" if key.stands_in(name) else name, b"(withheld)" if key.stands_in(value) else value)
        for name, value in heard.headers
    )
    if key.stands_in(b" ".join(part for pair in shown for part in pair)):  # in pieces
        shown = ()
    reason = f"the answer holds the key that was sent and is not kept: {len(heard.body)} bytes"
    kept = b"" if key.stands_in(heard.certificate) else heard.certificate
    return replace(heard, headers=shown, body=b"", chunks=(), trouble="secret", reason=reason, certificate=kept)
