"""Where a registration stands among all those of its signing key."""

from __future__ import annotations

from depose.errors import EvidenceError
from depose.model.base import Record


class KeyLine(Record, frozen=True, kw_only=True):
    """One registration in the ledger of a key; its signature is over the canonical form of all else."""

    format: str
    seq: int
    """Registrations before this one."""
    prev: str
    """SHA-256 of the line before, or 64 zeros."""
    at: str
    protocol: str
    """Digest of record 0 of the log that was registered."""


class InLedger(Record, frozen=True, kw_only=True):
    """A registration, entered into the ledger of a key."""

    key: str
    """SHA-256 of the public key in DER."""
    line: KeyLine
    signature: str
    """Of the line, by the key, in hexadecimal digits."""
    head: str
    """SHA-256 of the line with its signature."""
    count: int
    """Registrations in the ledger, this one the last."""

    def after(self, before: InLedger | None, where: str) -> InLedger:
        """Return this place; raise EvidenceError where a log noted another one of the same key before."""
        if before is not None and before.key == self.key and before != self:
            raise EvidenceError(
                f"{where}: number {self.count} in the ledger of a key in which it was number {before.count}: "
                "the ledger was set back or written anew",
                hint="a registration has one number; restore the ledger beside its key",
            )
        return self
