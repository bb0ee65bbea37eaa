"""Checks the time-stamp tokens of a bundle: what each is over, who signed it, whether the dates of the log fit it."""

from __future__ import annotations

from depose.custody import commitment
from depose.custody.bundle import HINT, Read, content
from depose.custody.kinds import ROOTS, TOKEN
from depose.custody.stamp import CLOCK_TOLERANCE
from depose.errors import EvidenceError
from depose.evidence import timestamp
from depose.model.canonical import canonical, sha256


def stamps(read: Read, roots: bytes, now: str) -> tuple[list[str], list[str]]:
    """Check every token against certificates of its authority; say which dates rest on none.

    `now` is the time at which somebody looks: nothing can be dated after it.
    """
    for at, what in ((read.ended_at, "the last record"), (read.seal.sealed_at, "the seal")):
        _not_in_the_future(at, now, f"{what} is dated {at}")
    checks, missing = _of_records(read, roots, now)
    bundle, entries = read.bundle, read.entries
    noted = {one.of for one in entries.stamps}
    for name in bundle.sizes():
        if (token := TOKEN.match(name)) and token[1] not in noted:
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
        done, without = _of_whole(read, roots, now)
        checks += done
        missing += without
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


def _of_whole(read: Read, roots: bytes, now: str) -> tuple[list[str], list[str]]:
    """Check the tokens over the whole, and that the date of the seal fits them."""
    bundle, checks, missing = read.bundle, list[str](), list[str]()
    trusted = roots or timestamp.enclosed(content(bundle, "SHA256SUMS.pem"), "SHA256SUMS.pem")
    said = timestamp.verify(content(bundle, "SHA256SUMS.tsr"), content(bundle, "SHA256SUMS"), trusted, "SHA256SUMS.tsr")
    _not_in_the_future(said.time, now, f"SHA256SUMS.tsr: is a token of {said.time}")
    _not_before(said.time, read.ended_at, "the last record")
    _not_before(said.time, read.seal.sealed_at, "seal.json")
    checks.append(f"time-stamp of the whole by {said.authority}: {said.time}")
    late = timestamp.seconds_between(read.seal.sealed_at, said.time)
    if late > CLOCK_TOLERANCE:
        missing.append(
            f"when it was sealed: {read.seal.sealed_at} by the signer's clock; its time-stamp is {said.time}"
        )
    name = f"{commitment.FILE}.tsr"
    if name in bundle.sizes():
        token = content(bundle, name)
        also = timestamp.verify(token, content(bundle, commitment.FILE), trusted, name)
        _not_in_the_future(also.time, now, f"{name}: is a token of {also.time}")
        if abs(timestamp.seconds_between(said.time, also.time)) > CLOCK_TOLERANCE:
            raise EvidenceError(f"{name}: of {also.time}, and SHA256SUMS.tsr of {said.time}", hint=HINT)
        checks.append(f"{commitment.FILE} stamped by {also.authority}: {also.time}")
    elif commitment.FILE in bundle.sizes():
        missing.append(
            f"when {commitment.FILE} was made: it has no time-stamp, so that copies rest on the signer's word"
        )
    return checks, missing


def _of_records(read: Read, roots: bytes, now: str) -> tuple[list[str], list[str]]:
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
        trusted = roots or timestamp.enclosed(content(bundle, ROOTS), ROOTS)
        said = timestamp.verify(token, canonical(entry), trusted, name)
        if (said.time, said.authority) != (stamp.time, stamp.authority):
            raise EvidenceError(f"{name}: says another time or authority than the log: {stamp.time}", hint=HINT)
        _not_in_the_future(said.time, now, f"{name}: is a token of {said.time}")
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


def _not_in_the_future(at: str, now: str, what: str) -> None:
    if timestamp.seconds_between(now, at) > CLOCK_TOLERANCE:
        raise EvidenceError(
            f"{what}, which is yet to come", hint=f"the clock here says {now}: if it is right, the date is made up"
        )
