"""Verifies a bundle with a public key alone: seal, files, log, time-stamps, and the findings computed again.

Writes nothing. Raises at the first thing that does not hold and names it; what could not be checked is listed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from depose.custody import keys
from depose.custody.bundle import opened
from depose.custody.consistent import consistent
from depose.custody.recompute import recomputed, signed_reports, statement
from depose.custody.rederive import rederived
from depose.custody.tokens import stamps
from depose.evidence.ledger import Entries
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
        missing += [*without, *_open_ends(read.entries)]
        for check in (consistent, rederived, signed_reports):
            done, without = check(read)
            checks += done
            missing += without
        if recompute:
            done, without = recomputed(read, findings, progress)
            checks += done
            missing += without
        else:
            missing.append("that the findings follow from the answers: not computed again")
        return Verified(
            bundle=str(path),
            fingerprint=keys.fingerprint(read.key),
            sealed_at=read.seal.sealed_at,
            checks=tuple(checks),
            not_verified=(*missing, "that the answers came from the models named: only their providers can say"),
        )


def _open_ends(entries: Entries) -> list[str]:
    """Say what the log itself says is not known."""
    flagged = Counter(run.flagged for run in entries.runs if run.flagged)
    found = [
        f"the times of the log ({count} of {len(entries.runs)} looks at the clock): {why}"
        for why, count in flagged.items()
    ]
    if entries.lost:
        found.append(f"what became of {len(entries.lost)} questions: a run was cut short with them in flight")
    return found
