"""What is signed of a copy or a proof: the root of the bundle that it was made from, and its time-stamps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from depose.custody import commitment, keys, leaves, manifest
from depose.custody.kinds import OUTSIDE
from depose.custody.stamp import CLOCK_TOLERANCE
from depose.errors import EvidenceError
from depose.evidence import timestamp
from depose.evidence.log import Clock
from depose.model.canonical import sha256

_HINT = leaves.HINT


class Signed(NamedTuple):
    """What is signed of a copy or a proof."""

    key: keys.PublicKey
    digests: dict[str, str]
    root: commitment.Commitment
    data: Mapping[str, bytes]

    @classmethod
    def read(cls, data: Mapping[str, bytes], public_key: bytes, name: str) -> Signed:
        """Check the signature and every file that SEAL lists, but for SHA256SUMS, which stays behind."""
        for needed in ("SEAL", "SEAL.sig", "signer.pem", commitment.FILE):
            if needed not in data:
                raise EvidenceError(f"{name}: no {needed}: not a whole copy", hint=_HINT)
        key = keys.signer(data["signer.pem"], public_key, name)
        keys.check(key, data["SEAL.sig"], data["SEAL"], "SEAL.sig")
        digests = manifest.read(data["SEAL"], "SEAL")
        if not {"SHA256SUMS", commitment.FILE} <= digests.keys() <= set(OUTSIDE):
            raise EvidenceError("SEAL: lists other files than a seal with a commitment does", hint=_HINT)
        for listed, digest in digests.items():
            if listed != "SHA256SUMS" and sha256(data.get(listed, b"")) != digest:
                raise EvidenceError(f"{listed}: missing, or not the one that was sealed", hint=_HINT)
        return cls(key, digests, commitment.read(data[commitment.FILE]), data)

    def stamps(self, roots: bytes, clock: Clock) -> tuple[list[str], list[str]]:
        """Check the tokens over the whole; they are used or asked for, never passed over."""
        checks, without, now = list[str](), list[str](), clock()
        for name in ("SHA256SUMS", commitment.FILE):
            token = self.data.get(f"{name}.tsr")
            if token is None:
                continue
            trusted = roots or timestamp.enclosed(self.data.get("SHA256SUMS.pem", b""), "SHA256SUMS.pem")
            said = timestamp.verify_digest(token, self.digests[name], trusted, f"{name}.tsr")
            if timestamp.seconds_between(now, said.time) > CLOCK_TOLERANCE:
                raise EvidenceError(f"{name}.tsr: is a token of {said.time}, which is yet to come", hint=_HINT)
            checks.append(f"time-stamp of {name} by {said.authority}: {said.time}")
        if roots and not checks:
            raise EvidenceError(
                f"{commitment.FILE}.tsr: is missing: --tsa-root was given, and there is no time-stamp to check",
                hint="without --tsa-root the rest can be verified; when it was sealed rests on the signer's word",
            )
        if checks and not roots:
            without.append("who stamped: no --tsa-root was given, and certificates in a copy prove nothing")
        if f"{commitment.FILE}.tsr" not in self.data:
            without.append(f"when {commitment.FILE} was made: it has no time-stamp of its own")
        return checks, without
