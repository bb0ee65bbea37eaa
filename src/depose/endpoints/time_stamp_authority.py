"""Asks a time-stamping authority for a token, as RFC 3161 says it is asked over HTTP."""

from __future__ import annotations

import httpx2

from depose.errors import EndpointError

LARGEST = 1_000_000


def ask(url: str, query: bytes) -> bytes:
    """Send a request and return the bytes of the reply; raise EndpointError where there is none."""
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    try:
        # No proxy and no credential comes from the environment, as with models: whoever is asked was named.
        reply = httpx2.post(url, content=query, headers=headers, timeout=30, follow_redirects=False, trust_env=False)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise EndpointError(f"{url}: no time-stamp: {error}", hint="try again, or another authority") from error
    if reply.status_code != 200 or len(reply.content) > LARGEST:
        raise EndpointError(
            f"{url}: no time-stamp: HTTP {reply.status_code}, {len(reply.content)} bytes",
            hint="try again, or another authority",
        )
    return reply.content
