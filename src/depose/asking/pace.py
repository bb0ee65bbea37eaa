"""The pace of requests to one model: so many a minute, so many tokens a minute, and the pauses that are asked for."""

from __future__ import annotations

import threading
import time


class Pace:
    """Spaces requests so that no minute holds more of them, or of tokens, than is allowed."""

    def __init__(self, rpm: float | None, tpm: float | None, stopped: threading.Event) -> None:
        self._gap = 60 / rpm if rpm else 0.0
        self._per_token = 60 / tpm if tpm else 0.0
        self._stopped = stopped
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self, tokens: int) -> None:
        """Wait for the turn of a request that takes so many tokens at most."""
        with self._lock:
            turn = max(time.monotonic(), self._next)
            self._next = turn + max(self._gap, tokens * self._per_token)
        if turn > time.monotonic():
            self._stopped.wait(turn - time.monotonic())

    def settle(self, reserved: int, used: int) -> None:
        """Give back what a request turned out not to take."""
        with self._lock:
            self._next -= max(self._gap, reserved * self._per_token) - max(self._gap, used * self._per_token)

    def hold(self, seconds: float) -> None:
        """Send nothing for a while: the provider asked for it."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)
