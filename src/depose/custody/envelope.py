"""The findings as an in-toto statement in a DSSE envelope, for machines that read attestations.

Formats: github.com/in-toto/attestation spec/v1 and github.com/secure-systems-lab/dsse, both signed as bytes.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from depose.custody import keys
from depose.errors import EvidenceError
from depose.model import Findings, Record
from depose.model.canonical import UNREADABLE, canonical, in_one_form
from depose.report.compliance import lined_up

PAYLOAD = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:depose:findings:1"


class Signature(Record, frozen=True, kw_only=True):
    """One signature of an envelope, in base64."""

    keyid: str
    sig: str


class Envelope(Record, frozen=True, kw_only=True, rename="camel"):
    """A DSSE envelope."""

    payload: str
    payload_type: str
    signatures: tuple[Signature, ...]


def statement(findings: Findings, subjects: dict[str, str]) -> dict[str, Any]:
    """State the opinions of the findings about files, given by name and SHA-256."""
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(subjects.items())],
        "predicateType": PREDICATE,
        "predicate": {
            "protocol": findings.protocol_digest,
            "logHead": findings.log_head,
            "timeStamped": findings.time_stamped,
            "opinions": [
                {
                    "suspect": one.suspect,
                    "reference": one.reference,
                    "question": one.question,
                    "opinion": one.opinion.verdict,
                    "reasons": list(one.opinion.reasons),
                }
                for one in findings.findings
            ]
            + [
                {
                    "suspect": one.suspect,
                    "reference": one.reference,
                    "question": "exposed",
                    "opinion": one.opinion.verdict,
                    "reasons": list(one.opinion.reasons),
                }
                for one in lined_up(findings)
            ],
        },
    }


def _encoding(payload: bytes) -> bytes:
    """Pre-authentication encoding: the bytes that are signed."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD), PAYLOAD.encode(), len(payload), payload)


def write(value: dict[str, Any], key: keys.PrivateKey) -> bytes:
    """Sign a statement."""
    payload = canonical(value)
    signature = keys.sign(key, _encoding(payload))
    return canonical(
        Envelope(
            payload=base64.b64encode(payload).decode(),
            payload_type=PAYLOAD,
            signatures=(Signature(keyid=keys.fingerprint(key.public_key()), sig=base64.b64encode(signature).decode()),),
        )
    )


def read(data: bytes, key: keys.PublicKey, name: str) -> bytes:
    """Check an envelope and return the statement in it; raise EvidenceError, with `name`, where it does not hold."""
    try:
        envelope = msgspec.json.decode(data, type=Envelope)
        payload = base64.b64decode(envelope.payload, validate=True)
        (signature,) = (base64.b64decode(one.sig, validate=True) for one in envelope.signatures)
    except (*UNREADABLE, binascii.Error, ValueError) as error:
        raise EvidenceError(f"{name}: not a DSSE envelope with one signature: {error}", hint="see VERIFY.md") from error
    again = envelope.payload == base64.b64encode(payload).decode() and in_one_form(data)
    if not again or envelope.signatures[0].sig != base64.b64encode(signature).decode():
        raise EvidenceError(f"{name}: not in the one form in which depose writes it", hint="see VERIFY.md")
    keys.check(key, signature, _encoding(payload), name)
    if (envelope.payload_type, envelope.signatures[0].keyid) != (PAYLOAD, keys.fingerprint(key)):
        raise EvidenceError(f"{name}: an envelope of another type, or with another signer's name", hint="see VERIFY.md")
    return payload
