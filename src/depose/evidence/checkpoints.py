"""Checkpoints: the length and the end of a log, written into it as it grows and time-stamped while the run goes on.

A token over a checkpoint fixes every record before it. An authority that does not answer holds nothing up: the
checkpoint stands without a token, and why is a record of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from depose.errors import DeposeError
from depose.evidence.log import Chained, Log
from depose.evidence.records import Checkpoint, Stamp, Unstamped

EVERY = 1_000
Stamper = Callable[[Chained], Stamp]
"""Has a record time-stamped and keeps the token; raises DeposeError where there is none."""


class Checkpoints:
    """Writes a checkpoint every so many records, and one when a run ends; without a stamper they get no token."""

    def __init__(self, stamper: Stamper | None = None, every: int = EVERY) -> None:
        self._stamper = stamper
        self._every = every
        self._last = 0
        self._coming: tuple[Chained, Future[Stamp]] | None = None
        self._pool = ThreadPoolExecutor(1, "depose-stamp") if stamper else None
        self.notices: list[str] = []
        """The last checkpoint, and what did not get a token."""

    def open(self, last: int) -> None:
        """Begin where the last checkpoint of an earlier run stands."""
        self._last = last

    def look(self, log: Log) -> None:
        """Note a token that has come; write the next checkpoint where it is due and the one before is done with."""
        if self._coming is not None and self._coming[1].done():
            self._note(log, *self._coming)
        if log.records - self._last >= self._every and self._coming is None:
            self._write(log)

    def close(self, log: Log, *, whole: bool) -> None:
        """Write the last checkpoint of a run and wait for its token; a run that was cut short waits for nothing."""
        if self._coming is not None:
            made, coming = self._coming
            if whole or coming.done():
                self._note(log, made, coming)
            else:
                self._failed(log, made, "the run was cut short before the authority had answered")
        if whole:
            made = self._write(log)
            self.notices.append(f"checkpoint: {made.entry.seq} records before it, sha256 {made.digest}")
        if self._coming is not None:
            self._note(log, *self._coming)
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _write(self, log: Log) -> Chained:
        log.append("checkpoint", Checkpoint(records=log.records, head=log.head))
        log.sync()
        self._last, made = log.records, log.last
        if self._stamper is not None and self._pool is not None:
            self._coming = made, self._pool.submit(self._stamper, made)
        return made

    def _note(self, log: Log, made: Chained, coming: Future[Stamp]) -> None:
        try:
            stamp = coming.result()
        except (DeposeError, OSError) as error:  # the disk may be full just for the token
            self._failed(log, made, error.message if isinstance(error, DeposeError) else str(error))
        else:
            log.append("timestamp", stamp)
            self._coming = None

    def _failed(self, log: Log, made: Chained, reason: str) -> None:
        log.append("unstamped", Unstamped(of=made.digest, reason=reason))
        self.notices.append(f"no time-stamp of record {made.entry.seq}: {reason}")
        self._coming = None
