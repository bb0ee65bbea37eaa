"""One HTTP request, and everything of it that can be seen from here, within limits that hold.

Built on httpcore2, the transport layer of httpx2, one step below its client: no redirect is followed, no proxy and no
credential comes from the environment, no header is added, nothing is decoded. Addresses are checked where the
connection is made, so that a name cannot lead to another address than the one that was checked. One deadline covers an
attempt from the first packet to the last byte, however slowly the other side drips.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import httpcore2

from depose.case.addresses import Kind, of_address, of_host
from depose.errors import EndpointError
from depose.evidence.log import Clock

MOST = 16 * 1024**2
"""Bytes of an answer, as received and after decoding."""

Headers = tuple[tuple[bytes, bytes], ...]
Trouble = Literal["", "timeout", "connect", "address", "tls", "cut", "size", "protocol", "secret"]
Reach = Literal["public", "private", "any"]
"""Which addresses may be connected to."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What came back to one request, whole or not."""

    status: int | None
    http_version: str
    headers: Headers
    body: bytes
    chunks: tuple[tuple[int, int, int], ...]
    """Offset, length and microsecond of each piece of the body."""
    sent_at: str
    first_byte_at: str
    last_byte_at: str
    sent_us: int
    first_byte_us: int | None
    last_byte_us: int | None
    peer: str
    tls: str
    certificate: bytes
    trouble: Trouble
    reason: str


_EARLY = "a response that came before its question was sent"


class NotAllowed(httpcore2.ConnectError):
    """The name leads to an address that the case does not allow."""


def allowed(kind: Kind, reach: Reach) -> bool:
    """Tell whether an address of a kind may be connected to."""
    return reach == "any" or kind == reach


# --- deadlines and addresses ------------------------------------------------------------------------


@dataclass
class _Watch:
    """The request that a thread is busy with."""

    deadline: float
    first: int | None = None
    """Microsecond of the first byte."""


class _Threads(threading.local):
    watch: _Watch | None = None


