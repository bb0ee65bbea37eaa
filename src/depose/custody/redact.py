"""Derived copies of a sealed bundle: with passages withheld, or single records alone. The bundle stays as it is.

A redacted copy holds the parent's seal unchanged in `parent/`, a log of what was withheld and why, and every file,
with `[REDACTED]` for what was withheld, whatever its length. A touched line of the log becomes its hash in the Merkle
tree and its redacted words, so that the sealed root still follows from the copy. Words are sought as they are and as
JSON, HTML, URLs, hex and base64 write them; files that hold text compressed, or answers in the pieces in which they
came, are withheld whole.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from depose.custody import container, keys, manifest, merkle
from depose.custody.bundle import LOG, opened
from depose.custody.container import Unpacked
from depose.custody.seal import OUTSIDE, Seal
from depose.custody.verify import Verified
from depose.errors import EvidenceError, UsageError
from depose.evidence.compression import SHORTEST
from depose.evidence.ledger import Entries
from depose.evidence.search import Sought, find
from depose.model import Record
from depose.model.canonical import canonical, sha256

PARENT = ("SEAL", "SEAL.sig", *OUTSIDE, "seal.json", "signer.pem")
RANGES = "redactions.jsonl"
MARK = b"[REDACTED]"
OPAQUE = (".pdf", ".parquet", ".png")
"""Files that may hold the words where they cannot be found."""
_HINT = "ask for the copy as it was produced"


class Range(Record, frozen=True, kw_only=True):
    """One passage that was withheld: bytes `start` to `end` of a sealed file."""

    file: str
    sha256: str
    start: int
    end: int
    reason: str
    at: str


class Withheld(Record, frozen=True, kw_only=True):
    """A line of the log of which a part was withheld."""

    leaf: str
    shown: str


class Redacted(Record, frozen=True, kw_only=True):
    """A derived copy that was written."""

    folder: str
    parent: str
    """SHA-256 of the parent's SEAL."""
    ranges: int
    files: int


class Proof(Record, frozen=True, kw_only=True):
    """One record of the log and what leads from it to the sealed root; says nothing of any other record."""

    line: str
    path: tuple[tuple[str, str], ...]


def redact(path: Path, goal: Path, words: Sequence[bytes], reason: str, at: str) -> Redacted:
    """Write a copy in which these words are withheld wherever they stand; raise UsageError if they stand nowhere."""
    if not reason.strip() or not all(words):
        raise UsageError("a redaction needs words and a reason", hint="--find TEXT or --find-env VAR, and --reason")
    sought = Sought({str(number): word for number, word in enumerate(words)})
    ranges: list[Range] = []
    made: dict[str, bytes] = {}
    with opened(path, b"") as read:
        names = [name for name in read.bundle.sizes() if name not in PARENT]
        whole = {name for name in names if name.endswith(OPAQUE)} | _in_pieces(read.entries)
        for name in (*names, *(one for one in PARENT if one in read.bundle.sizes())):
            with read.bundle.open(name) as file:
                data = file.read()
            if name in PARENT:
                made[f"parent/{name}"] = data
                continue
            opaque = name in whole
            found = [(0, len(data))] if opaque else _places(data, sought)
            ranges += [
                Range(file=name, sha256=sha256(data), start=start, end=end, reason=reason.strip(), at=at)
                for start, end in found
            ]
            if opaque:
                made[name] = MARK
            else:
                made[name] = _log_without(data, sought) if name == LOG else _without(data, sought)
    if all(one.file in whole for one in ranges):
        raise UsageError(f"{path}: these words stand nowhere in it", hint="nothing was written")
    made[RANGES] = b"".join(canonical(one) + b"\n" for one in ranges)
    made["SHA256SUMS"] = manifest.write({name: sha256(data) for name, data in made.items()})
    _write(goal, made)
    return Redacted(
        folder=str(goal),
        parent=sha256(made["parent/SEAL"]),
        ranges=len(ranges),
        files=len({one.file for one in ranges}),
    )


def _in_pieces(entries: Entries) -> set[str]:
    """Name the blobs of answers that were streamed or compressed: words in them are not found as they are."""
    return {
        f"evidence/blobs/{one.response}"
        for one in (*entries.controls, *entries.exchanges, *entries.superseded)
        if one.wire is not None
        and (one.wire.chunks or any(name.lower() == "content-encoding" for name, _ in one.wire.response_headers))
    }


def _places(data: bytes, sought: Sought) -> list[tuple[int, int]]:
    """Return the stretches to withhold, none within another; white space within a short word makes it another one."""
    spans = sorted(
        (one.start, one.end)
        for one in find(data, sought)
        if one.between != "spaces" or one.end - one.start >= 2 * SHORTEST
    )
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _without(data: bytes, sought: Sought) -> bytes:
    places = _places(data, sought)
    kept = zip([0, *(end for _, end in places)], [*(start for start, _ in places), len(data)], strict=True)
    return MARK.join(data[start:end] for start, end in kept)


