"""Checks a case folder as it lies, before anything of it is relied on that this run did not make.

A log that nobody sealed is chained and no more: whoever can write the folder can write another one. What they cannot do
is to make its answers follow from registered files and raw bytes that are others. Where a case was sealed, its bundle
is verified, and what lies beside it must be what the bundle holds.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import BinaryIO

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from depose.analysis import results
from depose.case.casefile import NAME
from depose.case.untrusted_files import opened
from depose.custody.bundle import UNSEALED, Read, content, read_log
from depose.custody.bundle import opened as opened_bundle
from depose.custody.kinds import BLOB, LOG
from depose.custody.rederive import rederived
from depose.custody.seal import Mark
from depose.custody.verified import as_evidence
from depose.custody.verify import verify
from depose.errors import CaseError, EvidenceError, shell
from depose.evidence.log import SEALED, log_path, seals_folder
from depose.model import Findings
from depose.model.canonical import sha256

_HINT = "move its folder away and run the command again, or put back what stood there"


class Lying:
    """The evidence of a case folder, under the names that it has in a bundle."""

    def __init__(self, folder: Path) -> None:
        self.name = str(folder)
        self._folder = folder
        found = [log_path(folder), *(folder / "evidence" / "blobs").glob("*"), *seals_folder(folder).glob("*")]
        self._sizes = {one.relative_to(folder).as_posix(): one.lstat().st_size for one in found}

    def sizes(self) -> dict[str, int]:
        """Name and size of every file."""
        return self._sizes

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading; of a log that a kill cut off, its whole lines."""
        try:
            file = opened(self._folder / name)
        except (OSError, ValueError) as error:
            raise EvidenceError(f"{self._folder / name}: {error}", hint=_HINT) from error
        if name != LOG:
            return file
        with file:
            data = file.read()
        return io.BytesIO(data[: data.rfind(b"\n") + 1])


def read_as_it_lies(folder: Path) -> Read:
    """Read the log of a case folder and the blobs that it names, whose digests must be their names."""
    lying = Lying(folder)
    check_blobs(lying)
    nobody = ec.generate_private_key(ec.SECP256R1()).public_key()
    return read_log(lying, nobody, UNSEALED)


def check_blobs(lying: Lying) -> None:
    """Raise EvidenceError unless all blobs have the digests that they are named by."""
    for name in lying.sizes():
        with lying.open(name) as file:
            if (blob := BLOB.match(name)) and hashlib.file_digest(file, "sha256").hexdigest() != blob[1]:  # type: ignore[arg-type]
                raise EvidenceError(f"{lying.name}/{name}: its bytes do not have the digest of its name", hint=_HINT)


def follows(folder: Path) -> tuple[str, ...]:
    """Check that each answer of a log follows from its raw bytes or its registered file; return what cannot be told.

    Raises EvidenceError at the first that does not.
    """
    with as_evidence(folder):
        return tuple(rederived(read_as_it_lies(folder))[1])


def sealed_findings(folder: Path) -> Findings:
    """Return the findings of a case that was sealed; raises EvidenceError unless its bundle verifies and holds them.

    Who sealed it is not checked: no public key is at hand.
    """
    file = seals_folder(folder) / SEALED
    try:
        with opened(file) as mark:
            name = msgspec.json.decode(mark.read(65_536), type=Mark).bundle
    except (OSError, ValueError, RecursionError) as error:
        raise EvidenceError(f"{file}: not the mark of a seal: {error}", hint=_HINT) from error
    called, there = Path(name).name, {one.name: one for one in (folder / "sealed").glob("*")}
    bundle = there.get(called)  # which may be no name that a file can have
    if bundle is None or not bundle.is_file():
        raise EvidenceError(
            f"{folder}: is marked as sealed, and its bundle {called[:80]!r} is not there",
            hint=f"put it back into {shell(folder / 'sealed')}, or {_HINT}",
        )
    verify(bundle)
    with as_evidence(bundle), opened_bundle(bundle, b"") as read:
        names = (NAME, LOG, f"out/{results.FINDINGS}", "out/report.html")
        given = {name: content(read.bundle, name) for name in names if name in read.bundle.sizes()}
        registered = {fact.name: fact.value for fact in read.entries.registration.files}
        files = {spec.file for spec in read.entries.registration.case.models if spec.file}
    for name, data in given.items():
        if _held(folder / name) != data:
            raise EvidenceError(f"{folder / name}: is not the one in {bundle.name}, which was sealed", hint=_HINT)
    for name in sorted(files):
        if sha256(_held(folder / name)) != registered.get(name):
            raise EvidenceError(f"{folder / name}: is not the one that was registered and sealed", hint=_HINT)
    try:
        return msgspec.json.decode(given[f"out/{results.FINDINGS}"], type=Findings)
    except (ValueError, RecursionError) as error:  # as an earlier version made them, which verify has said
        raise CaseError(f"{bundle}: not findings of this version: {error}", hint=_HINT) from error


def _held(file: Path) -> bytes:
    try:
        with opened(file) as there:
            return there.read()
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{file}: {error}", hint=_HINT) from error
