"""RFC 3161 time-stamps: bytes in, bytes out, no network.

A token proves that its data existed at its time, as far as its authority is trusted. Certificates are judged at the
time of the token, so that a token outlives the certificate that signed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from depose.errors import EvidenceError, UsageError
from depose.evidence.token_form import readable
from depose.model import Record
from depose.model.canonical import sha256

SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")


class Token(Record, frozen=True, kw_only=True):
    """What a verified token says."""

    time: str
    """UTC, ISO 8601, as the log writes it."""
    authority: str
    policy: str


def request(data: bytes) -> bytes:
    """Make a request for a token over data, with a nonce, asking for the authority's certificate."""
    builder = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256)
    return builder.nonce(nonce=True).cert_request(cert_request=True).build().as_bytes()


def verify(token: bytes, data: bytes, roots: bytes, name: str) -> Token:
    """Check a token over data against certificates in PEM; raise EvidenceError, with `name`, where it does not hold."""
    trusted = certificates(roots)
    response = _decode(token, name, [one.public_bytes(Encoding.DER) for one in trusted])
    said = response.tst_info
    imprint = said.message_imprint
    if imprint.hash_algorithm != SHA256:
        raise EvidenceError(f"{name}: the token is not over a SHA-256 digest", hint="ask for one that is")
    if imprint.message.hex() != sha256(data):
        raise EvidenceError(
            f"{name}: the token is over other data: {imprint.message.hex()[:16]}..., not {sha256(data)[:16]}...",
            hint="it belongs to another file or record, or this one was changed after it was stamped",
        )
    try:
        VerifierBuilder(roots=trusted).build().verify_message(response, data)
    except (VerificationError, ValueError) as error:
        raise EvidenceError(
            f"{name}: the token is not signed by an authority of the roots given: {_short(error)}",
            hint="get the roots from the authority itself",
        ) from error
    return Token(
        time=said.gen_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        authority=_signer(response),
        policy=said.policy.dotted_string,
    )


def answers(token: bytes, query: bytes) -> bool:
    """Tell whether a token carries the nonce of a request: DER holds it in the same bytes in both."""
    nonce = _decode(token, "the reply").tst_info.nonce
    return nonce is None or _integer(nonce) in query


def imprint(token: bytes, name: str) -> str:
    """Return the digest, in hex, that a token is over."""
    return _decode(token, name).tst_info.message_imprint.message.hex()


def _integer(value: int) -> bytes:
    body = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return bytes((2, len(body))) + body


def _decode(token: bytes, name: str, known: Sequence[bytes] = ()) -> TimeStampResponse:
    """Read a reply that holds a token; raise EvidenceError where it is none, or the authority refused."""
    try:
        response = decode_timestamp_response(readable(token, known))
        if response.status in (0, 1):
            response.tst_info  # noqa: B018  # raises where there is no token in it
    except (ValueError, OverflowError) as error:
        raise EvidenceError(
            f"{name}: not a time-stamp reply: {_short(error)}", hint="it is a .tsr file, in DER"
        ) from error
    if response.status not in (0, 1):
        words = "; ".join(response.status_string)[:200] or "without words"
        kind = {2: "rejection", 3: "waiting"}.get(response.status, "another status")
        raise EvidenceError(
            f"{name}: the authority refused: status {response.status} ({kind}): {words}",
            hint="ask it again, or another authority",
        )
    return response


def _short(error: Exception) -> str:
    """Keep the words of openssl that say what is wrong."""
    text = str(error)
    reason = text.rpartition('data: "')[2].partition('"')[0] if 'data: "' in text else text
    return reason[:200]


def _signer(response: TimeStampResponse) -> str:
    """Name the certificate that the signature names, by issuer and number."""
    (info,) = response.signed_data.signer_infos
    for encoded in sorted(response.signed_data.certificates):
        certificate = x509.load_der_x509_certificate(bytes(encoded))
        if (certificate.issuer, certificate.serial_number) == (info.issuer, info.serial_number):
            return certificate.subject.rfc4514_string()
    return "not named in the token"


def certificates(roots: bytes) -> list[x509.Certificate]:
    """Read a PEM file of certificates: roots, and what stands between them and the authority."""
    try:
        return x509.load_pem_x509_certificates(roots)
    except ValueError as error:
        raise UsageError(f"no certificates in PEM: {error}", hint="--tsa-root names a .pem file") from error


def seconds_between(earlier: str, later: str) -> float:
    """Count seconds from one time of the log to another."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
