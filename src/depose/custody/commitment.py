"""The salted root of a bundle: made at sealing, made again at verification, and what copies are proved against."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import BinaryIO, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from depose.custody import forms, leaves, merkle
from depose.custody.container import Bundle
from depose.errors import EvidenceError
from depose.model import Record
from depose.model.canonical import UNREADABLE, canonical

FILE = "COMMITMENT"
SALTS = "SALTS"
_HEX = re.compile(rb"[0-9a-f]{64}\n\Z")


class Commitment(Record, frozen=True, kw_only=True):
    """`COMMITMENT`: how many files a bundle has beside this one, and the root of the tree over them."""

    files: int
    root: str
    form: int | UnsetType = UNSET
    """By which the hashes under the root are made (see `forms`); form 2 did not say it."""

    @property
    def by(self) -> int:
        """Return the form."""
        return 2 if isinstance(self.form, UnsetType) else self.form


class Committed(NamedTuple):
    """One file of a bundle and what stands for it in the tree."""

    name: str
    secret: bytes
    root: bytes
    """Of its lines and their number."""
    hash: bytes
    """Of name and root."""


def master_of(secret: bytes, contents: str) -> bytes:
    """Derive the secret of all salts from the signing key and the contents: the same case seals to the same bytes."""
    return hmac.new(secret, b"depose salts 3" + contents.encode(), hashlib.sha256).digest()


def salts(master: bytes) -> bytes:
    """Write `SALTS`."""
    return master.hex().encode() + b"\n"


def master(data: bytes) -> bytes:
    """Read `SALTS`."""
    if not _HEX.match(data):
        raise EvidenceError(f"{SALTS}: not 64 hex digits and a line feed", hint="ask for the bundle as it was sealed")
    return bytes.fromhex(data.decode())


def committed(
    names: Iterable[str], opened: Callable[[str], BinaryIO], secret: bytes, form: int = forms.LATEST
) -> list[Committed]:
    """Commit to each file under its name; in the order of their hashes."""
    found = []
    for name in names:
        own = leaves.secret_of(secret, name)
        root = forms.file_root(leaves.roots(partial(opened, name), own), form)
        found.append(Committed(name, own, root, forms.commitment(leaves.name_salt(own), name, root, form)))
    return sorted(found, key=lambda one: one.hash)


def write(files: Iterable[Committed], form: int = forms.LATEST) -> bytes:
    """Write `COMMITMENT`."""
    hashes = [one.hash for one in files]
    said = UNSET if form == 2 else form
    return canonical(Commitment(files=len(hashes), root=merkle.root(hashes).hex(), form=said)) + b"\n"


def read(data: bytes) -> Commitment:
    """Read `COMMITMENT`."""
    try:
        found = msgspec.json.decode(data, type=Commitment)
    except UNREADABLE as error:
        raise EvidenceError(f"{FILE}: not a count of files and a root: {error}", hint=leaves.HINT) from error
    if canonical(found) + b"\n" != data:
        raise EvidenceError(f"{FILE}: not in canonical form", hint=leaves.HINT)
    if found.by not in forms.KNOWN or found.form == 2:
        raise EvidenceError(f"{FILE}: of a form that is not known here", hint="verify with the depose that sealed it")
    return found


def check(bundle: Bundle, names: Iterable[str], given: Mapping[str, bytes], form: int) -> None:
    """Raise EvidenceError unless COMMITMENT follows from the files and SALTS of a sealed bundle, by its form."""
    if write(committed(names, bundle.open, master(given[SALTS]), form), form) != given[FILE]:
        raise EvidenceError(
            f"{FILE}: does not follow from the files and {SALTS}: a copy would prove other words than were sealed",
            hint="ask for the bundle as it was sealed",
        )
