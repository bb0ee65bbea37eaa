"""Checks what is recorded of a transfer: its times, its words and its names, beside the exchange that it belongs to.

The bytes of a response do not hold when they came, from where, or under which method and status they did. What is said
of that is the signer's word; here it must at least be what `endpoints.remote` writes, and agree with all else: with the
bytes that went and came, piece by piece where they were streamed, and with what the endpoint said of itself.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from itertools import accumulate, chain, pairwise
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from depose.custody.kinds import LOG
from depose.custody.stamp import CLOCK_TOLERANCE
from depose.endpoints.http_outcome import WISH, Told
from depose.endpoints.network import MOST
from depose.endpoints.wire_format import Dialect
from depose.evidence import timestamp
from depose.model import Exchange, ModelSpec, Wire
from depose.model.canonical import UNREADABLE

MICROSECONDS = 1_000_000
_VERSION = re.compile(r"HTTP/[0-9](?:\.[0-9])?\Z")
_PEER = re.compile(r"(\S+):([0-9]{1,5})\Z")
_SIZE = re.compile(r"[0-9]{1,15}\Z")
_AGENT = re.compile(r"depose/[0-9A-Za-z.+-]{1,40}\Z")


class Bytes(NamedTuple):
    """What went and came in a transfer."""

    request: bytes
    response: bytes
    chunks: bytes
    """Offset, length and moment of each piece, as they are kept."""


def odd_wire(one: Exchange, wire: Wire, dialect: Dialect, spec: ModelSpec, held: Bytes) -> str:
    """Say what is wrong with the record of a transfer, or nothing."""
    found = (
        _times(one, wire),
        _forms(one, wire),
        _names(wire, dialect, spec),
        _sizes(wire, dialect, spec, held),
        _pieces(wire, spec, held),
        _missing(wire),
    )
    return next(chain(*found), "")


def said_of_failure(one: Exchange, wire: Wire, told: Told) -> str:
    """Say what a failed exchange claims that its bytes do not say, or nothing."""
    read, settled = told.reading, told.settled
    claims: tuple[tuple[str, str], ...] = (
        (one.text, settled.text if settled else ""),
        (one.reasoning, settled.reasoning if settled else ""),
        (one.finish, read.finish if read else ""),
        (wire.model_returned, read.model if read else ""),
        (wire.response_id, read.id if read else ""),
        (wire.fingerprint, read.fingerprint if read else ""),
    )
    if any(said not in ("", found) for said, found in claims):
        return "recorded as failed, and with words or names that its raw bytes do not hold"
    if read is None and (wire.input_tokens or wire.output_tokens):
        return "recorded as failed, and with tokens that nothing tells of"
    return ""


def other_reason(one: Exchange, wire: Wire, told: Told, body: bytes) -> str:
    """Say that a failure whose bytes all came has another reason than they give, or nothing."""
    whole = bool(body and wire.last_byte_at) and len(body) <= MOST
    if one.status is not None and whole and _bare(one.reason) != _bare(told.reason):
        return "recorded as failed for another reason than its raw bytes give"
    return ""


def _bare(reason: str) -> str:
    """Leave out how long a pause it wants."""
    return reason.partition(WISH)[0]


def _times(one: Exchange, wire: Wire) -> Iterator[str]:
    """Yield a time that does not lie where it must."""
    moments = [one.started, wire.sent_at, wire.first_byte_at, wire.last_byte_at, one.ended]
    named = [(at, timestamp.moment(at, LOG)) for at in moments if at]
    for (earlier, then), (later, now) in pairwise(named):
        if (then - now).total_seconds() > CLOCK_TOLERANCE:
            yield f"a transfer at {later}, after one at {earlier}"
    ticks = [(at, us) for at, us in _ticks(wire) if us is not None]
    if any(us < 0 for _, us in ticks) or any(b < a for (_, a), (_, b) in pairwise(ticks)):
        yield "a transfer whose own clock runs backwards"
    # A machine that sleeps stops the one clock, and a first byte may come long before all headers have: only what the
    # one counted and the other did not cannot be.
    for at, us in ticks[1:]:
        if wire.sent_at and at:
            passed = timestamp.seconds_between(wire.sent_at, at)
            if (us - ticks[0][1]) / MICROSECONDS - passed > CLOCK_TOLERANCE:
                yield "a transfer that took another time by the one clock than by the other"


def _ticks(wire: Wire) -> tuple[tuple[str, int | None], ...]:
    return (
        (wire.sent_at, wire.sent_us),
        (wire.first_byte_at, wire.first_byte_us),
        (wire.last_byte_at, wire.last_byte_us),
    )


def _forms(one: Exchange, wire: Wire) -> Iterator[str]:
    if wire.method != "POST" or wire.attempt < 1:
        yield "a request that was sent in another way than questions are"
    if wire.status is not None and not 100 <= wire.status <= 999:
        yield f"a status of {wire.status}, which there is not"
    if wire.http_version and not _VERSION.match(wire.http_version):
        yield f"a version of HTTP called {wire.http_version[:20]!r}"
    if wire.peer and not ((found := _PEER.match(wire.peer)) and int(found[2]) < 65_536):
        yield f"a peer called {wire.peer[:60]!r}, which is no address and port"
    if wire.again and one.outcome != "failed":
        yield "an answer after which it is said to have been asked again, as if one of two could be kept"
    if one.source:
        yield "an exchange with a provider that names a file as its source"


def _names(wire: Wire, dialect: Dialect, spec: ModelSpec) -> Iterator[str]:
    given = {name.lower(): value for name, value in reversed(wire.response_headers)}
    wanted = given.get(dialect.request_id, "") if dialect.request_id else ""
    if wire.request_id != wanted:
        yield "a name of the request that its headers do not hold"
    place = urlsplit(wire.url)
    if [value for name, value in wire.request_headers if name.lower() == "host"] != [place.netloc]:
        yield "a request to another host than its address"
    if wire.withheld and not (spec.api_key_env or spec.api_key_file):
        yield "a header withheld for a key, and the case names none"
    if place.scheme == "http" and (wire.tls or wire.certificate):
        yield "a certificate over plain http"
    if (
        wire.peer
        and not spec.proxy
        and _number(place.hostname or "") not in (None, _number(wire.peer.rpartition(":")[0]))
    ):
        yield f"an address of {place.hostname}, and a connection to {wire.peer[:60]}"


def _number(host: str) -> str | None:
    """Write an address that is a number in its one form; None for a name."""
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return None


def _sizes(wire: Wire, dialect: Dialect, spec: ModelSpec, held: Bytes) -> Iterator[str]:
    """Yield a header that does not fit the bytes that went with it."""
    sent = [(name, value) for name, value in wire.request_headers if name != "User-Agent"]
    agents = [value for name, value in wire.request_headers if name == "User-Agent"]
    wanted = (
        ("Host", urlsplit(wire.url).netloc),
        ("Accept", "text/event-stream" if spec.stream else "application/json"),
        ("Accept-Encoding", "identity"),
        ("Cache-Control", "no-store"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(held.request))),
        *dialect.headers,
    )
    if tuple(sent) != wanted or len(agents) != 1 or not _AGENT.match(agents[0]):
        yield "headers of a request that depose does not send so"
    given = {name.lower(): value.strip() for name, value in wire.response_headers}
    size = given.get("content-length", "")
    if not held.response or "transfer-encoding" in given or not _SIZE.match(size):
        return
    cut = not wire.last_byte_at or len(held.response) > MOST
    if len(held.response) > int(size) or (not cut and len(held.response) < int(size)):
        yield f"a header that says {size} bytes, and {len(held.response)} raw bytes"


def _pieces(wire: Wire, spec: ModelSpec, held: Bytes) -> Iterator[str]:
    """Yield what the pieces of a streamed answer do not agree with."""
    if not spec.stream:
        if wire.chunks:
            yield "pieces of an answer that was not streamed"
        return
    if not wire.chunks:
        if held.response:
            yield "a streamed answer without the moments of its pieces"
        return
    try:
        found = [msgspec.json.decode(line, type=tuple[int, int, int]) for line in held.chunks.splitlines()]
    except UNREADABLE:
        yield "pieces of a streamed answer that are none"
        return
    ends = list(accumulate(length for _, length, _ in found))
    moments = [us for us in (wire.first_byte_us, *(us for _, _, us in found), wire.last_byte_us) if us is not None]
    whole = ends[-1:] == [len(held.response)] and [start for start, _, _ in found] == [0, *ends[:-1]]
    if not whole or min(length for _, length, _ in found) < 0:
        yield "pieces that do not make up the raw bytes of their answer"
    if any(later < earlier for earlier, later in pairwise(moments)):
        yield "pieces that came before the first byte, after the last, or one before the other"


def _missing(wire: Wire) -> Iterator[str]:
    empty = {name for name in wire.__struct_fields__ if name != "missing" and getattr(wire, name) in ("", None, ())}
    for name in wire.__struct_fields__:
        if name in empty and not any(map(str.isalnum, wire.missing.get(name, ""))):
            yield f"no {name}, and no reason why"
    for name in sorted(wire.missing.keys() - empty):
        yield f"a reason why there is no {name[:40]}, which there is"
