"""The salted root of a bundle: made at sealing, made again at verification, and what copies are proved against."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import BinaryIO, NamedTuple

import msgspec

from depose.custody import leaves, merkle
from depose.custody.container import Bundle
from depose.errors import EvidenceError
from depose.model import Record
from depose.model.canonical import canonical

FILE = "COMMITMENT"
SALTS = "SALTS"
_HEX = re.compile(rb"[0-9a-f]{64}\n\Z")


class Commitment(Record, frozen=True, kw_only=True):
    """`COMMITMENT`: how many files a bundle has beside this one, and the root of the tree over them."""

    files: int
    root: str


class Committed(NamedTuple):
    """One file of a bundle and what stands for it in the tree."""

    name: str
    secret: bytes
    root: bytes
    hash: bytes


def master_of(secret: bytes, contents: str) -> bytes:
    """Derive the secret of all salts from the signing key and the contents: the same case seals to the same bytes."""
    return hmac.new(secret, b"depose salts 2" + contents.encode(), hashlib.sha256).digest()


def salts(master: bytes) -> bytes:
    """Write `SALTS`."""
    return master.hex().encode() + b"\n"


def master(data: bytes) -> bytes:
    """Read `SALTS`."""
    if not _HEX.match(data):
        raise EvidenceError(f"{SALTS}: not 64 hex digits and a line feed", hint="ask for the bundle as it was sealed")
    return bytes.fromhex(data.decode())


def committed(names: Iterable[str], opened: Callable[[str], BinaryIO], secret: bytes) -> list[Committed]:
    """Commit to each file under its name; in the order of their hashes."""
    found = []
    for name in names:
        own = leaves.secret_of(secret, name)
        root = merkle.root(leaves.roots(partial(opened, name), own))
        found.append(Committed(name, own, root, leaves.commitment(leaves.name_salt(own), name, root)))
    return sorted(found, key=lambda one: one.hash)


def write(files: Iterable[Committed]) -> bytes:
    """Write `COMMITMENT`."""
    hashes = [one.hash for one in files]
    return canonical(Commitment(files=len(hashes), root=merkle.root(hashes).hex())) + b"\n"


def read(data: bytes) -> Commitment:
    """Read `COMMITMENT`."""
    try:
        found = msgspec.json.decode(data, type=Commitment)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EvidenceError(f"{FILE}: not a count of files and a root: {error}", hint=leaves.HINT) from error
    if canonical(found) + b"\n" != data:
        raise EvidenceError(f"{FILE}: not in canonical form", hint=leaves.HINT)
    return found


def check(bundle: Bundle, names: Iterable[str], given: Mapping[str, bytes]) -> None:
    """Raise EvidenceError unless COMMITMENT follows from the files and SALTS of a sealed bundle."""
    if write(committed(names, bundle.open, master(given[SALTS]))) != given[FILE]:
        raise EvidenceError(
            f"{FILE}: does not follow from the files and {SALTS}: a copy would prove other words than were sealed",
            hint="ask for the bundle as it was sealed",
        )
