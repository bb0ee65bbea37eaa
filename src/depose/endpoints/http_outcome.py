"""What one attempt amounts to: an answer, no answer, or a failure that may pass or may not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from depose.endpoints.network import Heard
from depose.endpoints.wire_format import Dialect, Reading, Unreadable, decoded, events, parsed, text_of
from depose.model import Outcome

HeaderText = tuple[tuple[str, str], ...]
LONGEST_WAIT = 300.0
"""A provider that wants a longer pause than this (seconds) is asked again in the next run."""

MAY_PASS = (408, 409, 425, 429)
WILL_NOT_PASS = (401, 402, 403, 404)
OUT_OF_CREDIT = ("insufficient_quota", "billing_hard_limit_reached")
NOT_RETRIED = ("tls", "address", "size", "protocol", "secret")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is to be made of an answer."""

    outcome: Outcome
    reason: str = ""
    reading: Reading | None = None
    again: float | None = None
    hopeless: bool = False


def judge(dialect: Dialect, heard: Heard, streamed: bool, now: datetime) -> Told:
    """Read what was heard; a failure says whether another attempt, or any other question, may fare better."""
    if heard.trouble:
        hopeless = heard.trouble in ("tls", "address", "secret")
        again = None if heard.trouble in NOT_RETRIED else 0.0
        return Told(outcome="failed", reason=heard.reason, again=again, hopeless=hopeless)
    try:
        body = decoded(heard.body, values(heard, "content-encoding"))
    except Unreadable as error:
        return Told(outcome="failed", reason=f"HTTP {heard.status}: {error}")
    if heard.status != 200:
        return _refused(heard, body, now)
    try:
        reading = _read(dialect, heard, body, streamed)
    except Unreadable as error:
        return Told(outcome="failed", reason=f"HTTP 200, but the answer is unreadable: {error}", again=0.0)
    if reading.text.strip():
        return Told(outcome="answered", reading=reading)
    why = f"blocked by the provider: {reading.blocked}" if reading.blocked else ""
    return Told(outcome="empty", reason=why, reading=reading)


def reread(dialect: Dialect, headers: HeaderText, body: bytes, streamed: bool) -> Reading:
    """Read an answer again from its recorded headers and bytes; raise Unreadable where it says nothing."""
    given = [value for name, value in headers if name.lower() == "content-encoding"]
    return _said(dialect, decoded(body, given), streamed)


def values(heard: Heard, name: str) -> list[str]:
    """All values of a header, in order."""
    return [value.decode("latin-1") for key, value in heard.headers if key.lower() == name.encode()]


def _read(dialect: Dialect, heard: Heard, body: bytes, streamed: bool) -> Reading:
    wanted = "text/event-stream" if streamed else "application/json"
    for given in values(heard, "content-type")[:1]:
        kind = given.partition(";")[0].strip().lower()
        if kind != wanted and not (kind.endswith("+json") and not streamed):
            raise Unreadable(f"it is {kind[:60] or 'of no type'}, not {wanted}")
    return _said(dialect, body, streamed)


def _said(dialect: Dialect, body: bytes, streamed: bool) -> Reading:
    text = text_of(body)
    if not streamed:
        return dialect.read(parsed(text))
    return dialect.read(dialect.fold([one if one == "[DONE]" else parsed(one) for one in events(text)]))


def _refused(heard: Heard, body: bytes, now: datetime) -> Told:
    status = heard.status or 0
    code, said = _error(body)
    if 300 <= status < 400:
        goal = (values(heard, "location") or ["nowhere"])[0]
        return Told(outcome="failed", reason=f"HTTP {status}: redirects to {goal[:200]}, which is not followed")
    reason = f"HTTP {status}" + (f": {said}" if said else "")
    hopeless = status in WILL_NOT_PASS or code in OUT_OF_CREDIT
    passes = (status in MAY_PASS or status >= 500) and not hopeless
    for wish in values(heard, "x-should-retry"):
        passes = {"true": True, "false": False}.get(wish.lower(), passes)
    pause = _pause(heard, body, now)
    if passes and pause > LONGEST_WAIT:
        return Told(outcome="failed", reason=f"{reason}; it wants a pause of {pause:.0f} s")
    return Told(outcome="failed", reason=reason, again=pause if passes else None, hopeless=hopeless)


def _error(body: bytes) -> tuple[str, str]:
    """Take code and message out of an error, in any of the shapes that are about."""
    try:
        error = parsed(text_of(body))
    except Unreadable:
        return "", ""
    error = error[0] if isinstance(error, list) and error else error
    inner = error.get("error", error) if isinstance(error, dict) else error
    if not isinstance(inner, dict):
        return "", str(inner)[:300]
    return str(inner.get("code") or inner.get("type") or ""), str(inner.get("message") or "")[:300]


def _pause(heard: Heard, body: bytes, now: datetime) -> float:
    """Seconds that the provider asks for: retry-after-ms, retry-after (seconds or a date), or Google's RetryInfo."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        for value in values(heard, name):
            try:
                seconds = float(value) / unit
            except ValueError:
                seconds = _until(value, now)
            if math.isfinite(seconds):
                return max(seconds, 0.0)
    return _retry_info(body)


def _until(date: str, now: datetime) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return math.nan
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()


def _retry_info(body: bytes) -> float:
    try:
        error: Any = parsed(text_of(body))
        details = error["error"]["details"]
        delay = next(one["retryDelay"] for one in details if str(one.get("@type", "")).endswith("RetryInfo"))
        return max(float(str(delay).removesuffix("s")), 0.0)
    except (Unreadable, LookupError, TypeError, AttributeError, StopIteration, ValueError):
        return 0.0
