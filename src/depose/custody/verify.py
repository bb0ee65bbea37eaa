"""Verifies with a public key alone: a sealed bundle, a copy of one, or single records.

Of a bundle: seal, files, log, time-stamps, and the findings computed again. Writes nothing. Raises at the first thing
that does not hold and names it; what could not be checked is listed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from depose.custody import copies, keys, kinds, proofs
from depose.custody.bundle import Read, opened
from depose.custody.consistent import consistent, drawn, old_scripts
from depose.custody.described import DIALECTS
from depose.custody.line_ups import line_ups
from depose.custody.recompute import recomputed, signed_reports, statement
from depose.custody.rederive import rederived
from depose.custody.seed_again import representatives_again, seed_again
from depose.custody.tokens import stamps
from depose.custody.verified import Verified, as_evidence
from depose.custody.weights_again import weighed_again
from depose.custody.weights_follow import weights_follow
from depose.evidence.ledger import Entries, place
from depose.evidence.log import Clock, utc_now


def verify(
    path: Path,
    *,
    public_key: bytes = b"",
    roots: bytes = b"",
    recompute: bool = True,
    weights: Mapping[str, Path] = MappingProxyType({}),
    progress: Callable[[str], None] = lambda _: None,
    clock: Clock = utc_now,
) -> Verified:
    """Check a bundle, a copy or proofs of records; raise EvidenceError at the first thing that does not hold."""
    if copies.is_copy(path):
        return copies.verify_copy(path, public_key, roots, clock)
    if proofs.is_proof(path):
        return proofs.verify_proofs(path, public_key, roots, clock)
    with as_evidence(path), opened(path, public_key) as read:
        checks = [
            f"signature of {keys.fingerprint(read.key)}",
            f"{len(read.bundle.sizes())} files, none missing, added or changed",
            f"sealed by the rules of {read.seal.format!r}",
            f"{read.entries.records} records in one chain, of the sealed length, end and Merkle root",
        ]
        missing = [] if public_key else ["who signed: no --public-key was given, and a key in a bundle proves nothing"]
        seeded, unseeded = (one + more for one, more in zip(seed_again(read), representatives_again(read), strict=True))
        dated, without = stamps(read, roots, clock())
        findings = statement(read)
        checks += [*dated, *seeded, "the signed statement says what the findings say"]
        missing += [*without, *unseeded, *_open_ends(read)]
        for check in (consistent, rederived, line_ups, weights_follow, signed_reports):
            done, without = check(read)
            checks += done
            missing += without
        done, without = weighed_again(findings, weights, progress)
        checks += done
        missing += without
        checks.append(f"every file is of a kind that a bundle has: {_kinds(read)}")
        if recompute:
            for done, without in (drawn(read), recomputed(read, findings, progress)):
                checks += done
                missing += without
        else:
            missing.append(
                "that the findings follow from the answers, and the prompts from the seed: not computed again"
            )
            missing += [f"{', '.join(_results(read))}: signed, but not looked into"]
        return Verified(
            bundle=str(path),
            fingerprint=keys.fingerprint(read.key),
            sealed_at=read.seal.sealed_at,
            checks=tuple(checks),
            not_verified=(*missing, "that the answers came from the models named: only their providers can say"),
            cautions=old_scripts(read),
        )


def _kinds(read: Read) -> str:
    stamped = {one.of for one in read.entries.stamps}
    return kinds.counted(read.bundle.sizes().keys() - set(read.unnamed), read.blobs, stamped)


def _results(read: Read) -> list[str]:
    return sorted(name for name in read.bundle.sizes() if name.startswith("out/"))


def _open_ends(read: Read) -> list[str]:
    """Say what the log itself says is not known, and what stands in the bundle without a record."""
    entries: Entries = read.entries
    flagged = Counter(run.flagged for run in entries.runs if run.flagged)
    found = [
        f"the times of the log ({count} of {len(entries.runs)} looks at the clock): {why}"
        for why, count in flagged.items()
    ]
    found += _never_asked(entries)
    if entries.lost:
        found.append(f"what became of {len(entries.lost)} questions: a run was cut short with them in flight")
    if read.unnamed:
        found.append(f"what {len(read.unnamed)} blobs are that no record names, such as {read.unnamed[0]}")
    return found


def _never_asked(entries: Entries) -> list[str]:
    """Name the endpoints that the protocol asks for a model that cannot exist, and that the log has not asked so."""
    case = entries.registration.case
    if not case.protocol.bogus_model:
        return []
    answered = {one.model for one in (*entries.exchanges, *entries.superseded)}
    live = [spec for spec in case.models if spec.provider in DIALECTS]
    left = [spec.code for spec in live if spec.code in answered and place(spec) not in entries.places]
    what = "takes any name for a model: the protocol asks for one that cannot exist, and the log has no such question"
    return [f"whether the endpoint of {', '.join(left)} {what}"] if left else []
