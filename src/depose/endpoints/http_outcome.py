"""What one attempt amounts to: an answer, no answer, or a failure that may pass or may not."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime

from depose.answers.settle import Settled, settle
from depose.endpoints.error_words import Said, said_of
from depose.endpoints.network import Heard
from depose.endpoints.pauses import pause
from depose.endpoints.wire_format import (
    Dialect,
    ErrorWithin,
    Reading,
    Unreadable,
    decoded,
    events,
    parsed,
    text_of,
)
from depose.endpoints.wire_values import name, whole, writable
from depose.model import Outcome, Status

HeaderText = tuple[tuple[str, str], ...]
LONGEST_WAIT = 300.0
"""A provider that wants a longer pause than this (seconds) is asked again in the next run."""
WISH = "; it wants a pause of "
"""Stands in a reason before seconds, which depend on when it was read where a date was wished for."""

MAY_PASS = (408, 409, 425, 429)
WILL_NOT_PASS = (401, 402, 403, 404)
UNFORESEEN = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError)
"""Whatever comes is data: what nobody foresaw in it fails its answer, and never the run."""
WITHHELD = ("tls", "address", "secret")
"""Troubles with which no byte of an answer is taken."""
NOT_RETRIED = ("tls", "address", "size", "protocol", "secret")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is to be made of an answer."""

    outcome: Outcome
    reason: str = ""
    reading: Reading | None = None
    settled: Settled | None = None
    again: float | None = None
    hopeless: bool = False

    @property
    def status(self) -> Status:
        """How the answer ended."""
        return self.settled.status if self.settled else "failed"


def judge(dialect: Dialect, heard: Heard, streamed: bool, now: datetime) -> Told:
    """Read what was heard; a failure says whether another attempt, or any other question, may fare better.

    Bytes that hold a whole answer are one, whatever stands around them: a broken connection, another type of content,
    another status. So nobody can call an answer failed whose bytes say otherwise, neither a provider nor a signer.
    """
    try:
        told = _judged(dialect, heard, streamed, now)
        if told.outcome == "failed" and has_body(heard.status) and heard.body and heard.trouble not in WITHHELD:
            told = _whole_answer(dialect, heard, streamed) or told
    except UNFORESEEN as error:
        told = Told(outcome="failed", reason=f"HTTP {heard.status}: it cannot be read: {type(error).__name__}")
    again = told.again if told.again is None or math.isfinite(told.again) else 0.0
    return replace(told, reason=whole(told.reason), again=again)


def has_body(status: int | None) -> bool:
    """Tell whether anything can come under a status (RFC 9110, 6.4.1)."""
    return status is not None and status >= 200 and status not in (204, 205, 304)


def _whole_answer(dialect: Dialect, heard: Heard, streamed: bool) -> Told | None:
    """Read a whole answer out of what did not come as one; None where there is none, or its bytes were read already."""
    shown = tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in heard.headers)
    encoded = bool(values(heard, "content-encoding"))
    if not (encoded or heard.trouble or heard.status != 200 or _other_type(heard, streamed)):
        return None
    for headers in (shown, ()) if encoded else (shown,):
        try:
            reading = reread(dialect, headers, heard.body, streamed)
        except Unreadable:
            continue
        settled = settled_of(reading)
        if settled.outcome == "answered":
            return Told(outcome=settled.outcome, reason=settled.reason, reading=reading, settled=settled)
    return None


def _judged(dialect: Dialect, heard: Heard, streamed: bool, now: datetime) -> Told:
    if heard.trouble:
        hopeless = heard.trouble in WITHHELD
        again = None if heard.trouble in NOT_RETRIED else 0.0
        return Told(outcome="failed", reason=heard.reason, again=again, hopeless=hopeless)
    try:
        body = decoded(heard.body, values(heard, "content-encoding"))
    except Unreadable as error:
        return Told(outcome="failed", reason=f"HTTP {heard.status}: {error}")
    if heard.status != 200:
        return _refused(heard, _error(body), now)
    try:
        reading = _read(dialect, heard, body, streamed)
    except ErrorWithin as error:
        return _erred(heard, said_of(error.document), None, now)
    except Unreadable as error:
        return Told(outcome="failed", reason=f"HTTP 200, but the answer is unreadable: {error}", again=0.0)
    if reading.error:
        return _erred(heard, said_of({"error": reading.error}), reading, now)
    settled = settled_of(reading)
    again = 0.0 if settled.outcome == "failed" else None
    return Told(outcome=settled.outcome, reason=settled.reason, reading=reading, settled=settled, again=again)


