"""Checks what is recorded of a transfer: its times, its words and its names, beside the exchange that it belongs to.

The bytes of a response do not hold when they came, from where, or under which method and status they did. What is said
of that is the signer's word; here it must at least be what `endpoints.remote` writes, and agree with all else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, pairwise
from urllib.parse import urlsplit

from depose.custody.kinds import LOG
from depose.custody.stamp import CLOCK_TOLERANCE
from depose.endpoints.http_outcome import Told
from depose.endpoints.wire_format import Dialect
from depose.evidence import timestamp
from depose.model import Exchange, ModelSpec, Wire

MICROSECONDS = 1_000_000
_VERSION = re.compile(r"HTTP/[0-9](?:\.[0-9])?\Z")
_PEER = re.compile(r"\S+:[0-9]{1,5}\Z")


def odd_wire(one: Exchange, wire: Wire, dialect: Dialect, spec: ModelSpec) -> str:
    """Say what is wrong with the record of a transfer, or nothing."""
    return next(chain(_times(one, wire), _forms(one, wire), _names(wire, dialect, spec), _missing(wire)), "")


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
    for (earlier, a), (later, b) in pairwise([(at, us) for at, us in ticks if at]):
        if abs(timestamp.seconds_between(earlier, later) - (b - a) / MICROSECONDS) > CLOCK_TOLERANCE:
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
    if wire.status is not None and not 100 <= wire.status <= 599:
        yield f"a status of {wire.status}, which there is not"
    if wire.http_version and not _VERSION.match(wire.http_version):
        yield f"a version of HTTP called {wire.http_version[:20]!r}"
    if wire.peer and not _PEER.match(wire.peer):
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


def _missing(wire: Wire) -> Iterator[str]:
    for name in wire.__struct_fields__:
        if name != "missing" and getattr(wire, name) in ("", None, ()) and not wire.missing.get(name):
            yield f"no {name}, and no reason why"
