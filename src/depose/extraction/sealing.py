"""A sealed extraction case: one signed bundle, and its verification with a public key alone.

    extraction.toml, evidence/log.jsonl, events/manifest.json, out/...   the case without its events
    VERIFY.md, VERIFY.py                                                 how to check it without depose
    SHA256SUMS                                                           all of these
    SEAL, SEAL.sig, signer.pem                                           digest of SHA256SUMS and its token, signed

Events stay with their custodian: the manifest has their digests, and the tables that the tests read are in the bundle,
under keyed hashes. `verify` computes the findings again from the tables; with the events at hand, also the tables.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from depose.custody import container, keys, manifest, merkle
from depose.custody.stamp import Source, fetch
from depose.custody.verified import Verified, as_evidence
from depose.errors import CaseError, EvidenceError, shell
from depose.evidence import timestamp
from depose.evidence.log import SEALED, Clock, chained, is_sealed, log_path, read_log, seals_folder, write_whole
from depose.extraction import conduct, instructions, plan, scan, tables
from depose.extraction import manifest as manifest_of
from depose.extraction.findings import ExtractionFindings
from depose.features.workers import cores
from depose.model import Record
from depose.model.canonical import canonical, sha256
from depose.model.canonical import digest as content_digest

FORMAT = "depose extraction seal 1"
HINT = "ask for the bundle as it was sealed"
OUTSIDE = ("SEAL", "SEAL.sig", "SHA256SUMS", "SHA256SUMS.tsr", "SHA256SUMS.pem", "signer.pem")
LARGE = 1024**3


class Seal(Record, frozen=True, kw_only=True):
    """`SEAL`, of which `SEAL.sig` is the signature."""

    format: str
    sealed_at: str
    sums: str
    """SHA-256 of SHA256SUMS."""
    token: str
    """SHA-256 of its time-stamp, or nothing."""
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
    files: dict[str, Path | bytes] = {**_files(folder), **_instructions(key.public_key(), found)}
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


def _instructions(key: keys.PublicKey, found: ExtractionFindings) -> dict[str, bytes]:
    version = next((one.value for one in found.software if one.name == "depose"), "")
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


def is_bundle(path: Path) -> bool:
    """Tell whether this is the bundle of an extraction case, by the names in it."""
    if path.is_dir():
        return (path / plan.NAME).is_file() and (path / "SEAL").is_file()
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(64 * 1024)
    return head[:4] == b"PK\x03\x04" and b"SEAL.sig" in head[:1024] and FORMAT.encode() in head


def verify(
    path: Path,
    *,
    public_key: bytes = b"",
    roots: bytes = b"",
    recompute: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Verified:
    """Check a bundle; raise EvidenceError at the first thing that does not hold."""
    with as_evidence(path):
        bundle = container.open_bundle(path)
        try:
            return _verified(path, bundle, public_key, roots, recompute, progress)
        finally:
            bundle.close()


def _verified(
    path: Path, bundle: Any, public_key: bytes, roots: bytes, recompute: bool, progress: Callable[[str], None]
) -> Verified:
    sizes = bundle.sizes()
    for name in ("SEAL", "SEAL.sig", "SHA256SUMS", "signer.pem", plan.NAME, "evidence/log.jsonl"):
        if name not in sizes:
            raise EvidenceError(f"{path}: no {name}", hint=HINT)

    def content(name: str) -> bytes:
        if sizes[name] > LARGE:
            raise EvidenceError(f"{name}: has {sizes[name]} bytes", hint=HINT)
        with bundle.open(name) as file:
            return bytes(file.read())

    key = keys.load_public(content("signer.pem"), "signer.pem")
    if public_key and keys.fingerprint(keys.load_public(public_key, "--public-key")) != keys.fingerprint(key):
        raise EvidenceError(f"{path}: signed with another key", hint="somebody else sealed it")
    signed = content("SEAL")
    keys.check(key, content("SEAL.sig"), signed, "SEAL.sig")
    seal_ = msgspec.json.decode(signed, type=Seal)
    sums = content("SHA256SUMS")
    if seal_.format != FORMAT or seal_.signer != keys.fingerprint(key) or seal_.sums != sha256(sums):
        raise EvidenceError("SEAL: is of other contents, or of another format", hint=HINT)
    listed = manifest.read(sums, "SHA256SUMS")
    extra = sorted(sizes.keys() - listed.keys() - set(OUTSIDE))
    if extra or (missing := sorted(listed.keys() - sizes.keys())):
        name = extra[0] if extra else missing[0]
        raise EvidenceError(f"{name}: was {'added' if extra else 'taken away'}", hint=HINT)
    for name, digest in listed.items():
        with bundle.open(name) as file:
            if container.digest(file)[0] != digest:
                raise EvidenceError(f"{name}: was changed after it was sealed", hint=HINT)
    checks = [f"signature of {keys.fingerprint(key)}", f"{len(listed)} files, none missing, added or changed"]
    checks.append(_log(content("evidence/log.jsonl"), seal_))
    left = [] if public_key else ["who signed: no --public-key was given, and a key in a bundle proves nothing"]
    if seal_.token:
        token = content("SHA256SUMS.tsr")
        if sha256(token) != seal_.token:
            raise EvidenceError("SHA256SUMS.tsr: is another token than was sealed", hint=HINT)
        trusted = roots or content("SHA256SUMS.pem")
        stamp = timestamp.verify(token, sums, trusted, "SHA256SUMS.tsr")
        checks.append(f"time-stamped {stamp.time} by {stamp.authority}")
        left += [] if roots else ["who the authority is: its certificates stand in the bundle alone"]
    else:
        left.append("when it was sealed: there is no time-stamp")
    checks += _findings(content, listed, recompute, progress)
    said = msgspec.json.decode(content(f"out/{conduct.FINDINGS}"), type=ExtractionFindings)
    for name, wanted in _instructions(key, said).items():
        if name in listed and listed[name] != sha256(wanted):
            raise EvidenceError(f"{name}: is not that of this depose", hint="do not run it; verify with depose alone")
    left.append("that the tables follow from the events: these stay with their custodian; digests are in the manifest")
    left.append("that the logs are whole and authentic: only who kept them can say")
    left += [] if recompute else ["that the findings follow from the tables: not computed again"]
    return Verified(
        bundle=str(path),
        fingerprint=keys.fingerprint(key),
        sealed_at=seal_.sealed_at,
        checks=tuple(checks),
        not_verified=tuple(left),
    )


def _log(data: bytes, seal_: Seal) -> str:
    lines = [line + b"\n" for line in data.split(b"\n")[:-1]]
    entries = list(chained(lines, "evidence/log.jsonl"))
    root = merkle.root([merkle.leaf(line[:-1]) for line in lines]).hex()
    if (len(entries), entries[-1].digest, root) != (seal_.records, seal_.head, seal_.merkle_root):
        raise EvidenceError("evidence/log.jsonl: another length, end or tree than was sealed", hint=HINT)
    return f"{len(entries)} records in one chain, of the sealed length, end and Merkle root"


def _findings(
    content: Callable[[str], bytes], listed: dict[str, str], recompute: bool, progress: Callable[[str], None]
) -> list[str]:
    """Compare findings with log, case file, manifest and tables; compute them again."""
    raw = content(f"out/{conduct.FINDINGS}")
    found = msgspec.json.decode(raw, type=ExtractionFindings)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in listed:
            if name.startswith(("out/tables/", "evidence/", "events/")) or name == plan.NAME:
                goal = folder / name
                goal.parent.mkdir(parents=True, exist_ok=True)
                goal.write_bytes(content(name))
        registered = conduct.protocol(folder)
        said = [one.entry.body["findings"] for one in read_log(folder) if one.entry.kind == "extraction-findings"]
        if registered is None or registered[0].case != plan.read(folder):
            raise EvidenceError(f"{plan.NAME}: is not the case that was registered", hint=HINT)
        if registered[0].queries != content_digest(conduct.sql_of(registered[0].case)):
            raise EvidenceError("the registered queries are not those of this depose", hint="verify with that one")
        if not said or said[-1] != sha256(raw):
            raise EvidenceError(f"out/{conduct.FINDINGS}: not the findings that the log names", hint=HINT)
        events = manifest_of.read_manifest(folder)
        if found.events != content_digest(events):
            raise EvidenceError("events/manifest.json: not the events that the findings are of", hint=HINT)
        if not recompute:
            return ["findings are those that the log names"]
        progress("findings: computing again from the tables")
        made = tables.read(folder / "out" / "tables")

        def slots_of(accounts: Any) -> Any:
            if "chosen" not in made.by_name or made.by_name["chosen"]["account"].to_pylist() != accounts.tolist():
                raise EvidenceError("out/tables/slots.parquet: is of other accounts than the groups have", hint=HINT)
            return made.by_name["slots"]

        result = scan.Scan(registered[0].case, made, slots_of, cores(), progress).run()
        again = conduct.findings_of(folder, registered, events, result)
    if canonical(again) != raw:
        raise EvidenceError(
            f"out/{conduct.FINDINGS}: does not follow from the tables and the protocol",
            hint="it was changed before it was sealed, or made with other versions: see its software",
        )
    return [f"findings computed again from {len(made.by_name)} tables, to the same bytes"]