def _log_without(data: bytes, sought: Sought) -> bytes:
    made = []
    for line in data.splitlines():
        shown = _without(line, sought)
        if shown != line:
            shown = canonical(Withheld(leaf=merkle.leaf(line).hex(), shown=shown.decode()))
        made.append(shown + b"\n")
    return b"".join(made)


def _write(goal: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder whole or not at all."""
    if goal.exists():
        raise UsageError(f"{goal}: is there already", hint="name a new folder")
    work = goal.with_name(f".{goal.name}.{os.getpid()}.tmp")
    try:
        for name, data in files.items():
            file = work / manifest.safe(name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        work.rename(goal)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def produce(path: Path, goal: Path, records: Sequence[int]) -> tuple[Path, ...]:
    """Write single records, each with its proof, and the seal that they are proved against; nothing else."""
    made: dict[str, bytes] = {}
    with opened(path, b"") as read:
        with read.bundle.open(LOG) as file:
            lines = [line[:-1] for line in file]
        leaves = [merkle.leaf(line) for line in lines]
        for number in records:
            if not 0 <= number < len(lines):
                raise UsageError(f"{path}: no record {number}", hint=f"records: 0 to {len(lines) - 1}")
            proof = Proof(line=lines[number].decode(), path=merkle.path(leaves, number))
            made[f"proof-{number}.json"] = canonical(proof)
        for name in (*PARENT, "VERIFY.py"):
            if name in read.bundle.sizes():
                with read.bundle.open(name) as file:
                    made[name] = file.read()
    _write(goal, made)
    return tuple(goal / name for name in made if name.startswith("proof-"))


def is_redacted(path: Path) -> bool:
    """Tell a redacted copy from a bundle."""
    return path.is_dir() and (path / RANGES).is_file()


def verify_redacted(path: Path, public_key: bytes) -> Verified:
    """Check that a redacted copy is the sealed bundle but for what its log of redactions lists."""
    copy = Unpacked(path)
    data = {name: _bytes(copy, name) for name in copy.sizes()}
    for name in ("SHA256SUMS", RANGES, LOG, *(f"parent/{one}" for one in ("SEAL", "SEAL.sig", "SHA256SUMS"))):
        if name not in data:
            raise EvidenceError(f"{path}: no {name}: not a whole copy", hint=_HINT)
    own = manifest.read(data["SHA256SUMS"], "SHA256SUMS")
    odd = sorted(own.keys() ^ (data.keys() - {"SHA256SUMS"}))
    odd += [name for name in own if name in data and sha256(data[name]) != own[name]]
    if odd:
        raise EvidenceError(f"{odd[0]}: added, missing or changed after the copy was made", hint=_HINT)
    key = keys.load_public(public_key or data["parent/signer.pem"], "public key")
    keys.check(key, data["parent/SEAL.sig"], data["parent/SEAL"], "parent/SEAL.sig")
    sealed = manifest.read(data["parent/SEAL"], "parent/SEAL")
    if sealed.get("SHA256SUMS") != sha256(data["parent/SHA256SUMS"]):
        raise EvidenceError("parent/SHA256SUMS: not the one that was sealed", hint=_HINT)
    ranges = [msgspec.json.decode(line, type=Range) for line in data[RANGES].splitlines()]
    touched = {one.file: one.sha256 for one in ranges}
    for name, wanted in manifest.read(data["parent/SHA256SUMS"], "parent/SHA256SUMS").items():
        shown = data.get(name, data.get(f"parent/{name}", b""))
        if sha256(shown) != wanted and touched.get(name) != wanted:
            raise EvidenceError(f"{name}: differs from what was sealed, and no redaction says why", hint=_HINT)
    seal = msgspec.json.decode(data["parent/seal.json"], type=Seal)
    leaves = [_leaf(line) for line in data[LOG].splitlines()]
    if len(leaves) != seal.log.records or merkle.root(leaves).hex() != seal.log.merkle_root:
        raise EvidenceError(f"{LOG}: the sealed Merkle root does not follow from it", hint=_HINT)
    return Verified(
        bundle=str(path),
        fingerprint=keys.fingerprint(key),
        sealed_at=seal.sealed_at,
        checks=(
            f"the parent is signed by {keys.fingerprint(key)}",
            f"{len(data)} files are the sealed ones but for {len(ranges)} passages in {len(touched)} files",
            f"the sealed Merkle root follows from the {len(leaves)} records",
        ),
        not_verified=(
            *(() if public_key else ("who signed: no --public-key was given",)),
            "the words around what was withheld in a touched file: only the sealed bundle shows them",
            "the findings: they are computed again from the sealed bundle",
        ),
    )


def _bytes(copy: Unpacked, name: str) -> bytes:
    with container.open_source(Path(copy.name) / name) as file:
        return file.read()


def _leaf(line: bytes) -> bytes:
    try:
        return bytes.fromhex(msgspec.json.decode(line, type=Withheld).leaf)
    except (msgspec.ValidationError, ValueError):
        return merkle.leaf(line)
