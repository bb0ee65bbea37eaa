"""Asks a time-stamping authority for a token, as RFC 3161 says it is asked over HTTP.

It is asked as models are: nothing comes from the environment, no redirect is followed, and one time limit covers all of
the answer, however slowly it drips.
"""

from __future__ import annotations

from importlib.metadata import version
from urllib.parse import urlsplit

from depose.endpoints.http_outcome import values
from depose.endpoints.network import Line
from depose.endpoints.wire_format import Unreadable, decoded
from depose.errors import EndpointError
from depose.evidence.log import utc_now
from depose.evidence.token_form import LARGEST

LONGEST = 30.0
"""Seconds that an authority has in all."""


def ask(url: str, query: bytes, timeout: float = LONGEST) -> bytes:
    """Send a request and return the bytes of the reply; raise EndpointError where there is none."""
    try:
        parts = urlsplit(url)
        named = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        )
    except ValueError:
        named = False
    if not named or not url.isascii() or not url.isprintable() or " " in url:
        raise _none(url, "that is no address", "--tsa https://host/path")
    headers = (
        ("Host", parts.netloc),
        ("User-Agent", f"depose/{version('depose')}"),
        ("Accept", "application/timestamp-reply"),
        ("Accept-Encoding", "identity"),
        ("Content-Type", "application/timestamp-query"),
        ("Content-Length", str(len(query))),
    )
    sent = tuple((name.encode(), value.encode()) for name, value in headers)
    heard = Line(url, reach="any", proxy="", connections=1).send(url, sent, query, timeout, utc_now)
    if heard.trouble:
        raise _none(url, heard.reason)
    try:
        body = decoded(heard.body, values(heard, "content-encoding"))
    except Unreadable as error:
        raise _none(url, str(error)) from error
    if heard.status != 200 or len(body) > LARGEST:
        raise _none(url, f"HTTP {heard.status}, {len(body)} bytes")
    return body


def _none(url: str, why: str, hint: str = "try again, or another authority") -> EndpointError:
    return EndpointError(f"{url}: no time-stamp: {why}", hint=hint)
