"""What machine asks: versions, system, and what its kernel knows of the error of its clock. It names nobody."""

from __future__ import annotations

import ctypes
import platform
import ssl
import sys
from importlib.metadata import version
from typing import Literal

from depose.model import Fact, Record

UNSYNCHRONISED = 0x40
"""Bit of `status` that says that no time service steers the clock (adjtimex(2))."""
CLOCK_LIMIT = 1.0
"""Seconds that the clock may be off before a run is flagged."""


class Clockwork(Record, frozen=True, kw_only=True):
    """What the kernel says of its clock."""

    source: str
    synchronised: bool | None
    """Whether a time service steers it; None where nobody says so."""
    off_by: float | None
    """Seconds that it may be off at most, as far as its time service knows."""
    missing: str
    """Why the kernel does not say, or nothing."""


class Run(Record, frozen=True, kw_only=True):
    """A run of asking begins or ends."""

    event: Literal["begin", "end"]
    facts: tuple[Fact, ...]
    clock: Clockwork

    @property
    def flagged(self) -> str:
        """Why times of this run may be off by more than the limit, or nothing."""
        if self.clock.missing:
            return f"the error of the clock is not known: {self.clock.missing}"
        if not self.clock.synchronised:
            return "no time service steered the clock"
        if self.clock.off_by is not None and self.clock.off_by > CLOCK_LIMIT:
            return f"the clock may have been off by {self.clock.off_by:.3g} s"
        return ""


class _Timex(ctypes.Structure):
    """The beginning of `struct timex`, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def clockwork(system: str = sys.platform) -> Clockwork:
    """Ask the kernel how far its clock may be off; nothing is changed and nothing is sent."""
    source = "system clock (CLOCK_REALTIME)"
    if system != "linux":
        return Clockwork(
            source=source, synchronised=None, off_by=None, missing=f"depose does not know how to ask {system}"
        )
    said = _Timex()
    library = ctypes.CDLL(None, use_errno=True)
    if library.adjtimex(ctypes.byref(said)) < 0:
        return Clockwork(source=source, synchronised=None, off_by=None, missing=f"adjtimex: {ctypes.get_errno()}")
    return Clockwork(
        source=source, synchronised=not said.status & UNSYNCHRONISED, off_by=said.maxerror / 1e6, missing=""
    )


def facts() -> tuple[Fact, ...]:
    """Name the software and the system that ask."""
    named = {
        "depose": version("depose"),
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "httpx2": version("httpx2"),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    return tuple(Fact(name=name, value=value) for name, value in named.items())


def run(event: Literal["begin", "end"]) -> Run:
    """Describe this machine as a run begins or ends."""
    return Run(event=event, facts=facts(), clock=clockwork())
