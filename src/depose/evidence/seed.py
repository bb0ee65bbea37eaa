"""A seed that nobody may choose: from what did not exist when the protocol was registered.

The protocol is frozen and time-stamped; then its seed is the start of SHA-256 over the digest of the stamped record and
a value that came after it: SHA-256 of the signature in the token, or the value of a round of a public beacon. SHA-256
is one-way, so that neither can be made for a seed that somebody wants; what remains is to try again, which a beacon
whose moment was registered leaves no room for.
"""

from __future__ import annotations

from depose.errors import EvidenceError
from depose.evidence.token_form import signature
from depose.model.canonical import sha256

RULE = "depose seed 1"
DIGITS = 13
"""Hexadecimal digits of a seed, which is below 2^52: exact in every JSON reader."""


def derived(of: str, value: str) -> int:
    """Derive the seed of the protocol whose record has the digest `of`."""
    return int(sha256(f"{RULE}\n{of}\n{value}\n".encode())[:DIGITS], 16)


def of_token(token: bytes, name: str) -> str:
    """Return SHA-256 of the signature in a token; raise EvidenceError, with `name`, where it has not exactly one."""
    try:
        return sha256(signature(token))
    except (ValueError, IndexError) as error:
        raise EvidenceError(
            f"{name}: no seed follows from this token: {error}", hint="ask another authority"
        ) from error
