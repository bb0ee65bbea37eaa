"""Checks the time-stamp tokens of a bundle: what each is over, who signed it, whether the dates of the log fit it."""

from __future__ import annotations

from depose.custody.bundle import HINT, Read, content
from depose.custody.stamp import CLOCK_TOLERANCE, ROOTS
from depose.errors import EvidenceError
from depose.evidence import timestamp
from depose.model.canonical import canonical, sha256


def stamps(read: Read, roots: bytes) -> tuple[list[str], list[str]]:
    """Check every token against certificates of its authority; say which dates rest on none."""
    checks, missing = _of_records(read, roots)
    bundle, entries = read.bundle, read.entries
    noted = {one.of for one in entries.stamps}
    for name in bundle.sizes():
        if (
            name.startswith("evidence/seals/")
            and name.endswith(".tsr")
            and name[len("evidence/seals/") : -4] not in noted
        ):
            raise EvidenceError(f"{name}: a token that the log does not name", hint=HINT)
    if entries.in_force not in noted:
        missing.append("when the protocol was registered: it has no time-stamp; its date rests on the signer's clock")
    missing += [
        f"when record {one.of[:16]}... was written: it has no time-stamp: {one.reason}" for one in entries.unstamped
    ]
    tried = noted | {one.of for one in entries.unstamped}
    bare = sum(one.digest not in tried for one in entries.checkpoints)
    if bare:
        missing.append(
            f"when {bare} of {len(entries.checkpoints)} checkpoints were written: no time-stamp was asked for"
        )
    if "SHA256SUMS.tsr" in bundle.sizes():
        token, trusted = content(bundle, "SHA256SUMS.tsr"), roots or content(bundle, "SHA256SUMS.pem")
        said = timestamp.verify(token, content(bundle, "SHA256SUMS"), trusted, "SHA256SUMS.tsr")
        _not_before(said.time, read.ended_at, "the last record")
        checks.append(f"time-stamp of the whole by {said.authority}: {said.time}")
    elif roots:
        raise EvidenceError(
            "SHA256SUMS.tsr: is missing: nothing shows that this is the bundle that was sealed first",
            hint="without --tsa-root the rest can be verified; its signer could have sealed it anew",
        )
    else:
        missing.append("when it was sealed: there is no time-stamp over the whole, so that its signer can seal it anew")
    if checks and not roots:
        missing.append("who stamped: no --tsa-root was given, and certificates in a bundle prove nothing")
    return checks, missing


def _of_records(read: Read, roots: bytes) -> tuple[list[str], list[str]]:
    bundle, entries = read.bundle, read.entries
    checks: list[str] = []
    missing: list[str] = []
    confirmatory = entries.registration.case.protocol.phase == "confirmatory"
    for stamp in entries.stamps:
        name = f"evidence/seals/{stamp.of}.tsr"
        if name not in bundle.sizes() or stamp.of not in read.dated:
            raise EvidenceError(f"{name}: the log says that there is this token, and there is none", hint=HINT)
        token, entry = content(bundle, name), read.dated[stamp.of].entry
        if sha256(token) != stamp.token:
            raise EvidenceError(f"{name}: another token than the log names", hint=HINT)
        said = timestamp.verify(token, canonical(entry), roots or content(bundle, f"evidence/seals/{ROOTS}"), name)
        if (said.time, said.authority) != (stamp.time, stamp.authority):
            raise EvidenceError(f"{name}: says another time or authority than the log: {stamp.time}", hint=HINT)
        _not_before(said.time, entry.at, f"record {entry.seq}")
        if timestamp.seconds_between(entries.noted_at[stamp.of], said.time) > CLOCK_TOLERANCE:
            raise EvidenceError(
                f"{name}: noted in the log at {entries.noted_at[stamp.of]}, a token of {said.time}",
                hint="the log was dated back, or its clock was wrong",
            )
        checks.append(f"time-stamp of record {entry.seq} ({entry.kind}) by {said.authority}: {said.time}")
        asked = entries.asked_first.get(stamp.of, "")
        if asked and timestamp.seconds_between(said.time, asked) < 0:
            if confirmatory:
                raise EvidenceError(
                    f"{name}: the protocol was stamped at {said.time}, after the first question at {asked}",
                    hint="it was not registered before the models were asked",
                )
            missing.append(f"that the protocol of record {entry.seq} was fixed before the first question at {asked}")
    return checks, missing


def _not_before(stamped: str, at: str, what: str) -> None:
    if timestamp.seconds_between(stamped, at) > CLOCK_TOLERANCE:
        raise EvidenceError(
            f"{what} is dated {at}, after its time-stamp of {stamped}", hint="the clock of the log was wrong"
        )
