"""Checks the time-stamp tokens of a bundle: what each is over, who signed it, whether the dates of the log fit it."""

from __future__ import annotations

from depose import timestamp
from depose.canon import canonical, sha256
from depose.custody.bundle import HINT, Read, content
from depose.custody.stamp import CLOCK_TOLERANCE, ROOTS
from depose.errors import EvidenceError


def stamps(read: Read, roots: bytes) -> tuple[list[str], list[str]]:
    """Check every token: what it is over, who signed it, and that the dates of the log fit its time."""
    bundle, entries, missing = read.bundle, read.entries, []
    noted = {stamp.of: stamp for stamp in entries.stamps}
    checks = []
    for of in sorted(noted):
        name = f"evidence/seals/{of}.tsr"
        if name not in bundle.sizes() or of not in read.dated:
            raise EvidenceError(f"{name}: the log says that there is this token, and there is none", hint=HINT)
        token, entry = content(bundle, name), read.dated[of].entry
        if sha256(token) != noted[of].token:
            raise EvidenceError(f"{name}: another token than the log names", hint=HINT)
        said = timestamp.verify(token, canonical(entry), roots or content(bundle, f"evidence/seals/{ROOTS}"), name)
        _not_before(said.time, entry.at, f"record {entry.seq}")
        if (
            of == entries.in_force
            and timestamp.seconds_between(said.time, read.asked_at) < 0
            and not entries.superseded
        ):
            raise EvidenceError(
                f"{name}: the protocol was stamped at {said.time}, after the first question at {read.asked_at}",
                hint="it was not registered before the models were asked",
            )
        checks.append(f"time-stamp of record {entry.seq} by {said.authority}: {said.time}")
    unknown = [name for name in bundle.sizes() if name.startswith("evidence/seals/") and name.endswith(".tsr")]
    for name in unknown:
        if name[len("evidence/seals/") : -4] not in noted:
            raise EvidenceError(f"{name}: a token that the log does not name", hint=HINT)
    if not entries.stamped:
        missing.append("when the protocol was registered: it has no time-stamp; its date rests on the signer's clock")
    if "SHA256SUMS.tsr" in bundle.sizes():
        trusted = roots or content(bundle, "SHA256SUMS.pem")
        said = timestamp.verify(
            content(bundle, "SHA256SUMS.tsr"), content(bundle, "SHA256SUMS"), trusted, "SHA256SUMS.tsr"
        )
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


def _not_before(stamped: str, at: str, what: str) -> None:
    if timestamp.seconds_between(stamped, at) > CLOCK_TOLERANCE:
        raise EvidenceError(
            f"{what} is dated {at}, after its time-stamp of {stamped}", hint="the clock of the log was wrong"
        )