class _Stream(httpcore2.NetworkStream):
    """A stream on which no read or write outlasts the deadline of the request that its thread is busy with."""

    def __init__(self, stream: httpcore2.NetworkStream, threads: _Threads, peer: Any) -> None:
        self._stream = stream
        self._threads = threads
        self._peer = peer
        self.behind = b""
        """What came behind the end of an answer: whatever comes next may be a part of another's."""

    def _left(self, expired: type[Exception]) -> float:
        watch = self._threads.watch
        left = (watch.deadline if watch else 0.0) - time.monotonic()
        if left <= 0:
            raise expired("the deadline is over")
        return left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what there is."""
        data = self._stream.read(max_bytes, self._left(httpcore2.ReadTimeout))
        watch = self._threads.watch
        if watch is not None and watch.first is None and data:
            watch.first = time.monotonic_ns() // 1000
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it; nothing on a connection that is out of step."""
        if self.behind:
            raise httpcore2.RemoteProtocolError(_EARLY)
        self._stream.write(buffer, self._left(httpcore2.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """Go on under TLS."""
        left = self._left(httpcore2.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._threads, self._peer)

    def get_extra_info(self, info: str) -> Any:
        """Pass on what the socket knows of itself; of who left it knows nothing, so that the peer is kept."""
        if info == "server_addr":
            return self._peer
        if info == "is_readable" and self.behind and not self.behind.strip():  # blank lines: a new connection will do
            return True
        return self._stream.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    """Resolves a name once, checks every address that it has, and connects to one of those."""

    def __init__(self, reach: Reach, threads: _Threads) -> None:
        self._reach = reach
        self._threads = threads
        self._plain = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address that answers."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore2.ConnectError(f"the name {host} is not known: {error.strerror or error}") from error
        looked_up = tuple(dict.fromkeys(str(one[4][0]) for one in found))
        for address in looked_up:
            kind = of_address(address)
            if not allowed(kind, self._reach):
                raise NotAllowed(f"{host} is {address}, a {kind} address")
        stream = self._first(looked_up, port, socket_options)
        try:
            peer = stream.get_extra_info("server_addr")
        except OSError as error:
            raise httpcore2.ConnectError(f"{host} hung up at once: {error.strerror}") from error
        return _Stream(stream, self._threads, peer)

    def _first(self, addresses: tuple[str, ...], port: int, options: Any) -> httpcore2.NetworkStream:
        failed: Exception = httpcore2.ConnectError("no address")
        for address in addresses:
            watch = self._threads.watch
            left = (watch.deadline if watch else 0.0) - time.monotonic()
            if left <= 0:
                raise httpcore2.ConnectTimeout("the deadline is over")
            try:
                return self._plain.connect_tcp(address, port, left, socket_options=options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        raise failed


@lru_cache(maxsize=4)
def _tls(certificates: str) -> ssl.SSLContext:
    """Trust what the system trusts, or the file that SSL_CERT_FILE names; loading takes a while, so once."""
    return httpcore2.default_ssl_context()


# --- one request ------------------------------------------------------------------------------------


class Line:
    """Connections to one endpoint; safe to use from several threads."""

    def __init__(self, url: str, *, reach: Reach, proxy: str, connections: int) -> None:
        self._threads = _Threads()
        self._opened_us = time.monotonic_ns() // 1000
        self._reach: Reach = reach
        self._proxied = bool(proxy)
        backend = _Backend("any" if proxy else reach, self._threads)
        limits: dict[str, Any] = {"max_connections": connections, "keepalive_expiry": 30.0, "network_backend": backend}
        limits["ssl_context"] = _tls(os.environ.get("SSL_CERT_FILE", "")) if urlsplit(url).scheme == "https" else None
        self._pool = httpcore2.HTTPProxy(proxy, **limits) if proxy else httpcore2.ConnectionPool(**limits)

    def send(self, url: str, headers: Headers, body: bytes, timeout: float, clock: Clock) -> Heard:
        """Send one POST request and hear its answer out; whatever goes wrong is told and not raised."""
        watch = self._threads.watch = _Watch(deadline=time.monotonic() + timeout)
        request = httpcore2.Request(
            "POST", url, headers=list(headers), content=body, extensions={"timeout": {"pool": timeout}}
        )
        parts: list[bytes] = []
        chunks: list[tuple[int, int, int]] = []
        seen: dict[str, Any] = {"status": None, "http_version": "", "headers": (), "peer": "", "tls": ""}
        seen |= {"certificate": b"", "trouble": "", "reason": ""}
        sent_at, sent_us = clock(), self._us()
        first_at = last_at = ""
        last_us: int | None = None
        size = 0
        try:
            if self._proxied:
                self._check(urlsplit(url).hostname or "")
            response = self._pool.handle_request(request)
            if watch.first is None:  # it stood behind the answer to another question, and not a byte came since
                response.close()  # with the connection: what comes next on it is another's too
                raise httpcore2.RemoteProtocolError(_EARLY)
            first_at = clock()
            seen["status"], seen["headers"] = response.status, tuple(response.headers)
            seen["http_version"] = response.extensions.get("http_version", b"").decode("ascii", "replace")
            seen |= _described(response.extensions.get("network_stream"))
            try:
                for chunk in response.iter_stream():
                    last_us = self._us()
                    chunks.append((size, len(chunk), last_us))
                    size += len(chunk)
                    parts.append(chunk)
                    if size > MOST:
                        seen |= {"trouble": "size", "reason": f"the answer is larger than {MOST // 1024**2} MiB"}
                        break
                else:  # of an answer that is larger nobody heard the last byte
                    last_at = clock()
                    last_us = self._us()
            finally:
                _end(response)
        except tuple(_TROUBLES) as error:
            seen |= _explained(error, watch, size, timeout)
            last_at = ""
        finally:
            self._threads.watch = None
        first_us = None if watch.first is None else watch.first - self._opened_us
        return Heard(
            **seen,
            body=b"".join(parts),
            chunks=tuple(chunks),
            sent_at=sent_at,
            first_byte_at=first_at,
            last_byte_at=last_at,
            sent_us=sent_us,
            first_byte_us=first_us,
            last_byte_us=last_us,
        )

    def _check(self, host: str) -> None:
        """Refuse an address that is wrong as it is written: a proxy would look it up where nobody here can see."""
        kind = of_host(host)
        if kind != "name" and not allowed(kind, self._reach):
            raise NotAllowed(f"{host} is a {kind} address")

    def _us(self) -> int:
        return time.monotonic_ns() // 1000 - self._opened_us


_TROUBLES: dict[type[Exception], Trouble] = {
    NotAllowed: "address",
    httpcore2.ConnectTimeout: "timeout",
    httpcore2.ReadTimeout: "timeout",
    httpcore2.WriteTimeout: "timeout",
    httpcore2.PoolTimeout: "timeout",
    httpcore2.ConnectError: "connect",
    httpcore2.ProxyError: "connect",
    httpcore2.ReadError: "cut",
    httpcore2.WriteError: "cut",
    httpcore2.RemoteProtocolError: "cut",
    httpcore2.LocalProtocolError: "protocol",
    httpcore2.UnsupportedProtocol: "protocol",
}


def _end(response: httpcore2.Response) -> None:
    """Let go of the connection of an answer, and note on it what came behind the end of that answer."""
    stream, inner = response.extensions.get("network_stream"), cast("Any", response.stream)
    try:
        if isinstance(stream, _Stream):  # what was read too much is nowhere else to be had
            stream.behind = bytes(inner._stream._connection._h11_state.trailing_data[0])
    except (AttributeError, TypeError, LookupError) as error:  # private names: another release may call them otherwise
        raise EndpointError(
            f"httpcore2 {httpcore2.__version__} does not show what came behind an answer: {error}",
            hint="install a release that does, such as: pip install httpcore2==2.16.2",
        ) from error
    finally:
        response.close()


def _explained(error: Exception, watch: _Watch, size: int, timeout: float) -> dict[str, str]:
    trouble = next(trouble for kind, trouble in _TROUBLES.items() if isinstance(error, kind))
    inner = error.args[0] if error.args else ""
    if isinstance(inner, ssl.SSLError):
        said = getattr(inner, "verify_message", "") or inner.reason or str(inner)
        return {"trouble": "tls", "reason": f"TLS: {said}"}
    if trouble == "timeout":
        at = "connecting" if isinstance(error, httpcore2.ConnectTimeout) else "waiting for the first byte"
        at = f"{size} bytes of the body" if size else at if watch.first is None else "the first bytes"
        return {"trouble": trouble, "reason": f"no whole answer within {timeout:g} s; stopped at: {at}"}
    if trouble == "cut":
        return {"trouble": trouble, "reason": f"the connection broke after {size} bytes of the body: {error}"}
    return {"trouble": trouble, "reason": f"{error or type(error).__name__}"}


def _described(stream: Any) -> dict[str, Any]:
    """Say who was on the other end: address, TLS version and cipher, leaf certificate."""
    found: dict[str, Any] = {}
    address = stream.get_extra_info("server_addr") if stream is not None else None
    if address:
        found["peer"] = f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
    tls = stream.get_extra_info("ssl_object") if stream is not None else None
    if tls is not None:
        found["tls"] = f"{tls.version()} {(tls.cipher() or ('',))[0]}"
        found["certificate"] = tls.getpeercert(True) or b""
    return found
