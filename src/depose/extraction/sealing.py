"""A sealed extraction case: one signed bundle, which `unsealing` verifies with a public key alone.

    extraction.toml, evidence/log.jsonl, events/manifest.json, out/...   the case without its events
    VERIFY.md, VERIFY.py                                                 how to check it without depose
    SHA256SUMS                                                           all of these
    SEAL, SEAL.sig, signer.pem                                           digest of SHA256SUMS and its token, signed

Events stay with their custodian: the manifest has their digests, and the tables that the tests read are in the bundle,
under keyed hashes. `unsealing` computes the findings again from the tables.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import UNSET, UnsetType

from depose.custody import container, keys, manifest, merkle
from depose.custody.stamp import Source, fetch
from depose.errors import CaseError, shell
from depose.evidence.log import SEALED, Clock, is_sealed, log_path, read_log, seals_folder, write_whole
from depose.extraction import conduct, instructions, plan
from depose.model import Record
from depose.model.canonical import canonical, sha256

FORMAT = "depose extraction seal 1"
OUTSIDE = ("SEAL", "SEAL.sig", "SHA256SUMS", "signer.pem")
STAMP = ("SHA256SUMS.tsr", "SHA256SUMS.pem")
"""Beside them where SEAL names a token."""


class Seal(Record, frozen=True, kw_only=True):
    """`SEAL`, of which `SEAL.sig` is the signature."""

    format: str
    sealed_at: str
    sums: str
    """SHA-256 of SHA256SUMS."""
    token: str
    """SHA-256 of its time-stamp, or nothing."""
    certificates: str | UnsetType = UNSET
    """SHA-256 of the certificates that go with it; bundles of before did not say it."""
    signer: str
    records: int
    head: str
    merkle_root: str


class Sealed(Record, frozen=True, kw_only=True):
    """A bundle that was written."""

    bundle: str
    sha256: str
    fingerprint: str
    records: int
    head: str
    merkle_root: str
    stamped: str
    unchanged: bool = False
    """Whether this bundle was there before, byte for byte."""


def seal(path: Path, key: keys.PrivateKey, clock: Clock, source: Source | None = None) -> Sealed:
    """Write the bundle of a scanned case; from then on its log takes no further record."""
    folder = plan.folder_of(path)
    source = (source or Source()).checked()
    found = conduct.read_findings(folder)
    entries = list(read_log(folder))
    said = [one.entry.body["findings"] for one in entries if one.entry.kind == "extraction-findings"]
    if not said or said[-1] != sha256(canonical(found)):
        raise CaseError(
            f"{folder}: the findings are not those of the last scan", hint=f"depose extraction scan {shell(folder)}"
        )
    version = next(one.value for one in found.software if one.name == "depose")
    files: dict[str, Path | bytes] = {**_files(folder), **instructions_of(key.public_key(), version)}
    sums = manifest.write(
        {name: sha256(one) if isinstance(one, bytes) else _digest(one) for name, one in files.items()}
    )
    outside: dict[str, Path | bytes] = {"SHA256SUMS": sums, "signer.pem": keys.public_pem(key.public_key())}
    stamped, token = "", b""
    if source.given:
        got = fetch(sums, source, "token of SHA256SUMS")
        stamped, token = got.said.time, got.token
        outside |= {"SHA256SUMS.tsr": token, "SHA256SUMS.pem": source.roots}
    before = _sealed_at(folder, sha256(sums))
    root = merkle.root([merkle.leaf(canonical(one.entry)) for one in entries]).hex()
    record = Seal(
        format=FORMAT,
        sealed_at=before or clock(),
        sums=sha256(sums),
        token=sha256(token) if token else "",
        certificates=sha256(source.roots) if token else UNSET,
        signer=keys.fingerprint(key.public_key()),
        records=len(entries),
        head=entries[-1].digest,
        merkle_root=root,
    )
    signed = canonical(record)
    outside |= {"SEAL": signed, "SEAL.sig": keys.sign(key, signed)}
    goal = folder / "sealed" / f"{folder.resolve().name}-{record.sums[:12]}.zip"
    goal.parent.mkdir(exist_ok=True)
    there = frozenset(goal.parent.iterdir())
    goal = container.write_new(goal, {**files, **outside})
    seals_folder(folder).mkdir(exist_ok=True)
    mark = {"sealed_at": record.sealed_at, "contents": record.sums, "bundle": goal.name}
    write_whole(seals_folder(folder) / SEALED, canonical(mark))
    with goal.open("rb") as file:
        whole = container.digest(file)[0]
    return Sealed(
        bundle=str(goal),
        sha256=whole,
        fingerprint=record.signer,
        records=record.records,
        head=record.head,
        merkle_root=root,
        stamped=stamped,
        unchanged=goal in there,
    )


def instructions_of(key: keys.PublicKey, version: str) -> dict[str, bytes]:
    """Make the files that say how to check without depose what this version sealed."""
    return {"VERIFY.md": instructions.text(key, version), "VERIFY.py": instructions.script()}


def _sealed_at(folder: Path, sums: str) -> str:
    """Return when these very contents were sealed before, or nothing."""
    if not is_sealed(folder):
        return ""
    mark = msgspec.json.decode((seals_folder(folder) / SEALED).read_bytes())
    return str(mark["sealed_at"]) if mark.get("contents") == sums else ""


def _files(folder: Path) -> dict[str, Path]:
    found = {
        plan.NAME: folder / plan.NAME,
        "evidence/log.jsonl": log_path(folder),
        "events/manifest.json": folder / "events" / "manifest.json",
    }
    if (folder / "events" / "public.json").is_file():
        found["events/public.json"] = folder / "events" / "public.json"
    for one in (folder / "out").rglob("*"):
        name = one.relative_to(folder).as_posix()
        if one.is_file() and not one.name.startswith(".") and not name.startswith("out/lineup/"):
            if one.is_symlink():
                raise CaseError(f"{one}: a symbolic link", hint="put the file itself there")
            found[manifest.safe(name)] = one
    return dict(sorted(found.items()))


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return container.digest(opened)[0]
