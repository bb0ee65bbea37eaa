"""Verifies a bundle with a public key alone: seal, files, log, time-stamps, and the findings computed again.

Writes nothing. Raises at the first thing that does not hold and names it; what could not be checked is listed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from depose.custody import keys
from depose.custody.bundle import opened
from depose.custody.recompute import recomputed, statement, unlike_raw
from depose.custody.tokens import stamps
from depose.model import Record


class Verified(Record, frozen=True, kw_only=True):
    """What was checked and holds, and what was not checked."""

    bundle: str
    fingerprint: str
    sealed_at: str
    checks: tuple[str, ...]
    not_verified: tuple[str, ...]


def verify(
    path: Path,
    *,
    public_key: bytes = b"",
    roots: bytes = b"",
    recompute: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Verified:
    """Check a bundle; raise EvidenceError at the first thing that does not hold."""
    with opened(path, public_key) as read:
        checks = [
            f"signature of {keys.fingerprint(read.key)}",
            f"{len(read.bundle.sizes())} files, none missing, added or changed",
            f"{read.entries.records} records in one chain, of the sealed length, end and Merkle root",
        ]
        missing = [] if public_key else ["who signed: no --public-key was given, and a key in a bundle proves nothing"]
        dated, without = stamps(read, roots)
        findings = statement(read)
        checks += [*dated, "the signed statement says what the findings say"]
        missing += without
        if recompute:
            done, without = recomputed(read, findings, progress)
            checks += done
            missing += without
            unlike = unlike_raw(read)
            checks += [] if unlike else ["every answer with raw bytes stands in them as it stands in the log"]
            missing += (
                [f"{len(unlike)} answers that stand otherwise in the raw bytes, such as {unlike[0]}"] if unlike else []
            )
        else:
            missing.append("that the findings follow from the answers: not computed again")
        return Verified(
            bundle=str(path),
            fingerprint=keys.fingerprint(read.key),
            sealed_at=read.seal.sealed_at,
            checks=tuple(checks),
            not_verified=(*missing, "that the answers came from the models named: only their providers can say"),
        )
