"""How long a provider wants to be left alone: by its headers, the fields of its error, or its words.

In this order: `retry-after-ms`, `retry-after`; what an error hands on of them; Google's RetryInfo; for a limit of
requests or tokens (429), when it is reset: `x-ratelimit-reset-*`, `ratelimit-reset`, `anthropic-ratelimit-*-reset`,
and what the words say ("try again in 25s"). Of several limits those count of which nothing remains.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from depose.endpoints.error_words import Said

Pairs = tuple[tuple[str, str], ...]

_RESET = re.compile(r"(?:x-)?rate-?limit-reset(?:-(.+))?|.+-ratelimit-(?:(.+)-)?reset|x-rate-limit-reset(?:-(.+))?")
_REMAINING = re.compile(
    r"(?:x-)?rate-?limit-remaining(?:-(.+))?|.+-ratelimit-(?:(.+)-)?remaining|x-rate-limit-remaining(?:-(.+))?"
)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_LONG = {
    "millisecond": "ms",
    "msec": "ms",
    "second": "s",
    "sec": "s",
    "minute": "m",
    "min": "m",
    "hour": "h",
    "hr": "h",
    "day": "d",
}
_SPAN = r"\d+(?:\.\d+)?\s*(?:milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)\b"
_SPANS = re.compile(rf"(?:{_SPAN}[\s,]*(?:and\s+)?)+|\d+(?:\.\d+)?(?:ms|s|m|h|d)(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")
_PIECE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")
_ASKED = re.compile(
    r"(?:(?:try|retry|again|resets?|available|retrydelay|reset time|retry_after|back)\b|(?=wait\b))[^.\n]{0,60}?"
    rf"(?:\b(?:in|after|for|within|of|wait)\b|[:=])\s*(?:about\s+|at least\s+|another\s+)?[\"']?"
    rf"({_SPANS.pattern}|\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?|\d+(?:\.\d+)?)",
    re.IGNORECASE,
)
_AT = re.compile(
    r"(?:again|retry|resets?|until|wait)\b[^.\n]{0,40}?\b(?:at|on|until|after)\s+"
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)",
    re.IGNORECASE,
)
_EPOCH = 1e9
"""A plain number as large as this counts seconds since 1970; one a thousand times as large, milliseconds."""


def pause(headers: Pairs, said: Said, status: int, now: datetime) -> float:
    """Return the seconds that the provider asks for, 0 where it asks for none."""
    for pairs in (headers, said.headers):
        if (found := _retry_after(pairs, now)) is not None:
            return found
    named = {name.lower(): value for name, value in said.fields}
    for name, unit in (("retrydelay", 1.0), ("retry_after_ms", 1e-3), ("retry_after", 1.0), ("retryafter", 1.0)):
        if name in named and (seconds := _seconds(named[name], now, unit)) is not None:
            return max(seconds, 0.0)
    limited = 429 in (status, said.status)
    if limited and (reset := _reset((*headers, *said.headers), now)) is not None:
        return reset
    return _by_words(said.words, now) if limited or status in (408, 409, 425, 503, 529) else 0.0


def _retry_after(pairs: Pairs, now: datetime) -> float | None:
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        for key, value in pairs:
            if key.lower() == name and (seconds := _seconds(value, now, unit)) is not None:
                return max(seconds, 0.0)
    return None


def _reset(pairs: Pairs, now: datetime) -> float | None:
    """Find the longest time to a reset among the limits that are used up, or that do not say what remains."""
    remaining = dict(_by_limit(pairs, _REMAINING))
    waits = [
        (limit, seconds)
        for limit, value in _by_limit(pairs, _RESET)
        if (seconds := _seconds(value, now, 1.0)) is not None and seconds >= 0
    ]
    spent = [seconds for limit, seconds in waits if _none_left(remaining.get(limit, "0"))]
    return max(spent, default=None)


def _by_limit(pairs: Pairs, pattern: re.Pattern[str]) -> Iterable[tuple[str, str]]:
    for name, value in pairs:
        if found := pattern.fullmatch(name.lower()):
            limit = next((one for one in found.groups() if one), "")
            yield ("" if limit in ("after", "ms", "at") else limit), value


def _none_left(value: str) -> bool:
    try:
        return float(value) <= 0
    except ValueError:
        return True


def _by_words(words: str, now: datetime) -> float:
    for pattern in (_AT, _ASKED):
        if (found := pattern.search(words)) and (seconds := _seconds(found[1], now, 1.0)) is not None:
            return max(seconds, 0.0)
    return 0.0


def _seconds(value: str, now: datetime, unit: float) -> float | None:
    """Read a number, a span such as `1m30s`, a moment in seconds since 1970, or a date; None for what is none."""
    shown = value.strip().strip("\"'").lower()
    try:
        number = float(shown)
    except ValueError:
        return _span(shown) if _PIECE.match(shown) and not shown[:5].endswith("-") else _until(value.strip(), now)
    if not math.isfinite(number):
        return None
    if number >= _EPOCH and unit == 1.0:
        number /= 1_000 if number >= _EPOCH * 1_000 else 1
        return number - now.timestamp()
    return number * unit


def _span(shown: str) -> float | None:
    if not _SPANS.fullmatch(shown):
        return None
    total = 0.0
    for amount, name in _PIECE.findall(shown):
        unit = _UNITS.get(_LONG.get(name.removesuffix("s"), name))
        if unit is None:
            return None
        total += float(amount) * unit
    return total if math.isfinite(total) else None


def _until(date: str, now: datetime) -> float | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(date)
        except (ValueError, OverflowError):  # a year or a zone beyond all others
            continue
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
    return None