def settled_of(reading: Reading) -> Settled:
    """Judge what an answer says."""
    return settle(
        reading.text,
        live=True,
        finish=reading.finish,
        also=reading.also,
        guard=reading.guard,
        error=whole(str(reading.error)[:300]) if reading.error else "",
        refusal=reading.refusal,
        reasoning=reading.reasoning,
        output_tokens=reading.output_tokens,
    )


def reread(dialect: Dialect, headers: HeaderText, body: bytes, streamed: bool) -> Reading:
    """Read an answer again from its recorded headers and bytes; raise Unreadable where it says nothing."""
    given = [value for name, value in headers if name.lower() == "content-encoding"]
    return _said(dialect, decoded(body, given), streamed)


def values(heard: Heard, name: str) -> list[str]:
    """All values of a header, in order."""
    return [value.decode("latin-1") for key, value in heard.headers if key.lower() == name.encode()]


def _read(dialect: Dialect, heard: Heard, body: bytes, streamed: bool) -> Reading:
    if other := _other_type(heard, streamed):
        _look_for_error(body)
        raise Unreadable(other)
    return _said(dialect, body, streamed)


def _other_type(heard: Heard, streamed: bool) -> str:
    """Say which type of content it is where another was asked for."""
    wanted = "text/event-stream" if streamed else "application/json"
    for given in values(heard, "content-type")[:1]:
        kind = given.partition(";")[0].strip().lower()
        if kind != wanted and not (kind.endswith("+json") and not streamed):
            return f"it is {kind[:60] or 'of no type'}, not {wanted}"
    return ""


def _look_for_error(body: bytes) -> None:
    """Raise ErrorWithin where a body that should be something else is an error in JSON."""
    try:
        data = parsed(text_of(body))
    except Unreadable:
        return
    first = data[0] if isinstance(data, list) and data else data
    if isinstance(first, dict) and said_of(first).words:
        raise ErrorWithin(first.get("error") or first)


def _said(dialect: Dialect, body: bytes, streamed: bool) -> Reading:
    text = text_of(body)
    try:
        if streamed:
            data = dialect.fold([one if one == "[DONE]" else parsed(one) for one in events(text)])
            return writable(dialect.read(data))
        return writable(dialect.read(parsed(text)))
    except ErrorWithin:
        raise
    except Unreadable:
        if not streamed:
            _look_for_error(body)
        raise
    except UNFORESEEN as error:
        raise Unreadable(f"put together as no answer of this format is: {type(error).__name__}") from error


def _error(body: bytes) -> Said:
    """Take code and words out of the body of an error."""
    try:
        return said_of(parsed(text_of(body)))
    except Unreadable:
        return Said()


def _refused(heard: Heard, said: Said, now: datetime) -> Told:
    status = heard.status or 0
    if 300 <= status < 400:
        goal = (values(heard, "location") or ["nowhere"])[0]
        return Told(outcome="failed", reason=f"HTTP {status}: redirects to {goal[:200]}, which is not followed")
    reason = f"HTTP {status}" + (f": {said.words}" if said.words else "")
    return _failure(heard, status, said, reason, now)


def _erred(heard: Heard, said: Said, reading: Reading | None, now: datetime) -> Told:
    """Treat an error under 200 as the status that it names; one that names none may pass."""
    told = ": ".join(part for part in (said.code, said.words) if part)
    reason = f"HTTP 200, but an error: {told or 'without words'}"
    return _failure(heard, said.status or 500, said, reason, now, reading)


def _filtered(said: Said) -> Told:
    """Take an error that a filter caused for what became of the question: asking again would bring nothing else."""
    reading = Reading(text="", finish=said.code, model="", fingerprint="", id="", input_tokens=None, output_tokens=None)
    settled = settle("", live=True, finish="content_filter", guard=name(said.words))
    return Told(outcome=settled.outcome, reason=settled.reason, reading=reading, settled=settled)


def _failure(heard: Heard, status: int, said: Said, reason: str, now: datetime, reading: Reading | None = None) -> Told:
    if said.filtered and reading is None:
        return _filtered(said)
    hopeless = status in WILL_NOT_PASS or said.out_of_credit
    passes = (status in MAY_PASS or status >= 500) and not hopeless
    for wish in values(heard, "x-should-retry"):
        passes = {"true": True, "false": False}.get(wish.lower(), passes)
    wanted = pause(
        tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in heard.headers), said, status, now
    )
    settled = settled_of(reading) if reading else None
    if passes and wanted > LONGEST_WAIT:
        reason, passes = f"{reason}{WISH}{wanted:.0f} s", False
    return Told(
        outcome="failed",
        reason=reason,
        reading=reading,
        settled=settled,
        again=wanted if passes else None,
        hopeless=hopeless,
    )
