"""Signing keys: ECDSA on P-256 with SHA-256, which OpenSSL 1.1.1, 3 and LibreSSL all verify with `openssl dgst`.

Signatures are deterministic (RFC 6979): sealing the same case twice gives the same bytes.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from depose.case import casefile
from depose.case.signatures import ORDER as ORDER
from depose.case.signatures import PrivateKey as PrivateKey
from depose.case.signatures import PublicKey as PublicKey
from depose.case.signatures import check as check
from depose.case.signatures import fingerprint as fingerprint
from depose.case.signatures import load_public as load_public
from depose.case.signatures import public_pem as public_pem
from depose.case.signatures import sign as sign
from depose.errors import EvidenceError, UsageError


def signer(enclosed: bytes, public_key: bytes, name: str) -> PublicKey:
    """Read the public key that came with something sealed, and hold it to the one that its reader got by another way.

    Without `public_key` the enclosed one is taken, which proves nothing of who signed. Raises EvidenceError, with the
    `name` of what was sealed, where the two differ.
    """
    key = load_public(enclosed, "signer.pem")
    if public_key:
        known = load_public(public_key, "--public-key")
        if fingerprint(known) != fingerprint(key):
            raise EvidenceError(
                f"{name}: signed with the key {fingerprint(key)[:16]}..., not with {fingerprint(known)[:16]}...",
                hint="somebody else sealed it",
            )
    return key


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
