"""Signatures that anybody can check: ECDSA on P-256 with SHA-256 (FIPS 186-5), in one form.

OpenSSL 1.1.1, 3 and LibreSSL all verify them with `openssl dgst`. Keys are made and read in `custody.keys`.
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from depose.errors import EvidenceError

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of the base point of P-256 (FIPS 186-5)."""
PublicKey = ec.EllipticCurvePublicKey
PrivateKey = ec.EllipticCurvePrivateKey


def load_public(pem: bytes, name: str) -> PublicKey:
    """Read a public key; `name` is for messages."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise EvidenceError(f"{name}: not a public key in PEM", hint="get it from the signer") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise EvidenceError(f"{name}: not a P-256 key", hint="get it from the signer")
    return key


def public_pem(key: PublicKey) -> bytes:
    """Write a public key."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def fingerprint(key: PublicKey) -> str:
    """SHA-256 of the public key in DER, as `openssl pkey -pubin -outform DER | sha256sum` prints it."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def sign(key: PrivateKey, data: bytes) -> bytes:
    """Sign; the signature is in DER, in the one form that `check` takes."""
    return _one_form(key.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))


def _one_form(signature: bytes) -> bytes:
    """Of the two signatures (r, s) and (r, -s), which both hold, return the one with the smaller s."""
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, min(s, ORDER - s))


def check(key: PublicKey, signature: bytes, data: bytes, name: str) -> None:
    """Raise EvidenceError, with `name`, unless the key signed the data."""
    try:
        key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise EvidenceError(
            f"{name}: not a signature of {fingerprint(key)[:16]}... over these bytes",
            hint="the bundle was changed after it was signed, or signed by somebody else",
        ) from error
    if signature != _one_form(signature):
        raise EvidenceError(
            f"{name}: not in the one form in which depose signs: another made it out of the first",
            hint="the signature holds, but this is not the file that was sealed",
        )
