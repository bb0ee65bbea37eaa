"""A public beacon: drand quicknet, of the League of Entropy, a value every three seconds.

The value of a round is SHA-256 of a signature that two thirds of the league make together: a BLS signature over the
number of the round, of which there is exactly one, so that a file with it needs no trust and no network to be checked.
Sources: drand.love, scheme `bls-unchained-g1-rfc9380`; D. Boneh, B. Lynn, H. Shacham, "Short signatures from the Weil
pairing", ASIACRYPT 2001; RFC 9380. Curves and pairing are those of arkworks.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta

from depose.errors import EvidenceError
from depose.model import Record

NAME = "drand quicknet"
CHAIN = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
KEY = (
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
    "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
)
"""Of the league, on G2."""
GENESIS = datetime(2023, 8, 23, 15, 9, 27, tzinfo=UTC)
PERIOD = 3
"""Seconds."""
DOMAIN = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
LARGEST = 10_000
HINT = f"a file of the round as drand serves it: https://api.drand.sh/{CHAIN}/public/ROUND"


class _Served(msgspec.Struct):
    """A round as drand serves it; what else it says follows from these."""

    round: Annotated[int, Meta(ge=1, lt=2**53)]
    signature: Annotated[str, Meta(pattern=r"^[0-9a-f]{96}\Z")]


class Pulse(Record, frozen=True, kw_only=True):
    """A round whose signature holds."""

    round: int
    value: str
    at: str
    """Moment of the round, as the log writes times."""


def round_of(moment: str) -> int:
    """Return the first round at or after a moment, such as `2027-03-01T12:00Z`; raise EvidenceError for no moment."""
    try:
        passed = (datetime.fromisoformat(moment) - GENESIS).total_seconds()
    except (ValueError, TypeError) as error:
        raise EvidenceError(f"{moment[:40]!r} is no moment of {NAME}", hint="such as 2027-03-01T12:00Z") from error
    return max(int(-(-passed // PERIOD)) + 1, 1)


def moment_of(number: int) -> str:
    """Return the moment of a round, as the log writes times."""
    return (GENESIS + timedelta(seconds=PERIOD * (number - 1))).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def pulse(data: bytes, wanted: int, name: str) -> Pulse:
    """Read the file of a round and check its signature; raise EvidenceError, with `name`, where it is another."""
    try:
        if len(data) > LARGEST:
            raise ValueError(f"larger than {LARGEST} bytes")
        served = msgspec.json.decode(data, type=_Served)
    except (ValueError, RecursionError) as error:  # of msgspec, too
        raise EvidenceError(f"{name}: no round of {NAME}: {error}", hint=HINT) from error
    if served.round != wanted:
        raise EvidenceError(
            f"{name}: is round {served.round} of {NAME}, and the registered moment is that of round {wanted}",
            hint=HINT.replace("ROUND", str(wanted)),
        )
    if not _holds(served):
        raise EvidenceError(
            f"{name}: the signature of round {wanted} is not that of {NAME}", hint=HINT.replace("ROUND", str(wanted))
        )
    value = sha256(bytes.fromhex(served.signature)).hexdigest()
    return Pulse(round=wanted, value=value, at=moment_of(wanted))


def _holds(served: _Served) -> bool:
    """Tell whether the league signed the number of the round: e(signature, g2) = e(H(round), key)."""
    from py_arkworks_bls12381 import GT, G1Point, G2Point

    try:
        signature = G1Point.from_compressed_bytes(bytes.fromhex(served.signature))
    except ValueError:  # no point of the curve, or outside of the subgroup
        return False
    hashed = G1Point.hash_to_curve(sha256(served.round.to_bytes(8, "big")).digest(), DOMAIN)
    return GT.pairing_check([signature, hashed], [-G2Point(), G2Point.from_compressed_bytes(bytes.fromhex(KEY))])
