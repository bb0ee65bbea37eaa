"""Times as logs write them, brought to UTC: ISO 8601, or seconds, milli-, micro- or nanoseconds since 1970.

A file keeps to one way of writing: what changes between seconds and milliseconds, or names a zone in some rows only, is
refused, for either would move requests by hours or by years.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
"""No request to a language model that is sold is older."""
NO_ZONE = "no zone"
_SPAN = (1.5e9, 1e10)
"""Seconds since 1970 from 2017 to 2286; a thousand times as many are milliseconds, and so on."""
_NUMBER = re.compile(r"\d{9,20}(?:\.\d+)?\Z")
_SPACED = re.compile(
    r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d+))?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?\Z",
    re.IGNORECASE,
)


class Moments:
    """Reads the times of one file."""

    def __init__(self, latest: datetime) -> None:
        self._latest = latest
        self.units: dict[str, int] = {}
        """How many times were written in each way."""

    def read(self, value: Any) -> datetime | None:
        """Return the time in UTC, without a zone; None for what is no time, or an impossible one."""
        found, unit = _read(value)
        if found is None or not EARLIEST <= found <= self._latest:
            return None
        self.units[unit] = self.units.get(unit, 0) + 1
        return found.replace(tzinfo=None)


def _read(value: Any) -> tuple[datetime | None, str]:
    if isinstance(value, datetime):
        return _in_utc(value)
    if isinstance(value, bool) or value is None:
        return None, ""
    if isinstance(value, int | float):
        return _since(value)
    text = str(value).strip()
    if _NUMBER.match(text):
        return _since(float(text))
    parts = _SPACED.match(text)
    if parts is None:
        return None, ""
    zone = str(parts[4] or "").upper()
    zone = "+00:00" if zone in ("Z", "UTC", "GMT") else zone
    fraction = f".{parts[3][:6]}" if parts[3] else ""
    try:
        return _in_utc(datetime.fromisoformat(f"{parts[1]}T{parts[2]}{fraction}{zone}"))
    except ValueError:
        return None, ""


def _in_utc(found: datetime) -> tuple[datetime | None, str]:
    try:
        return (found.astimezone(UTC), "zoned") if found.tzinfo else (found.replace(tzinfo=UTC), NO_ZONE)
    except OverflowError:  # in UTC before the year 1, or after 9999
        return None, ""


def _since(number: int | float) -> tuple[datetime | None, str]:
    if not 0 < number < _SPAN[1] * 1000**4:  # NaN, and whole numbers that no float holds, are no times
        return None, ""
    for power, unit in enumerate(("seconds", "milliseconds", "microseconds", "nanoseconds")):
        if _SPAN[0] <= number / 1000**power < _SPAN[1]:
            return datetime.fromtimestamp(number / 1000**power, UTC), unit
    return None, ""
