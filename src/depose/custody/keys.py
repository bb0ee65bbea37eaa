"""Signing keys: ECDSA on P-256 with SHA-256, which OpenSSL 1.1.1, 3 and LibreSSL all verify with `openssl dgst`.

Signatures are deterministic (RFC 6979): sealing the same case twice gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from depose.case import casefile
from depose.errors import EvidenceError, UsageError

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of the base point of P-256 (FIPS 186-5)."""
PublicKey = ec.EllipticCurvePublicKey
PrivateKey = ec.EllipticCurvePrivateKey


def make(path: Path, passphrase: str = "") -> Path:
    """Write a new private key, readable by its owner alone, and beside it the public one, whose path is returned."""
    outside_of_cases(path)
    public = path.with_name(f"{path.name}.pub")
    key = ec.generate_private_key(ec.SECP256R1())
    locked = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
        with public.open("xb") as file:
            file.write(public_pem(key.public_key()))
    except FileExistsError as error:
        raise UsageError(f"{error.filename}: is there already", hint="a key is never written over") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}", hint="name a file that can be made") from error
    return public


def outside_of_cases(path: Path) -> None:
    """Refuse a key inside a case folder, from where it would get into the wrong hands with the case."""
    for folder in path.resolve().parents:
        if (folder / casefile.NAME).is_file() or (folder / "evidence" / "log.jsonl").is_file():
            raise UsageError(f"{path}: inside the case folder {folder}", hint="keep the key away from every case")


def load(path: Path, passphrase: str = "") -> PrivateKey:
    """Read a private key made by `make`."""
    outside_of_cases(path)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), passphrase.encode() or None)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}", hint="make one: depose keygen FILE") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path}: not a key that can be opened: {error}", hint="see --passphrase-env") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise UsageError(f"{path}: not a P-256 key", hint="make one: depose keygen FILE")
    return key


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


def secret_numbers(key: PrivateKey | rsa.RSAPrivateKey) -> dict[str, bytes]:
    """Return what must never be written into a bundle: the numbers of a private key, as every file of it holds them.

    The first byte is left out: in hex a number may begin with half of one.
    """
    if isinstance(key, rsa.RSAPrivateKey):
        secret = key.private_numbers()
        numbers = {"exponent": secret.d, "first prime": secret.p, "second prime": secret.q}
    else:
        numbers = {"number": key.private_numbers().private_value}
    size = (key.key_size + 7) // 8
    found: dict[str, bytes] = {}
    for name, number in numbers.items():
        whole = number.to_bytes(size, "big").lstrip(b"\0")
        found |= {name: whole[1:], f"{name}, turned round": whole[:0:-1], f"{name}, decimal": str(number).encode()}
    return found


def locked(pem: bytes) -> bytes:
    """Return the bytes of a key file as they are without its text, so that a copy is found in any form."""
    body = b"".join(line for line in pem.splitlines() if b"-----" not in line and b":" not in line)
    try:
        return base64.b64decode(body)
    except ValueError:
        return pem.strip()


def number(key: PrivateKey) -> bytes:
    """Return the private number; never written anywhere, what follows from it one way is."""
    return key.private_numbers().private_value.to_bytes(32, "big")
