"""RFC 3161 time-stamps: bytes in, bytes out, no network.

A token proves that its data existed at its time, as far as its authority is trusted. Certificates are judged at the
time of the token, so that a token outlives the certificate that signed it.
"""

from __future__ import annotations

import re
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
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z\Z")


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
    return verify_digest(token, sha256(data), roots, name)


def verify_digest(token: bytes, digest: str, roots: bytes, name: str) -> Token:
    """Check a token over data of which the SHA-256 alone is known, in hex."""
    trusted = certificates(roots)
    response = _decode(token, name, [one.public_bytes(Encoding.DER) for one in trusted])
    try:
        return _checked(response, digest, trusted, name)
    except (ValueError, OverflowError, TypeError) as error:  # the parts of a token are parsed when they are looked at
        raise EvidenceError(f"{name}: not a whole token: {_short(error)}", hint="ask the authority again") from error


def _checked(response: TimeStampResponse, digest: str, trusted: Sequence[x509.Certificate], name: str) -> Token:
    said = response.tst_info
    imprint = said.message_imprint
    if imprint.hash_algorithm != SHA256:
        raise EvidenceError(f"{name}: the token is not over a SHA-256 digest", hint="ask for one that is")
    if imprint.message.hex() != digest:
        raise EvidenceError(
            f"{name}: the token is over other data: {imprint.message.hex()[:16]}..., not {digest[:16]}...",
            hint="it belongs to another file or record, or this one was changed after it was stamped",
        )
    authority = _signer(response, trusted, name)
    try:
        VerifierBuilder(roots=list(trusted)).build().verify(response, bytes.fromhex(digest))
    except (VerificationError, ValueError) as error:
        raise EvidenceError(
            f"{name}: the token is not signed by an authority of the roots given: {_short(error)}",
            hint="get the roots from the authority itself",
        ) from error
    return Token(
        time=said.gen_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        authority=authority,
        policy=said.policy.dotted_string,
    )


def answers(token: bytes, query: bytes) -> bool:
    """Tell whether a token carries the nonce of a request: DER holds it in the same bytes in both."""
    nonce = _decode(token, "the reply").tst_info.nonce
    return nonce is None or _integer(nonce) in query


def imprint(token: bytes, name: str) -> str:
    """Return the digest, in hex, that a token is over."""
    return _decode(token, name).tst_info.message_imprint.message.hex()


def serial(token: bytes, name: str) -> str:
    """Return the number that its authority gave a token, in hex."""
    return f"{_decode(token, name).tst_info.serial_number:x}"


def _integer(value: int) -> bytes:
    body = value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)
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


def _signer(response: TimeStampResponse, trusted: Sequence[x509.Certificate], name: str) -> str:
    """Name the signer, by the certificate that issuer and number in the signature point to.

    Certificates in a token are not signed, so that anybody can put another with the same number beside the signer's.
    """
    try:
        signers = {(one.issuer, one.serial_number) for one in response.signed_data.signer_infos}
        enclosed = [x509.load_der_x509_certificate(bytes(one)) for one in response.signed_data.certificates]
        found = {one for one in (*enclosed, *trusted) if (one.issuer, one.serial_number) in signers}
    except Exception as error:  # its reader raises kinds of its own for a version, an extension or a name that is none
        raise EvidenceError(
            f"{name}: holds a certificate that cannot be read: {_short(error)}",
            hint="ask for the token as the authority gave it",
        ) from error
    if len(signers) > 1 or len(found) > 1:
        raise EvidenceError(
            f"{name}: has {max(len(signers), len(found))} certificates that each claim to be its signer's",
            hint="another put a certificate into it; ask for the token as the authority gave it",
        )
    return next((one.subject.rfc4514_string() for one in found), "not named in the token")


def certificates(roots: bytes) -> list[x509.Certificate]:
    """Read a PEM file of certificates: roots, and what stands between them and the authority."""
    try:
        return x509.load_pem_x509_certificates(roots)
    except ValueError as error:
        raise UsageError(f"no certificates in PEM: {error}", hint="--tsa-root names a .pem file") from error


def enclosed(roots: bytes, name: str) -> bytes:
    """Return certificates that came with a token; raise EvidenceError, with `name`, for what is none."""
    try:
        certificates(roots)
    except UsageError as error:
        raise EvidenceError(f"{name}: {error.message}", hint="give --tsa-root, got from the authority") from error
    return roots


def moment(text: str, name: str) -> datetime:
    """Read a time of the log; raise EvidenceError, with `name`, for what is none."""
    if not _TIME.match(text):
        raise EvidenceError(f"{name}: {text[:40]!r} is not a time of a log", hint="the log was not written by depose")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise EvidenceError(f"{name}: {text!r}: {error}", hint="the log was not written by depose") from error


def seconds_between(earlier: str, later: str) -> float:
    """Count seconds from one time of the log to another."""
    return (moment(later, "log") - moment(earlier, "log")).total_seconds()
