"""Single records of a sealed log, each with all that proves it, and nothing of any other record.

A proof is one file. It carries SEAL, its signature and the signer's public key, COMMITMENT and its time-stamp, the
record and the way from its leaves up to the sealed root. The digest of the record before, by which a log is chained,
is withheld in it: from that a short secret in the other record could be guessed.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from depose.custody import commitment, container, forms, instructions, keys, leaves, merkle
from depose.custody.kinds import LOG
from depose.custody.signed_root import Signed
from depose.custody.verified import Verified, as_evidence
from depose.errors import EvidenceError
from depose.evidence.log import Clock, utc_now
from depose.model import Record
from depose.model.canonical import UNREADABLE, canonical, sha256

FORMATS = {"depose proof 2": 2, "depose proof 3": 3}
NAME = re.compile(r"proof-(0|[1-9][0-9]{0,9})\.json\Z")
LARGEST = 64 * 1024**2
PREV = re.compile(rb'"prev":"([0-9a-f]{64})"')
_HINT = "ask for the record as it was produced"


class Proof(Record, frozen=True, kw_only=True):
    """One record of the log and what leads from it to the sealed root."""

    format: str
    record: int
    shown: str
    """The record; `[REDACTED]` stands for the digest of the one before."""
    tree: tuple[str, ...]
    """The tree over its leaves, in postfix order."""
    line_path: tuple[tuple[str, str], ...]
    """From the record to the root of the log."""
    lines: int | UnsetType = UNSET
    """How many records the log has; form 2 did not prove it."""
    name_salt: str
    file_path: tuple[tuple[str, str], ...]
    """From the log to the root of the bundle."""
    commitment: str
    seal: str
    signature: str
    """In base64, as are the tokens."""
    signer: str
    stamps: dict[str, str]
    """Tokens over SHA256SUMS and COMMITMENT with the requests and certificates that SEAL lists."""


def make(
    lines: Sequence[bytes],
    number: int,
    secret: bytes,
    committed: Sequence[commitment.Committed],
    seal: Mapping[str, bytes],
) -> bytes:
    """Write the proof of one line of the log; `secret` is that of the log, `seal` the files of the seal."""
    line = lines[number]
    form = commitment.read(seal[commitment.FILE]).by
    roots = [leaves.piece(one, leaves.secret_of(secret, str(place))) for place, one in enumerate(lines)]
    opened = leaves.withhold(line, leaves.secret_of(secret, str(number)), before(line))
    place = next(place for place, one in enumerate(committed) if one.name == LOG)
    return canonical(
        Proof(
            format=next(name for name, one in FORMATS.items() if one == form),
            record=number,
            shown=opened.shown.decode(),
            tree=opened.tree,
            line_path=merkle.path([forms.line(one, form) for one in roots], number),
            lines=UNSET if form == 2 else len(lines),
            name_salt=leaves.name_salt(secret).hex(),
            file_path=merkle.path([one.hash for one in committed], place),
            commitment=seal[commitment.FILE].decode(),
            seal=seal["SEAL"].decode(),
            signature=base64.b64encode(seal["SEAL.sig"]).decode(),
            signer=seal["signer.pem"].decode(),
            stamps={
                name: base64.b64encode(data).decode()
                for name, data in seal.items()
                if name not in ("SEAL", "SEAL.sig", "signer.pem", commitment.FILE)
            },
        )
    )


def before(line: bytes) -> list[tuple[int, int]]:
    """Say where a line of the log names the digest of the line before; in an answer the same bytes are escaped."""
    return [match.span(1) for match in PREV.finditer(line)]


def is_proof(path: Path) -> bool:
    """Tell a proof, or a folder of proofs, from bundles and copies."""
    if path.is_dir():
        return any(NAME.match(one.name) for one in path.iterdir())
    return path.suffix == ".json"


def verify_proofs(path: Path, public_key: bytes, roots: bytes = b"", clock: Clock = utc_now) -> Verified:
    """Check one proof, or every proof of a folder; whatever else stands in that folder is refused."""
    with as_evidence(path):
        files = container.Unpacked(path).sizes() if path.is_dir() else {path.name: container.size_of(path)}
        folder = path if path.is_dir() else path.parent
        for name, size in files.items():
            if size > LARGEST:
                raise EvidenceError(f"{name}: has {size} bytes, more than a proof has", hint=_HINT)
        found: list[Verified] = []
        others, last = dict[str, bytes](), b""
        for name in sorted(files):
            data = container.regular(folder / name, LARGEST)
            if not path.is_dir() or NAME.match(name):
                found.append(_verified(data, name, public_key, roots, clock))
                last = data
            else:
                others[name] = data
        first = found[0]
        if any(one.fingerprint != first.fingerprint for one in found):
            raise EvidenceError(f"{path}: proofs of bundles of several signers", hint="verify them one by one")
        _beside(others, last)
        return msgspec.structs.replace(
            first,
            bundle=str(path),
            checks=tuple(dict.fromkeys(line for one in found for line in one.checks)),
            not_verified=tuple(dict.fromkeys(line for one in found for line in one.not_verified)),
            cautions=instructions.cautions(others.get("COPY.py", b"")),
        )


def beside(seal: Mapping[str, bytes]) -> dict[str, bytes]:
    """Write what goes with proofs: how to check them without depose, and the seal as files for that."""
    given = {name: seal[name] for name in ("SEAL", "SEAL.sig", "signer.pem")}
    return {"VERIFY.md": instructions.PROOF.encode(), "COPY.py": instructions.script("COPY.py"), **given}


def _beside(others: Mapping[str, bytes], proof: bytes) -> None:
    """Refuse whatever stands beside proofs and is not as depose writes it."""
    if not others:
        return
    one = msgspec.json.decode(proof, type=Proof)
    seal = {"SEAL": one.seal.encode(), "signer.pem": one.signer.encode(), "SEAL.sig": base64.b64decode(one.signature)}
    wanted = beside(seal)
    for name in sorted(wanted.keys() | others.keys()):
        if others.get(name) != wanted.get(name) and sha256(others.get(name, b"")) not in instructions.before(
            name, FORMATS[one.format]
        ):
            raise EvidenceError(f"{name}: was added, is missing, or is not as depose writes it", hint=_HINT)


def _verified(data: bytes, name: str, public_key: bytes, roots: bytes, clock: Clock) -> Verified:
    try:
        proof = msgspec.json.decode(data, type=Proof)
        files = {one: _base64(text) for one, text in proof.stamps.items()}
        own = {"SEAL": proof.seal.encode(), "signer.pem": proof.signer.encode(), "SEAL.sig": _base64(proof.signature)}
    except (*UNREADABLE, binascii.Error) as error:
        raise EvidenceError(f"{name}: not a proof of a record: {error}", hint=_HINT) from error
    if proof.format not in FORMATS or canonical(proof) != data:
        raise EvidenceError(
            f"{name}: of another form than {', '.join(map(repr, FORMATS))}: a proof of format 1 carries no signature, "
            "and proves nothing",
            hint=_HINT,
        )
    form = FORMATS[proof.format]
    own[commitment.FILE] = proof.commitment.encode()
    if twice := sorted(files.keys() & own.keys()):
        raise EvidenceError(f"{name}: {twice[0]}: stands among the tokens, and is none", hint=_HINT)
    files |= own
    seal = Signed.read(files, public_key, name)
    if extra := sorted(files.keys() - seal.digests.keys() - {"SEAL", "SEAL.sig", "signer.pem"}):
        raise EvidenceError(f"{name}: {extra[0]}: SEAL does not list it", hint=_HINT)
    shown = proof.shown.encode()
    read = leaves.read(proof.tree, shown, 0, name)
    if read.end != len(shown):
        raise EvidenceError(f"{name}: has words that nothing proves", hint=_HINT)
    if seal.root.by != form:
        raise EvidenceError(f"{name}: sealed by another form than it is of", hint=_HINT)
    if not _leads(proof, form, _steps(proof.line_path, name)):
        raise EvidenceError(
            f"{name}: its path is not that of line {proof.record} of a log: it may join parts of several records",
            hint=_HINT,
        )
    lines = 0 if isinstance(proof.lines, UnsetType) else proof.lines
    log = forms.file_of(lines, merkle.climb(forms.line(read.root, form), proof.line_path), form)
    file = forms.commitment(_salt(proof.name_salt, name), LOG, log, form)
    if merkle.climb(file, _steps(proof.file_path, name)).hex() != seal.root.root:
        raise EvidenceError(f"{name}: record {proof.record} is not in the sealed log", hint=_HINT)
    record = _record(proof.shown, name)
    named = NAME.match(name)
    if record.get("seq") != proof.record or (named and int(named[1]) != proof.record):
        raise EvidenceError(f"{name}: is another record than number {proof.record}", hint=_HINT)
    dated, without = seal.stamps(roots, clock)
    return Verified(
        bundle=name,
        fingerprint=keys.fingerprint(seal.key),
        sealed_at="",
        checks=(
            f"signature of {keys.fingerprint(seal.key)} over the root of {seal.root.files} files",
            f"record {proof.record} stands in the sealed log, word by word but for {read.marks} marked",
            *dated,
        ),
        not_verified=(
            *(() if public_key else ("who signed: no --public-key was given",)),
            *without,
            "any other record, and what follows from it: only the sealed bundle shows that",
        ),
    )


def _base64(text: str) -> bytes:
    """Decode base64 in its one form."""
    found = base64.b64decode(text, validate=True)
    if base64.b64encode(found).decode() != text:
        raise binascii.Error("not in the one form of base64")
    return found


def _leads(proof: Proof, form: int, steps: Sequence[tuple[str, str]]) -> bool:
    """Tell whether a path is that of the record in a log of so many, or by form 2 in one of any length."""
    if form == 2:
        return proof.record >= 0 and isinstance(proof.lines, UnsetType) and merkle.leads_from(proof.record, steps)
    if isinstance(proof.lines, UnsetType) or not 0 <= proof.record < proof.lines < 2**53:
        return False
    return merkle.sides(proof.record, proof.lines) == tuple(side for side, _ in steps)


def _record(shown: str, name: str) -> dict[str, Any]:
    try:
        found = json.loads(shown)
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"{name}: not a record: {error}", hint=_HINT) from error
    return found if isinstance(found, dict) else {}


def _salt(text: str, name: str) -> bytes:
    if not re.fullmatch(r"[0-9a-f]{32}", text):
        raise EvidenceError(f"{name}: a salt that is not 32 hex digits", hint=_HINT)
    return bytes.fromhex(text)


def _steps(steps: Sequence[tuple[str, str]], name: str) -> Sequence[tuple[str, str]]:
    """Check the form of a way through a tree."""
    for side, sibling in steps:
        if side not in ("left", "right") or not re.fullmatch(r"[0-9a-f]{64}", sibling) or len(steps) > 64:
            raise EvidenceError(f"{name}: a way that leads through no tree", hint=_HINT)
    return steps
